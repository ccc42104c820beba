package flow

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/rank"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// ranker gives ranks in one transaction. It knows those it has given and that may not be written yet.
type ranker struct {
	tx      Tx
	project uuid.UUID
	last    *string  // greatest in use, where it is known
	given   []string // ascending
	ids     map[uuid.UUID]string
}

// place returns a rank for the placement, not equal to one in use as far as this transaction can see. id is the task it is
// for, so that others can be placed next to it; uuid.Nil if that does not matter.
func (r *ranker) place(ctx context.Context, p task.Placement, id uuid.UUID) (string, error) {
	lower, upper, err := r.gap(ctx, p)
	if err != nil {
		return "", err
	}
	made, err := rank.Between(nil, lower, upper)
	if err != nil {
		return "", err
	}
	r.take(made, id)
	return made, nil
}

// behind returns a rank directly behind one that is in use.
func (r *ranker) behind(ctx context.Context, used string) (string, error) {
	upper, err := r.next(ctx, used)
	if err != nil {
		return "", err
	}
	made, err := rank.Between(nil, used, upper)
	if err != nil {
		return "", err
	}
	r.take(made, uuid.Nil)
	return made, nil
}

// take marks a rank as used.
func (r *ranker) take(made string, id uuid.UUID) {
	at, found := slices.BinarySearch(r.given, made)
	if !found {
		r.given = slices.Insert(r.given, at, made)
	}
	if id != uuid.Nil {
		if r.ids == nil {
			r.ids = map[uuid.UUID]string{}
		}
		r.ids[id] = made
	}
}

// gap returns the ranks on both sides of a placement, "" for an open end.
func (r *ranker) gap(ctx context.Context, p task.Placement) (lower, upper string, err error) {
	switch {
	case p.After != uuid.Nil:
		if lower, err = r.of(ctx, p.After, "after"); err != nil {
			return "", "", err
		}
		upper, err = r.next(ctx, lower)
		return lower, upper, err
	case p.Before != uuid.Nil:
		if upper, err = r.of(ctx, p.Before, "before"); err != nil {
			return "", "", err
		}
		lower, err = r.previous(ctx, upper)
		return lower, upper, err
	case p.Top:
		if upper, err = r.tx.FirstRank(ctx, r.project); err != nil {
			return "", "", err
		}
		if len(r.given) > 0 && (upper == "" || r.given[0] < upper) {
			upper = r.given[0]
		}
		return "", upper, nil
	}
	if r.last == nil {
		last, err := r.tx.LastRank(ctx, r.project)
		if err != nil {
			return "", "", err
		}
		r.last = &last
	}
	lower = *r.last
	if n := len(r.given); n > 0 && r.given[n-1] > lower {
		lower = r.given[n-1]
	}
	return lower, "", nil
}

func (r *ranker) of(ctx context.Context, id uuid.UUID, field string) (string, error) {
	if made, ok := r.ids[id]; ok {
		return made, nil
	}
	found, err := r.tx.RankOf(ctx, r.project, id)
	if err == nil && found == "" {
		fault := apperr.InvalidField(field, "there is no task %s in this project", id)
		fault.Code = apperr.Unprocessable
		return "", fault
	}
	return found, err
}

func (r *ranker) next(ctx context.Context, from string) (string, error) {
	upper, err := r.tx.NextRank(ctx, r.project, from)
	if err != nil {
		return "", err
	}
	at, found := slices.BinarySearch(r.given, from)
	if found {
		at++
	}
	if at < len(r.given) && (upper == "" || r.given[at] < upper) {
		upper = r.given[at]
	}
	return upper, nil
}

func (r *ranker) previous(ctx context.Context, from string) (string, error) {
	lower, err := r.tx.PreviousRank(ctx, r.project, from)
	if err != nil {
		return "", err
	}
	if at, _ := slices.BinarySearch(r.given, from); at > 0 && r.given[at-1] > lower {
		lower = r.given[at-1]
	}
	return lower, nil
}
