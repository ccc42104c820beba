package task_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
	"github.com/tallyboard/tallyboard/services/task-service/internal/recur"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// anyPatch draws patches of valid values over a project with one label and the people known.
func anyPatch(t *rapid.T, p *project.Project, people []uuid.UUID) task.Patch {
	var ch task.Patch
	switch rapid.IntRange(0, 8).Draw(t, "field") {
	case 0:
		v := rapid.StringMatching(`[a-z]{1,3}`).Draw(t, "title")
		ch.Title = &v
	case 1:
		v := rapid.SampledFrom([]string{"", "x", "y\n"}).Draw(t, "description")
		ch.Description = &v
	case 2:
		v := rapid.SampledFrom(p.States).Draw(t, "state").ID
		ch.State = &v
	case 3:
		v := task.Priority(rapid.IntRange(0, 4).Draw(t, "priority"))
		ch.Priority = &v
	case 4:
		v := rapid.SliceOfN(rapid.SampledFrom(people), 0, 3).Draw(t, "assignees")
		ch.Assignees = &v
	case 5:
		v := []uuid.UUID{}
		if rapid.Bool().Draw(t, "labelled") {
			v = append(v, p.Labels[0].ID)
		}
		ch.Labels = &v
	case 6:
		v := rapid.SampledFrom([]task.Date{"", "2026-12-01", "2026-12-02"}).Draw(t, "due")
		ch.Due = &v
	case 7:
		var v *float64
		if rapid.Bool().Draw(t, "estimated") {
			e := float64(rapid.IntRange(0, 3).Draw(t, "estimate")) / 2
			v = &e
		}
		ch.Estimate = &v
	case 8:
		v := rapid.SampledFrom([]string{"", "FREQ=DAILY", "FREQ=WEEKLY"}).Draw(t, "recurrence")
		ch.Recurrence = &v
	}
	return ch
}

// shown leaves out what no event knows: Version, Updated and UpdatedBy.
func shown(t *rapid.T, x *task.Task) string {
	c := *x
	c.Version, c.Updated, c.UpdatedBy, c.LastAt = 0, time.Time{}, uuid.Nil, time.Time{}
	if len(c.Assignees) == 0 {
		c.Assignees = nil
	}
	if len(c.Labels) == 0 {
		c.Labels = nil
	}
	b, err := json.Marshal(&c)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestHistoryIsTheTask: undoing events gives every state the task ever had, redoing them gives the task, times never step
// back although the clock does, and only what differs is recorded.
func TestHistoryIsTheTask(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		people := []uuid.UUID{uuid.New(), uuid.New(), uuid.New()}
		p, err := project.Make(project.By{Actor: people[0], Now: wednesday}, project.New{Key: "WEB", Name: "w", Labels: []project.NewLabel{{Name: "bug"}}})
		if err != nil {
			t.Fatal(err)
		}
		env := task.Env{Project: p, Actor: people[0], Now: wednesday, Known: func(uuid.UUID) bool { return true }, Canonical: recur.Rules{}.Canonical}
		x, err := task.Make(env, task.New{Title: "a", Due: "2026-12-01"})
		if err != nil {
			t.Fatal(err)
		}
		x.Place(1, "c001")
		events := x.TakePending()
		snapshots := []string{shown(t, x)}
		for range rapid.IntRange(0, 20).Draw(t, "changes") {
			env.Now = env.Now.Add(time.Duration(rapid.IntRange(-5, 60).Draw(t, "seconds")) * time.Second)
			version := x.Version
			switch rapid.IntRange(0, 5).Draw(t, "deed") {
			case 0:
				err = x.Trash(env)
			case 1:
				err = x.Restore(env)
			default:
				_, err = x.Change(env, anyPatch(t, p, people), rapid.SampledFrom([]string{"", "c002", "c003"}).Draw(t, "rank"))
			}
			if err != nil && !apperr.Is(err, apperr.Conflict) { // of a task in the trash
				t.Fatal(err)
			}
			made := x.TakePending()
			if len(made) > 1 || x.Version != version+int64(len(made)) {
				t.Fatalf("%d events, version %d after %d", len(made), x.Version, version)
			}
			for _, e := range made {
				if e.Occurred.Before(events[len(events)-1].Occurred) || e.Seq != events[len(events)-1].Seq+1 {
					t.Fatalf("event %+v does not follow %+v", e, events[len(events)-1])
				}
				for _, c := range e.Changes {
					if string(c.Before) == string(c.After) {
						t.Fatalf("%s did not change", c.Field)
					}
				}
				events = append(events, e)
				snapshots = append(snapshots, shown(t, x))
			}
			state, _ := p.State(x.StateID)
			if (x.Completed != nil) != (state.Category == project.Done) {
				t.Fatalf("in %s, completed %v", state.Category, x.Completed)
			}
		}
		redone := &task.Task{ID: x.ID, ProjectID: x.ProjectID, ProjectKey: x.ProjectKey}
		for i, e := range events {
			if err := task.Redo(redone, e); err != nil {
				t.Fatal(err)
			}
			if got := shown(t, redone); got != snapshots[i] {
				t.Fatalf("redone to %d\n got %s\nwant %s", i, got, snapshots[i])
			}
		}
		for i, e := range slices.Backward(events) {
			if got := shown(t, x); got != snapshots[i] {
				t.Fatalf("undone to %d\n got %s\nwant %s", i, got, snapshots[i])
			}
			existed, err := task.Undo(x, e)
			if err != nil || existed != (i > 0) {
				t.Fatalf("undo %d: %v, %v", i, existed, err)
			}
		}
		rebuilt, err := task.Rebuild(task.Env{Project: p, Actor: people[1], Now: env.Now.Add(time.Hour), Known: env.Known, Canonical: env.Canonical}, uuid.New(), "s", events)
		if err != nil {
			t.Fatal(err)
		}
		if rebuilt.Task.Title != redone.Title || rebuilt.Task.StateID != redone.StateID || !sameTime(rebuilt.Task.Completed, redone.Completed) ||
			!sameTime(rebuilt.Task.Started, redone.Started) || len(rebuilt.Events) != len(events) {
			t.Fatalf("rebuilt %+v, was %+v", rebuilt.Task, redone)
		}
	})
}

