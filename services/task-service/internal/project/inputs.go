package project

import "github.com/google/uuid"

// New is what a project is made from. Key and Name are required.
type New struct {
	Key         string // upper-cased
	Name        string
	Description string
	States      []NewState // nil: DefaultStates
	Labels      []NewLabel
	Members     []Member // beside the creator, who becomes an owner
}

// NewState is a state to be added.
type NewState struct {
	Name     string
	Category Category
	WIPLimit *int // 1–MaxWIPLimit; nil: none
	Position *int // 0-based among the states not archived; nil: behind the last of its category
	Archived bool // only for imports: history names it, no task is in it
}

// StatePatch says what to change; nil stays.
type StatePatch struct {
	Name     *string
	Category *Category // refused unless it is the present one: a category never changes
	WIPLimit **int     // pointer to nil clears
	Position *int      // 0-based among the states not archived
	Archived *bool
}

// NewLabel is a label to be added.
type NewLabel struct {
	Name  string
	Color string // #rrggbb; empty: the next of a palette
}

// LabelPatch says what to change; nil stays.
type LabelPatch struct {
	Name     *string
	Color    *string
	Position *int // 0-based
}

// Patch says what to change; nil stays.
type Patch struct {
	Name        *string
	Description *string
	Archived    *bool // true makes the project read-only
}

// ViewInput is what a view is made or replaced from.
type ViewInput struct {
	Name    string
	Filter  string // checked by parsing
	Layout  Layout // empty: board
	GroupBy string // "", state, assignee, priority, label
	Sort    string // as in task lists; empty: rank
	Shared  bool
}

// ViewRef names a view of a project.
type ViewRef struct {
	Project string // key
	ID      uuid.UUID
}
