package ledger

import "fmt"

// The operations clients make on the settings of a project and on its saved views.
const (
	AddState     Kind = "state"
	ChangeState  Kind = "state change"
	ArchiveState Kind = "state archived"
	AddLabel     Kind = "label"
	ChangeLabel  Kind = "label change"
	RemoveLabel  Kind = "label removal"
	SetMember    Kind = "member"
	RemoveMember Kind = "member removal"
	ReadProject  Kind = "project read"
	AddView      Kind = "view"
	ReplaceView  Kind = "view change"
	RemoveView   Kind = "view removal"
)

// OfSettings says whether an operation is answered with the project's settings.
func (k Kind) OfSettings() bool {
	switch k {
	case Rename, AddState, ChangeState, ArchiveState, AddLabel, ChangeLabel, RemoveLabel, SetMember, RemoveMember, ReadProject:
		return true
	}
	return false
}

// OfViews says whether an operation is one on a saved view.
func (k Kind) OfViews() bool { return k == AddView || k == ReplaceView || k == RemoveView }

// Reads says whether an operation changes nothing.
func (k Kind) Reads() bool { return k == Read || k == ReadProject }

// Settings of a project, as far as the drill changes them.
type Settings struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Version int64    `json:"version"`
	States  []State  `json:"states"` // in the board's order, archived ones last
	Labels  []Label  `json:"labels"` // in order
	Members []Member `json:"members"`
}

// State is a column of the board.
type State struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Category string `json:"category"`
	WIPLimit *int   `json:"wipLimit"` // nil: none
	Archived bool   `json:"archived"`
}

// String returns the state for people.
func (s State) String() string {
	out := fmt.Sprintf("%s %q (%s", s.ID, s.Name, s.Category)
	if s.WIPLimit != nil {
		out += fmt.Sprintf(", at most %d", *s.WIPLimit)
	}
	if s.Archived {
		out += ", archived"
	}
	return out + ")"
}

// Label of a project.
type Label struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Color string `json:"color"` // #rrggbb
}

// Member of a project.
type Member struct {
	Person string `json:"person"` // id
	Role   string `json:"role"`
}

// View is a saved view.
type View struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Filter  string `json:"filter"`
	Layout  string `json:"layout"`
	Shared  bool   `json:"shared"`
	Version int64  `json:"version"`
}
