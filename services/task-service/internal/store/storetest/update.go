package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

func update(f *fixture) {
	t := f.t
	made := f.add(t, f.full("before"))
	other := uuid.New()
	steps := []task.Patch{
		{Title: new("after"), Description: new("")},
		{State: new(f.state(project.Done)), Priority: new(task.NoPriority)},
		{Assignees: &[]uuid.UUID{other}, Labels: &[]uuid.UUID{}},
		{Start: new(task.Date("")), Due: new(task.Date("2027-02-28")), Estimate: new(*float64), Recurrence: new("")},
		{AddLabels: []uuid.UUID{f.p.Labels[2].ID}, AddAssignees: []uuid.UUID{f.actor}},
	}
	for i, step := range steps {
		changed := f.mustChange(t, made.ID, step)
		if changed.Version != int64(i)+2 || changed.Seq != int64(i)+2 {
			t.Fatalf("step %d: version %d, seq %d", i, changed.Version, changed.Seq)
		}
		got, err := f.Task(f.ctx, task.Ref{ID: made.ID})
		ok(t, "read task", err)
		sameTask(t, fmt.Sprintf("step %d read back", i), got, changed)
	}
	same(t, "tasks of the new assignee", f.find(t, task.Condition{Field: "assignee", IDs: []uuid.UUID{other}}), []uuid.UUID{made.ID})
	same(t, "tasks of a label taken off", f.find(t, task.Condition{Field: "label", IDs: []uuid.UUID{f.p.Labels[1].ID}}), []uuid.UUID(nil))
	same(t, "words no longer there", f.find(t, task.Condition{Field: "text", Words: []string{"before"}}), []uuid.UUID(nil))
	unchanged := f.mustChange(t, made.ID, task.Patch{Title: new("after")})
	same(t, "version without a change", unchanged.Version, int64(6))
	same(t, "events", len(f.events(t, made.ID)), 6)
	fault := errors.New("a rule says no")
	_, _, err := f.UpdateTask(f.ctx, f.write(), task.Ref{Key: f.p.Key, Number: made.Number}, func(ctx context.Context, tx task.Tx, t *task.Task) error {
		if err := f.patch(task.Patch{Title: new("never")})(ctx, tx, t); err != nil {
			return err
		}
		return fault
	})
	if !errors.Is(err, fault) {
		t.Fatalf("the rule's error came back as %v", err)
	}
	got, err := f.Task(f.ctx, task.Ref{ID: made.ID})
	ok(t, "read task", err)
	same(t, "title behind a refused change", got.Title, "after")
	_, err = f.change(f.ctx, uuid.New(), task.Patch{})
	wantCode(t, "change a task that is not there", err, apperr.NotFound)
	_, _, err = f.UpdateTask(f.ctx, f.write(), task.Ref{Key: "NONE", Number: 1}, f.patch(task.Patch{}))
	wantCode(t, "change a task of no project", err, apperr.NotFound)
	trashed := f.trash(t, made.ID)
	got, err = f.Task(f.ctx, task.Ref{ID: made.ID})
	ok(t, "read trashed task", err)
	sameTask(t, "trashed task", got, trashed)
}

func updateStale(f *fixture) {
	t := f.t
	made := f.add(t, task.New{Title: "one"})
	w := f.write()
	w.IfVersion = made.Version
	_, _, err := f.UpdateTask(f.ctx, w, task.Ref{ID: made.ID}, f.patch(task.Patch{Title: new("two")}))
	ok(t, "change the version seen", err)
	_, _, err = f.UpdateTask(f.ctx, w, task.Ref{ID: made.ID}, f.patch(task.Patch{Title: new("three")}))
	wantCode(t, "change an older version", err, apperr.Stale)
	e, _ := apperr.As(err)
	current, isTask := e.Current.(*task.Task)
	if !isTask || current.Title != "two" || current.Version != 2 || current.ProjectKey != f.p.Key {
		t.Fatalf("current: %+v", e.Current)
	}
}

