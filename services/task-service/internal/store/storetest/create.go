package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// full is a task with a value in every field.
func (f *fixture) full(title string) task.New {
	return task.New{
		Title: title, Description: "# Über\n\n- [ ] naïve \"quotes\" '; DROP TABLE tasks; -- \\ 🙂", State: f.state(project.Doing),
		Priority: task.High, Assignees: []uuid.UUID{uuid.New(), f.actor}, Labels: []uuid.UUID{f.p.Labels[1].ID, f.p.Labels[0].ID},
		Start: "2026-01-31", Due: "2026-12-24", Estimate: new(0.1), Recurrence: "FREQ=WEEKLY",
	}
}

func create(f *fixture) {
	t := f.t
	made := f.add(t, f.full("Fix the login page"))
	if made.Number != 1 || made.Rank == "" || made.ProjectKey != f.p.Key || made.Version != 1 || made.Seq != 1 {
		t.Fatalf("created task: %s", plainTask(t, made))
	}
	for _, ref := range []task.Ref{{ID: made.ID}, {Key: f.p.Key, Number: 1}} {
		got, err := f.Task(f.ctx, ref)
		ok(t, "read task", err)
		sameTask(t, "task read back", got, made)
	}
	bare := f.add(t, task.New{Title: "x"})
	got, err := f.Task(f.ctx, task.Ref{ID: bare.ID})
	ok(t, "read task", err)
	sameTask(t, "bare task read back", got, bare)
	if bare.Number != 2 || bare.Rank <= made.Rank {
		t.Fatalf("the second task has number %d and rank %q behind %q", bare.Number, bare.Rank, made.Rank)
	}
	top := f.add(t, task.New{Title: "top", Place: task.Placement{Top: true}})
	between := f.add(t, task.New{Title: "between", Place: task.Placement{After: made.ID}})
	before := f.add(t, task.New{Title: "before", Place: task.Placement{Before: made.ID}})
	order := []string{top.Rank, before.Rank, made.Rank, between.Rank, bare.Rank}
	if !slices.IsSorted(order) {
		t.Fatalf("ranks are not where they were placed: %q", order)
	}
	events := f.events(t, made.ID)
	if len(events) != 1 || events[0].Kind != history.TaskCreated || events[0].Seq != 1 || events[0].Pos != 0 ||
		!events[0].Occurred.Equal(made.Created) || events[0].Actor != f.actor || events[0].ProjectID != f.p.ID {
		t.Fatalf("event of a new task: %s", asJSON(t, events))
	}
	rebuilt := &task.Task{ID: made.ID, ProjectID: made.ProjectID, ProjectKey: made.ProjectKey}
	ok(t, "rebuild from history", task.Redo(rebuilt, events[0]))
	rebuilt.Version, rebuilt.Updated, rebuilt.UpdatedBy = made.Version, made.Updated, made.UpdatedBy
	sameTask(t, "task rebuilt from its history", rebuilt, made)
	for _, ref := range []task.Ref{{ID: uuid.New()}, {Key: f.p.Key, Number: 99}, {Key: "NONE", Number: 1}} {
		_, err := f.Task(f.ctx, ref)
		wantCode(t, "read a task that is not there", err, apperr.NotFound)
	}
	out := f.CreateTasks(f.ctx, "NONE", []task.Draft{f.draft(f.write(), task.New{Title: "x"})})
	wantCode(t, "create in a project that is not there", out[0].Err, apperr.NotFound)
	if out := f.CreateTasks(f.ctx, f.p.Key, nil); len(out) != 0 {
		t.Fatalf("no drafts have %d outcomes", len(out))
	}
}

