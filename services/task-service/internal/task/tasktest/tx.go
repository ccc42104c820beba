package tasktest

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
	"github.com/tallyboard/tallyboard/services/task-service/internal/rank"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// tx implements task.Tx under the store's lock.
type tx struct {
	s       *Store
	project *project.Project
	self    uuid.UUID
}

func (x *tx) Project() *project.Project { return x.project }

func (x *tx) LockStructure(context.Context) error { return nil }

func (x *tx) Rank(_ context.Context, p task.Placement) (string, error) {
	var ranks []string
	at := map[uuid.UUID]string{}
	for _, t := range x.s.data.tasks {
		if t.ProjectID == x.project.ID && t.ID != x.self {
			ranks = append(ranks, t.Rank)
			at[t.ID] = t.Rank
		}
	}
	slices.Sort(ranks)
	neighbour := func(id uuid.UUID, offset int) (own, other string, err error) {
		own, ok := at[id]
		if !ok {
			return "", "", apperr.New(apperr.NotFound, "There is no task %s to place at.", id)
		}
		if i := slices.Index(ranks, own) + offset; i >= 0 && i < len(ranks) {
			other = ranks[i]
		}
		return own, other, nil
	}
	first, last := "", ""
	if len(ranks) > 0 {
		first, last = ranks[0], ranks[len(ranks)-1]
	}
	switch {
	case p.After != uuid.Nil:
		a, b, err := neighbour(p.After, 1)
		if err != nil {
			return "", err
		}
		return rank.Between(nil, a, b)
	case p.Before != uuid.Nil:
		b, a, err := neighbour(p.Before, -1)
		if err != nil {
			return "", err
		}
		return rank.Between(nil, a, b)
	case p.Top:
		return rank.Before(nil, first)
	}
	return rank.After(nil, last)
}

func (x *tx) Ancestors(_ context.Context, id uuid.UUID) (out []uuid.UUID, err error) {
	for t := x.s.data.tasks[id]; t != nil && t.ParentID != nil; t = x.s.data.tasks[*t.ParentID] {
		out = append(out, *t.ParentID)
	}
	return out, nil
}

func (x *tx) Height(ctx context.Context, id uuid.UUID) (int, error) {
	height := 0
	for _, t := range x.s.data.tasks {
		if t.ParentID != nil && *t.ParentID == id {
			below, err := x.Height(ctx, t.ID)
			if err != nil {
				return 0, err
			}
			height = max(height, below+1)
		}
	}
	return height, nil
}

func (x *tx) Sibling(_ context.Context, id uuid.UUID) (*task.Task, error) {
	t := x.s.data.tasks[id]
	if t == nil || t.ProjectID != x.project.ID {
		return nil, apperr.New(apperr.NotFound, "There is no task %s.", id)
	}
	return clone(t), nil
}

func (x *tx) Children(_ context.Context, id uuid.UUID) (n int, err error) {
	for _, t := range x.s.data.tasks {
		if t.ParentID != nil && *t.ParentID == id && t.Trashed == nil {
			n++
		}
	}
	return n, nil
}

func (x *tx) Reaches(_ context.Context, kind task.RelationKind, from, to uuid.UUID) (bool, error) {
	seen := map[uuid.UUID]bool{}
	next := []uuid.UUID{from}
	for len(next) > 0 {
		at := next[0]
		next = next[1:]
		if at == to {
			return true, nil
		}
		if seen[at] {
			continue
		}
		seen[at] = true
		for _, r := range x.s.data.relations {
			if r.Kind == kind && r.From == at {
				next = append(next, r.To)
			}
		}
	}
	return false, nil
}

func (x *tx) Relations(_ context.Context, id uuid.UUID) (out []task.Relation, err error) {
	for _, r := range x.s.data.relations {
		if r.From == id || r.To == id {
			out = append(out, r)
		}
	}
	return out, nil
}

func same(a, b task.Relation) bool { return a.From == b.From && a.To == b.To && a.Kind == b.Kind }

func (x *tx) PutRelation(_ context.Context, r task.Relation) error {
	if !slices.ContainsFunc(x.s.data.relations, func(h task.Relation) bool { return same(h, r) }) {
		x.s.data.relations = append(x.s.data.relations, r)
	}
	return nil
}

func (x *tx) DropRelation(_ context.Context, r task.Relation) error {
	i := slices.IndexFunc(x.s.data.relations, func(h task.Relation) bool { return same(h, r) })
	if i < 0 {
		return apperr.New(apperr.NotFound, "There is no such relation.")
	}
	x.s.data.relations = slices.Delete(slices.Clone(x.s.data.relations), i, i+1)
	return nil
}

func (x *tx) Comment(_ context.Context, id uuid.UUID) (task.Comment, error) {
	c, ok := x.s.data.comments[id]
	if !ok || c.TaskID != x.self {
		return c, apperr.New(apperr.NotFound, "There is no such comment.")
	}
	return c, nil
}

func (x *tx) PutComment(_ context.Context, c task.Comment) error {
	x.s.data.comments[c.ID] = c
	return nil
}

func (x *tx) DropComment(_ context.Context, id uuid.UUID) error {
	delete(x.s.data.comments, id)
	return nil
}

func (x *tx) Add(ctx context.Context, t *task.Task, p task.Placement) error {
	at, err := (&tx{s: x.s, project: x.project}).Rank(ctx, p) // beside all, also the task being changed
	if err != nil {
		return err
	}
	x.s.data.numbers[t.ProjectID]++
	t.Place(x.s.data.numbers[t.ProjectID], at)
	x.s.append(t.TakePending())
	x.s.data.tasks[t.ID] = clone(t)
	return nil
}