func updateConcurrent(f *fixture) {
	t := f.t
	made := f.add(t, task.New{Title: "popular"})
	const clients = task.MaxAssignees
	people := make([]uuid.UUID, clients)
	var wg sync.WaitGroup
	errs := make([]error, clients)
	wins := make([]bool, clients)
	for i := range clients {
		people[i] = uuid.New()
		wg.Go(func() {
			_, errs[i] = f.change(f.ctx, made.ID, task.Patch{AddAssignees: []uuid.UUID{people[i]}})
			w := f.write()
			w.IfVersion = clients + 100 // nobody's
			_, _, err := f.UpdateTask(f.ctx, w, task.Ref{ID: made.ID}, f.patch(task.Patch{Title: new("never")}))
			wins[i] = err == nil
		})
	}
	wg.Wait()
	for i := range clients {
		ok(t, "concurrent change", errs[i])
		if wins[i] {
			t.Fatal("a change of a version that never was went through")
		}
	}
	got, err := f.Task(f.ctx, task.Ref{ID: made.ID})
	ok(t, "read task", err)
	for _, p := range people {
		if !slices.Contains(got.Assignees, p) {
			t.Fatal("a concurrent change was lost")
		}
	}
	same(t, "version", got.Version, int64(clients)+1)
	for i, e := range f.events(t, made.ID) {
		same(t, "seq", e.Seq, int64(i)+1)
	}
	// Of many who saw the same version, one wins.
	for i := range clients {
		wg.Go(func() {
			w := f.write()
			w.IfVersion = got.Version
			_, _, errs[i] = f.UpdateTask(f.ctx, w, task.Ref{ID: made.ID}, f.patch(task.Patch{Title: new(fmt.Sprint("title ", i))}))
		})
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else {
			wantCode(t, "lost race", err, apperr.Stale)
		}
	}
	same(t, "winners", won, 1)
}

func updateIdempotentRace(f *fixture) {
	t := f.t
	made := f.add(t, task.New{Title: "once"})
	const clients = 12
	w := f.keyed("update", "body")
	w.IfVersion = made.Version
	var wg sync.WaitGroup
	errs, replays, answers := make([]error, clients), make([]bool, clients), make([]*task.Task, clients)
	for i := range clients {
		wg.Go(func() {
			answers[i], replays[i], errs[i] = f.UpdateTask(f.ctx, w, task.Ref{ID: made.ID}, f.patch(task.Patch{Title: new("twice")}))
		})
	}
	wg.Wait()
	fresh := 0
	for i := range clients {
		ok(t, "retry of a change", errs[i])
		if !replays[i] {
			fresh++
		}
		sameTask(t, "answer of a retry", answers[i], answers[0])
	}
	same(t, "changes made", fresh, 1)
	same(t, "events", len(f.events(t, made.ID)), 2)
	_, _, err := f.UpdateTask(f.ctx, f.keyed("update", "another"), task.Ref{ID: made.ID}, f.patch(task.Patch{}))
	wantCode(t, "another request with the key", err, apperr.Unprocessable)
}

func updateMany(f *fixture) {
	t := f.t
	a, b, c := f.add(t, task.New{Title: "a"}), f.add(t, task.New{Title: "b"}), f.add(t, task.New{Title: "c"})
	refs := []task.Ref{{ID: c.ID}, {Key: f.p.Key, Number: a.Number}, {ID: b.ID}, {ID: c.ID}}
	var order []string
	collect := func(ctx context.Context, tx task.Tx, t *task.Task) error {
		order = append(order, t.Title)
		return f.patch(task.Patch{Priority: new(task.Urgent)})(ctx, tx, t)
	}
	w := f.keyed("bulk", "body")
	changed, replayed, err := f.UpdateTasks(f.ctx, w, refs, collect)
	ok(t, "change many", err)
	if replayed || len(changed) != 3 || changed[0].ID != c.ID || changed[1].ID != a.ID || changed[2].ID != b.ID {
		t.Fatalf("changed: %s", asJSON(t, changed))
	}
	same(t, "order of the rules", order, []string{"c", "a", "b"})
	again, replayed, err := f.UpdateTasks(f.ctx, w, refs, collect)
	ok(t, "retry of a bulk change", err)
	if !replayed {
		t.Fatal("the retry was not recognised")
	}
	same(t, "replayed answer", asJSON(t, again), asJSON(t, changed))
	_, _, err = f.UpdateTasks(f.ctx, f.write(), append(refs, task.Ref{ID: uuid.New()}), f.patch(task.Patch{Title: new("never")}))
	wantCode(t, "one of many is not there", err, apperr.NotFound)
	second := f.project(t, newKey())
	elsewhere := f.addIn(t, second.Key, task.New{Title: "elsewhere"})
	_, _, err = f.UpdateTasks(f.ctx, f.write(), []task.Ref{{ID: a.ID}, {ID: elsewhere.ID}}, f.patch(task.Patch{Title: new("never")}))
	wantCode(t, "tasks of two projects", err, apperr.Invalid)
	fault := errors.New("the second one fails")
	calls := 0
	_, _, err = f.UpdateTasks(f.ctx, f.write(), refs, func(ctx context.Context, tx task.Tx, t *task.Task) error {
		if calls++; calls == 2 {
			return fault
		}
		return f.patch(task.Patch{Title: new("never")})(ctx, tx, t)
	})
	if !errors.Is(err, fault) {
		t.Fatalf("error of one of many: %v", err)
	}
	same(t, "tasks changed by refused bulks", f.find(t, task.Condition{Field: "text", Words: []string{"never"}}), []uuid.UUID(nil))
	// In opposite orders at once: nobody waits for ever.
	var wg sync.WaitGroup
	errs := make([]error, 16)
	for i := range errs {
		mine := slices.Clone(refs[:3])
		if i%2 == 0 {
			slices.Reverse(mine)
		}
		wg.Go(func() {
			_, _, errs[i] = f.UpdateTasks(f.ctx, f.write(), mine, f.patch(task.Patch{Title: new(fmt.Sprint("bulk ", i))}))
		})
	}
	wg.Wait()
	for _, err := range errs {
		ok(t, "bulk changes at once", err)
	}
}

