// Package store_test holds the one suite that both stores pass on every engine.
package store_test

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/stats"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/store/statstest"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/store/storetest"
)

// busy is a history with every kind of event a projection looks at.
func busy() *statstest.World {
	w := statstest.New()
	at := statstest.At("2026-03-02T09:00:00.123456Z")
	for n := range 40 {
		when := at.Add(time.Duration(n) * time.Hour)
		due := string(stats.Date("2026-03-10").Add(n % 7))
		assignees := []uuid.UUID{statstest.ID("person", n%3), statstest.ID("person", 7)}
		task := w.Create(n, statstest.Todo, when, statstest.Change("priority", nil, n%5),
			statstest.Change("assignees", nil, assignees), statstest.Change("due", nil, due), statstest.Change("estimate", nil, float64(n)/2))
		if n%2 == 0 {
			w.Move(task, statstest.Todo, statstest.Doing, when.Add(24*time.Hour))
			w.Add(task, stats.OfTask, "comment.added", when.Add(25*time.Hour), statstest.Change("body", nil, "it's \"done\" \\ soon"))
		}
		if n%4 == 0 {
			w.Move(task, statstest.Doing, statstest.Done, when.Add(48*time.Hour))
			w.Add(task, stats.OfTask, "task.changed", when.Add(49*time.Hour), statstest.Change("assignees", assignees, nil),
				statstest.Change("labels", nil, []uuid.UUID{statstest.ID("label", 1)}), statstest.Change("due", due, nil),
				statstest.Change("estimate", float64(n)/2, nil))
		}
		if n%10 == 3 {
			w.Trash(task, when.Add(50*time.Hour))
		}
		if n%20 == 3 {
			w.Restore(task, when.Add(60*time.Hour))
		}
	}
	return w
}

// apply applies a world's events in portions.
func apply(t *testing.T, d *storetest.Database, events []stats.Event) {
	t.Helper()
	const portion = 17
	for len(events) > 0 {
		n := min(portion, len(events))
		if _, err := d.Store.Apply(t.Context(), 1, events[:n]); err != nil {
			t.Fatal(err)
		}
		events = events[n:]
	}
}

// read returns all projections of a world's project.
func read(t *testing.T, d *storetest.Database, project uuid.UUID) (tasks map[uuid.UUID]stats.Task, transitions map[string]stats.Transition, states map[uuid.UUID]stats.State, view stats.View) {
	t.Helper()
	tasks, transitions, states = map[uuid.UUID]stats.Task{}, map[string]stats.Transition{}, map[uuid.UUID]stats.State{}
	err := d.Store.View(t.Context(), project, func(v stats.View) error {
		view = v
		list, err := v.States(t.Context())
		for _, s := range list {
			states[s.ID] = s
		}
		return errors.Join(err,
			v.Tasks(t.Context(), func(k *stats.Task) error { tasks[k.ID] = *k; return nil }),
			v.Transitions(t.Context(), func(r *stats.Transition) error {
				transitions[r.Task.String()+string(rune(r.Seq))] = *r
				return nil
			}))
	})
	if err != nil {
		t.Fatal(err)
	}
	return tasks, transitions, states, view
}

// same compares what a store has with a fold in memory.
func same(t *testing.T, d *storetest.Database, w *statstest.World) {
	t.Helper()
	tasks, transitions, states, _ := read(t, d, w.Project)
	want := w.Fold().Work
	v := stats.NewVerification(5)
	for id, k := range want.Tasks {
		if have, ok := tasks[id]; ok {
			v.CompareTask(k, &have)
		} else {
			v.CompareTask(k, nil)
		}
	}
	if v.Count > 0 || len(tasks) != len(want.Tasks) {
		t.Errorf("%d tasks, want %d; differences %+v", len(tasks), len(want.Tasks), v.Differences)
	}
	wantTransitions := map[string]stats.Transition{}
	for _, r := range want.Transitions {
		wantTransitions[r.Task.String()+string(rune(r.Seq))] = r
	}
	if !reflect.DeepEqual(transitions, wantTransitions) {
		t.Errorf("%d transitions differ from %d wanted", len(transitions), len(wantTransitions))
	}
	if !reflect.DeepEqual(states, want.Projects[w.Project].States) {
		t.Errorf("states %+v, want %+v", states, want.Projects[w.Project].States)
	}
}

