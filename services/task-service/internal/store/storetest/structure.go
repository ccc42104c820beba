package storetest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// under creates a subtask, with the checks a service makes.
func (f *fixture) under(ctx context.Context, parent uuid.UUID, title string) (*task.Task, error) {
	d := f.draft(f.write(), task.New{Title: title, Parent: parent})
	d.Ctx = ctx
	d.Check = func(ctx context.Context, tx task.Tx, t *task.Task) error { return t.CheckParent(ctx, tx, parent) }
	out := f.CreateTasks(ctx, f.p.Key, []task.Draft{d})
	return out[0].Task, out[0].Err
}

func structure(f *fixture) {
	t := f.t
	top := f.add(t, task.New{Title: "top"})
	chain := []*task.Task{top}
	for i := range task.MaxDepth {
		sub, err := f.under(f.ctx, chain[i].ID, fmt.Sprint("level ", i+1))
		ok(t, "create subtask", err)
		chain = append(chain, sub)
	}
	_, err := f.under(f.ctx, chain[task.MaxDepth].ID, "too deep")
	wantCode(t, "one level too many", err, apperr.Unprocessable)
	_, err = f.change(f.ctx, top.ID, task.Patch{Parent: &chain[2].ID})
	wantCode(t, "below its own subtask", err, apperr.Unprocessable)
	_, err = f.change(f.ctx, top.ID, task.Patch{Parent: &top.ID})
	wantCode(t, "below itself", err, apperr.Unprocessable)
	second := f.add(t, task.New{Title: "second"})
	_, err = f.change(f.ctx, chain[1].ID, task.Patch{Parent: &second.ID})
	ok(t, "move a subtree", err)
	moved, err := f.Task(f.ctx, task.Ref{ID: chain[1].ID})
	ok(t, "read task", err)
	same(t, "parent", *moved.ParentID, second.ID)
	third := f.add(t, task.New{Title: "third"})
	_, err = f.change(f.ctx, second.ID, task.Patch{Parent: &third.ID})
	wantCode(t, "a subtree that becomes too deep", err, apperr.Unprocessable)
	elsewhere := f.addIn(t, f.project(t, newKey()).Key, task.New{Title: "elsewhere"})
	_, err = f.under(f.ctx, elsewhere.ID, "of another project")
	wantCode(t, "a parent of another project", err, apperr.Unprocessable)
	f.mustChange(t, chain[2].ID, task.Patch{State: new(f.state(project.Done))})
	cancelled, err := f.under(f.ctx, chain[1].ID, "sibling")
	ok(t, "create subtask", err)
	trashed, err := f.under(f.ctx, chain[1].ID, "trashed sibling")
	ok(t, "create subtask", err)
	f.trash(t, trashed.ID)
	f.mustChange(t, cancelled.ID, task.Patch{State: new(f.state(project.Cancelled))})
	progress, err := f.ProgressOf(f.ctx, []uuid.UUID{chain[1].ID, second.ID, third.ID})
	ok(t, "read progress", err)
	same(t, "progress", progress, map[uuid.UUID]task.Progress{chain[1].ID: {Done: 1, Total: 2}, second.ID: {Done: 0, Total: 1}})
	_, err = f.under(f.ctx, trashed.ID, "below the trash")
	wantCode(t, "a parent in the trash", err, apperr.Unprocessable)
}

// structureConcurrent makes tasks parents of each other at once: whatever wins, there is no cycle.
func structureConcurrent(f *fixture) {
	t := f.t
	const n = 4
	for range 5 {
		var ts []*task.Task
		for i := range n {
			ts = append(ts, f.add(t, task.New{Title: fmt.Sprint(i)}))
		}
		var wg sync.WaitGroup
		errs := make([]error, n)
		for i := range n {
			wg.Go(func() { _, errs[i] = f.change(f.ctx, ts[i].ID, task.Patch{Parent: &ts[(i+1)%n].ID}) })
		}
		wg.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
				continue
			}
			wantCode(t, "lost the race for a parent", err, apperr.Unprocessable)
		}
		same(t, "parents that could be set", won, n-1)
	}
}

// relate links a to b, as a service does: recorded on both.
func (f *fixture) relate(ctx context.Context, kind string, a, b uuid.UUID) error {
	link, err := task.ParseLink(kind)
	if err != nil {
		return err
	}
	changed := false
	_, _, err = f.UpdateTasks(ctx, f.write(), []task.Ref{{ID: a}, {ID: b}}, func(ctx context.Context, tx task.Tx, t *task.Task) (err error) {
		if t.ID == a {
			changed, err = t.Relate(ctx, tx, f.env(tx.Project()), link, b)
			return err
		}
		if changed {
			t.Related(f.env(tx.Project()), history.RelationAdded, link.Reversed(), a)
		}
		return nil
	})
	return err
}

