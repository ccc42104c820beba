package flow

import (
	"context"

	"github.com/tallyboard/tallyboard/services/internal/kit/seeded"
	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
)

// changing is the transaction in which tasks are changed.
func (f *Flows) changing(ctx context.Context, op string, fn func(ctx context.Context, tx Tx, attempt int) error) error {
	if seeded.Is(seeded.EventAfterCommit) {
		return f.eventsAfterCommit(ctx, op, fn)
	}
	return f.transaction(ctx, op, fn)
}

// eventsAfterCommit is how it must not be done: see [seeded.EventAfterCommit]. Whoever is killed or cut off between the two
// commits leaves a change without its events, and two changes of one task may write theirs in the wrong order.
func (f *Flows) eventsAfterCommit(ctx context.Context, op string, fn func(ctx context.Context, tx Tx, attempt int) error) error {
	var late []history.Event
	err := f.transaction(ctx, op, func(ctx context.Context, tx Tx, attempt int) error {
		without := &withoutEvents{Tx: tx}
		err := fn(ctx, without, attempt)
		late = without.events
		return err
	})
	if err != nil || len(late) == 0 {
		return err
	}
	return f.transaction(ctx, op, func(ctx context.Context, tx Tx, _ int) error { return tx.InsertEvents(ctx, late) })
}

// withoutEvents is a transaction that keeps events to itself.
type withoutEvents struct {
	Tx
	events []history.Event
}

// InsertEvents implements Tx.
func (w *withoutEvents) InsertEvents(_ context.Context, events []history.Event) error {
	w.events = append(w.events, events...)
	return nil
}
