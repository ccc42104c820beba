// Package broken has what stores do with a seeded bug in them, whatever their engine; see package seeded. Programs that are not
// built for the drill call nothing in it.
package broken

import (
	"context"
	"time"

	"github.com/tallyboard/tallyboard/services/stats-service/internal/stats"
)

// Transaction runs fn with the lock of the active generation's cursor, and commits; what names it in errors.
type Transaction func(ctx context.Context, what string, fn func(stats.Tx, stats.Cursor) error) error

// ApplyThenAdvance applies a batch as no store may: it moves the cursor in another transaction. Whoever is killed or cut off
// between the two commits applies the same events again.
func ApplyThenAdvance(ctx context.Context, in Transaction, epoch int64, events []stats.Event, now time.Time) (out stats.Applied, err error) {
	var from stats.Cursor
	err = in(ctx, "apply events", func(tx stats.Tx, c stats.Cursor) (err error) {
		from = c
		out, err = stats.ApplyBatch(ctx, withoutCursor{tx}, c, epoch, events, now)
		return err
	})
	if err != nil || out.To == out.From {
		return out, err
	}
	err = in(ctx, "advance cursor", func(tx stats.Tx, _ stats.Cursor) error {
		moved, err := tx.Advance(ctx, from, out.To, epoch)
		if err == nil && !moved {
			err = stats.ErrFenced
		}
		return err
	})
	return out, err
}

// withoutCursor is a transaction that leaves the cursor where it is.
type withoutCursor struct{ stats.Tx }

// Advance implements stats.Tx.
func (withoutCursor) Advance(context.Context, stats.Cursor, int64, int64) (bool, error) {
	return true, nil
}