func TestApply(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(d *storetest.Database) {
		t := d.T
		w := busy()
		d.Write(t, w, len(w.Events))
		apply(t, d, w.Events)
		same(t, d, w)
		cursor, err := d.Store.Cursor(t.Context())
		if err != nil || cursor.Pos != int64(len(w.Events)) || cursor.Epoch != 1 {
			t.Errorf("cursor %+v %v", cursor, err)
		}
		again, err := d.Store.Apply(t.Context(), 1, w.Events[10:20])
		if err != nil || again.To != cursor.Pos || again.Applied != 0 {
			t.Errorf("what the cursor has passed is skipped: %+v %v", again, err)
		}
		if last, err := d.Store.Apply(t.Context(), 1, w.Events[len(w.Events)-1:]); err != nil || last.Applied != 0 {
			t.Errorf("the event the cursor stands at is skipped, too: %+v %v", last, err)
		}
		same(t, d, w)
	})
}

func TestEventsAndHead(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(d *storetest.Database) {
		t := d.T
		w := busy()
		d.Write(t, w, 50)
		head, err := d.Store.Head(t.Context())
		if err != nil || head != 50 {
			t.Errorf("head %d %v", head, err)
		}
		events, err := d.Store.Events(t.Context(), 10, 45, 30)
		if err != nil || len(events) != 30 || events[0].Pos != 11 || events[29].Pos != 40 {
			t.Fatalf("%d events %v", len(events), err)
		}
		got, want := events[0], w.Events[10]
		if got.ID != want.ID || got.Project != want.Project || got.Seq != want.Seq || got.Kind != want.Kind ||
			!got.Occurred.Equal(want.Occurred) || len(got.Changes) != len(want.Changes) {
			t.Errorf("event %+v, want %+v", got, want)
		}
		if rest, err := d.Store.Events(t.Context(), 40, 45, 30); err != nil || len(rest) != 5 {
			t.Errorf("until is included: %d %v", len(rest), err)
		}
		status, err := d.Store.Status(t.Context(), 10)
		if err != nil || status.Head != 50 || status.Pending == nil || !status.Pending.Equal(w.Events[0].Recorded) {
			t.Errorf("status %+v %v", status, err)
		}
		apply(t, d, w.Events[:50])
		status, err = d.Store.Status(t.Context(), 10)
		if err != nil || status.Pending == nil { // events without a position wait, too
			t.Errorf("status %+v %v", status, err)
		}
	})
}

func TestGapsAndFences(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(d *storetest.Database) {
		t := d.T
		w := busy()
		d.Write(t, w, len(w.Events))
		ctx := t.Context()
		if _, err := d.Store.Apply(ctx, 1, w.Events[1:5]); !errors.Is(err, stats.ErrGap) {
			t.Errorf("a batch beyond the cursor: %v", err)
		}
		holed := append(append([]stats.Event{}, w.Events[:3]...), w.Events[4:8]...)
		if _, err := d.Store.Apply(ctx, 1, holed); !errors.Is(err, stats.ErrGap) {
			t.Errorf("a hole in a batch: %v", err)
		}
		if _, err := d.Store.Apply(ctx, 5, w.Events[:8]); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Store.Apply(ctx, 4, w.Events[8:10]); !errors.Is(err, stats.ErrFenced) {
			t.Errorf("an applier of before: %v", err)
		}
		if c, err := d.Store.Cursor(ctx); err != nil || c.Pos != 8 {
			t.Errorf("cursor %+v %v", c, err)
		}
	})
}

