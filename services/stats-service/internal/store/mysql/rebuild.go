package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	kitdb "github.com/tallyboard/tallyboard/services/internal/kit/db"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/stats"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/store/mysql/db"
)

// BeginRebuild returns the generation that a rebuild is to fill: the one left by an interrupted rebuild, or a new one.
// With fresh, what an interrupted one left is retired.
func (s *Store) BeginRebuild(ctx context.Context, fresh bool) (out stats.Generation, err error) {
	err = s.write(ctx, "begin rebuild", func(q *db.Queries, _ *sql.Tx) error {
		generations, err := q.LockGenerations(ctx, shard)
		if err != nil {
			return err
		}
		out = stats.Generation{Number: 1, Role: stats.RoleBuilding}
		for _, g := range generations {
			out.Number = max(out.Number, g.Generation+1)
			if g.Role != stats.RoleBuilding {
				continue
			}
			if !fresh {
				out.Number, out.Pos = g.Generation, g.Pos
				return nil
			}
			if _, err := q.SetRole(ctx, db.SetRoleParams{Role: stats.RoleRetired, Epoch: g.Epoch, Shard: shard, Generation: g.Generation}); err != nil {
				return err
			}
		}
		return q.InsertCursor(ctx, db.InsertCursorParams{Shard: shard, Generation: out.Number, AppliedAt: s.now().UTC()})
	})
	return out, err
}

// ApplyTo applies a batch to a generation that is being built.
func (s *Store) ApplyTo(ctx context.Context, generation int64, events []stats.Event) (out stats.Applied, err error) {
	err = s.write(ctx, "apply events to rebuild", func(q *db.Queries, sqlTx *sql.Tx) error {
		c, err := q.LockCursor(ctx, db.LockCursorParams{Shard: shard, Generation: generation})
		if errors.Is(err, sql.ErrNoRows) || err == nil && c.Role != stats.RoleBuilding {
			return apperr.New(apperr.Conflict, "Generation %d is not being built any more.", generation)
		}
		if err != nil {
			return err
		}
		cursor := stats.Cursor{Generation: generation, Pos: c.Pos, Epoch: c.Epoch, AppliedAt: c.AppliedAt}
		out, err = stats.ApplyBatch(ctx, s.tx(q, sqlTx, generation), cursor, c.Epoch, events, s.now().UTC())
		return err
	})
	return out, err
}

// Swap makes a generation that was built the active one, in one step, and retires the other. It does nothing and returns
// false while the built one is behind.
func (s *Store) Swap(ctx context.Context, generation int64) (swapped bool, err error) {
	err = s.write(ctx, "swap generations", func(q *db.Queries, _ *sql.Tx) error {
		swapped = false
		generations, err := q.LockGenerations(ctx, shard)
		if err != nil {
			return err
		}
		var active, built *db.LockGenerationsRow
		for i := range generations {
			switch g := &generations[i]; {
			case g.Role == stats.RoleActive:
				active = g
			case g.Role == stats.RoleBuilding && g.Generation == generation:
				built = g
			}
		}
		if active == nil || built == nil {
			return apperr.New(apperr.Conflict, "Generation %d is not being built any more.", generation)
		}
		if built.Pos < active.Pos {
			return nil
		}
		// The epoch goes along, or an applier that lost its lease would find itself admitted again.
		for _, set := range []db.SetRoleParams{
			{Role: stats.RoleRetired, Epoch: active.Epoch, Shard: shard, Generation: active.Generation},
			{Role: stats.RoleActive, Epoch: active.Epoch, Shard: shard, Generation: generation},
		} {
			if _, err := q.SetRole(ctx, set); err != nil {
				return err
			}
		}
		swapped = true
		return nil
	})
	return swapped, err
}

// Clean deletes up to portion rows of a retired generation from each table; more says whether there is more to do.
func (s *Store) Clean(ctx context.Context, portion int) (more bool, err error) {
	q := db.New(s.pool)
	generations, err := q.Generations(ctx, shard)
	if err != nil {
		return false, fmt.Errorf("clean up: %w", kitdb.Classify(err))
	}
	for _, g := range generations {
		if g.Role != stats.RoleRetired {
			continue
		}
		deleted, err := s.cleanGeneration(ctx, q, g.Generation, rowLimit(portion))
		if err != nil {
			return true, fmt.Errorf("clean up: %w", kitdb.Classify(err))
		}
		if deleted > 0 {
			return true, nil
		}
		if err := q.DeleteCursor(ctx, db.DeleteCursorParams{Shard: shard, Generation: g.Generation}); err != nil {
			return true, fmt.Errorf("clean up: %w", kitdb.Classify(err))
		}
	}
	return false, nil
}

func (s *Store) cleanGeneration(ctx context.Context, q *db.Queries, generation int64, portion int32) (int64, error) {
	var total int64
	for _, clean := range []func() (int64, error){
		func() (int64, error) {
			return q.CleanTasks(ctx, db.CleanTasksParams{Generation: generation, Limit: portion})
		},
		func() (int64, error) {
			return q.CleanTransitions(ctx, db.CleanTransitionsParams{Generation: generation, Limit: portion})
		},
		func() (int64, error) {
			return q.CleanStates(ctx, db.CleanStatesParams{Generation: generation, Limit: portion})
		},
		func() (int64, error) {
			return q.CleanProjects(ctx, db.CleanProjectsParams{Generation: generation, Limit: portion})
		},
		func() (int64, error) {
			return q.CleanParked(ctx, db.CleanParkedParams{Generation: generation, Limit: portion})
		},
		func() (int64, error) {
			return q.CleanParkedEvents(ctx, db.CleanParkedEventsParams{Generation: generation, Limit: portion})
		},
	} {
		n, err := clean()
		if err != nil {
			return total, err
		}
		total += n
	}
	return total, nil
}
