package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	kitdb "github.com/tallyboard/tallyboard/services/internal/kit/db"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/stats"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/store/mysql/db"
)

// Project looks a project up by its key, in upper case; apperr.NotFound if there is none.
func (s *Store) Project(ctx context.Context, key string) (stats.ProjectRef, error) {
	p, err := db.New(s.pool).ProjectByKey(ctx, key)
	if errors.Is(err, sql.ErrNoRows) {
		return stats.ProjectRef{}, apperr.New(apperr.NotFound, "There is no such project.")
	}
	if err != nil {
		return stats.ProjectRef{}, fmt.Errorf("look up project: %w", kitdb.Classify(err))
	}
	return stats.ProjectRef{ID: toID(p.ID), Key: p.Pkey, Name: p.Name}, nil
}

// View calls fn with the projections of a project in one snapshot.
func (s *Store) View(ctx context.Context, project uuid.UUID, fn func(stats.View) error) error {
	return s.snapshot(ctx, "read statistics", func(q *db.Queries) error {
		cursor, pending, err := freshness(ctx, q)
		if err != nil {
			return err
		}
		view := stats.View{
			Source: &source{q: q, generation: cursor.Generation, project: project}, Cursor: cursor, Pending: pending,
		}
		progress, err := q.ProjectsByID(ctx, db.ProjectsByIDParams{Generation: cursor.Generation, Ids: keys([]uuid.UUID{project})})
		if err != nil {
			return err
		}
		for _, p := range progress {
			view.Applied, view.Revision = p.Applied, p.Revision
		}
		return fn(view)
	})
}

// freshness returns the active cursor and when the oldest event beyond it was recorded.
func freshness(ctx context.Context, q *db.Queries) (stats.Cursor, *time.Time, error) {
	c, err := q.ActiveCursor(ctx, shard)
	if err != nil {
		return stats.Cursor{}, nil, err
	}
	cursor := stats.Cursor{Generation: c.Generation, Pos: c.Pos, Epoch: c.Epoch, AppliedAt: c.AppliedAt}
	recorded, err := q.RecordedAt(ctx, db.RecordedAtParams{Shard: shard, Pos: position(c.Pos + 1)})
	if errors.Is(err, sql.ErrNoRows) {
		recorded, err = q.RecordedUnpositioned(ctx, shard)
	}
	if errors.Is(err, sql.ErrNoRows) {
		return cursor, nil, nil
	}
	return cursor, &recorded, err
}

// Progress returns how far the projections of projects are, leaving out unknown ones, and the state of the whole.
func (s *Store) Progress(ctx context.Context, projects []uuid.UUID) (cursor stats.Cursor, pending *time.Time, of map[uuid.UUID]stats.Progress, err error) {
	of = make(map[uuid.UUID]stats.Progress, len(projects))
	err = s.snapshot(ctx, "read progress", func(q *db.Queries) error {
		if cursor, pending, err = freshness(ctx, q); err != nil || len(projects) == 0 {
			return err
		}
		rows, err := q.ProjectsByID(ctx, db.ProjectsByIDParams{Generation: cursor.Generation, Ids: keys(projects)})
		for _, r := range rows {
			of[toID(r.ProjectID)] = stats.Progress{Applied: r.Applied, Revision: r.Revision}
		}
		return err
	})
	return cursor, pending, of, err
}

// Status returns the state of the projections with up to limit parked tasks and projects.
func (s *Store) Status(ctx context.Context, limit int) (out stats.Status, err error) {
	err = s.snapshot(ctx, "read status", func(q *db.Queries) error {
		out = stats.Status{}
		if out.Cursor, out.Pending, err = freshness(ctx, q); err != nil {
			return err
		}
		if out.Head, err = q.Head(ctx, shard); err != nil {
			return err
		}
		generations, err := q.Generations(ctx, shard)
		if err != nil {
			return err
		}
		for _, g := range generations {
			if g.Role == stats.RoleBuilding {
				out.Building = &stats.Generation{Number: g.Generation, Role: g.Role, Pos: g.Pos}
			}
		}
		count, err := q.ParkedCount(ctx, out.Cursor.Generation)
		if err != nil {
			return err
		}
		out.ParkedCount = int(count)
		list, err := q.ParkedList(ctx, db.ParkedListParams{Generation: out.Cursor.Generation, Limit: rowLimit(limit)})
		for _, r := range list {
			out.Parked = append(out.Parked, *parked(parkedRow(r)))
		}
		return err
	})
	return out, err
}

// pageSize is how many rows a page of a project's projections has: it bounds memory.
const pageSize = 2000

// source reads one project's projections page by page. It implements stats.Source.
type source struct {
	q          *db.Queries
	generation int64
	project    uuid.UUID
}

func (s *source) States(ctx context.Context) ([]stats.State, error) {
	rows, err := s.q.StatesByProject(ctx, db.StatesByProjectParams{Generation: s.generation, Ids: keys([]uuid.UUID{s.project})})
	return mapRows(rows, state), err
}

func (s *source) Tasks(ctx context.Context, fn func(*stats.Task) error) error {
	after := make([]byte, len(uuid.UUID{}))
	for {
		page, err := s.q.TasksPage(ctx, db.TasksPageParams{
			Generation: s.generation, ProjectID: s.project[:], After: after, Limit: pageSize,
		})
		if err != nil {
			return fmt.Errorf("read tasks: %w", err)
		}
		for _, r := range page {
			if err := fn(task(taskRow(r))); err != nil {
				return err
			}
			after = r.TaskID
		}
		if len(page) < pageSize {
			return nil
		}
	}
}

func (s *source) Transitions(ctx context.Context, fn func(*stats.Transition) error) error {
	after, seq := make([]byte, len(uuid.UUID{})), int64(0)
	for {
		page, err := s.q.TransitionsPage(ctx, db.TransitionsPageParams{
			Generation: s.generation, ProjectID: s.project[:], After: after, AfterSeq: seq, Limit: pageSize,
		})
		if err != nil {
			return fmt.Errorf("read transitions: %w", err)
		}
		for _, r := range page {
			t := stats.Transition{Task: toID(r.TaskID), Seq: r.Seq, At: r.At, From: toID(r.FromState), To: toID(r.ToState)}
			if err := fn(&t); err != nil {
				return err
			}
			after, seq = r.TaskID, r.Seq
		}
		if len(page) < pageSize {
			return nil
		}
	}
}

func (s *source) Titles(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]string, error) {
	rows, err := s.q.Titles(ctx, keys(ids))
	if err != nil {
		return nil, fmt.Errorf("read titles: %w", err)
	}
	out := make(map[uuid.UUID]string, len(rows))
	for _, r := range rows {
		out[toID(r.ID)] = r.Title
	}
	return out, nil
}
