package task

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
)

// field is one that events carry: how to read it as a value (nil: empty) and how to set it from JSON.
type field struct {
	name string
	get  func(t *Task) any
	set  func(t *Task, value []byte) error
}

// fields in the order in which events list them.
var fields = []field{
	text(history.FieldTitle, func(t *Task) *string { return &t.Title }),
	text(history.FieldDescription, func(t *Task) *string { return &t.Description }),
	{history.FieldState, func(t *Task) any { return t.StateID }, func(t *Task, v []byte) error { return decode(v, &t.StateID) }},
	text(history.FieldRank, func(t *Task) *string { return &t.Rank }),
	{history.FieldPriority, func(t *Task) any {
		if t.Priority == NoPriority {
			return nil
		}
		return int(t.Priority)
	}, func(t *Task, v []byte) error { return decode(v, &t.Priority) }},
	list(history.FieldAssignees, func(t *Task) *[]uuid.UUID { return &t.Assignees }),
	list(history.FieldLabels, func(t *Task) *[]uuid.UUID { return &t.Labels }),
	text(history.FieldStart, func(t *Task) *Date { return &t.Start }),
	text(history.FieldDue, func(t *Task) *Date { return &t.Due }),
	pointer(history.FieldEstimate, func(t *Task) **float64 { return &t.Estimate }),
	pointer(history.FieldParent, func(t *Task) **uuid.UUID { return &t.ParentID }),
	text(history.FieldRecurrence, func(t *Task) *string { return &t.Recurrence }),
	text(history.FieldSource, func(t *Task) *string { return &t.Source }),
	pointer(history.FieldStarted, func(t *Task) **time.Time { return &t.Started }),
	pointer(history.FieldCompleted, func(t *Task) **time.Time { return &t.Completed }),
	pointer(history.FieldTrashed, func(t *Task) **time.Time { return &t.Trashed }),
}

func text[S ~string](name string, at func(*Task) *S) field {
	return field{name, func(t *Task) any {
		if s := *at(t); s != "" {
			return string(s)
		}
		return nil
	}, func(t *Task, v []byte) error { return decode(v, at(t)) }}
}

func list(name string, at func(*Task) *[]uuid.UUID) field {
	return field{name, func(t *Task) any {
		if ids := *at(t); len(ids) > 0 {
			return ids
		}
		return nil
	}, func(t *Task, v []byte) error { return decode(v, at(t)) }}
}

func pointer[T any](name string, at func(*Task) **T) field {
	return field{name, func(t *Task) any {
		if p := *at(t); p != nil {
			return *p
		}
		return nil
	}, func(t *Task, v []byte) error { return decode(v, at(t)) }}
}

// decode sets *v from JSON, to its zero value where there is none.
func decode[T any](value []byte, v *T) error {
	var out T
	if err := history.Decode(value, &out); err != nil {
		return err
	}
	*v = out
	return nil
}

// differences between two states of a task, in the order of fields.
func differences(before, after *Task) []history.Change {
	var out []history.Change
	for _, f := range fields {
		c := history.NewChange(f.name, f.get(before), f.get(after))
		if string(c.Before) != string(c.After) {
			out = append(out, c)
		}
	}
	return out
}

// asCreated lists every field that is not empty.
func (t *Task) asCreated() []history.Change {
	out := differences(&Task{}, t)
	for i := range out {
		out[i].Before = nil // of the state: the nil id
	}
	return out
}

// Undo takes a task back to how it was before e, which must be its newest event (Seq): stores call it from the newest
// event to the oldest one that occurred after a moment. existed is false if e created the task. Version, Updated and
// UpdatedBy stay those of the present, because no event knows the ones before.
func Undo(t *Task, e history.Event) (existed bool, err error) {
	if e.Aggregate != history.OfTask || e.AggregateID != t.ID || e.Seq != t.Seq {
		return false, fmt.Errorf("task: undo event %d of %s: the newest is %d of %s", e.Seq, e.AggregateID, t.Seq, t.ID)
	}
	if e.Kind == history.TaskCreated {
		return false, nil
	}
	if err := apply(t, e, func(c history.Change) []byte { return c.Before }); err != nil {
		return false, err
	}
	t.Seq--
	return true, nil
}

// Redo takes a task forward by the next event. With a task that has nothing but its ids it rebuilds the task from its
// history.
func Redo(t *Task, e history.Event) error {
	if e.Aggregate != history.OfTask || e.AggregateID != t.ID || e.Seq != t.Seq+1 {
		return fmt.Errorf("task: redo event %d of %s: the newest is %d of %s", e.Seq, e.AggregateID, t.Seq, t.ID)
	}
	if err := apply(t, e, func(c history.Change) []byte { return c.After }); err != nil {
		return err
	}
	if e.Kind == history.TaskCreated {
		t.Created, t.CreatedBy = e.Occurred, e.Actor
		if c, ok := e.Change(history.FieldNumber); ok {
			if err := decode(c.After, &t.Number); err != nil {
				return err
			}
		}
	}
	t.Seq, t.LastAt = e.Seq, e.Occurred
	return nil
}

// apply sets the fields of events that change fields.
func apply(t *Task, e history.Event, value func(history.Change) []byte) error {
	switch e.Kind {
	case history.TaskCreated, history.TaskChanged, history.TaskTrashed, history.TaskRestored:
	default:
		return nil // comments and relations are no fields
	}
	for _, f := range fields {
		if c, ok := e.Change(f.name); ok {
			if err := f.set(t, value(c)); err != nil {
				return fmt.Errorf("task: %s of event %d: %w", f.name, e.Seq, err)
			}
		}
	}
	return nil
}
