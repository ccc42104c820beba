package storetest

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// allEvents reads every positioned event, in small parts.
func (f *fixture) allEvents(t testing.TB) []history.Event {
	t.Helper()
	return f.eventsIn(t, 7)
}

// eventsIn reads every positioned event in parts of a size.
func (f *fixture) eventsIn(t testing.TB, size int) []history.Event {
	t.Helper()
	var all []history.Event
	for {
		after := int64(0)
		if len(all) > 0 {
			after = all[len(all)-1].Pos
		}
		part, err := f.EventsAfter(f.ctx, uuid.Nil, after, size)
		ok(t, "read events", err)
		if len(part) == 0 {
			return all
		}
		all = append(all, part...)
	}
}

// inOrder checks that positions have no gap and that each aggregate's events stand in order of seq.
func inOrder(t testing.TB, events []history.Event) {
	t.Helper()
	seqs := map[uuid.UUID]int64{}
	for i, e := range events {
		if e.Pos != int64(i)+1 {
			t.Fatalf("event %d has position %d", i+1, e.Pos)
		}
		if e.Seq != seqs[e.AggregateID]+1 {
			t.Fatalf("position %d has event %d of its aggregate behind %d", e.Pos, e.Seq, seqs[e.AggregateID])
		}
		seqs[e.AggregateID] = e.Seq
	}
}

func relay(f *fixture) {
	t := f.t
	made := f.add(t, f.full("one"))
	f.mustChange(t, made.ID, task.Patch{Title: new("two")})
	other := f.project(t, newKey())
	f.addIn(t, other.Key, task.New{Title: "elsewhere"})
	waiting, oldest, given, published, err := f.Backlog(f.ctx, 0)
	ok(t, "backlog", err)
	if waiting != 5 || given != 0 || published != 0 || !oldest.Equal(f.p.Created) {
		t.Fatalf("backlog: %d since %s, given %d, published %d", waiting, oldest, given, published)
	}
	last, err := f.LastPos(f.ctx)
	ok(t, "last position", err)
	same(t, "last position", last, int64(0))
	same(t, "events without a position", len(f.allEvents(t)), 0)
	n, last, err := f.Assign(f.ctx, 0, 1, 2)
	ok(t, "assign", err)
	if n != 2 || last != 2 {
		t.Fatalf("assigned %d up to %d", n, last)
	}
	n, last, err = f.Assign(f.ctx, 0, 1, 100)
	ok(t, "assign", err)
	if n != 3 || last != 5 {
		t.Fatalf("assigned %d up to %d", n, last)
	}
	n, last, err = f.Assign(f.ctx, 0, 1, 100)
	ok(t, "assign nothing", err)
	if n != 0 || last != 5 {
		t.Fatalf("assigned %d up to %d", n, last)
	}
	all := f.allEvents(t)
	inOrder(t, all)
	same(t, "events", len(all), 5)
	mark, unpublished, err := f.Unpublished(f.ctx, 0, 3)
	ok(t, "unpublished", err)
	same(t, "mark", mark, int64(0))
	same(t, "unpublished", asJSON(t, unpublished), asJSON(t, all[:3]))
	ok(t, "mark", f.MarkPublished(f.ctx, 0, 1, 3))
	ok(t, "mark backwards", f.MarkPublished(f.ctx, 0, 1, 2))
	mark, unpublished, err = f.Unpublished(f.ctx, 0, 100)
	ok(t, "unpublished", err)
	same(t, "mark", mark, int64(3))
	same(t, "unpublished", asJSON(t, unpublished), asJSON(t, all[3:]))
	ok(t, "mark too far", f.MarkPublished(f.ctx, 0, 1, 99))
	waiting, oldest, given, published, err = f.Backlog(f.ctx, 0)
	ok(t, "backlog", err)
	if waiting != 0 || !oldest.IsZero() || given != 5 || published != 5 {
		t.Fatalf("backlog: %d since %s, given %d, published %d", waiting, oldest, given, published)
	}
	ours, err := f.EventsAfter(f.ctx, f.p.ID, 1, 100)
	ok(t, "events of a project", err)
	if len(ours) != 2 || ours[0].AggregateID != made.ID || ours[1].Kind != history.TaskChanged {
		t.Fatalf("events of the project: %s", asJSON(t, ours))
	}
	_, _, err = f.Assign(f.ctx, 7, 1, 100)
	wantCode(t, "a shard there is not", err, apperr.NotFound)
}

// relayConcurrent has writers at work and two relays of different epochs: the older one is fenced off at some point, and
// the order stays.
func relayConcurrent(f *fixture) {
	t := f.t
	const writers, each = 8, 12
	var writing sync.WaitGroup
	for w := range writers {
		writing.Go(func() {
			made := f.add(t, task.New{Title: fmt.Sprint(w)})
			for i := range each {
				if _, err := f.change(f.ctx, made.ID, task.Patch{Title: new(fmt.Sprint(w, " ", i))}); err != nil {
					t.Errorf("change: %v", err)
				}
				f.CreateTasks(f.ctx, f.p.Key, []task.Draft{f.draft(f.write(), task.New{Title: "a"}), f.draft(f.write(), task.New{Title: "b"})})
			}
		})
	}
	var over atomic.Bool
	var relays sync.WaitGroup
	for _, epoch := range []int64{1, 2} {
		relays.Go(func() {
			for {
				last := over.Load()
				n, _, err := f.Assign(f.ctx, 0, epoch, 5)
				if apperr.Is(err, apperr.Conflict) && epoch == 1 {
					return
				}
				if err != nil {
					t.Errorf("assign in epoch %d: %v", epoch, err)
					return
				}
				if last && n == 0 {
					return
				}
			}
		})
	}
	writing.Wait()
	over.Store(true)
	relays.Wait()
	all := f.allEvents(t)
	inOrder(t, all)
	same(t, "events", len(all), 1+writers*(1+each*3))
	waiting, _, given, _, err := f.Backlog(f.ctx, 0)
	ok(t, "backlog", err)
	if waiting != 0 || given != int64(len(all)) {
		t.Fatalf("%d events wait, %d given of %d", waiting, given, len(all))
	}
}

