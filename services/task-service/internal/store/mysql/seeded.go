package mysql

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"github.com/tallyboard/tallyboard/services/task-service/internal/store/flow"
	mysqldb "github.com/tallyboard/tallyboard/services/task-service/internal/store/mysql/db"
)

// unfenced is relay as it must not be: see [seeded.RelayWithoutFencing].
func (s *Store) unfenced(ctx context.Context, op string, shard int, fn func(ctx context.Context, q *mysqldb.Queries, c *sql.Tx, at mysqldb.LockRelayRow) error) error {
	ctx, cancel := flow.Bounded(ctx)
	defer cancel()
	err := flow.Retry(ctx, func(ctx context.Context) error {
		return transaction(ctx, s.behind, nil, func(c *sql.Tx) error {
			q := mysqldb.New(c)
			at, err := q.RelayPositions(ctx, int16(shard))
			if err != nil {
				return orNotFound(err, "There is no shard %d.", shard)
			}
			return fn(ctx, q, c, mysqldb.LockRelayRow(at))
		})
	})
	return flow.Classify(op, err)
}

// aboveAssigned leaves of the ids those above any that has a position: see [seeded.RowIDCursor].
func (s *Store) aboveAssigned(ctx context.Context, shard int, ids []int64) ([]int64, error) {
	var last int64
	err := s.behind.QueryRowContext(ctx, "SELECT id FROM events WHERE shard = ? AND pos IS NOT NULL ORDER BY id DESC LIMIT 1", shard).Scan(&last)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, err
	}
	return slices.DeleteFunc(ids, func(id int64) bool { return id <= last }), nil
}
