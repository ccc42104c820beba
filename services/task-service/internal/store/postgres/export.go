package postgres

import (
	"context"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
	"github.com/tallyboard/tallyboard/services/task-service/internal/store/flow"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// EventsOf implements task.ExportReader.
func (s *Store) EventsOf(ctx context.Context, tasks []uuid.UUID) ([]history.Event, error) {
	ctx, cancel := flow.Bounded(ctx)
	defer cancel()
	rows, err := s.q.EventsOfTasks(ctx, tasks)
	return events("read histories", rows, err)
}

// CommentsOf implements task.ExportReader.
func (s *Store) CommentsOf(ctx context.Context, tasks []uuid.UUID) ([]task.Comment, error) {
	ctx, cancel := flow.Bounded(ctx)
	defer cancel()
	rows, err := s.q.CommentsOfTasks(ctx, tasks)
	if err != nil {
		return nil, flow.Classify("read comments", err)
	}
	out := make([]task.Comment, len(rows))
	for i, r := range rows {
		out[i] = toComment(r)
	}
	return out, nil
}

// RelationsOf implements task.ExportReader.
func (s *Store) RelationsOf(ctx context.Context, tasks []uuid.UUID) ([]task.Relation, error) {
	ctx, cancel := flow.Bounded(ctx)
	defer cancel()
	rows, err := s.q.RelationsOfTasks(ctx, tasks)
	if err != nil {
		return nil, flow.Classify("read relations", err)
	}
	out := make([]task.Relation, len(rows))
	for i, r := range rows {
		out[i] = toRelation(r)
	}
	return out, nil
}
