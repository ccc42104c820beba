package postgres

import (
	"context"
	"errors"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/tallyboard/tallyboard/services/task-service/internal/store/flow"
	pgdb "github.com/tallyboard/tallyboard/services/task-service/internal/store/postgres/db"
)

// unfenced is relay as it must not be: see [seeded.RelayWithoutFencing].
func (s *Store) unfenced(ctx context.Context, op string, shard int, fn func(ctx context.Context, q *pgdb.Queries, at pgdb.LockRelayRow) error) error {
	ctx, cancel := flow.Bounded(ctx)
	defer cancel()
	err := flow.Retry(ctx, func(ctx context.Context) error {
		return transact(ctx, s.behind, beginWrite, func(p *pipeline) error {
			q := pgdb.New(p)
			at, err := q.RelayPositions(ctx, int16(shard))
			if err != nil {
				return orNotFound(err, "There is no shard %d.", shard)
			}
			return fn(ctx, q, pgdb.LockRelayRow(at))
		})
	})
	return flow.Classify(op, err)
}

// aboveAssigned leaves of the ids those above any that has a position: see [seeded.RowIDCursor].
func (s *Store) aboveAssigned(ctx context.Context, shard int, ids []int64) ([]int64, error) {
	var last int64
	err := s.behind.QueryRow(ctx, "SELECT id FROM events WHERE shard = $1 AND pos IS NOT NULL ORDER BY id DESC LIMIT 1", shard).Scan(&last)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return nil, err
	}
	return slices.DeleteFunc(ids, func(id int64) bool { return id <= last }), nil
}