func failedNeighbours(f *fixture) {
	t := f.t
	gone, cancel := context.WithCancel(f.ctx)
	cancel()
	first, last := f.draft(f.write(), task.New{Title: "first"}), f.draft(f.write(), task.New{Title: "last"})
	late := f.draft(f.write(), task.New{Title: "nobody waits"})
	late.Ctx = gone
	parent := f.draft(f.write(), task.New{Title: "no such parent"})
	parent.Check = func(ctx context.Context, tx task.Tx, t *task.Task) error { return t.CheckParent(ctx, tx, uuid.New()) }
	broken := errors.New("a fault of its own")
	const tp = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	traced := f.draft(f.write(), task.New{Title: "traced"})
	traced.Ctx = telemetry.ContextWithTraceparent(f.ctx, tp)
	out := f.CreateTasks(f.ctx, f.p.Key, []task.Draft{
		first,
		f.draft(f.write(), task.New{Title: ""}),
		{Write: f.write(), Ctx: f.ctx, Build: func(*project.Project) (*task.Task, task.Placement, error) {
			return nil, task.Placement{}, broken
		}},
		late, parent,
		f.draft(f.write(), task.New{Title: "beside nobody", Place: task.Placement{After: uuid.New()}}),
		traced, last,
	})
	for i, want := range []apperr.Code{"", apperr.Invalid, apperr.Internal, apperr.Canceled, apperr.Unprocessable, apperr.Unprocessable, "", ""} {
		wantCode(t, fmt.Sprintf("draft %d", i), out[i].Err, want)
	}
	if !errors.Is(out[2].Err, broken) {
		t.Fatalf("a draft's own fault came back as %v", out[2].Err)
	}
	if out[0].Task.Number != 1 || out[6].Task.Number != 2 || out[7].Task.Number != 3 {
		t.Fatalf("numbers beside failed drafts: %d, %d, %d", out[0].Task.Number, out[6].Task.Number, out[7].Task.Number)
	}
	if got := f.events(t, out[6].Task.ID)[0].Traceparent; got != tp {
		t.Fatalf("the event has traceparent %q, the request had %q", got, tp)
	}
}

func createIdempotent(f *fixture) {
	t := f.t
	once := f.keyed("k1", "a")
	first := f.CreateTasks(f.ctx, f.p.Key, []task.Draft{f.draft(once, task.New{Title: "once"}), f.draft(once, task.New{Title: "once"}),
		f.draft(f.keyed("k1", "b"), task.New{Title: "another"})})
	ok(t, "create with a key", first[0].Err)
	ok(t, "the same key in the same batch", first[1].Err)
	if first[0].Replayed || !first[1].Replayed {
		t.Fatalf("replayed: %v, %v", first[0].Replayed, first[1].Replayed)
	}
	sameTask(t, "replay in the batch", first[1].Task, first[0].Task)
	wantCode(t, "another request with the key, same batch", first[2].Err, apperr.Unprocessable)
	again := f.CreateTasks(f.ctx, f.p.Key, []task.Draft{f.draft(once, task.New{Title: "once"}), f.draft(f.write(), task.New{Title: "neighbour"}),
		f.draft(f.keyed("k1", "b"), task.New{Title: "another"}), f.draft(once, task.New{Title: ""})})
	ok(t, "retry with a key", again[0].Err)
	ok(t, "neighbour of a retry", again[1].Err)
	wantCode(t, "another request with the key", again[2].Err, apperr.Unprocessable)
	ok(t, "retry that would fail today", again[3].Err)
	if !again[0].Replayed || !again[3].Replayed || again[1].Task.Number != 2 {
		t.Fatalf("retry: %+v %+v, neighbour number %d", again[0].Replayed, again[3].Replayed, again[1].Task.Number)
	}
	sameTask(t, "replay", again[0].Task, first[0].Task)
	other := f.keyed("k1", "c")
	other.Actor = uuid.New()
	theirs := f.CreateTasks(f.ctx, f.p.Key, []task.Draft{f.draft(other, task.New{Title: "somebody else's key"})})
	ok(t, "the same key of another person", theirs[0].Err)
	failed := f.keyed("k2", "a")
	wantCode(t, "a failed request", f.CreateTasks(f.ctx, f.p.Key, []task.Draft{f.draft(failed, task.New{})})[0].Err, apperr.Invalid)
	out := f.CreateTasks(f.ctx, f.p.Key, []task.Draft{f.draft(failed, task.New{Title: "repaired"})})
	ok(t, "a failed request leaves its key unused", out[0].Err)
}

