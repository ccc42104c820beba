package mysql

import (
	"context"

	"github.com/tallyboard/tallyboard/services/stats-service/internal/stats"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/store/broken"
)

// applyThenAdvance is Apply as it must not be: see [seeded.CursorInAnotherTransaction].
func (s *Store) applyThenAdvance(ctx context.Context, epoch int64, events []stats.Event) (stats.Applied, error) {
	in := func(ctx context.Context, what string, fn func(stats.Tx, stats.Cursor) error) error {
		return s.active(ctx, what, func(tx *tx, c stats.Cursor) error { return fn(tx, c) })
	}
	return broken.ApplyThenAdvance(ctx, in, epoch, events, s.now().UTC())
}
