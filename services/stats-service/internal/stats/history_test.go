package stats_test

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/tallyboard/tallyboard/services/stats-service/internal/stats"
)

// world writes histories as task-service would.
type world struct {
	project uuid.UUID
	states  []stats.State
	events  []stats.Event
	seq     map[uuid.UUID]int64
	last    map[uuid.UUID]time.Time
	numbers int64
}

func id(kind string, n int) uuid.UUID {
	return uuid.NewSHA1(uuid.NameSpaceOID, fmt.Appendf(nil, "%s %d", kind, n))
}

func newWorld() *world {
	w := &world{project: id("project", 1), seq: map[uuid.UUID]int64{}, last: map[uuid.UUID]time.Time{}}
	limit := 2
	for i, c := range []stats.Category{
		stats.Backlog, stats.Todo, stats.Doing, stats.Doing, stats.Done, stats.Done, stats.Cancelled,
	} {
		s := stats.State{ID: id("state", i), Name: fmt.Sprintf("%s %d", c, i), Category: c, Position: i}
		if c == stats.Doing {
			s.WIPLimit = &limit
		}
		w.states = append(w.states, s)
	}
	w.add(w.project, stats.OfProject, "project.created", at("2026-01-01T00:00:00Z"), change("states", nil, w.states))
	return w
}

// indices of the states of a world.
const (
	backlog = iota
	todo
	doing
	review
	done
	released
	cancelled
)

func change(field string, before, after any) stats.Change {
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

func (w *world) add(aggregate uuid.UUID, of stats.Aggregate, kind string, when time.Time, changes ...stats.Change) {
	if when.Before(w.last[aggregate]) {
		when = w.last[aggregate]
	}
	w.last[aggregate] = when
	w.seq[aggregate]++
	w.events = append(w.events, stats.Event{
		Pos: int64(len(w.events) + 1), Project: w.project, Aggregate: of, ID: aggregate, Seq: w.seq[aggregate], Kind: kind,
		Changes: changes, Occurred: when, Recorded: when,
	})
}

func (w *world) create(n, state int, when time.Time, changes ...stats.Change) uuid.UUID {
	w.numbers++
	task := id("task", n)
	changes = append([]stats.Change{change("number", nil, w.numbers), change("state", nil, w.states[state].ID)}, changes...)
	w.add(task, stats.OfTask, "task.created", when, changes...)
	return task
}

func (w *world) move(task uuid.UUID, from, to int, when time.Time) {
	w.add(task, stats.OfTask, "task.changed", when, change("state", w.states[from].ID, w.states[to].ID))
}

func (w *world) trash(task uuid.UUID, when time.Time) {
	w.add(task, stats.OfTask, "task.trashed", when)
}
func (w *world) restore(task uuid.UUID, when time.Time) {
	w.add(task, stats.OfTask, "task.restored", when)
}

// project folds all events and returns the projections as a source.
func (w *world) fold() *memory {
	work := stats.NewWork()
	for i := range w.events {
		work.Apply(&w.events[i], time.Time{})
	}
	return &memory{work: work, project: w.project}
}

// memory is a source over folded work.
type memory struct {
	work    *stats.Work
	project uuid.UUID
}

func (m *memory) States(context.Context) ([]stats.State, error) {
	var out []stats.State
	for _, s := range m.work.Projects[m.project].States {
		out = append(out, s)
	}
	return out, nil
}

func (m *memory) Tasks(_ context.Context, fn func(*stats.Task) error) error {
	for _, t := range m.work.Tasks {
		if err := fn(t); err != nil {
			return err
		}
	}
	return nil
}

func (m *memory) Transitions(_ context.Context, fn func(*stats.Transition) error) error {
	for i := range m.work.Transitions {
		if err := fn(&m.work.Transitions[i]); err != nil {
			return err
		}
	}
	return nil
}

func (m *memory) Titles(_ context.Context, ids []uuid.UUID) (map[uuid.UUID]string, error) {
	out := map[uuid.UUID]string{}
	for _, id := range ids {
		out[id] = "title of " + id.String()
	}
	return out, nil
}

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t.UTC()
}

// randomWorld draws a history: tasks that are created in the present or imported with a past, moved (also reopened and
// from done to done), changed, commented on, trashed and restored.
func randomWorld(t *rapid.T) *world {
	w := newWorld()
	clock := at("2026-02-20T00:00:00Z")
	type known struct {
		state   int
		trashed bool
		attrs   map[string]any
	}
	tasks := map[uuid.UUID]*known{}
	var order []uuid.UUID
	people := []uuid.UUID{id("person", 1), id("person", 2), id("person", 3)}
	steps := rapid.IntRange(0, 60).Draw(t, "steps")
	for range steps {
		clock = clock.Add(time.Duration(rapid.IntRange(0, 30*60).Draw(t, "minutes")) * time.Minute)
		when := clock
		if len(order) == 0 || rapid.IntRange(0, 3).Draw(t, "new") == 0 {
			if rapid.Bool().Draw(t, "import") {
				when = clock.Add(-time.Duration(rapid.IntRange(0, 60*24).Draw(t, "past")) * time.Hour)
			}
			k := &known{state: rapid.IntRange(backlog, cancelled).Draw(t, "state"), attrs: map[string]any{}}
			var changes []stats.Change
			for _, f := range []string{"priority", "assignees", "labels", "due", "estimate"} {
				if rapid.Bool().Draw(t, "has "+f) {
					k.attrs[f] = randomValue(t, f, people)
					changes = append(changes, change(f, nil, k.attrs[f]))
				}
			}
			task := w.create(len(order), k.state, when, changes...)
			tasks[task], order = k, append(order, task)
			continue
		}
		task := rapid.SampledFrom(order).Draw(t, "task")
		k := tasks[task]
		switch what := rapid.IntRange(0, 9).Draw(t, "what"); {
		case what < 5 && !k.trashed:
			when = w.last[task].Add(time.Duration(rapid.IntRange(0, 72).Draw(t, "later")) * time.Hour)
			to := rapid.IntRange(backlog, cancelled).Draw(t, "to")
			w.move(task, k.state, to, when)
			k.state = to
		case what < 7 && !k.trashed:
			f := rapid.SampledFrom([]string{"priority", "assignees", "labels", "due", "estimate"}).Draw(t, "field")
			v := randomValue(t, f, people)
			w.add(task, stats.OfTask, "task.changed", when, change(f, k.attrs[f], v))
			k.attrs[f] = v
		case what == 7:
			w.add(task, stats.OfTask, "comment.added", when, change("body", nil, "x"))
		case k.trashed:
			w.restore(task, when)
			k.trashed = false
		default:
			w.trash(task, when)
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