func createConcurrent(f *fixture) {
	t := f.t
	const clients, each = 20, 10
	var wg sync.WaitGroup
	outcomes := make([][]task.Outcome, clients)
	for c := range clients {
		wg.Go(func() {
			for i := range each {
				// Two requests with the key of a shared one: whichever comes first makes the task.
				drafts := []task.Draft{f.draft(f.write(), task.New{Title: fmt.Sprintf("%d/%d", c, i), Assignees: []uuid.UUID{f.actor}}),
					f.draft(f.keyed(fmt.Sprintf("shared-%d", i), "same"), task.New{Title: "shared"})}
				outcomes[c] = append(outcomes[c], f.CreateTasks(f.ctx, f.p.Key, drafts)...)
			}
		})
	}
	wg.Wait()
	ids := map[uuid.UUID]bool{}
	var numbers []int64
	ranks := map[int64]string{}
	fresh := 0
	for _, out := range outcomes {
		for _, o := range out {
			ok(t, "concurrent create", o.Err)
			if !o.Replayed {
				fresh++
			}
			if !ids[o.Task.ID] {
				ids[o.Task.ID] = true
				numbers = append(numbers, o.Task.Number)
				ranks[o.Task.Number] = o.Task.Rank
			}
		}
	}
	if want := clients*each + each; len(ids) != want || fresh != want || len(ranks) != want {
		t.Fatalf("%d tasks, %d of them fresh, %d ranks; want %d", len(ids), fresh, len(ranks), want)
	}
	slices.Sort(numbers)
	for i, n := range numbers {
		if n != int64(i)+1 {
			t.Fatalf("numbers have a gap or a double: %v", numbers)
		}
		if i > 0 && ranks[n] <= ranks[n-1] {
			t.Fatalf("number %d was put in front of number %d", n, n-1)
		}
	}
	n, err := f.CountTasks(f.ctx, task.Query{ProjectID: f.p.ID})
	ok(t, "count", err)
	same(t, "stored tasks", n, int64(len(ids)))
}

// createAgainstSettings archives a state while tasks are created in it: either order is right, a task in an archived state
// is not.
func createAgainstSettings(f *fixture) {
	t := f.t
	state := f.state(project.Backlog)
	var wg sync.WaitGroup
	var created sync.Map
	for range 8 {
		wg.Go(func() {
			for range 5 {
				out := f.CreateTasks(f.ctx, f.p.Key, []task.Draft{f.draft(f.write(), task.New{Title: "x", State: state})})
				created.Store(apperr.CodeOf(out[0].Err), out[0].Err)
			}
		})
	}
	var archived error
	wg.Go(func() {
		_, archived = f.UpdateProject(f.ctx, f.write(), f.p.Key, func(p *project.Project) error {
			return p.Edit(f.by(), func(p *project.Project) error {
				for i := range p.States {
					if p.States[i].ID == state {
						p.States[i].Archived = true
					}
				}
				return nil
			})
		})
	})
	wg.Wait()
	n, err := f.CountTasks(f.ctx, task.Query{ProjectID: f.p.ID})
	ok(t, "count", err)
	switch {
	case archived == nil && n > 0:
		t.Fatalf("%d tasks are in a state that was archived as empty", n)
	case archived != nil:
		wantCode(t, "archive a state with tasks", archived, apperr.Conflict)
	}
	created.Range(func(code, err any) bool {
		if code != apperr.Code("") && code != apperr.Invalid {
			t.Errorf("create beside a change of settings: %v", err)
		}
		return true
	})
}

// oddText stores what people paste: the engines must give it back byte by byte.
func oddText(f *fixture) {
	t := f.t
	for _, text := range []string{"a\\b\\'c\"d%_e", "null \u2028 separators \u00a0", "emoji 👩‍👩‍👧 and ﬁ", "ＦＵＬＬ width", "tab\tand\nline\r\nbreak",
		strings.Repeat("\u754c", task.MaxDescription), "--; /* */ # $1 ? :name @x"} {
		made := f.add(t, task.New{Title: "odd", Description: text})
		got, err := f.Task(f.ctx, task.Ref{ID: made.ID})
		ok(t, "read odd text", err)
		if got.Description != made.Description {
			t.Fatalf("description of %d bytes came back different (%d bytes)", len(made.Description), len(got.Description))
		}
		want, found := f.events(t, made.ID)[0].Change(history.FieldDescription)
		var told string
		ok(t, "decode change", history.Decode(want.After, &told))
		if !found || told != made.Description {
			t.Fatalf("the event tells another description (%d bytes)", len(told))
		}
	}
}
