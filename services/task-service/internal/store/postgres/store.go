// Package postgres keeps everything of task-service in PostgreSQL 14 or later, by pgx.
//
// Transactions are pipelined: writes travel with the next read or with COMMIT, see [pipeline]. Rows are inserted from
// arrays, so that a statement's text does not depend on their number and is prepared once. All transactions but snapshots
// are READ COMMITTED.
package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/internal/kit/db"
	"github.com/tallyboard/tallyboard/services/task-service/internal/store/flow"
	pgdb "github.com/tallyboard/tallyboard/services/task-service/internal/store/postgres/db"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

const (
	beginWrite    = "begin isolation level read committed"
	beginSnapshot = "begin isolation level repeatable read, read only"
)

// Store implements every storage interface of task-service. It is safe for concurrent use.
type Store struct {
	*flow.Flows
	pool   *pgxpool.Pool // of requests
	behind *pgxpool.Pool // of the relay
	q      *pgdb.Queries
	keys   flow.Keys
}

// New returns a store on two pools: one for requests, and one for the relay and the lease, which must not wait behind
// requests. Both are closed by Close.
func New(requests, background *pgxpool.Pool) *Store {
	s := &Store{pool: requests, behind: background, q: pgdb.New(requests)}
	s.Flows = flow.New(s)
	return s
}

// Close closes both pools. It waits for connections in use; its error is always nil.
func (s *Store) Close() error {
	s.pool.Close()
	s.behind.Close()
	return nil
}

// Ping asks the database for a sign of life, through the pool of requests.
func (s *Store) Ping(ctx context.Context) error {
	ctx, cancel := flow.Bounded(ctx)
	defer cancel()
	return flow.Classify("ping", s.pool.Ping(ctx))
}

// Stats of the pool of requests.
func (s *Store) Stats() db.PoolStats { return db.PostgresStats(s.pool) }

// Transaction implements flow.Engine.
func (s *Store) Transaction(ctx context.Context, fn func(ctx context.Context, tx flow.Tx) error) error {
	return transact(ctx, s.pool, beginWrite, func(p *pipeline) error {
		return fn(ctx, &tx{p: p, q: pgdb.New(p)})
	})
}

// snapshot runs fn in a read-only transaction that sees one moment.
func (s *Store) snapshot(ctx context.Context, op string, fn func(ctx context.Context, q *pgdb.Queries, p *pipeline) error) error {
	ctx, cancel := flow.Bounded(ctx)
	defer cancel()
	return flow.Classify(op, transact(ctx, s.pool, beginSnapshot, func(p *pipeline) error { return fn(ctx, pgdb.New(p), p) }))
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
	s.keys.Put(row.ID, row.Pkey)
	return row.ID, nil
}

// TaskIDs implements flow.Engine.
func (s *Store) TaskIDs(ctx context.Context, project uuid.UUID, numbers []int64) (map[int64]uuid.UUID, error) {
	rows, err := s.q.TaskIDs(ctx, pgdb.TaskIDsParams{ProjectID: project, Numbers: numbers})
	if err != nil {
		return nil, err
	}
	found := make(map[int64]uuid.UUID, len(rows))
	for _, r := range rows {
		found[r.Number] = r.ID
	}
	return found, nil
}

// projectKey reads the key of a project that is certain to exist.
func (s *Store) projectKey(ctx context.Context, id uuid.UUID) (string, error) {
	row, err := s.q.ProjectByID(ctx, id)
	if err != nil {
		return "", fmt.Errorf("read the key of a project: %w", err)
	}
	return row.Pkey, nil
}

// orNotFound makes no row an apperr.NotFound.
func orNotFound(err error, format string, args ...any) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return apperr.Wrap(err, apperr.NotFound, format, args...)
	}
	return err
}

// orNone makes no row the zero value.
func orNone[T any](v T, err error) (T, error) {
	if errors.Is(err, pgx.ErrNoRows) {
		var zero T
		return zero, nil
	}
	return v, err
}

// selectTasks runs a select of query.TaskColumns. Tasks lack their project's key.
func selectTasks(ctx context.Context, on pgdb.DBTX, text string, args []any) ([]*task.Task, error) {
	rows, err := on.Query(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var ts []*task.Task
	for rows.Next() {
		t, err := scanTask(rows)
		if err != nil {
			return nil, err
		}
		ts = append(ts, t)
	}
	return ts, rows.Err()
}

// errNoTask is what reading a task by a ref that names none gives.
func errNoTask() error { return apperr.New(apperr.NotFound, "There is no such task.") }