func TestParkAndRetry(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(d *storetest.Database) {
		t := d.T
		w := busy()
		sick := w.Events[1].ID // task 0, which is changed several times
		good := append([]stats.Event{}, w.Events...)
		w.Events[2].Undecodable = "spoilt"
		d.WriteEvents(t, w.Events, len(w.Events))
		w.Events = good
		d.WriteRows(t, w)
		events, err := d.Store.Events(t.Context(), 0, 1000, 1000)
		if err != nil {
			t.Fatal(err)
		}
		apply(t, d, events)
		status, err := d.Store.Status(t.Context(), 10)
		if err != nil || status.ParkedCount != 1 || status.Parked[0].ID != sick || status.Parked[0].Pos != 3 || status.Parked[0].Events != 4 {
			t.Fatalf("parked %+v %v", status.Parked, err)
		}
		if v, err := d.Store.Verify(t.Context(), 10); err != nil || v.Count != 0 || v.Parked != 1 || v.Equal {
			t.Errorf("all others are as they should be: %+v %v", v, err)
		}
		retried, found, err := d.Store.Retry(t.Context(), sick)
		if err != nil || !found || retried.Applied != 0 || retried.Remaining != 4 || retried.Reason == "" {
			t.Errorf("nothing has changed: %+v %v", retried, err)
		}
		d.Exec(t, "UPDATE events SET changes = '[]' WHERE pos = 3")
		if _, found, err = d.Store.Retry(t.Context(), uuid.New()); found || err != nil {
			t.Errorf("found what is not parked: %v", err)
		}
		retried, _, err = d.Store.Retry(t.Context(), sick)
		if err != nil || retried.Remaining != 0 || retried.Applied != 4 {
			t.Errorf("retry %+v %v", retried, err)
		}
		status, err = d.Store.Status(t.Context(), 10)
		if err != nil || status.ParkedCount != 0 {
			t.Errorf("still parked: %+v %v", status.Parked, err)
		}
	})
}

// TestRetryGoesBySequence heals a task whose events were given positions in the wrong order.
func TestRetryGoesBySequence(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(d *storetest.Database) {
		t := d.T
		w := statstest.New()
		at := statstest.At("2026-03-01T00:00:00Z")
		task := w.Create(1, statstest.Todo, at)
		w.Move(task, statstest.Todo, statstest.Doing, at.Add(time.Hour))
		w.Move(task, statstest.Doing, statstest.Done, at.Add(2*time.Hour))
		w.Create(2, statstest.Todo, at)
		events := []stats.Event{w.Events[0], w.Events[3], w.Events[1], w.Events[2], w.Events[4]}
		for i := range events {
			events[i].Pos = int64(i + 1)
		}
		d.WriteEvents(t, events, len(events))
		d.WriteRows(t, w)
		apply(t, d, events)
		status, err := d.Store.Status(t.Context(), 10)
		if err != nil || status.ParkedCount != 1 || status.Parked[0].ID != task || status.Parked[0].Events != 3 {
			t.Fatalf("parked %+v %v", status.Parked, err)
		}
		retried, _, err := d.Store.Retry(t.Context(), task)
		if err != nil || retried.Applied != 3 || retried.Remaining != 0 {
			t.Errorf("retry %+v %v", retried, err)
		}
		same(t, d, w)
		if v, err := d.Store.Verify(t.Context(), 10); err != nil || !v.Equal {
			t.Errorf("verification %+v %v", v, err)
		}
	})
}

func TestVerifyFindsDifferences(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(d *storetest.Database) {
		t := d.T
		w := busy()
		d.Write(t, w, len(w.Events)-30) // the rest is undone by the recount
		apply(t, d, w.Events[:len(w.Events)-40])
		v, err := d.Store.Verify(t.Context(), 10)
		if err != nil || !v.Equal || v.Tasks == 0 || v.Transitions == 0 || v.States != 7 {
			t.Fatalf("verification %+v %v", v, err)
		}
		for _, spoil := range []string{
			"UPDATE stats_tasks SET priority = 4 - priority WHERE number = 1",
			"UPDATE stats_tasks SET completed = started WHERE number = 5",
			"UPDATE stats_states SET name = 'other' WHERE state_id = " + d.ID(w.States[2].ID),
			"DELETE FROM stats_transitions WHERE task_id = " + d.ID(w.Events[4].ID) + " AND seq = 1",
			"DELETE FROM stats_tasks WHERE number = 9",
		} {
			before := v.Count
			d.Exec(t, spoil)
			if v, err = d.Store.Verify(t.Context(), 10); err != nil || v.Count <= before || v.Equal {
				t.Errorf("%s: found %+v %v", spoil, v, err)
			}
		}
		if v, err = d.Store.Verify(t.Context(), 2); err != nil || len(v.Differences) != 2 || v.Count < 5 {
			t.Errorf("all are counted, the first are listed: %+v %v", v, err)
		}
	})
}

