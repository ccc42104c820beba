// Package project holds projects: their states (the board's columns), labels, members and saved views, and the rules
// for changing them.
package project

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
)

// Limits, answered with apperr.Invalid naming the field.
const (
	MaxKey         = 10   // [A-Z][A-Z0-9]{1,9}
	MaxName        = 120  // characters
	MaxDescription = 8192 // characters
	MaxStates      = 40   // that are not archived
	MaxLabels      = 500
	MaxMembers     = 1000
	MaxStateName   = 40
	MaxLabelName   = 60
	MaxViewName    = 80
	MaxWIPLimit    = 999
	MaxViews       = 200
)

// Category says what a state means for statistics. It never changes once a state exists.
type Category string

// The categories, in board order.
const (
	Backlog   Category = "backlog"
	Todo      Category = "todo"
	Doing     Category = "doing"
	Done      Category = "done"
	Cancelled Category = "cancelled"
)

// State is a column of the board.
type State struct {
	ID       uuid.UUID `json:"id"`
	Name     string    `json:"name"` // unique in the project among states not archived, ignoring case
	Category Category  `json:"category"`
	WIPLimit *int      `json:"wipLimit,omitempty"` // a warning, never a refusal
	Archived bool      `json:"archived,omitempty"` // has no tasks; kept because history names it
}

// Label marks tasks.
type Label struct {
	ID    uuid.UUID `json:"id"`
	Name  string    `json:"name"`  // unique in the project, ignoring case
	Color string    `json:"color"` // #rrggbb
}

// Member is a person with a role ("owner", "editor", "commenter", "viewer").
type Member struct {
	PersonID uuid.UUID `json:"person"`
	Role     string    `json:"role"`
}

// Project is an aggregate: its states are ordered as in States. Its settings change under one version. Its JSON form is
// what stores keep as the answer of an idempotent request; the API has its own.
type Project struct {
	ID          uuid.UUID  `json:"id"`
	Key         string     `json:"key"` // unique, upper case, immutable
	Name        string     `json:"name"`
	Description string     `json:"description,omitempty"`
	States      []State    `json:"states"` // board order, archived ones last
	Labels      []Label    `json:"labels"`
	Members     []Member   `json:"members"`
	Version     int64      `json:"version"` // grows with each change of settings; the ETag
	Seq         int64      `json:"seq"`     // of the last project event
	Created     time.Time  `json:"created"`
	Updated     time.Time  `json:"updated"`
	CreatedBy   uuid.UUID  `json:"createdBy"`
	Archived    *time.Time `json:"archived,omitempty"` // read-only since

	pending []history.Event // recorded by the methods, taken by the store
}

// Layout of a saved view.
type Layout string

// Layouts of the UI.
const (
	Board    Layout = "board"
	List     Layout = "list"
	Calendar Layout = "calendar"
	Timeline Layout = "timeline"
)

// View is a saved filter with its presentation.
type View struct {
	ID        uuid.UUID `json:"id"`
	ProjectID uuid.UUID `json:"projectId"`
	Name      string    `json:"name"`
	Filter    string    `json:"filter,omitempty"` // filter language; checked when saved
	Layout    Layout    `json:"layout"`
	GroupBy   string    `json:"groupBy,omitempty"` // "", state, assignee, priority, label
	Sort      string    `json:"sort,omitempty"`    // as in task lists, e.g. "-updated"
	Owner     uuid.UUID `json:"owner"`
	Shared    bool      `json:"shared"` // everyone in the project sees it; others only their owner
	Version   int64     `json:"version"`
	Created   time.Time `json:"created"`
	Updated   time.Time `json:"updated"`
}

// Write says who changes something and how a retry is recognised.
type Write struct {
	Actor       uuid.UUID
	Key         string   // Idempotency-Key, empty without
	RequestHash [32]byte // of method, path and body: the same key with another hash is refused
	IfVersion   int64    // 0: any; otherwise the version the caller saw, else apperr.Stale with Current
}

// Store keeps projects. Changes write state and event in one transaction.
type Store interface {
	// CreateProject stores a new project with its pending event. apperr.Conflict if the key is taken.
	CreateProject(ctx context.Context, w Write, p *Project) (*Project, error)
	// Project returns a project by key (upper case), or apperr.NotFound.
	Project(ctx context.Context, key string) (*Project, error)
	// Projects returns all projects by key; archived ones only if asked for.
	Projects(ctx context.Context, archived bool) ([]*Project, error)
	// UpdateProject locks the project, calls fn and stores what it changed with its pending events. An archived state
	// that still has tasks (trashed ones included) is refused with apperr.Conflict.
	UpdateProject(ctx context.Context, w Write, key string, fn func(*Project) error) (*Project, error)
}

// ViewStore keeps saved views.
type ViewStore interface {
	Views(ctx context.Context, project uuid.UUID, viewer uuid.UUID) ([]View, error)
	SaveView(ctx context.Context, w Write, v View) (View, error) // inserts, or replaces under w.IfVersion; writes view.saved
	RemoveView(ctx context.Context, w Write, project, id uuid.UUID) error
}
