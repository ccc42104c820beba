// Package mysql keeps the projections in MySQL or MariaDB. Fixed statements are sqlc's (see queries), multi-row writes are
// built here with parameters.
package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	kitdb "github.com/tallyboard/tallyboard/services/internal/kit/db"
	"github.com/tallyboard/tallyboard/services/internal/kit/seeded"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/stats"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/store/mysql/db"
)

// shard is the only one there is; the tables leave room for more.
const shard int16 = 0

// attempts is how often a transaction that lost a lock race is run.
const attempts = 5

// Store keeps projections. It is safe for concurrent use.
type Store struct {
	pool *sql.DB
	now  func() time.Time
}

// New returns a store on a pool whose sessions read committed data and speak UTC.
func New(pool *sql.DB) *Store { return &Store{pool: pool, now: time.Now} }

// write runs fn in a transaction, again if it lost a lock race.
func (s *Store) write(ctx context.Context, what string, fn func(*db.Queries, *sql.Tx) error) error {
	err := kitdb.RetryTx(ctx, attempts, func(ctx context.Context) error {
		return s.begin(ctx, nil, fn)
	})
	if err != nil {
		return fmt.Errorf("%s: %w", what, kitdb.Classify(err))
	}
	return nil
}

// snapshot runs fn in a transaction that reads one state of the database and changes nothing; again if a migration changed
// a table meanwhile.
func (s *Store) snapshot(ctx context.Context, what string, fn func(*db.Queries) error) error {
	opts := &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	err := kitdb.RetryTx(ctx, attempts, func(ctx context.Context) error {
		return s.begin(ctx, opts, func(q *db.Queries, _ *sql.Tx) error { return fn(q) })
	})
	if err != nil {
		return fmt.Errorf("%s: %w", what, kitdb.Classify(err))
	}
	return nil
}

func (s *Store) begin(ctx context.Context, opts *sql.TxOptions, fn func(*db.Queries, *sql.Tx) error) error {
	tx, err := s.pool.BeginTx(ctx, opts)
	if err != nil {
		return err
	}
	if err := fn(db.New(tx), tx); err != nil {
		if undo := tx.Rollback(); undo != nil && !errors.Is(undo, sql.ErrTxDone) {
			return errors.Join(err, undo)
		}
		return err
	}
	return tx.Commit()
}

// Cursor returns the cursor of the active generation.
func (s *Store) Cursor(ctx context.Context) (stats.Cursor, error) {
	c, err := db.New(s.pool).ActiveCursor(ctx, shard)
	if err != nil {
		return stats.Cursor{}, fmt.Errorf("read cursor: %w", kitdb.Classify(err))
	}
	return stats.Cursor{Generation: c.Generation, Pos: c.Pos, Epoch: c.Epoch, AppliedAt: c.AppliedAt}, nil
}

// Head returns the last position given.
func (s *Store) Head(ctx context.Context) (int64, error) {
	head, err := db.New(s.pool).Head(ctx, shard)
	if err != nil {
		return 0, fmt.Errorf("read head: %w", kitdb.Classify(err))
	}
	return head, nil
}

// Events returns up to limit events with positions after < pos ≤ until, in order.
func (s *Store) Events(ctx context.Context, after, until int64, limit int) ([]stats.Event, error) {
	rows, err := db.New(s.pool).EventsAfter(ctx, db.EventsAfterParams{
		Shard: shard, After: position(after), UntilPos: position(until), Limit: rowLimit(limit),
	})
	if err != nil {
		return nil, fmt.Errorf("read events: %w", kitdb.Classify(err))
	}
	events := make([]stats.Event, len(rows))
	for i, r := range rows {
		events[i] = event(eventRow(r))
	}
	return events, nil
}

// Apply applies a batch to the active generation; see stats.ApplyBatch.
func (s *Store) Apply(ctx context.Context, epoch int64, events []stats.Event) (out stats.Applied, err error) {
	if seeded.Is(seeded.CursorInAnotherTransaction) {
		return s.applyThenAdvance(ctx, epoch, events)
	}
	err = s.active(ctx, "apply events", func(tx *tx, c stats.Cursor) (err error) {
		out, err = stats.ApplyBatch(ctx, tx, c, epoch, events, s.now().UTC())
		return err
	})
	return out, err
}

// Retry tries the parked events of a task or project again; see stats.RetryParked.
func (s *Store) Retry(ctx context.Context, id uuid.UUID) (out stats.Retried, found bool, err error) {
	err = s.active(ctx, "retry parked events", func(tx *tx, _ stats.Cursor) (err error) {
		out, found, err = stats.RetryParked(ctx, tx, id)
		return err
	})
	return out, found, err
}

// active runs fn with the lock of the active generation's cursor. Its number is read first and its row locked by key:
// looking for it with a lock would wait for the rows of other generations, which a rebuild holds.
func (s *Store) active(ctx context.Context, what string, fn func(*tx, stats.Cursor) error) error {
	return s.write(ctx, what, func(q *db.Queries, sqlTx *sql.Tx) error {
		for range attempts {
			seen, err := q.ActiveCursor(ctx, shard)
			if err != nil {
				return err
			}
			c, err := q.LockCursor(ctx, db.LockCursorParams{Shard: shard, Generation: seen.Generation})
			if err != nil && !errors.Is(err, sql.ErrNoRows) {
				return err
			}
			if err == nil && c.Role == stats.RoleActive { // else a rebuild has swapped generations in between
				cursor := stats.Cursor{Generation: c.Generation, Pos: c.Pos, Epoch: c.Epoch, AppliedAt: c.AppliedAt}
				return fn(s.tx(q, sqlTx, c.Generation), cursor)
			}
		}
		return errors.New("no generation stays active")
	})
}

func (s *Store) tx(q *db.Queries, sqlTx *sql.Tx, generation int64) *tx {
	return &tx{q: q, sql: sqlTx, generation: generation, now: s.now}
}
