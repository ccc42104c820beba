// Package stats is the domain of stats-service: how events become projections (see [Work]), and how projections become
// statistics (see [Source] and the Compute functions). It knows no technology; stores, consumer and handlers adapt to it.
//
// Definitions, with their sources, are those of docs/statistics.md. In short: a task is started at its first entry into a
// doing state, ever; it is completed at the entry into its present state if that is of category done; trashed and
// cancelled tasks count in no completion; percentiles are of type 7; days are civil days of the viewer's zone.
package stats

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// Category says what a state means. It never changes once a state exists.
type Category string

// The categories, in board order.
const (
	Backlog   Category = "backlog"
	Todo      Category = "todo"
	Doing     Category = "doing"
	Done      Category = "done"
	Cancelled Category = "cancelled"
)

// Categories lists all categories in board order.
var Categories = []Category{Backlog, Todo, Doing, Done, Cancelled}

// Valid reports whether c is one of the five.
func (c Category) Valid() bool {
	switch c {
	case Backlog, Todo, Doing, Done, Cancelled:
		return true
	}
	return false
}

// Open reports whether work of this category is still to be done.
func (c Category) Open() bool { return c == Backlog || c == Todo || c == Doing }

// Aggregate is what an event happened to.
type Aggregate string

// The aggregates; each has its own sequence.
const (
	OfTask    Aggregate = "task"
	OfProject Aggregate = "project"
)

// Change of one field. Values are JSON; Before or After is empty where there was or is nothing.
type Change struct {
	Field  string          `json:"field"`
	Before json.RawMessage `json:"before,omitempty"`
	After  json.RawMessage `json:"after,omitempty"`
}

// Event is one entry of the history, as task-service writes it.
type Event struct {
	Pos         int64 // position in the total order, from 1 without gaps; 0 while it has none
	Project     uuid.UUID
	Aggregate   Aggregate
	ID          uuid.UUID // of the task or project
	Seq         int64     // 1, 2, 3 … per aggregate
	Kind        string
	Changes     []Change
	Occurred    time.Time // UTC
	Recorded    time.Time // UTC
	Traceparent string
	// Undecodable says why Changes could not be read; such an event parks its aggregate.
	Undecodable string
}

// Change returns the change of the field, if the event has one.
func (e *Event) Change(field string) (Change, bool) {
	for _, c := range e.Changes {
		if c.Field == field {
			return c, true
		}
	}
	return Change{}, false
}

// State is a column of the board, as the events of its project define it.
type State struct {
	ID       uuid.UUID `json:"id"`
	Name     string    `json:"name"`
	Category Category  `json:"category"`
	WIPLimit *int      `json:"wipLimit,omitempty"`
	Archived bool      `json:"archived"`
	Position int       `json:"-"` // order on the board, from 0
}

// Project is what the projections keep of a project.
type Project struct {
	ID       uuid.UUID
	Seq      int64 // of its last applied project event
	Applied  int64 // position of the last applied event of the project or one of its tasks
	Revision int64 // grows with each write that concerns the project, retries included
	States   map[uuid.UUID]State
}

// Task is the projection of one task: its present attributes and what its history says about its flow.
type Task struct {
	ID        uuid.UUID
	Project   uuid.UUID
	Number    int64 // in its project; WEB-42 has 42
	State     uuid.UUID
	Priority  int // 0 none, 1 urgent … 4 low
	Assignees []uuid.UUID
	Labels    []uuid.UUID
	Due       Date // empty: none
	Estimate  *float64
	Created   time.Time
	Entered   time.Time  // entry into its present state
	Started   *time.Time // first entry into a doing state, ever
	Completed *time.Time // entry into its present state, if that is of category done; kept while trashed
	Trashed   *time.Time
	Seq       int64 // of its last applied event
}

// Live reports whether the task is not in the trash.
func (t *Task) Live() bool { return t.Trashed == nil }

// Lead is the elapsed time from creation to completion of a completed task.
func (t *Task) Lead() time.Duration { return t.Completed.Sub(t.Created) }

// Cycle is the elapsed time from the first entry into a doing state to completion of a completed task; one that never
// was in a doing state has its lead time.
func (t *Task) Cycle() time.Duration {
	if t.Started == nil {
		return t.Lead()
	}
	return t.Completed.Sub(*t.Started)
}

// Transition is a task's way from one state to another. [uuid.Nil] is the outside: a task comes from there when it is
// created or restored, and goes there when it is trashed.
type Transition struct {
	Task uuid.UUID
	Seq  int64 // of the event
	At   time.Time
	From uuid.UUID
	To   uuid.UUID
}
