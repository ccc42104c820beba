package mysql

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/tallyboard/tallyboard/services/internal/kit/seeded"
	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
	"github.com/tallyboard/tallyboard/services/task-service/internal/store/flow"
	mysqldb "github.com/tallyboard/tallyboard/services/task-service/internal/store/mysql/db"
	"github.com/tallyboard/tallyboard/services/task-service/internal/store/query"
)

// relay runs fn in a transaction of the relay's own pool, with the shard's row locked and the epoch checked.
func (s *Store) relay(ctx context.Context, op string, shard int, epoch int64, fn func(ctx context.Context, q *mysqldb.Queries, c *sql.Tx, at mysqldb.LockRelayRow) error) error {
	if seeded.Is(seeded.RelayWithoutFencing) {
		return s.unfenced(ctx, op, shard, fn)
	}
	ctx, cancel := flow.Bounded(ctx)
	defer cancel()
	err := flow.Retry(ctx, func(ctx context.Context) error {
		return transaction(ctx, s.behind, nil, func(c *sql.Tx) error {
			q := mysqldb.New(c)
			at, err := q.LockRelay(ctx, int16(shard))
			if err != nil {
				return orNotFound(err, "There is no shard %d.", shard)
			}
			if at.Epoch > epoch {
				return flow.Fenced(epoch, at.Epoch)
			}
			return fn(ctx, q, c, at)
		})
	})
	return flow.Classify(op, err)
}

// Assign gives positions, in order of row id, to up to limit committed events that have none. It returns how many and the
// last position given; apperr.Conflict when a relay of a newer epoch has written.
func (s *Store) Assign(ctx context.Context, shard int, epoch int64, limit int) (n int, last int64, err error) {
	err = s.relay(ctx, "assign positions", shard, epoch, func(ctx context.Context, q *mysqldb.Queries, c *sql.Tx, at mysqldb.LockRelayRow) error {
		n, last = 0, at.Given
		ids, err := q.WaitingEvents(ctx, mysqldb.WaitingEventsParams{Shard: int16(shard), Limit: flow.Limit32(limit)})
		if err == nil && seeded.Is(seeded.RowIDCursor) {
			ids, err = s.aboveAssigned(ctx, shard, ids)
		}
		if err != nil || len(ids) == 0 {
			return err
		}
		if err := exec(ctx, c, []*query.SQL{assign(ids, at.Given)}); err != nil {
			return err
		}
		n, last = len(ids), at.Given+int64(len(ids))
		return q.SetGiven(ctx, mysqldb.SetGivenParams{Shard: int16(shard), Epoch: epoch, Given: last})
	})
	if err != nil {
		return 0, 0, err
	}
	return n, last, nil
}

// assign compiles the one UPDATE that gives events the positions behind given.
func assign(ids []int64, given int64) *query.SQL {
	s := query.MySQL.New().Text("UPDATE events SET pos = CASE id")
	for i, id := range ids {
		s.Text(" WHEN ").Arg(id).Text(" THEN ").Arg(given + int64(i) + 1)
	}
	s.Text(" END WHERE id IN (")
	for i, id := range ids {
		if i > 0 {
			s.Text(", ")
		}
		s.Arg(id)
	}
	return s.Text(")")
}

// Unpublished returns positioned events behind the published mark, in order of position, and the mark.
func (s *Store) Unpublished(ctx context.Context, shard int, limit int) (published int64, out []history.Event, err error) {
	ctx, cancel := flow.Bounded(ctx)
	defer cancel()
	q := mysqldb.New(s.behind)
	at, err := q.RelayPositions(ctx, int16(shard))
	if err != nil {
		return 0, nil, flow.Classify("read the relay's mark", orNotFound(err, "There is no shard %d.", shard))
	}
	rows, err := q.Unpublished(ctx, mysqldb.UnpublishedParams{Shard: int16(shard),
		Pos: sql.NullInt64{Int64: at.Published, Valid: true}, Limit: flow.Limit32(limit)})
	out, err = events("read unpublished events", rows, err)
	return at.Published, out, err
}

// MarkPublished moves the published mark to pos, never back; apperr.Conflict when a relay of a newer epoch has written.
func (s *Store) MarkPublished(ctx context.Context, shard int, epoch int64, pos int64) error {
	return s.relay(ctx, "mark events published", shard, epoch, func(ctx context.Context, q *mysqldb.Queries, _ *sql.Tx, at mysqldb.LockRelayRow) error {
		return q.SetPublished(ctx, mysqldb.SetPublishedParams{Shard: int16(shard), Epoch: epoch, Published: max(at.Published, min(pos, at.Given))})
	})
}

// Fence writes the epoch of a new leader, so that its predecessors can write no more; apperr.Conflict if there is a newer
// one already.
func (s *Store) Fence(ctx context.Context, shard int, epoch int64) error {
	return s.relay(ctx, "fence former relays", shard, epoch, func(ctx context.Context, q *mysqldb.Queries, _ *sql.Tx, _ mysqldb.LockRelayRow) error {
		return q.SetEpoch(ctx, mysqldb.SetEpochParams{Shard: int16(shard), Epoch: epoch})
	})
}

// Backlog counts the events without a position, says when the first of them was written (zero without any), and returns
// the last position given and the published mark.
func (s *Store) Backlog(ctx context.Context, shard int) (withoutPos int64, oldest time.Time, given, published int64, err error) {
	ctx, cancel := flow.Bounded(ctx)
	defer cancel()
	q := mysqldb.New(s.behind)
	at, err := q.RelayPositions(ctx, int16(shard))
	if err != nil {
		return 0, oldest, 0, 0, flow.Classify("read the relay's mark", orNotFound(err, "There is no shard %d.", shard))
	}
	if withoutPos, err = q.CountWaiting(ctx, int16(shard)); err != nil {
		return 0, oldest, 0, 0, flow.Classify("count waiting events", err)
	}
	oldest, err = q.OldestWaiting(ctx, int16(shard))
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, oldest, 0, 0, flow.Classify("read the oldest waiting event", err)
	}
	return withoutPos, oldest, at.Given, at.Published, nil
}

// ForgetIdempotency deletes up to limit records of requests from before a moment and returns how many those were.
func (s *Store) ForgetIdempotency(ctx context.Context, before time.Time, limit int) (n int64, err error) {
	ctx, cancel := flow.Bounded(ctx)
	defer cancel()
	err = flow.Retry(ctx, func(ctx context.Context) (err error) {
		n, err = mysqldb.New(s.behind).ForgetIdempotency(ctx, mysqldb.ForgetIdempotencyParams{Created: before.UTC(), Limit: flow.Limit32(limit)})
		return err
	})
	return n, flow.Classify("forget idempotency keys", err)
}
