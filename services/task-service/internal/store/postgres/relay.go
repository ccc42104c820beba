package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tallyboard/tallyboard/services/internal/kit/seeded"
	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
	"github.com/tallyboard/tallyboard/services/task-service/internal/store/flow"
	pgdb "github.com/tallyboard/tallyboard/services/task-service/internal/store/postgres/db"
)

// relay runs fn in a transaction of the relay's own pool, with the shard's row locked and the epoch checked.
func (s *Store) relay(ctx context.Context, op string, shard int, epoch int64, fn func(ctx context.Context, q *pgdb.Queries, at pgdb.LockRelayRow) error) error {
	if seeded.Is(seeded.RelayWithoutFencing) {
		return s.unfenced(ctx, op, shard, fn)
	}
	ctx, cancel := flow.Bounded(ctx)
	defer cancel()
	err := flow.Retry(ctx, func(ctx context.Context) error {
		return transact(ctx, s.behind, beginWrite, func(p *pipeline) error {
			q := pgdb.New(p)
			at, err := q.LockRelay(ctx, int16(shard))
			if err != nil {
				return orNotFound(err, "There is no shard %d.", shard)
			}
			if at.Epoch > epoch {
				return flow.Fenced(epoch, at.Epoch)
			}
			return fn(ctx, q, at)
		})
	})
	return flow.Classify(op, err)
}

// Assign gives positions, in order of row id, to up to limit committed events that have none. It returns how many and the
// last position given; apperr.Conflict when a relay of a newer epoch has written.
func (s *Store) Assign(ctx context.Context, shard int, epoch int64, limit int) (n int, last int64, err error) {
	err = s.relay(ctx, "assign positions", shard, epoch, func(ctx context.Context, q *pgdb.Queries, at pgdb.LockRelayRow) error {
		n, last = 0, at.Given
		ids, err := q.WaitingEvents(ctx, pgdb.WaitingEventsParams{Shard: int16(shard), Limit: flow.Limit32(limit)})
		if err == nil && seeded.Is(seeded.RowIDCursor) {
			ids, err = s.aboveAssigned(ctx, shard, ids)
		}
		if err != nil || len(ids) == 0 {
			return err
		}
		positions := make([]int64, len(ids))
		for i := range positions {
			positions[i] = at.Given + int64(i) + 1
		}
		if err := q.GivePositions(ctx, pgdb.GivePositionsParams{Ids: ids, Positions: positions}); err != nil {
			return err
		}
		n, last = len(ids), at.Given+int64(len(ids))
		return q.SetGiven(ctx, pgdb.SetGivenParams{Shard: int16(shard), Epoch: epoch, Given: last})
	})
	if err != nil {
		return 0, 0, err
	}
	return n, last, nil
}

// Unpublished returns positioned events behind the published mark, in order of position, and the mark.
func (s *Store) Unpublished(ctx context.Context, shard int, limit int) (published int64, out []history.Event, err error) {
	ctx, cancel := flow.Bounded(ctx)
	defer cancel()
	q := pgdb.New(s.behind)
	at, err := q.RelayPositions(ctx, int16(shard))
	if err != nil {
		return 0, nil, flow.Classify("read the relay's mark", orNotFound(err, "There is no shard %d.", shard))
	}
	rows, err := q.Unpublished(ctx, pgdb.UnpublishedParams{Shard: int16(shard),
		Pos: &at.Published, Limit: flow.Limit32(limit)})
	out, err = events("read unpublished events", rows, err)
	return at.Published, out, err
}

// MarkPublished moves the published mark to pos, never back; apperr.Conflict when a relay of a newer epoch has written.
func (s *Store) MarkPublished(ctx context.Context, shard int, epoch int64, pos int64) error {
	return s.relay(ctx, "mark events published", shard, epoch, func(ctx context.Context, q *pgdb.Queries, at pgdb.LockRelayRow) error {
		return q.SetPublished(ctx, pgdb.SetPublishedParams{Shard: int16(shard), Epoch: epoch, Published: max(at.Published, min(pos, at.Given))})
	})
}

// Fence writes the epoch of a new leader, so that its predecessors can write no more; apperr.Conflict if there is a newer
// one already.
func (s *Store) Fence(ctx context.Context, shard int, epoch int64) error {
	return s.relay(ctx, "fence former relays", shard, epoch, func(ctx context.Context, q *pgdb.Queries, _ pgdb.LockRelayRow) error {
		return q.SetEpoch(ctx, pgdb.SetEpochParams{Shard: int16(shard), Epoch: epoch})
	})
}

// Backlog counts the events without a position, says when the first of them was written (zero without any), and returns
// the last position given and the published mark.
func (s *Store) Backlog(ctx context.Context, shard int) (withoutPos int64, oldest time.Time, given, published int64, err error) {
	ctx, cancel := flow.Bounded(ctx)
	defer cancel()
	q := pgdb.New(s.behind)
	at, err := q.RelayPositions(ctx, int16(shard))
	if err != nil {
		return 0, oldest, 0, 0, flow.Classify("read the relay's mark", orNotFound(err, "There is no shard %d.", shard))
	}
	if withoutPos, err = q.CountWaiting(ctx, int16(shard)); err != nil {
		return 0, oldest, 0, 0, flow.Classify("count waiting events", err)
	}
	oldest, err = q.OldestWaiting(ctx, int16(shard))
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return 0, oldest, 0, 0, flow.Classify("read the oldest waiting event", err)
	}
	return withoutPos, oldest, at.Given, at.Published, nil
}

// ForgetIdempotency deletes up to limit records of requests from before a moment and returns how many those were.
func (s *Store) ForgetIdempotency(ctx context.Context, before time.Time, limit int) (n int64, err error) {
	ctx, cancel := flow.Bounded(ctx)
	defer cancel()
	err = flow.Retry(ctx, func(ctx context.Context) (err error) {
		n, err = pgdb.New(s.behind).ForgetIdempotency(ctx, pgdb.ForgetIdempotencyParams{Created: before.UTC(), Limit: flow.Limit32(limit)})
		return err
	})
	return n, flow.Classify("forget idempotency keys", err)
}
