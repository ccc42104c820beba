package task

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
)

// AddComment adds a comment; @handles of people in it become mentions.
func (s *Service) AddComment(ctx context.Context, w Write, ref Ref, body string) (c Comment, replayed bool, err error) {
	body, mentions, err := s.comment(ctx, body)
	if err != nil {
		return c, false, err
	}
	id, err := commentID(w)
	if err != nil {
		return c, false, err
	}
	t, replayed, err := s.update(ctx, w, ref, func(ctx context.Context, tx Tx, t *Task) (err error) {
		c, err = t.AddComment(ctx, tx, s.env(tx.Project(), w, nil), id, body, mentions)
		return err
	})
	if err == nil && replayed {
		c, err = s.commentOf(ctx, t, id)
	}
	return c, replayed, err
}

// commentID makes an id; with an idempotency key always the same, so that a replayed answer finds its comment.
func commentID(w Write) (uuid.UUID, error) {
	if w.Key != "" {
		return uuid.NewSHA1(w.Actor, append([]byte("comment\x00"+w.Key+"\x00"), w.RequestHash[:]...)), nil
	}
	id, err := uuid.NewV7()
	if err != nil {
		return id, fmt.Errorf("task: make an id: %w", err)
	}
	return id, nil
}

func (s *Service) commentOf(ctx context.Context, t *Task, id uuid.UUID) (Comment, error) {
	d, err := s.d.Reader.Details(ctx, t.ID)
	if err != nil {
		return Comment{}, err
	}
	i := slices.IndexFunc(d.Comments, func(c Comment) bool { return c.ID == id })
	if i < 0 {
		return Comment{}, apperr.New(apperr.Gone, "The comment was added, and has been removed since.")
	}
	return d.Comments[i], nil
}

// comment checks a text and finds whom it mentions.
func (s *Service) comment(ctx context.Context, body string) (string, []uuid.UUID, error) {
	body, err := CommentBody(body)
	if err != nil {
		return "", nil, err
	}
	people, err := s.directory.ByHandle(ctx, MentionsIn(body))
	if err != nil {
		return "", nil, err
	}
	var ids []uuid.UUID
	for _, p := range people {
		ids = append(ids, p.ID)
	}
	return body, ids, nil
}

// EditComment replaces the text of a comment. Only its author may: apperr.Forbidden.
func (s *Service) EditComment(ctx context.Context, w Write, ref Ref, id uuid.UUID, body string) (c Comment, replayed bool, err error) {
	body, mentions, err := s.comment(ctx, body)
	if err != nil {
		return c, false, err
	}
	t, replayed, err := s.update(ctx, w, ref, func(ctx context.Context, tx Tx, t *Task) (err error) {
		c, err = t.EditComment(ctx, tx, s.env(tx.Project(), w, nil), id, body, mentions)
		return err
	})
	if err == nil && replayed {
		c, err = s.commentOf(ctx, t, id)
	}
	return c, replayed, err
}

// RemoveComment removes a comment. Its author and the project's owners may.
func (s *Service) RemoveComment(ctx context.Context, w Write, ref Ref, id uuid.UUID) (replayed bool, err error) {
	_, replayed, err = s.update(ctx, w, ref, func(ctx context.Context, tx Tx, t *Task) error {
		return t.RemoveComment(ctx, tx, s.env(tx.Project(), w, nil), id)
	})
	return replayed, err
}

// Relate links two tasks of one project; kind (see ParseLink) is as seen from ref. Both tasks' histories show it. A link
// that exists is left as it is. A circle of blocks or duplicates is refused with apperr.Unprocessable.
func (s *Service) Relate(ctx context.Context, w Write, ref Ref, kind string, other Ref) (t *Task, replayed bool, err error) {
	return s.link(ctx, w, ref, kind, other, func(ctx context.Context, tx Tx, env Env, t *Task, l Link, peer uuid.UUID) (bool, error) {
		return t.Relate(ctx, tx, env, l, peer)
	}, history.RelationAdded)
}

// Unrelate removes a link; apperr.NotFound if there is none.
func (s *Service) Unrelate(ctx context.Context, w Write, ref Ref, kind string, other Ref) (t *Task, replayed bool, err error) {
	return s.link(ctx, w, ref, kind, other, func(ctx context.Context, tx Tx, env Env, t *Task, l Link, peer uuid.UUID) (bool, error) {
		return true, t.Unrelate(ctx, tx, env, l, peer)
	}, history.RelationRemoved)
}

type linking func(ctx context.Context, tx Tx, env Env, t *Task, l Link, peer uuid.UUID) (changed bool, err error)

func (s *Service) link(ctx context.Context, w Write, ref Ref, kind string, other Ref, do linking, event history.Kind) (*Task, bool, error) {
	l, err := ParseLink(kind)
	if err != nil {
		return nil, false, err
	}
	var ends [2]*Task
	for i, r := range []Ref{ref, other} {
		if ends[i], err = s.d.Reader.Task(ctx, r); err != nil {
			return nil, false, err
		}
	}
	self, peer := ends[0].ID, ends[1].ID
	switch {
	case self == peer:
		return nil, false, relationFault("a task cannot be related to itself")
	case ends[0].ProjectID != ends[1].ProjectID:
		return nil, false, relationFault("only tasks of one project can be related")
	}
	seen := w.IfVersion
	w.IfVersion = 0 // it is of self alone, and the store would hold both tasks against it
	changed := false
	ts, replayed, err := s.d.Writer.UpdateTasks(ctx, w, []Ref{{ID: self}, {ID: peer}}, func(ctx context.Context, tx Tx, t *Task) (err error) {
		env := s.env(tx.Project(), w, nil)
		if t.ID == self {
			if seen != 0 && seen != t.Version {
				return apperr.New(apperr.Stale, "%s has been changed since you read it.", t.Key()).WithCurrent(t)
			}
			changed, err = do(ctx, tx, env, t, l, peer)
			return err
		}
		if changed {
			t.Related(env, event, l.Reversed(), self)
		}
		return nil
	})
	if err != nil {
		return nil, false, err
	}
	if !replayed {
		s.d.Wake()
	}
	for _, t := range ts {
		if t.ID == self {
			return t, replayed, nil
		}
	}
	return nil, false, fmt.Errorf("task: link: the store did not answer with task %s", self)
}
