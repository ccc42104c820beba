package flow

import (
	"context"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// maxClimb ends a walk up or down the tree of subtasks that data corrupted from outside would make endless.
const maxClimb = 64

// rules is the task.Tx of one transaction.
type rules struct {
	f        *Flows
	tx       Tx
	ctx      context.Context // of the request, for the trace of events
	project  *project.Project
	ranks    *ranker
	counters *Counters // locked, if not nil
	used     int64     // numbers given beyond counters.LastNumber
	now      uuid.UUID // the task being changed
}

var _ task.Tx = (*rules)(nil)

func (r *rules) Project() *project.Project { return r.project }

func (r *rules) Rank(ctx context.Context, p task.Placement) (string, error) {
	return r.ranks.place(ctx, p, r.now)
}

func (r *rules) LockStructure(ctx context.Context) error {
	if r.counters != nil {
		return nil
	}
	c, err := r.tx.LockCounters(ctx, r.project.ID)
	if err != nil {
		return err
	}
	r.counters = &c
	return nil
}

func (r *rules) Ancestors(ctx context.Context, id uuid.UUID) ([]uuid.UUID, error) {
	var above []uuid.UUID
	for range maxClimb {
		parent, err := r.tx.ParentOf(ctx, id)
		if err != nil || parent == uuid.Nil {
			return above, err
		}
		above = append(above, parent)
		id = parent
	}
	return above, nil
}

func (r *rules) Height(ctx context.Context, id uuid.UUID) (int, error) {
	level := []uuid.UUID{id}
	for height := range maxClimb {
		below, err := r.tx.ChildrenOf(ctx, level)
		if err != nil || len(below) == 0 {
			return height, err
		}
		level = below
	}
	return maxClimb, nil
}

func (r *rules) Sibling(ctx context.Context, id uuid.UUID) (*task.Task, error) {
	t, err := r.tx.Task(ctx, id)
	if err != nil {
		return nil, err
	}
	if t == nil || t.ProjectID != r.project.ID {
		return nil, errNoTask()
	}
	t.ProjectKey = r.project.Key
	return t, nil
}

func (r *rules) Children(ctx context.Context, id uuid.UUID) (int, error) {
	n, err := r.tx.CountChildren(ctx, id)
	return int(n), err
}

// Reaches walks the relations level by level; it visits each task once, so cycles do not matter.
func (r *rules) Reaches(ctx context.Context, kind task.RelationKind, from, to uuid.UUID) (bool, error) {
	seen := map[uuid.UUID]bool{from: true}
	level := []uuid.UUID{from}
	for len(level) > 0 {
		next, err := r.tx.RelatedFrom(ctx, kind, level)
		if err != nil {
			return false, err
		}
		level = level[:0]
		for _, id := range next {
			if id == to {
				return true, nil
			}
			if !seen[id] {
				seen[id] = true
				level = append(level, id)
			}
		}
	}
	return false, nil
}

func (r *rules) Relations(ctx context.Context, id uuid.UUID) ([]task.Relation, error) {
	return r.tx.Relations(ctx, id)
}

func (r *rules) PutRelation(ctx context.Context, rel task.Relation) error {
	return r.tx.PutRelations(ctx, []task.Relation{rel})
}

func (r *rules) DropRelation(ctx context.Context, rel task.Relation) error {
	there, err := r.tx.DropRelation(ctx, rel)
	if err == nil && !there {
		return apperr.New(apperr.NotFound, "There is no such relation.")
	}
	return err
}

func (r *rules) Comment(ctx context.Context, id uuid.UUID) (task.Comment, error) {
	return r.tx.Comment(ctx, r.now, id)
}

func (r *rules) PutComment(ctx context.Context, c task.Comment) error {
	return r.tx.PutComments(ctx, []task.Comment{c})
}

func (r *rules) DropComment(ctx context.Context, id uuid.UUID) error {
	there, err := r.tx.DropComment(ctx, r.now, id)
	if err == nil && !there {
		return apperr.New(apperr.NotFound, "There is no such comment.")
	}
	return err
}

func (r *rules) Add(ctx context.Context, t *task.Task, p task.Placement) error {
	if err := r.LockStructure(ctx); err != nil {
		return err
	}
	made, err := r.ranks.place(ctx, p, t.ID)
	if err != nil {
		return err
	}
	r.number(t, made)
	if err := r.tx.InsertTasks(ctx, []*task.Task{t}); err != nil {
		return err
	}
	events := r.f.stamp(r.ctx, t.TakePending()) //nolint:contextcheck // the request's trace, whatever span the rule is in
	if err := r.tx.InsertEvents(ctx, events); err != nil {
		return err
	}
	return r.saveNumber(ctx)
}

// number gives a new task its number and rank. The counters are locked.
func (r *rules) number(t *task.Task, rank string) {
	r.used++
	t.ProjectKey = r.project.Key
	t.Place(r.counters.LastNumber+r.used, rank)
}

func (r *rules) saveNumber(ctx context.Context) error {
	return r.tx.SetLastNumber(ctx, r.project.ID, r.counters.LastNumber+r.used)
}

func errNoTask() error { return apperr.New(apperr.NotFound, "There is no such task.") }
