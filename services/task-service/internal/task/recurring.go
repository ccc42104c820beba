package task

import (
	"context"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
)

// followUp creates the next occurrence of t, which has just been completed, in the same transaction, and takes the
// recurrence from t: completing t again after a reopening makes no second one. The actor is who completed it. Its rule
// counts from t's due date, or from the day of completion (UTC) where t has none. A series that has ended makes none.
func (t *Task) followUp(ctx context.Context, tx Tx, env Env, next func(rule string, due, completed Date) (Date, string, bool, error)) error {
	if t.Recurrence == "" || t.Completed == nil {
		return nil
	}
	due, rest, more, err := next(t.Recurrence, t.Due, DateOf(t.Completed.UTC()))
	if err != nil {
		return err
	}
	if more {
		in := New{
			Title: t.Title, Description: t.Description, Priority: t.Priority, Assignees: t.Assignees,
			Start: shifted(t.Start, t.Due, due), Due: due, Estimate: t.Estimate, Recurrence: rest,
		}
		for _, l := range t.Labels {
			if env.labelKnown(l) { // labels removed from the project stay behind
				in.Labels = append(in.Labels, l)
			}
		}
		n, err := Make(env, in)
		if err != nil {
			return err
		}
		if t.ParentID != nil {
			switch err := n.CheckParent(ctx, tx, *t.ParentID); {
			case err == nil:
				in.Parent = *t.ParentID
				if n, err = Make(env, in); err != nil {
					return err
				}
			case !apperr.Is(err, apperr.Unprocessable): // a parent that is full or in the trash does not stop the series
				return err
			}
		}
		if err := tx.Add(ctx, n, Placement{}); err != nil {
			return err
		}
	}
	none := ""
	_, err = t.Change(env, Patch{Recurrence: &none}, "")
	return err
}

// shifted keeps the days between start and due.
func shifted(start, due, next Date) Date {
	s, ok := start.Time()
	d, ok2 := due.Time()
	n, ok3 := next.Time()
	if !ok || !ok2 || !ok3 {
		return ""
	}
	return DateOf(n.Add(s.Sub(d)))
}

// parentOf returns the new parent a patch asks for, if it differs from the present one.
func (t *Task) parentOf(ch Patch) (uuid.UUID, bool) {
	if ch.Parent == nil || *ch.Parent == uuid.Nil {
		return uuid.Nil, false
	}
	return *ch.Parent, t.ParentID == nil || *t.ParentID != *ch.Parent
}
