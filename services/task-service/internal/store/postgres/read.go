package postgres

import (
	"context"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
	"github.com/tallyboard/tallyboard/services/task-service/internal/store/flow"
	"github.com/tallyboard/tallyboard/services/task-service/internal/store/query"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

const (
	taskByID     = "SELECT " + string(query.TaskColumns) + " FROM tasks t WHERE t.id = $1"
	taskByNumber = "SELECT " + string(query.TaskColumns) + " FROM tasks t WHERE t.project_id = $1 AND t.number = $2"
	subtasksOf   = "SELECT " + string(query.TaskColumns) + " FROM tasks t WHERE t.parent_id = $1 AND t.trashed IS NULL ORDER BY t.task_rank"
	tasksByID    = "SELECT " + string(query.TaskColumns) + " FROM tasks t WHERE t.id = ANY($1::uuid[])"
)

// Task implements task.Reader.
func (s *Store) Task(ctx context.Context, ref task.Ref) (*task.Task, error) {
	ctx, cancel := flow.Bounded(ctx)
	defer cancel()
	t, err := s.task(ctx, ref)
	return t, flow.Classify("read task", err)
}

func (s *Store) task(ctx context.Context, ref task.Ref) (*task.Task, error) {
	text, args := taskByID, []any{ref.ID}
	if ref.ID == uuid.Nil {
		id, err := s.ProjectID(ctx, ref.Key)
		if apperr.Is(err, apperr.NotFound) {
			return nil, errNoTask()
		}
		if err != nil {
			return nil, err
		}
		text, args = taskByNumber, []any{id, ref.Number}
	}
	ts, err := s.tasks(ctx, text, args)
	switch {
	case err != nil:
		return nil, err
	case len(ts) == 0:
		return nil, errNoTask()
	}
	return ts[0], nil
}

// tasks runs a select of query.TaskColumns.
func (s *Store) tasks(ctx context.Context, text string, args []any) ([]*task.Task, error) {
	ts, err := selectTasks(ctx, s.pool, text, args)
	if err != nil {
		return nil, err
	}
	return ts, s.keys.Fill(ctx, ts, s.projectKey)
}

// ListTasks implements task.Reader.
func (s *Store) ListTasks(ctx context.Context, q task.Query) (task.Page, error) {
	ctx, cancel := flow.Bounded(ctx)
	defer cancel()
	page, err := query.Postgres.List(ctx, q, source{s})
	return page, flow.Classify("list tasks", err)
}

// CountTasks implements task.Reader.
func (s *Store) CountTasks(ctx context.Context, q task.Query) (n int64, err error) {
	ctx, cancel := flow.Bounded(ctx)
	defer cancel()
	text, args, ok, err := query.Postgres.Count(ctx, q, source{s})
	if err != nil || !ok {
		return 0, flow.Classify("count tasks", err)
	}
	err = s.pool.QueryRow(ctx, text, args...).Scan(&n)
	return n, flow.Classify("count tasks", err)
}

// Details implements task.Reader.
func (s *Store) Details(ctx context.Context, id uuid.UUID) (task.Details, error) {
	ctx, cancel := flow.Bounded(ctx)
	defer cancel()
	d, err := s.details(ctx, id)
	return d, flow.Classify("read task details", err)
}

func (s *Store) details(ctx context.Context, id uuid.UUID) (d task.Details, err error) {
	self, err := s.task(ctx, task.Ref{ID: id})
	if err != nil {
		return d, err
	}
	if d.Subtasks, err = s.tasks(ctx, subtasksOf, []any{id}); err != nil {
		return d, err
	}
	if d.Relations, err = relations(ctx, s.q, id); err != nil {
		return d, err
	}
	if named := flow.Named(self, d.Relations); len(named) > 0 {
		if d.Related, err = s.tasks(ctx, tasksByID, []any{named}); err != nil {
			return d, err
		}
	}
	rows, err := s.q.CommentsOf(ctx, id)
	if err != nil {
		return d, err
	}
	for _, r := range rows {
		d.Comments = append(d.Comments, toComment(r))
	}
	return d, nil
}

// ProgressOf implements task.Reader. Tasks without subtasks are missing in the map.
func (s *Store) ProgressOf(ctx context.Context, parents []uuid.UUID) (map[uuid.UUID]task.Progress, error) {
	ctx, cancel := flow.Bounded(ctx)
	defer cancel()
	out := map[uuid.UUID]task.Progress{}
	if len(parents) == 0 {
		return out, nil
	}
	rows, err := s.q.ProgressOf(ctx, parents)
	if err != nil {
		return nil, flow.Classify("read progress", err)
	}
	for _, r := range rows {
		out[*r.ParentID] = task.Progress{Done: int(r.Done), Total: int(r.Total)}
	}
	return out, nil
}

// KnownSources implements task.ImportStore.
func (s *Store) KnownSources(ctx context.Context, project uuid.UUID, sources []string) (map[string]bool, error) {
	ctx, cancel := flow.Bounded(ctx)
	defer cancel()
	known, err := flow.KnownIn(ctx, sources, func(ctx context.Context, of []string) ([]string, error) {
		return sourcesIn(ctx, s.q, project, of)
	})
	return known, flow.Classify("read known sources", err)
}

// source implements query.Source.
type source struct{ s *Store }

func (f source) SelectTasks(ctx context.Context, text string, args []any) ([]*task.Task, error) {
	return f.s.tasks(ctx, text, args)
}

func (f source) StatesOf(ctx context.Context, projects []uuid.UUID) ([]query.State, error) {
	rows, err := f.s.q.StateCategories(ctx, projects)
	if err != nil {
		return nil, err
	}
	states := make([]query.State, len(rows))
	for i, r := range rows {
		states[i] = query.State{ID: r.ID, ProjectID: r.ProjectID, Category: project.Category(r.Category)}
	}
	return states, nil
}