func relayFenced(f *fixture) {
	t := f.t
	_, _, err := f.Assign(f.ctx, 0, 4, 1)
	ok(t, "assign", err)
	ok(t, "fence", f.Fence(f.ctx, 0, 5))
	f.add(t, task.New{Title: "x"})
	_, _, err = f.Assign(f.ctx, 0, 4, 100)
	wantCode(t, "assign in an epoch that is over", err, apperr.Conflict)
	wantCode(t, "mark in an epoch that is over", f.MarkPublished(f.ctx, 0, 4, 1), apperr.Conflict)
	wantCode(t, "fence with an epoch that is over", f.Fence(f.ctx, 0, 4), apperr.Conflict)
	n, _, err := f.Assign(f.ctx, 0, 5, 100)
	ok(t, "assign in the new epoch", err)
	same(t, "assigned", n, 1)
}

func forget(f *fixture) {
	t := f.t
	for i := range 3 {
		out := f.CreateTasks(f.ctx, f.p.Key, []task.Draft{f.draft(f.keyed(fmt.Sprint("key", i), "x"), task.New{Title: "x"})})
		ok(t, "create", out[0].Err)
	}
	n, err := f.ForgetIdempotency(f.ctx, time.Now().Add(-time.Hour), 100)
	ok(t, "forget", err)
	same(t, "forgotten before their time", n, int64(0))
	for _, want := range []int64{2, 1, 0} {
		n, err := f.ForgetIdempotency(f.ctx, time.Now().Add(time.Hour), 2)
		ok(t, "forget", err)
		same(t, "forgotten", n, want)
	}
	out := f.CreateTasks(f.ctx, f.p.Key, []task.Draft{f.draft(f.keyed("key0", "y"), task.New{Title: "a new meaning"})})
	ok(t, "use a forgotten key", out[0].Err)
}

// timeTravel records boards as they stand and compares each with what BoardAt says of its moment.
func timeTravel(f *fixture) {
	t := f.t
	type snapshot struct {
		at      time.Time
		project string
		tasks   []string
	}
	now := func() time.Time { // the database's events are stamped by this process: its clock tells them apart
		at := history.Now()
		for !history.Now().After(at) {
			continue
		}
		return at
	}
	plain := func(p *project.Project, ts []*task.Task) snapshot {
		c := *p
		c.Version, c.Updated = 0, time.Time{}
		var s snapshot
		s.project = asJSON(t, &c)
		for _, x := range ts {
			y := *x
			y.Version, y.Updated, y.UpdatedBy, y.LastAt = 0, time.Time{}, uuid.Nil, time.Time{}
			s.tasks = append(s.tasks, plainTask(t, &y))
		}
		return s
	}
	var taken []snapshot
	record := func() {
		t.Helper()
		p, err := f.Project(f.ctx, f.p.Key)
		ok(t, "read project", err)
		page, err := f.ListTasks(f.ctx, task.Query{ProjectID: f.p.ID, Limit: 1000})
		ok(t, "list", err)
		s := plain(p, page.Tasks)
		s.at = now()
		taken = append(taken, s)
	}
	before := f.p.Created.Add(-time.Second)
	record()
	a := f.add(t, f.full("a"))
	record()
	b, err := f.under(f.ctx, a.ID, "b")
	ok(t, "create subtask", err)
	record()
	f.mustChange(t, a.ID, task.Patch{State: new(f.state(project.Done)), Assignees: &[]uuid.UUID{}, Estimate: new(new(8.0)), Due: new(task.Date(""))})
	_, err = f.place(f.ctx, b.ID, task.Placement{Top: true})
	ok(t, "move", err)
	record()
	ok(t, "relate", f.relate(f.ctx, "blocks", a.ID, b.ID))
	_, err = f.edit(f.write(), func(p *project.Project) error {
		p.Name = "renamed"
		p.States[0], p.States[1] = p.States[1], p.States[0]
		p.Labels = p.Labels[1:]
		return nil
	})
	ok(t, "change project", err)
	record()
	f.trash(t, b.ID)
	_, err = f.SaveView(f.ctx, f.write(), project.View{ID: uuid.New(), ProjectID: f.p.ID, Name: "v", Layout: project.Board, Owner: f.actor})
	ok(t, "save view", err)
	record()
	_, _, err = f.UpdateTask(f.ctx, f.write(), task.Ref{ID: b.ID}, func(_ context.Context, tx task.Tx, t *task.Task) error { return t.Restore(f.env(tx.Project())) })
	ok(t, "restore", err)
	f.mustChange(t, a.ID, task.Patch{State: new(f.state(project.Todo)), Labels: &[]uuid.UUID{}, Title: new("renamed")})
	record()
	for i, want := range taken {
		p, ts, err := f.BoardAt(f.ctx, f.p.Key, want.at)
		ok(t, "time travel", err)
		got := plain(p, ts)
		same(t, fmt.Sprintf("settings at snapshot %d", i), got.project, want.project)
		same(t, fmt.Sprintf("tasks at snapshot %d", i), got.tasks, want.tasks)
	}
	_, _, err = f.BoardAt(f.ctx, f.p.Key, before)
	wantCode(t, "before there was a project", err, apperr.NotFound)
	_, _, err = f.BoardAt(f.ctx, "NONE", before)
	wantCode(t, "no project", err, apperr.NotFound)
}