func sameTime(a, b *time.Time) bool { return (a == nil) == (b == nil) && (a == nil || a.Equal(*b)) }

func TestUndoRefusesGaps(t *testing.T) {
	t.Parallel()
	r := setup(t)
	a := r.create(task.New{Title: "a"})
	r.move(r.move(a, "Todo"), "Done")
	a, err := r.Get(context.Background(), task.Ref{ID: a.ID})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := task.Undo(a, r.store.EventsOf(a.ID)[1]); err == nil {
		t.Error("an event that is not the newest was undone")
	}
}

func TestRebuildRefusesDamage(t *testing.T) {
	t.Parallel()
	r := setup(t)
	a := r.create(task.New{Title: "a"})
	a = r.move(r.move(a, "In progress"), "Done")
	env := task.Env{Project: r.project, Actor: r.ada, Now: wednesday.Add(time.Hour), Known: func(uuid.UUID) bool { return true }, Canonical: recur.Rules{}.Canonical}
	for name, damage := range map[string]func(e []history.Event) []history.Event{
		"does not begin": func(e []history.Event) []history.Event { return e[1:] },
		"cannot stand":   func(e []history.Event) []history.Event { return append(e, e[0]) },
		"in front of it": func(e []history.Event) []history.Event { e[2].Occurred = e[0].Occurred; return e },
		"in the future":  func(e []history.Event) []history.Event { e[2].Occurred = wednesday.AddDate(1, 0, 0); return e },
		"does not exist": func(e []history.Event) []history.Event { return withChange(e, "state", `"`+uuid.NewString()+`"`) },
		"cannot be read": func(e []history.Event) []history.Event { return withChange(e, "state", `7`) },
		"500 are allowed": func(e []history.Event) []history.Event {
			return withChange(e, "title", `"`+strings.Repeat("x", 501)+`"`)
		},
		"must be 0 (none),": func(e []history.Event) []history.Event { return withChange(e, "priority", `7`) },
	} {
		_, err := task.Rebuild(env, uuid.New(), "s", damage(r.store.EventsOf(a.ID)))
		wantCode(t, err, apperr.Invalid, name)
	}
	forged := r.store.EventsOf(a.ID)
	for i, c := range forged[2].Changes {
		if c.Field == history.FieldCompleted {
			forged[2].Changes[i].After = json.RawMessage(`"2020-01-01T00:00:00Z"`)
		}
	}
	i, err := task.Rebuild(env, uuid.New(), "s", forged)
	if err != nil || !sameTime(i.Task.Completed, a.Completed) || !sameTime(i.Task.Started, a.Started) {
		t.Errorf("completed %v, %v; it is worked out from states, not believed", i.Task, err)
	}
}

func withChange(events []history.Event, field, after string) []history.Event {
	events[len(events)-1].Changes = []history.Change{{Field: field, After: json.RawMessage(after)}}
	return events
}
