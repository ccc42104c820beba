// Package mysql keeps everything of task-service in MySQL 8.0 and later or MariaDB 10.11 and later.
//
// Statements use nothing newer than both understand. All transactions but snapshots are READ COMMITTED: under REPEATABLE
// READ range locks would block writers of other rows. Times are UTC, whole microseconds; ids are 16 bytes.
package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/internal/kit/db"
	"github.com/tallyboard/tallyboard/services/task-service/internal/store/flow"
	mysqldb "github.com/tallyboard/tallyboard/services/task-service/internal/store/mysql/db"
	"github.com/tallyboard/tallyboard/services/task-service/internal/store/query"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// Store implements every storage interface of task-service. It is safe for concurrent use.
type Store struct {
	*flow.Flows
	pool   *sql.DB // of requests
	behind *sql.DB // of the relay
	q      *mysqldb.Queries
	keys   flow.Keys
}

// New returns a store on two pools: one for requests, and one for the relay and the lease, which must not wait behind
// requests. Both are closed by Close.
func New(requests, background *sql.DB) *Store {
	s := &Store{pool: requests, behind: background, q: mysqldb.New(requests)}
	s.Flows = flow.New(s)
	return s
}

// Close closes both pools.
func (s *Store) Close() error { return errors.Join(s.pool.Close(), s.behind.Close()) }

// Ping asks the database for a sign of life, through the pool of requests.
func (s *Store) Ping(ctx context.Context) error {
	ctx, cancel := flow.Bounded(ctx)
	defer cancel()
	return flow.Classify("ping", s.pool.PingContext(ctx))
}

// Stats of the pool of requests.
func (s *Store) Stats() db.PoolStats { return db.MySQLStats(s.pool) }

// Transaction implements flow.Engine.
func (s *Store) Transaction(ctx context.Context, fn func(ctx context.Context, tx flow.Tx) error) error {
	return transaction(ctx, s.pool, nil, func(c *sql.Tx) error {
		return fn(ctx, &tx{c: c, q: mysqldb.New(c)})
	})
}

// transaction runs fn and commits, or rolls back if it fails or panics.
func transaction(ctx context.Context, pool *sql.DB, opts *sql.TxOptions, fn func(c *sql.Tx) error) (err error) {
	c, err := pool.BeginTx(ctx, opts)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	done := false
	defer func() {
		if done {
			return
		}
		// An error of the rollback says only that the connection is gone, and with it the transaction.
		if rollback := c.Rollback(); rollback != nil && !errors.Is(rollback, sql.ErrTxDone) {
			err = errors.Join(err, rollback)
		}
	}()
	if err := fn(c); err != nil {
		return err
	}
	done = true
	if err := c.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// snapshot runs fn in a read-only transaction that sees one moment; again if a migration changed a table meanwhile.
func (s *Store) snapshot(ctx context.Context, op string, fn func(ctx context.Context, q *mysqldb.Queries, c *sql.Tx) error) error {
	ctx, cancel := flow.Bounded(ctx)
	defer cancel()
	opts := &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	return flow.Classify(op, flow.Retry(ctx, func(ctx context.Context) error {
		return transaction(ctx, s.pool, opts, func(c *sql.Tx) error { return fn(ctx, mysqldb.New(c), c) })
	}))
}

// ProjectID implements flow.Engine.
func (s *Store) ProjectID(ctx context.Context, key string) (uuid.UUID, error) {
	if id, ok := s.keys.ID(key); ok {
		return id, nil
	}
	row, err := s.q.ProjectByKey(ctx, key)
	if err != nil {
		return uuid.Nil, orNotFound(err, "There is no project %s.", key)
	}
	id := uuid.UUID(row.ID)
	s.keys.Put(id, row.Pkey)
	return id, nil
}

// TaskIDs implements flow.Engine.
func (s *Store) TaskIDs(ctx context.Context, project uuid.UUID, numbers []int64) (map[int64]uuid.UUID, error) {
	rows, err := s.q.TaskIDs(ctx, mysqldb.TaskIDsParams{ProjectID: project[:], Numbers: numbers})
	if err != nil {
		return nil, err
	}
	found := make(map[int64]uuid.UUID, len(rows))
	for _, r := range rows {
		found[r.Number] = uuid.UUID(r.ID)
	}
	return found, nil
}

// projectKey reads the key of a project that is certain to exist.
func (s *Store) projectKey(ctx context.Context, id uuid.UUID) (string, error) {
	row, err := s.q.ProjectByID(ctx, id[:])
	if err != nil {
		return "", fmt.Errorf("read the key of a project: %w", err)
	}
	return row.Pkey, nil
}

// orNotFound makes no row an apperr.NotFound.
func orNotFound(err error, format string, args ...any) error {
	if errors.Is(err, sql.ErrNoRows) {
		return apperr.Wrap(err, apperr.NotFound, format, args...)
	}
	return err
}

// orNone makes no row the zero value.
func orNone[T any](v T, err error) (T, error) {
	if errors.Is(err, sql.ErrNoRows) {
		var zero T
		return zero, nil
	}
	return v, err
}

// dbtx is a pool or a transaction.
type dbtx interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// selectTasks runs a select of query.TaskColumns. Tasks lack their project's key.
func selectTasks(ctx context.Context, on dbtx, text string, args []any) (ts []*task.Task, err error) {
	rows, err := on.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		t, err := scanTask(rows)
		if err != nil {
			return nil, err
		}
		ts = append(ts, t)
	}
	return ts, rows.Err()
}

// exec runs compiled statements in order.
func exec(ctx context.Context, on dbtx, statements []*query.SQL) error {
	for _, s := range statements {
		text, args := s.Build()
		if _, err := on.ExecContext(ctx, text, args...); err != nil {
			return err
		}
	}
	return nil
}
