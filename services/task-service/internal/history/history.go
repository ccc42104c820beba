// Package history defines the one record that serves as the history people read, as the outbox that feeds NATS, as the
// resume log of live streams and as the source of rebuilds and time travel: the event.
package history

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// Aggregate is what an event happened to.
type Aggregate string

// The aggregates; each has its own sequence.
const (
	OfTask    Aggregate = "task"
	OfProject Aggregate = "project"
)

// Kind names what happened.
type Kind string

// Kinds of task events.
const (
	TaskCreated     Kind = "task.created" // every non-empty field as a change without before
	TaskChanged     Kind = "task.changed" // fields, including state and rank
	TaskTrashed     Kind = "task.trashed"
	TaskRestored    Kind = "task.restored"
	CommentAdded    Kind = "comment.added" // changes: comment (id), body
	CommentEdited   Kind = "comment.edited"
	CommentRemoved  Kind = "comment.removed"
	RelationAdded   Kind = "relation.added"   // change: relation, after {"kind","task"}
	RelationRemoved Kind = "relation.removed" // change: relation, before {"kind","task"}
)

// Kinds of project events.
const (
	ProjectCreated Kind = "project.created"
	ProjectChanged Kind = "project.changed" // name, description, archived, states, labels, members: see [project.Project]
	ViewSaved      Kind = "view.saved"
	ViewRemoved    Kind = "view.removed"
)

// Names of the fields in changes of task events. Values are JSON: ids, dates and ranks are strings, priority and
// estimate are numbers, assignees and labels are arrays of ids; null or absent means empty.
const (
	FieldTitle       = "title"
	FieldDescription = "description"
	FieldState       = "state"
	FieldRank        = "rank"
	FieldPriority    = "priority"
	FieldAssignees   = "assignees"
	FieldLabels      = "labels"
	FieldStart       = "start"
	FieldDue         = "due"
	FieldEstimate    = "estimate"
	FieldParent      = "parent"
	FieldRecurrence  = "recurrence"
	FieldNumber      = "number" // only in task.created
	FieldComment     = "comment"
	FieldBody        = "body"
	FieldMentions    = "mentions"
	FieldRelation    = "relation"
	FieldSource      = "source" // only in task.created by an import: the row's external id

	// FieldStarted and those below are consequences of other fields, in the event that brought them, so that time travel
	// can undo them. RFC 3339 times.
	FieldStarted   = "started"
	FieldCompleted = "completed"
	FieldTrashed   = "trashed" // in task.trashed and task.restored
)

// Names of the fields in changes of project events. Lists are whole arrays before and after.
const (
	FieldName     = "name"
	FieldArchived = "archived" // RFC 3339 time
	FieldStates   = "states"
	FieldMembers  = "members"
	FieldView     = "view" // in view events: id; beside it the view's fields
	// description and labels are named as those of tasks.
)

// Change of one field. Before or After is nil where there was or is nothing.
type Change struct {
	Field  string          `json:"field"`
	Before json.RawMessage `json:"before,omitempty"`
	After  json.RawMessage `json:"after,omitempty"`
}

// NewChange encodes before and after; nil values, empty strings wrapped by the caller as nil, stay absent.
// It panics for values JSON cannot hold, which no field has.
func NewChange(field string, before, after any) Change {
	return Change{Field: field, Before: raw(before), After: raw(after)}
}

func raw(v any) json.RawMessage {
	if v == nil {
		return nil
	}
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("history: field value %T cannot be encoded: %v", v, err)) // only fixed types get here
	}
	if string(b) == "null" {
		return nil
	}
	return b
}

// Event is one row of the append-only table events.
type Event struct {
	ID          int64     `json:"id"`        // row id; unique, but no order: rows become visible out of order
	Pos         int64     `json:"pos"`       // position in the total order, from 1 without gaps; 0 until the relay has given it
	ProjectID   uuid.UUID `json:"projectId"` // also for project events
	Aggregate   Aggregate `json:"aggregate"`
	AggregateID uuid.UUID `json:"aggregateId"`
	Seq         int64     `json:"seq"` // 1, 2, 3 … per aggregate, without gaps
	Kind        Kind      `json:"kind"`
	Actor       uuid.UUID `json:"actor"`
	Changes     []Change  `json:"changes"`
	Occurred    time.Time `json:"occurred"`              // when it happened: never before the aggregate's previous event; UTC, microseconds
	Recorded    time.Time `json:"recorded"`              // when it was written; differs from Occurred for imports
	Traceparent string    `json:"traceparent,omitempty"` // W3C traceparent of the request that made it, or empty
}

// Change returns the change of the field, if the event has one.
func (e Event) Change(field string) (Change, bool) {
	for _, c := range e.Changes {
		if c.Field == field {
			return c, true
		}
	}
	return Change{}, false
}

// Decode reads a value of a change into v, a pointer; an absent value leaves v's zero value.
func Decode(value json.RawMessage, v any) error {
	if len(value) == 0 {
		return nil
	}
	if err := json.Unmarshal(value, v); err != nil {
		return fmt.Errorf("history: decode %T: %w", v, err)
	}
	return nil
}

// Now returns the present as events store it: UTC, whole microseconds.
func Now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// NotBefore returns t, or last where clocks of replicas differ and t would step back behind it.
func NotBefore(t, last time.Time) time.Time {
	if t.Before(last) {
		return last
	}
	return t
}
