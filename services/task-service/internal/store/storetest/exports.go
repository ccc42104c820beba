package storetest

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// exports: what ExportReader reads of many tasks is what the other methods read of each.
func exports(f *fixture) {
	t := f.t
	a, b, c := f.add(t, task.New{Title: "a"}), f.add(t, task.New{Title: "b"}), f.add(t, task.New{Title: "c"})
	f.mustChange(t, a.ID, task.Patch{Title: new("a, changed")})
	ok(t, "relate", f.relate(f.ctx, "blocks", a.ID, b.ID))
	ok(t, "relate", f.relate(f.ctx, "blocks", c.ID, a.ID))
	_, _, err := f.UpdateTask(f.ctx, f.write(), task.Ref{ID: b.ID}, func(ctx context.Context, tx task.Tx, _ *task.Task) error {
		return tx.PutComment(ctx, task.Comment{ID: uuid.New(), TaskID: b.ID, Author: f.actor, Body: "seen", Created: history.Now()})
	})
	ok(t, "comment", err)

	wanted := []uuid.UUID{a.ID, b.ID}
	events, err := f.EventsOf(f.ctx, wanted)
	ok(t, "events of tasks", err)
	for _, id := range wanted {
		want, err := f.TaskHistory(f.ctx, id, 0, 100)
		ok(t, "task history", err)
		slices.Reverse(want)
		var got []int64
		for _, e := range events {
			if e.AggregateID == id {
				got = append(got, e.Seq)
			}
		}
		var seqs []int64
		for _, e := range want {
			seqs = append(seqs, e.Seq)
		}
		same(t, "sequence of events", got, seqs)
	}
	relations, err := f.RelationsOf(f.ctx, wanted)
	ok(t, "relations of tasks", err)
	if len(relations) != 1 || relations[0].From != a.ID || relations[0].To != b.ID {
		t.Errorf("relations of tasks: got %v, want the one that starts at a", relations)
	}
	found, err := f.CommentsOf(f.ctx, wanted)
	ok(t, "comments of tasks", err)
	details, err := f.Details(f.ctx, b.ID)
	ok(t, "details", err)
	same(t, "comments of tasks", found, details.Comments)
}