func ranks(f *fixture) {
	t := f.t
	a, b, c := f.add(t, task.New{Title: "a"}), f.add(t, task.New{Title: "b"}), f.add(t, task.New{Title: "c"})
	for _, step := range []struct {
		move uuid.UUID
		to   task.Placement
		want []uuid.UUID
	}{
		{c.ID, task.Placement{Top: true}, []uuid.UUID{c.ID, a.ID, b.ID}},
		{c.ID, task.Placement{After: a.ID}, []uuid.UUID{a.ID, c.ID, b.ID}},
		{b.ID, task.Placement{Before: a.ID}, []uuid.UUID{b.ID, a.ID, c.ID}},
		{b.ID, task.Placement{}, []uuid.UUID{a.ID, c.ID, b.ID}},
		{a.ID, task.Placement{After: a.ID}, []uuid.UUID{a.ID, c.ID, b.ID}},
	} {
		_, err := f.place(f.ctx, step.move, step.to)
		ok(t, "move", err)
		same(t, "order", f.find(t), step.want)
	}
	_, err := f.place(f.ctx, a.ID, task.Placement{After: uuid.New()})
	wantCode(t, "move beside nobody", err, apperr.Unprocessable)
}

func ranksConcurrent(f *fixture) {
	t := f.t
	anchor := f.add(t, task.New{Title: "anchor"})
	f.add(t, task.New{Title: "end"})
	const clients = 16
	moved := make([]*task.Task, clients)
	for i := range moved {
		moved[i] = f.add(t, task.New{Title: fmt.Sprint(i)})
	}
	var wg sync.WaitGroup
	errs := make([]error, clients)
	for i := range clients {
		wg.Go(func() {
			for range 5 {
				if _, err := f.place(f.ctx, moved[i].ID, task.Placement{After: anchor.ID}); err != nil {
					errs[i] = err
				}
				f.CreateTasks(f.ctx, f.p.Key, []task.Draft{f.draft(f.write(), task.New{Title: "x", Place: task.Placement{After: anchor.ID}})})
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		ok(t, "moves to one place", err)
	}
	got := f.find(t)
	same(t, "tasks", len(got), 2+clients+5*clients)
	if got[0] != anchor.ID {
		t.Fatal("the anchor is not first any more")
	}
}

func taskHistory(f *fixture) {
	t := f.t
	made := f.add(t, task.New{Title: "0"})
	for i := range 5 {
		f.mustChange(t, made.ID, task.Patch{Title: new(fmt.Sprint(i + 1))})
	}
	newest, err := f.TaskHistory(f.ctx, made.ID, 0, 2)
	ok(t, "read history", err)
	if len(newest) != 2 || newest[0].Seq != 6 || newest[1].Seq != 5 {
		t.Fatalf("newest: %s", asJSON(t, newest))
	}
	older, err := f.TaskHistory(f.ctx, made.ID, 5, 10)
	ok(t, "read history", err)
	if len(older) != 4 || older[0].Seq != 4 || older[3].Kind != history.TaskCreated {
		t.Fatalf("older: %s", asJSON(t, older))
	}
	none, err := f.TaskHistory(f.ctx, uuid.New(), 0, 10)
	ok(t, "history of nothing", err)
	same(t, "history of nothing", len(none), 0)
}
