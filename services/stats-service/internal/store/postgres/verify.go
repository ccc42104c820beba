package postgres

import (
	"context"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/stats-service/internal/stats"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/store/postgres/db"
)

// Verify compares the active projections with a recount and lists up to limit differences; see stats.Verify.
func (s *Store) Verify(ctx context.Context, limit int) (out *stats.Verification, err error) {
	start := s.now()
	err = s.snapshot(ctx, "verify", func(q *db.Queries) error {
		c, err := q.ActiveCursor(ctx, shard)
		if err != nil {
			return err
		}
		both := &bothSides{tx: tx{q: q, generation: c.Generation}}
		out, err = stats.Verify(ctx, both, stats.Cursor{Generation: c.Generation, Pos: c.Pos}, limit)
		return err
	})
	if err != nil {
		return nil, err
	}
	out.TookSeconds = s.now().Sub(start).Seconds()
	return out, nil
}

// bothSides implements stats.VerifySource in a snapshot.
type bothSides struct{ tx }

func (b *bothSides) CountPositions(ctx context.Context, until int64) (int64, error) {
	return b.q.CountPositions(ctx, db.CountPositionsParams{Shard: shard, UntilPos: position(until)})
}

func (b *bothSides) AllParked(ctx context.Context) (map[uuid.UUID]bool, error) {
	ids, err := b.q.AllParked(ctx, b.generation)
	out := make(map[uuid.UUID]bool, len(ids))
	for _, id := range ids {
		out[id] = true
	}
	return out, err
}

func (b *bothSides) SourceProjects(ctx context.Context) (ids []uuid.UUID, seqs []int64, err error) {
	rows, err := b.q.SourceProjects(ctx)
	for _, r := range rows {
		ids, seqs = append(ids, r.ID), append(seqs, r.Seq)
	}
	return ids, seqs, err
}

func (b *bothSides) SourceStates(ctx context.Context, project uuid.UUID) ([]stats.State, error) {
	rows, err := b.q.SourceStates(ctx, project)
	return mapRows(rows, func(r db.SourceStatesRow) stats.State {
		return state(db.StatesByProjectRow{StateID: r.ID, Name: r.Name, Category: r.Category, WipLimit: r.WipLimit, Archived: r.Archived})
	}), err
}

func (b *bothSides) SourceTasks(ctx context.Context, after uuid.UUID, limit int) ([]*stats.Task, error) {
	rows, err := b.q.SourceTasks(ctx, db.SourceTasksParams{After: after, MaxRows: int64(limit)})
	return mapRows(rows, func(r db.SourceTasksRow) *stats.Task {
		return task(taskRow{
			TaskID: r.ID, ProjectID: r.ProjectID, Number: r.Number, StateID: r.StateID, Priority: r.Priority,
			Assignees: r.Assignees, Labels: r.Labels, DueDate: r.DueDate, Estimate: r.Estimate, Created: r.Created,
			Started: r.Started, Completed: r.Completed, Trashed: r.Trashed,
		})
	}), err
}

func (b *bothSides) SourceEvents(ctx context.Context, after, until uuid.UUID) ([]stats.Event, error) {
	rows, err := b.q.SourceEvents(ctx, db.SourceEventsParams{After: after, UntilID: until})
	return mapRows(rows, func(r db.SourceEventsRow) stats.Event { return event(eventRow(r)) }), err
}

func (b *bothSides) ProjectedTasks(ctx context.Context, after, until uuid.UUID) ([]*stats.Task, error) {
	rows, err := b.q.ProjectedTasks(ctx, db.ProjectedTasksParams{Generation: b.generation, After: after, UntilID: until})
	return mapRows(rows, func(r db.ProjectedTasksRow) *stats.Task { return task(taskRow(r)) }), err
}

func (b *bothSides) ProjectedTransitions(ctx context.Context, after, until uuid.UUID) ([]stats.Transition, error) {
	rows, err := b.q.ProjectedTransitions(ctx, db.ProjectedTransitionsParams{
		Generation: b.generation, After: after, UntilID: until,
	})
	return mapRows(rows, func(r db.ProjectedTransitionsRow) stats.Transition {
		return stats.Transition{Task: r.TaskID, Seq: r.Seq, At: r.At, From: r.FromState.UUID, To: r.ToState.UUID}
	}), err
}