func relations(f *fixture) {
	t := f.t
	a, b, c := f.add(t, task.New{Title: "a"}), f.add(t, task.New{Title: "b"}), f.add(t, task.New{Title: "c"})
	ok(t, "relate", f.relate(f.ctx, "blocks", a.ID, b.ID))
	ok(t, "relate twice", f.relate(f.ctx, "blocks", a.ID, b.ID))
	ok(t, "relate", f.relate(f.ctx, "blocked-by", c.ID, b.ID))
	wantCode(t, "a circle", f.relate(f.ctx, "blocks", c.ID, a.ID), apperr.Unprocessable)
	ok(t, "other kinds do not matter", f.relate(f.ctx, "duplicates", c.ID, a.ID))
	ok(t, "relate", f.relate(f.ctx, "relates", c.ID, a.ID))
	ok(t, "relate the other way round", f.relate(f.ctx, "relates", a.ID, c.ID))
	details, err := f.Details(f.ctx, a.ID)
	ok(t, "read details", err)
	same(t, "relations of a", len(details.Relations), 3)
	same(t, "related tasks of a", len(details.Related), 2)
	same(t, "events of b", len(f.events(t, b.ID)), 3)
	same(t, "version of b", details.Related[0].Version, int64(1))
	unrelate := func() error {
		_, _, err := f.UpdateTask(f.ctx, f.write(), task.Ref{ID: a.ID}, func(ctx context.Context, tx task.Tx, t *task.Task) error {
			return t.Unrelate(ctx, tx, f.env(tx.Project()), task.Link{Kind: task.Blocks}, b.ID)
		})
		return err
	}
	ok(t, "unrelate", unrelate())
	wantCode(t, "unrelate twice", unrelate(), apperr.NotFound)
	ok(t, "no circle any more", f.relate(f.ctx, "blocks", c.ID, a.ID))
}

func cyclesConcurrent(f *fixture) {
	t := f.t
	const n = 4
	for range 5 {
		var ts []*task.Task
		for i := range n {
			ts = append(ts, f.add(t, task.New{Title: fmt.Sprint(i)}))
		}
		var wg sync.WaitGroup
		errs := make([]error, n)
		for i := range n {
			wg.Go(func() { errs[i] = f.relate(f.ctx, "blocks", ts[i].ID, ts[(i+1)%n].ID) })
		}
		wg.Wait()
		lost := 0
		for _, err := range errs {
			if err != nil {
				wantCode(t, "closing a circle", err, apperr.Unprocessable)
				lost++
			}
		}
		same(t, "relations that would have closed the circle", lost, 1)
	}
}

func comments(f *fixture) {
	t := f.t
	made := f.add(t, task.New{Title: "talk"})
	id, mentioned := uuid.Must(uuid.NewV7()), []uuid.UUID{uuid.New(), f.actor}
	do := func(fn func(ctx context.Context, tx task.Tx, t *task.Task) error) error {
		_, _, err := f.UpdateTask(f.ctx, f.write(), task.Ref{ID: made.ID}, fn)
		return err
	}
	var said task.Comment
	ok(t, "comment", do(func(ctx context.Context, tx task.Tx, t *task.Task) (err error) {
		said, err = t.AddComment(ctx, tx, f.env(tx.Project()), id, "hello", mentioned)
		return err
	}))
	details, err := f.Details(f.ctx, made.ID)
	ok(t, "read details", err)
	same(t, "comments", asJSON(t, details.Comments), asJSON(t, []task.Comment{said}))
	ok(t, "edit comment", do(func(ctx context.Context, tx task.Tx, t *task.Task) (err error) {
		said, err = t.EditComment(ctx, tx, f.env(tx.Project()), id, "hello again", nil)
		return err
	}))
	if details, err = f.Details(f.ctx, made.ID); err != nil || len(details.Comments) != 1 || details.Comments[0].Edited == nil {
		t.Fatalf("edited comment: %s, %v", asJSON(t, details.Comments), err)
	}
	same(t, "edited comment", asJSON(t, details.Comments[0]), asJSON(t, said))
	got, err := f.Task(f.ctx, task.Ref{ID: made.ID})
	ok(t, "read task", err)
	same(t, "a comment stales nobody's edit: version", got.Version, int64(1))
	same(t, "seq", got.Seq, int64(3))
	elsewhere := f.add(t, task.New{Title: "another"})
	_, _, err = f.UpdateTask(f.ctx, f.write(), task.Ref{ID: elsewhere.ID}, func(ctx context.Context, tx task.Tx, _ *task.Task) error {
		_, err := tx.Comment(ctx, id)
		return err
	})
	wantCode(t, "a comment of another task", err, apperr.NotFound)
	remove := func(ctx context.Context, tx task.Tx, t *task.Task) error {
		return t.RemoveComment(ctx, tx, f.env(tx.Project()), id)
	}
	ok(t, "remove comment", do(remove))
	wantCode(t, "remove comment twice", do(remove), apperr.NotFound)
}

