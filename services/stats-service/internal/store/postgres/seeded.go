package postgres

import (
	"context"

	"github.com/tallyboard/tallyboard/services/stats-service/internal/stats"
)

// applyThenAdvance is Apply as it must not be: see [seeded.CursorInAnotherTransaction]. Whoever is killed or cut off between
// the two commits applies the same events again.
func (s *Store) applyThenAdvance(ctx context.Context, epoch int64, events []stats.Event) (out stats.Applied, err error) {
	var from stats.Cursor
	err = s.active(ctx, "apply events", func(tx *tx, c stats.Cursor) (err error) {
		from = c
		out, err = stats.ApplyBatch(ctx, withoutCursor{tx}, c, epoch, events, s.now().UTC())
		return err
	})
	if err != nil || out.To == out.From {
		return out, err
	}
	err = s.active(ctx, "advance cursor", func(tx *tx, _ stats.Cursor) error {
		moved, err := tx.Advance(ctx, from, out.To, epoch)
		if err == nil && !moved {
			err = stats.ErrFenced
		}
		return err
	})
	return out, err
}

// withoutCursor is a transaction that leaves the cursor where it is.
type withoutCursor struct{ *tx }

// Advance implements stats.Tx.
func (withoutCursor) Advance(context.Context, stats.Cursor, int64, int64) (bool, error) {
	return true, nil
}