func TestRebuild(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(d *storetest.Database) {
		t := d.T
		ctx := t.Context()
		w := busy()
		d.Write(t, w, len(w.Events))
		apply(t, d, w.Events[:60])
		d.Exec(t, "UPDATE stats_tasks SET priority = 4") // what a rebuild is for
		g, err := d.Store.BeginRebuild(ctx, false)
		if err != nil || g.Pos != 0 || g.Number != 2 {
			t.Fatalf("generation %+v %v", g, err)
		}
		if _, err := d.Store.ApplyTo(ctx, g.Number, w.Events[:50]); err != nil {
			t.Fatal(err)
		}
		if again, err := d.Store.BeginRebuild(ctx, false); err != nil || again.Number != 2 || again.Pos != 50 {
			t.Errorf("an interrupted rebuild goes on: %+v %v", again, err)
		}
		if swapped, err := d.Store.Swap(ctx, g.Number); err != nil || swapped {
			t.Errorf("swapped in although behind: %v", err)
		}
		apply(t, d, w.Events[60:70]) // the active one goes on meanwhile
		if _, err := d.Store.ApplyTo(ctx, g.Number, w.Events[50:80]); err != nil {
			t.Fatal(err)
		}
		if swapped, err := d.Store.Swap(ctx, g.Number); err != nil || !swapped {
			t.Fatalf("not swapped: %v", err)
		}
		if _, err := d.Store.ApplyTo(ctx, g.Number, w.Events[80:]); apperr.CodeOf(err) != apperr.Conflict {
			t.Errorf("the rebuild went on after the swap: %v", err)
		}
		apply(t, d, w.Events[80:])
		for more := true; more; {
			if more, err = d.Store.Clean(ctx, 7); err != nil {
				t.Fatal(err)
			}
		}
		same(t, d, w)
		var left int
		if err := d.SQL.QueryRowContext(ctx, "SELECT COUNT(*) FROM stats_tasks WHERE generation = 1").Scan(&left); err != nil || left != 0 {
			t.Errorf("%d rows of the old generation are left: %v", left, err)
		}
		if c, err := d.Store.Cursor(ctx); err != nil || c.Generation != 2 {
			t.Errorf("cursor %+v %v", c, err)
		}
		fresh, err := d.Store.BeginRebuild(ctx, true)
		if err != nil || fresh.Number != 3 {
			t.Errorf("fresh %+v %v", fresh, err)
		}
		if fresh, err = d.Store.BeginRebuild(ctx, true); err != nil || fresh.Number != 4 || fresh.Pos != 0 {
			t.Errorf("fresh again %+v %v", fresh, err)
		}
	})
}

func TestViewAndProjects(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(d *storetest.Database) {
		t := d.T
		ctx := context.Background()
		w := busy()
		d.Write(t, w, len(w.Events))
		apply(t, d, w.Events)
		ref, err := d.Store.Project(ctx, storetest.Key)
		if err != nil || ref.ID != w.Project || ref.Name != "Web" {
			t.Errorf("project %+v %v", ref, err)
		}
		if _, err := d.Store.Project(ctx, "NONE"); apperr.CodeOf(err) != apperr.NotFound {
			t.Errorf("unknown project: %v", err)
		}
		_, _, _, view := read(t, d, w.Project)
		if view.Pending != nil || view.Applied != int64(len(w.Events)) || view.Revision == 0 || view.Cursor.Pos != view.Applied {
			t.Errorf("view %+v", view)
		}
		err = d.Store.View(ctx, w.Project, func(v stats.View) error {
			titles, err := v.Titles(ctx, []uuid.UUID{w.Events[1].ID, uuid.New()})
			if len(titles) != 1 || titles[w.Events[1].ID] != "Task 1" {
				t.Errorf("titles %v", titles)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
}
