package task

import (
	"time"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
	"github.com/tallyboard/tallyboard/services/task-service/internal/quickadd"
)

// New is what a task is made from. Only Title is required.
type New struct {
	Title       string
	Description string
	State       uuid.UUID // uuid.Nil: the first state of category backlog or todo in board order
	Priority    Priority
	Assignees   []uuid.UUID
	Labels      []uuid.UUID
	Start       Date
	Due         Date
	Estimate    *float64
	Parent      uuid.UUID // uuid.Nil: none
	Recurrence  string    // RRULE, empty: none
	Place       Placement // zero: bottom of the project
}

// Patch says which fields to change: nil stays, a pointer to the zero value clears.
type Patch struct {
	Title       *string
	Description *string
	State       *uuid.UUID
	Priority    *Priority
	Assignees   *[]uuid.UUID
	Labels      *[]uuid.UUID
	Start       *Date // "" clears
	Due         *Date
	Estimate    **float64 // pointer to nil clears
	Parent      *uuid.UUID
	Recurrence  *string

	// For bulk edits, which cannot know each task's lists; applied after Assignees and Labels.
	AddAssignees    []uuid.UUID
	RemoveAssignees []uuid.UUID
	AddLabels       []uuid.UUID
	RemoveLabels    []uuid.UUID
}

// Move puts a task into a state, a place, or both.
type Move struct {
	State *uuid.UUID // nil: stays
	Place *Placement // nil: keeps its rank; pointer to the zero value: bottom
}

// BulkEdit changes many tasks of one project in one transaction, all or none. Exactly one of Refs and Filter names the
// tasks (at most MaxBulk), and exactly one of Patch, Trash and Restore says what happens.
type BulkEdit struct {
	Refs    []Ref
	Filter  string
	Viewer  Viewer // for Filter
	Patch   *Patch
	Trash   bool
	Restore bool
}

// Viewer is who looks, as far as names and days depend on it.
type Viewer struct {
	Person uuid.UUID      // "me"
	Zone   *time.Location // of days such as today; nil: UTC
}

// ListInput asks for a page of tasks.
type ListInput struct {
	Project  string   // key; empty: all projects in Projects
	Projects []string // keys; with Project and Projects empty: every project that is not archived
	Filter   string   // filter language
	Sort     string   // rank (default), created, updated, due, start, priority, number, title, completed; "-" in front: descending
	Limit    int      // 1–MaxPage; 0: DefaultPage
	After    *Cursor  // of the page before; made with the same sort
	Trashed  bool     // the trash instead of the living
	Viewer   Viewer
}

// BoardInput asks for a whole board.
type BoardInput struct {
	Project string
	Filter  string
	At      time.Time // zero: now; otherwise as the board stood then
	Viewer  Viewer
}

// Board is a project with its tasks in order of rank.
type Board struct {
	Project   *project.Project
	Tasks     []*Task
	Pos       int64 // position up to which events are certainly included; a live stream continues behind it
	Truncated bool  // there are more than MaxBoard
}

// MaxBoard bounds the tasks of one board answer.
const MaxBoard = 5000

// QuickPreview is what a quick-add text means.
type QuickPreview struct {
	New    New
	Tokens []quickadd.Token
}