// recurrence adds the next occurrence in the transaction that completes a task.
func recurrence(f *fixture) {
	t := f.t
	made := f.add(t, task.New{Title: "weekly", Due: "2026-05-04", Recurrence: "FREQ=WEEKLY"})
	var next *task.Task
	_, _, err := f.UpdateTask(f.ctx, f.write(), task.Ref{ID: made.ID}, func(ctx context.Context, tx task.Tx, t *task.Task) (err error) {
		if _, err := t.Change(f.env(tx.Project()), task.Patch{State: new(f.state(project.Done))}, ""); err != nil {
			return err
		}
		if next, err = task.Make(f.env(tx.Project()), task.New{Title: t.Title, Due: "2026-05-11", Recurrence: t.Recurrence}); err != nil {
			return err
		}
		return tx.Add(ctx, next, task.Placement{After: t.ID})
	})
	ok(t, "complete a recurring task", err)
	got, err := f.Task(f.ctx, task.Ref{Key: f.p.Key, Number: 2})
	ok(t, "read the next occurrence", err)
	sameTask(t, "next occurrence", got, next)
	same(t, "its events", len(f.events(t, next.ID)), 1)
	same(t, "the number behind it", f.add(t, task.New{Title: "x"}).Number, int64(3))
}

func details(f *fixture) {
	t := f.t
	top := f.add(t, task.New{Title: "top"})
	mid, err := f.under(f.ctx, top.ID, "mid")
	ok(t, "create subtask", err)
	first, err := f.under(f.ctx, mid.ID, "first")
	ok(t, "create subtask", err)
	second, err := f.under(f.ctx, mid.ID, "second")
	ok(t, "create subtask", err)
	gone, err := f.under(f.ctx, mid.ID, "gone")
	ok(t, "create subtask", err)
	f.trash(t, gone.ID)
	_, err = f.place(f.ctx, second.ID, task.Placement{Top: true})
	ok(t, "move", err)
	d, err := f.Details(f.ctx, mid.ID)
	ok(t, "read details", err)
	if len(d.Subtasks) != 2 || d.Subtasks[0].ID != second.ID || d.Subtasks[1].ID != first.ID {
		t.Fatalf("subtasks: %s", asJSON(t, d.Subtasks))
	}
	if len(d.Related) != 1 || d.Related[0].ID != top.ID || d.Related[0].ProjectKey != f.p.Key {
		t.Fatalf("related: %s", asJSON(t, d.Related))
	}
	_, err = f.Details(f.ctx, uuid.New())
	wantCode(t, "details of nothing", err, apperr.NotFound)
}

// endedContext: a request that is over writes nothing and says so; the store goes on.
func endedContext(f *fixture) {
	t := f.t
	made := f.add(t, task.New{Title: "x"})
	late, cancel := context.WithDeadline(f.ctx, time.Now().Add(-time.Second))
	defer cancel()
	gone, leave := context.WithCancel(f.ctx)
	leave()
	for code, ctx := range map[apperr.Code]context.Context{apperr.Timeout: late, apperr.Canceled: gone} {
		_, err := f.Task(ctx, task.Ref{ID: made.ID})
		wantCode(t, "read", err, code)
		_, err = f.change(ctx, made.ID, task.Patch{Title: new("never")})
		wantCode(t, "change", err, code)
		_, err = f.ListTasks(ctx, task.Query{ProjectID: f.p.ID})
		wantCode(t, "list", err, code)
		wantCode(t, "create", f.CreateTasks(ctx, f.p.Key, []task.Draft{f.draft(f.write(), task.New{Title: "never"})})[0].Err, code)
		_, _, err = f.BoardAt(ctx, f.p.Key, time.Now())
		wantCode(t, "time travel", err, code)
	}
	// Ended in the middle: what the transaction had done is undone, and its locks are gone.
	_, _, err := f.UpdateTask(f.ctx, f.write(), task.Ref{ID: made.ID}, func(ctx context.Context, tx task.Tx, t *task.Task) error {
		if err := tx.LockStructure(ctx); err != nil {
			return err
		}
		inner, cancel := context.WithCancel(ctx)
		cancel()
		_, err := tx.Children(inner, t.ID)
		return err
	})
	wantCode(t, "ended inside", err, apperr.Canceled)
	changed := f.mustChange(t, made.ID, task.Patch{Title: new("y")})
	same(t, "version", changed.Version, int64(2))
}
