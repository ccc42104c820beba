package mysql

import (
	"context"
	"database/sql"
	"math"
	"time"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
	"github.com/tallyboard/tallyboard/services/task-service/internal/store/flow"
	mysqldb "github.com/tallyboard/tallyboard/services/task-service/internal/store/mysql/db"
	"github.com/tallyboard/tallyboard/services/task-service/internal/store/query"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

const allTasksOf = "SELECT " + string(query.TaskColumns) + " FROM tasks t WHERE t.project_id = ?"

// TaskHistory implements task.HistoryReader.
func (s *Store) TaskHistory(ctx context.Context, id uuid.UUID, beforeSeq int64, limit int) ([]history.Event, error) {
	ctx, cancel := flow.Bounded(ctx)
	defer cancel()
	if beforeSeq <= 0 {
		beforeSeq = math.MaxInt64
	}
	rows, err := s.q.TaskHistory(ctx, mysqldb.TaskHistoryParams{AggregateID: id[:], Seq: beforeSeq, Limit: flow.Limit32(limit)})
	return events("read history", rows, err)
}

// EventsAfter implements task.HistoryReader.
func (s *Store) EventsAfter(ctx context.Context, projectID uuid.UUID, after int64, limit int) ([]history.Event, error) {
	ctx, cancel := flow.Bounded(ctx)
	defer cancel()
	pos := sql.NullInt64{Int64: after, Valid: true}
	if projectID == uuid.Nil {
		rows, err := s.q.EventsAfter(ctx, mysqldb.EventsAfterParams{Pos: pos, Limit: flow.Limit32(limit)})
		return events("read events", rows, err)
	}
	rows, err := s.q.ProjectEventsAfter(ctx, mysqldb.ProjectEventsAfterParams{ProjectID: projectID[:], Pos: pos, Limit: flow.Limit32(limit)})
	return events("read events", rows, err)
}

func events(op string, rows []mysqldb.Event, err error) ([]history.Event, error) {
	if err != nil {
		return nil, flow.Classify(op, err)
	}
	return toEvents(rows)
}

// LastPos implements task.HistoryReader.
func (s *Store) LastPos(ctx context.Context) (int64, error) {
	ctx, cancel := flow.Bounded(ctx)
	defer cancel()
	pos, err := s.q.LastPos(ctx)
	return pos, flow.Classify("read the last position", err)
}

// BoardAt implements task.HistoryReader.
func (s *Store) BoardAt(ctx context.Context, projectKey string, at time.Time) (*project.Project, []*task.Task, error) {
	var (
		p     *project.Project
		board []*task.Task
	)
	err := s.snapshot(ctx, "read the board of then", func(ctx context.Context, q *mysqldb.Queries, c *sql.Tx) error {
		row, err := q.ProjectByKey(ctx, projectKey)
		if err != nil {
			return orNotFound(err, "There is no project %s.", projectKey)
		}
		if p, err = readProject(ctx, q, row); err != nil {
			return err
		}
		tasks, err := selectTasks(ctx, c, allTasksOf, []any{row.ID})
		if err != nil {
			return err
		}
		rows, err := q.EventsSince(ctx, mysqldb.EventsSinceParams{ProjectID: row.ID, Occurred: at.UTC()})
		if err != nil {
			return err
		}
		later, err := toEvents(rows)
		if err != nil {
			return err
		}
		board, err = flow.Rewind(p, tasks, later)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return p, board, nil
}
