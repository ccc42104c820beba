package storetest

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// imported makes a task with a past: created, then finished, a year ago.
func (f *fixture) imported(t testing.TB, source string) task.Imported {
	t.Helper()
	env := f.env(f.p)
	env.Now, env.Recorded = time.Date(2025, 3, 1, 9, 0, 0, 123456000, time.UTC), history.Now()
	made, err := task.MakeImported(env, task.New{Title: "imported " + source, Labels: []uuid.UUID{f.p.Labels[0].ID}, Assignees: []uuid.UUID{f.actor}}, uuid.Must(uuid.NewV7()), source)
	ok(t, "make imported task", err)
	env.Now = env.Now.AddDate(0, 0, 7)
	_, err = made.Change(env, task.Patch{State: new(f.state(project.Done))}, "")
	ok(t, "finish imported task", err)
	return task.Imported{Task: made, Events: made.TakePending()}
}

func imports(f *fixture) {
	t := f.t
	var batch []task.Imported
	for i := range 12 {
		batch = append(batch, f.imported(t, fmt.Sprint("EXT-", i)))
	}
	batch = append(batch, batch[0]) // the same row twice in one file
	batch[1].Comments = []task.Comment{{ID: uuid.New(), TaskID: batch[1].Task.ID, Author: f.actor, Body: "old", Created: batch[1].Task.Created}}
	batch[1].Relations = []task.Relation{{From: batch[1].Task.ID, To: batch[2].Task.ID, Kind: task.Blocks, Created: batch[1].Task.Created}}
	first := f.add(t, task.New{Title: "was here"})
	added, err := f.ImportTasks(f.ctx, f.write(), f.p.Key, batch)
	ok(t, "import", err)
	want := slices.Repeat([]bool{true}, 12)
	same(t, "added", added, append(want, false))
	ids := f.find(t)
	same(t, "tasks", len(ids), 13)
	same(t, "the first", ids[0], first.ID)
	for i := range 12 {
		got, err := f.Task(f.ctx, task.Ref{Key: f.p.Key, Number: int64(i) + 2})
		ok(t, "read imported task", err)
		expected := *batch[i].Task
		expected.Number, expected.Rank, expected.ProjectKey = got.Number, got.Rank, f.p.Key
		sameTask(t, "imported task", got, &expected)
		same(t, "in the given order", ids[i+1], got.ID)
		events := f.events(t, got.ID)
		same(t, "events", len(events), 2)
		number, found := events[0].Change(history.FieldNumber)
		if !found || string(number.After) != fmt.Sprint(got.Number) || !events[1].Occurred.Equal(*got.Completed) {
			t.Fatalf("events of an imported task: %s", asJSON(t, events))
		}
	}
	d, err := f.Details(f.ctx, batch[1].Task.ID)
	ok(t, "read details", err)
	if len(d.Comments) != 1 || len(d.Relations) != 1 {
		t.Fatalf("details of an imported task: %s", asJSON(t, d))
	}
	known, err := f.KnownSources(f.ctx, f.p.ID, []string{"EXT-0", "EXT-99", "ext-1"})
	ok(t, "known sources", err)
	same(t, "known sources", known, map[string]bool{"EXT-0": true})
	var again []task.Imported
	for i := range 13 {
		again = append(again, f.imported(t, fmt.Sprint("EXT-", i)))
	}
	added, err = f.ImportTasks(f.ctx, f.write(), f.p.Key, again)
	ok(t, "import again", err)
	same(t, "added again", added, append(slices.Repeat([]bool{false}, 12), true))
	same(t, "tasks", len(f.find(t)), 14)
	_, err = f.ImportTasks(f.ctx, f.write(), "NONE", again)
	wantCode(t, "import into no project", err, apperr.NotFound)
	_, err = f.ImportTasks(f.ctx, f.write(), f.p.Key, []task.Imported{batch[3]})
	ok(t, "import the very same task", err)
	// Two imports of one file at once add each row once.
	var wg sync.WaitGroup
	var mu sync.Mutex
	total := 0
	for range 4 {
		var file []task.Imported
		for i := range 20 {
			file = append(file, f.imported(t, fmt.Sprint("RACE-", i)))
		}
		wg.Go(func() {
			added, err := f.ImportTasks(f.ctx, f.write(), f.p.Key, file)
			if err != nil {
				t.Errorf("concurrent import: %v", err)
			}
			mu.Lock()
			defer mu.Unlock()
			for _, a := range added {
				if a {
					total++
				}
			}
		})
	}
	wg.Wait()
	same(t, "rows added by concurrent imports", total, 20)
	same(t, "next number", f.add(t, task.New{Title: "x"}).Number, int64(35))
}

func importRanks(f *fixture) {
	t := f.t
	a, b := f.add(t, task.New{Title: "a"}), f.add(t, task.New{Title: "b"})
	_, err := f.place(f.ctx, b.ID, task.Placement{})
	ok(t, "move", err)
	free, taken, bottom, twin := f.imported(t, "1"), f.imported(t, "2"), f.imported(t, "3"), f.imported(t, "4")
	free.Task.Rank = b.Rank // b has moved on
	taken.Task.Rank = a.Rank
	twin.Task.Rank = b.Rank
	_, err = f.ImportTasks(f.ctx, f.write(), f.p.Key, []task.Imported{free, taken, bottom, twin})
	ok(t, "import", err)
	same(t, "order", f.find(t), []uuid.UUID{a.ID, taken.Task.ID, free.Task.ID, twin.Task.ID, b.ID, bottom.Task.ID})
	got, err := f.Task(f.ctx, task.Ref{ID: free.Task.ID})
	ok(t, "read", err)
	same(t, "a free rank is kept", got.Rank, b.Rank)
}
