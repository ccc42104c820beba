package task

import (
	"context"

	"github.com/google/uuid"
)

// Change applies a patch. Completing a recurring task creates its next occurrence in the same transaction. Errors:
// apperr.Invalid for fields, Unprocessable for a parent that does not fit, Stale (with the present task) if w.IfVersion
// is another version, Conflict for a task in the trash or an archived project.
func (s *Service) Change(ctx context.Context, w Write, ref Ref, ch Patch) (t *Task, replayed bool, err error) {
	known, err := s.known(ctx, ch.people()...)
	if err != nil {
		return nil, false, err
	}
	return s.update(ctx, w, ref, func(ctx context.Context, tx Tx, t *Task) error {
		return s.change(ctx, tx, s.env(tx.Project(), w, known), t, ch, nil)
	})
}

// people lists whom a patch names.
func (ch Patch) people() [][]uuid.UUID {
	out := [][]uuid.UUID{ch.AddAssignees}
	if ch.Assignees != nil {
		out = append(out, *ch.Assignees)
	}
	return out
}

// change is what Change, Move and Bulk do with one task inside their transaction.
func (s *Service) change(ctx context.Context, tx Tx, env Env, t *Task, ch Patch, place *Placement) error {
	if err := t.writable(env); err != nil {
		return err
	}
	if parent, is := t.parentOf(ch); is {
		if err := t.CheckParent(ctx, tx, parent); err != nil {
			return err
		}
	}
	rank := ""
	if place != nil {
		if err := place.check(t.ID); err != nil {
			return err
		}
		var err error
		if rank, err = tx.Rank(ctx, *place); err != nil {
			return err
		}
	}
	completed, err := t.Change(env, ch, rank)
	if err != nil || !completed {
		return err
	}
	return t.followUp(ctx, tx, env, s.d.Recurrer.Next)
}

// Move puts a task into another state, another place in the project's order, or both. Neighbours are never rewritten.
func (s *Service) Move(ctx context.Context, w Write, ref Ref, m Move) (t *Task, replayed bool, err error) {
	known, err := s.known(ctx)
	if err != nil {
		return nil, false, err
	}
	return s.update(ctx, w, ref, func(ctx context.Context, tx Tx, t *Task) error {
		return s.change(ctx, tx, s.env(tx.Project(), w, known), t, Patch{State: m.State}, m.Place)
	})
}

// Trash puts a task into the trash; it can be restored. Its subtasks stay.
func (s *Service) Trash(ctx context.Context, w Write, ref Ref) (t *Task, replayed bool, err error) {
	return s.update(ctx, w, ref, func(_ context.Context, tx Tx, t *Task) error {
		return t.Trash(s.env(tx.Project(), w, nil))
	})
}

// Restore takes a task out of the trash.
func (s *Service) Restore(ctx context.Context, w Write, ref Ref) (t *Task, replayed bool, err error) {
	return s.update(ctx, w, ref, func(_ context.Context, tx Tx, t *Task) error {
		return t.Restore(s.env(tx.Project(), w, nil))
	})
}
