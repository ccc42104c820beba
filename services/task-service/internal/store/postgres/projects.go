package postgres

import (
	"context"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
	"github.com/tallyboard/tallyboard/services/task-service/internal/store/flow"
	pgdb "github.com/tallyboard/tallyboard/services/task-service/internal/store/postgres/db"
)

// readProject reads what belongs to a project's row. The caller holds it against change or reads in a snapshot.
func readProject(ctx context.Context, q *pgdb.Queries, row pgdb.Project) (*project.Project, error) {
	states, err := q.StatesOf(ctx, row.ID)
	if err != nil {
		return nil, err
	}
	labels, err := q.LabelsOf(ctx, row.ID)
	if err != nil {
		return nil, err
	}
	members, err := q.MembersOf(ctx, row.ID)
	if err != nil {
		return nil, err
	}
	return toProject(row, states, labels, members), nil
}

// Project implements project.Store. Settings of a version known already are not read again.
func (s *Store) Project(ctx context.Context, key string) (*project.Project, error) {
	ctx, cancel := flow.Bounded(ctx)
	defer cancel()
	row, err := s.q.ProjectByKey(ctx, key)
	if err != nil {
		return nil, flow.Classify("read project", orNotFound(err, "There is no project %s.", key))
	}
	id := row.ID
	s.keys.Put(id, row.Pkey)
	if p := s.Cached(id, row.Version); p != nil {
		p.Seq = row.Seq
		return p, nil
	}
	var p *project.Project
	err = s.snapshot(ctx, "read project", func(ctx context.Context, q *pgdb.Queries, _ *pipeline) error {
		row, err := q.ProjectByID(ctx, id)
		if err != nil {
			return orNotFound(err, "There is no project %s.", key)
		}
		p, err = readProject(ctx, q, row)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.Keep(p)
	return p, nil
}

// Projects implements project.Store.
func (s *Store) Projects(ctx context.Context, archived bool) ([]*project.Project, error) {
	var out []*project.Project
	err := s.snapshot(ctx, "read projects", func(ctx context.Context, q *pgdb.Queries, _ *pipeline) error {
		rows, err := q.Projects(ctx)
		if err != nil {
			return err
		}
		states, err := q.AllStates(ctx)
		if err != nil {
			return err
		}
		labels, err := q.AllLabels(ctx)
		if err != nil {
			return err
		}
		members, err := q.AllMembers(ctx)
		if err != nil {
			return err
		}
		statesOf := group(states, func(r pgdb.State) uuid.UUID { return r.ProjectID })
		labelsOf := group(labels, func(r pgdb.Label) uuid.UUID { return r.ProjectID })
		membersOf := group(members, func(r pgdb.Member) uuid.UUID { return r.ProjectID })
		out = make([]*project.Project, 0, len(rows))
		for _, r := range rows {
			if r.Archived != nil && !archived {
				continue
			}
			out = append(out, toProject(r, statesOf[r.ID], labelsOf[r.ID], membersOf[r.ID]))
		}
		return nil
	})
	return out, err
}

func group[T any](rows []T, of func(T) uuid.UUID) map[uuid.UUID][]T {
	out := map[uuid.UUID][]T{}
	for _, r := range rows {
		id := of(r)
		out[id] = append(out[id], r)
	}
	return out
}

// Views implements project.ViewStore.
func (s *Store) Views(ctx context.Context, projectID, viewer uuid.UUID) ([]project.View, error) {
	ctx, cancel := flow.Bounded(ctx)
	defer cancel()
	rows, err := s.q.ViewsOf(ctx, pgdb.ViewsOfParams{ProjectID: projectID, Owner: viewer})
	if err != nil {
		return nil, flow.Classify("read views", err)
	}
	views := make([]project.View, len(rows))
	for i, r := range rows {
		views[i] = toView(r)
	}
	return views, nil
}
