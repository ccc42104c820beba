// Package statstest writes histories as task-service would, for the tests of everything that reads them.
package statstest

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/tallyboard/tallyboard/services/stats-service/internal/stats"
)

// World is a history under way.
type World struct {
	Project uuid.UUID
	States  []stats.State
	Events  []stats.Event
	seq     map[uuid.UUID]int64
	Last    map[uuid.UUID]time.Time
	numbers int64
}

// ID makes the same id of the same words each time.
func ID(kind string, n int) uuid.UUID {
	return uuid.NewSHA1(uuid.NameSpaceOID, fmt.Appendf(nil, "%s %d", kind, n))
}

// New returns a world with one project of seven states, created on January 1st, 2026.
func New() *World {
	w := &World{Project: ID("project", 1), seq: map[uuid.UUID]int64{}, Last: map[uuid.UUID]time.Time{}}
	limit := 2
	for i, c := range []stats.Category{
		stats.Backlog, stats.Todo, stats.Doing, stats.Doing, stats.Done, stats.Done, stats.Cancelled,
	} {
		s := stats.State{ID: ID("state", i), Name: fmt.Sprintf("%s %d", c, i), Category: c, Position: i}
		if c == stats.Doing {
			s.WIPLimit = &limit
		}
		w.States = append(w.States, s)
	}
	w.Add(w.Project, stats.OfProject, "project.created", At("2026-01-01T00:00:00Z"), Change("states", nil, w.States))
	return w
}

// Indices of the states of a world.
const (
	Backlog = iota
	Todo
	Doing
	Review
	Done
	Released
	Cancelled
)

// Change makes a change; nil values stay absent.
func Change(field string, before, after any) stats.Change {
	encode := func(v any) json.RawMessage {
		if v == nil {
			return nil
		}
		b, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		return b
	}
	return stats.Change{Field: field, Before: encode(before), After: encode(after)}
}

// Add writes an event, never before the last one of its aggregate.
func (w *World) Add(aggregate uuid.UUID, of stats.Aggregate, kind string, when time.Time, changes ...stats.Change) {
	if when.Before(w.Last[aggregate]) {
		when = w.Last[aggregate]
	}
	w.Last[aggregate] = when
	w.seq[aggregate]++
	w.Events = append(w.Events, stats.Event{
		Pos: int64(len(w.Events) + 1), Project: w.Project, Aggregate: of, ID: aggregate, Seq: w.seq[aggregate], Kind: kind,
		Changes: changes, Occurred: when, Recorded: when,
	})
}

// Create writes the creation of task n in a state.
func (w *World) Create(n, state int, when time.Time, changes ...stats.Change) uuid.UUID {
	w.numbers++
	task := ID("task", n)
	changes = append([]stats.Change{Change("number", nil, w.numbers), Change("state", nil, w.States[state].ID)}, changes...)
	w.Add(task, stats.OfTask, "task.created", when, changes...)
	return task
}

// Move writes a change of state.
func (w *World) Move(task uuid.UUID, from, to int, when time.Time) {
	w.Add(task, stats.OfTask, "task.changed", when, Change("state", w.States[from].ID, w.States[to].ID))
}

// Trash puts a task into the trash.
func (w *World) Trash(task uuid.UUID, when time.Time) {
	w.Add(task, stats.OfTask, "task.trashed", when)
}

// Restore takes it out again.
func (w *World) Restore(task uuid.UUID, when time.Time) {
	w.Add(task, stats.OfTask, "task.restored", when)
}

// Fold folds all events and returns the projections as a source.
func (w *World) Fold() *Memory {
	work := stats.NewWork()
	for i := range w.Events {
		work.Apply(&w.Events[i], time.Time{})
	}
	return &Memory{Work: work, project: w.Project}
}

// Memory is a source over folded work.
type Memory struct {
	Work    *stats.Work
	project uuid.UUID
}

// States implements stats.Source.
func (m *Memory) States(context.Context) ([]stats.State, error) {
	var out []stats.State
	for _, s := range m.Work.Projects[m.project].States {
		out = append(out, s)
	}
	return out, nil
}

// Tasks implements stats.Source.
func (m *Memory) Tasks(_ context.Context, fn func(*stats.Task) error) error {
	for _, t := range m.Work.Tasks {
		if err := fn(t); err != nil {
			return err
		}
	}
	return nil
}

// Transitions implements stats.Source.
func (m *Memory) Transitions(_ context.Context, fn func(*stats.Transition) error) error {
	for i := range m.Work.Transitions {
		if err := fn(&m.Work.Transitions[i]); err != nil {
			return err
		}
	}
	return nil
}

// Titles implements stats.Source.
func (m *Memory) Titles(_ context.Context, ids []uuid.UUID) (map[uuid.UUID]string, error) {
	out := map[uuid.UUID]string{}
	for _, id := range ids {
		out[id] = "title of " + id.String()
	}
	return out, nil
}

// At reads an instant.
func At(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t.UTC()
}

// Random draws a history: tasks that are created in the present or imported with a past, moved (also reopened and
// from Done to Done), changed, commented on, trashed and restored.
func Random(t *rapid.T) *World {
	w := New()
	clock := At("2026-02-20T00:00:00Z")
	type known struct {
		state   int
		trashed bool
		attrs   map[string]any
	}
	tasks := map[uuid.UUID]*known{}
	var order []uuid.UUID
	people := []uuid.UUID{ID("person", 1), ID("person", 2), ID("person", 3)}
	steps := rapid.IntRange(0, 60).Draw(t, "steps")
	for range steps {
		clock = clock.Add(time.Duration(rapid.IntRange(0, 30*60).Draw(t, "minutes")) * time.Minute)
		when := clock
		if len(order) == 0 || rapid.IntRange(0, 3).Draw(t, "new") == 0 {
			if rapid.Bool().Draw(t, "import") {
				when = clock.Add(-time.Duration(rapid.IntRange(0, 60*24).Draw(t, "past")) * time.Hour)
			}
			k := &known{state: rapid.IntRange(Backlog, Cancelled).Draw(t, "state"), attrs: map[string]any{}}
			var changes []stats.Change
			for _, f := range []string{"priority", "assignees", "labels", "due", "estimate"} {
				if rapid.Bool().Draw(t, "has "+f) {
					k.attrs[f] = randomValue(t, f, people)
					changes = append(changes, Change(f, nil, k.attrs[f]))
				}
			}
			task := w.Create(len(order), k.state, when, changes...)
			tasks[task], order = k, append(order, task)
			continue
		}
		task := rapid.SampledFrom(order).Draw(t, "task")
		k := tasks[task]
		switch what := rapid.IntRange(0, 9).Draw(t, "what"); {
		case what < 5 && !k.trashed:
			when = w.Last[task].Add(time.Duration(rapid.IntRange(0, 72).Draw(t, "later")) * time.Hour)
			to := rapid.IntRange(Backlog, Cancelled).Draw(t, "to")
			w.Move(task, k.state, to, when)
			k.state = to
		case what < 7 && !k.trashed:
			f := rapid.SampledFrom([]string{"priority", "assignees", "labels", "due", "estimate"}).Draw(t, "field")
			v := randomValue(t, f, people)
			w.Add(task, stats.OfTask, "task.changed", when, Change(f, k.attrs[f], v))
			k.attrs[f] = v
		case what == 7:
			w.Add(task, stats.OfTask, "comment.added", when, Change("body", nil, "x"))
		case k.trashed:
			w.Restore(task, when)
			k.trashed = false
		default:
			w.Trash(task, when)
			k.trashed = true
		}
	}
	return w
}

func randomValue(t *rapid.T, field string, people []uuid.UUID) any {
	switch field {
	case "priority":
		return rapid.IntRange(0, 4).Draw(t, field)
	case "due":
		return string(stats.Date("2026-02-20").Add(rapid.IntRange(0, 40).Draw(t, field)))
	case "estimate":
		return float64(rapid.IntRange(0, 8).Draw(t, field))
	}
	return rapid.SliceOfNDistinct(rapid.SampledFrom(people), 0, 3, rapid.ID[uuid.UUID]).Draw(t, field)
}
