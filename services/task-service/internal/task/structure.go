package task

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
)

// CheckParent checks, inside the transaction, that t (new, or moved with its subtasks) may become a subtask of parent: same
// project, not in the trash, no cycle, at most MaxDepth levels and MaxSubtasks direct subtasks.
func (t *Task) CheckParent(ctx context.Context, tx Tx, parent uuid.UUID) error {
	if parent == t.ID {
		return parentFault("a task cannot be its own parent")
	}
	if err := tx.LockStructure(ctx); err != nil {
		return err
	}
	p, err := tx.Sibling(ctx, parent)
	switch {
	case apperr.Is(err, apperr.NotFound):
		return parentFault("there is no task %s in this project", parent)
	case err != nil:
		return err
	case p.Trashed != nil:
		return parentFault("%s is in the trash", p.Key())
	}
	above, err := tx.Ancestors(ctx, parent)
	if err != nil {
		return err
	}
	if slices.Contains(above, t.ID) {
		return parentFault("%s is itself below this task", p.Key())
	}
	height := 0
	if t.Seq > 1 || len(t.pending) == 0 { // not a new one, which has nothing below
		if height, err = tx.Height(ctx, t.ID); err != nil {
			return err
		}
	}
	if len(above)+1+height > MaxDepth {
		return parentFault("subtasks can be nested at most %d levels deep", MaxDepth)
	}
	count, err := tx.Children(ctx, parent)
	if err != nil {
		return err
	}
	if count >= MaxSubtasks {
		return parentFault("%s has %d subtasks already, which is the most a task can have", p.Key(), count)
	}
	return nil
}

func parentFault(format string, args ...any) error {
	e := apperr.InvalidField("parent", format, args...)
	e.Code = apperr.Unprocessable
	return e
}

// Link is a relation as one of its tasks sees it.
type Link struct {
	Kind    RelationKind
	Inverse bool // seen from To: is blocked by, is duplicated by
}

// The names of links in URLs and events.
var linkNames = map[string]Link{
	"blocks": {Kind: Blocks}, "blocked-by": {Kind: Blocks, Inverse: true}, "relates": {Kind: Relates},
	"duplicates": {Kind: Duplicates}, "duplicated-by": {Kind: Duplicates, Inverse: true},
}

// ParseLink reads blocks, blocked-by, relates, duplicates or duplicated-by.
func ParseLink(name string) (Link, error) {
	l, ok := linkNames[name]
	if !ok {
		return l, apperr.InvalidField("kind", "%q is none of blocks, blocked-by, relates, duplicates, duplicated-by", shorten(name))
	}
	return l, nil
}

// String returns the link's name in URLs and events.
func (l Link) String() string {
	switch {
	case l.Kind == Blocks && l.Inverse:
		return "blocked-by"
	case l.Kind == Duplicates && l.Inverse:
		return "duplicated-by"
	}
	return string(l.Kind)
}

// Reversed returns the link as the other task sees it.
func (l Link) Reversed() Link {
	if l.Kind == Relates {
		return l
	}
	return Link{Kind: l.Kind, Inverse: !l.Inverse}
}

// relation returns the stored form of the link from self to other; relates is stored once, from the smaller id.
func (l Link) relation(self, other uuid.UUID) Relation {
	if l.Inverse || l.Kind == Relates && slices.Compare(other[:], self[:]) < 0 {
		self, other = other, self
	}
	return Relation{From: self, To: other, Kind: l.Kind}
}

// LinkOf returns how self sees a stored relation.
func LinkOf(r Relation, self uuid.UUID) Link {
	return Link{Kind: r.Kind, Inverse: r.Kind != Relates && r.To == self}
}

// linkedTask is the value of a relation change.
type linkedTask struct {
	Kind string    `json:"kind"`
	Task uuid.UUID `json:"task"`
}

// Relate stores the link from t to other, unless it exists, and records it; changed tells. The caller records it on the
// other task with Related.
func (t *Task) Relate(ctx context.Context, tx Tx, env Env, l Link, other uuid.UUID) (changed bool, err error) {
	if err := t.writable(env); err != nil {
		return false, err
	}
	if other == t.ID {
		return false, relationFault("a task cannot be related to itself")
	}
	if err := tx.LockStructure(ctx); err != nil {
		return false, err
	}
	peer, err := tx.Sibling(ctx, other)
	switch {
	case apperr.Is(err, apperr.NotFound):
		return false, apperr.New(apperr.NotFound, "There is no such task in project %s.", t.ProjectKey)
	case err != nil:
		return false, err
	case peer.Trashed != nil:
		return false, apperr.New(apperr.Conflict, "%s is in the trash; restore it before changing it.", peer.Key())
	}
	r := l.relation(t.ID, other)
	for _, end := range []*Task{t, peer} {
		have, err := tx.Relations(ctx, end.ID)
		if err != nil {
			return false, err
		}
		if slices.ContainsFunc(have, func(h Relation) bool { return h.From == r.From && h.To == r.To && h.Kind == r.Kind }) {
			return false, nil
		}
		if len(have) >= MaxRelations {
			return false, relationFault("%s has %d relations already, which is the most a task can have", end.Key(), len(have))
		}
	}
	if r.Kind != Relates {
		back, err := tx.Reaches(ctx, r.Kind, r.To, r.From)
		if err != nil {
			return false, err
		}
		if back {
			return false, relationFault("this would close a circle: the other task already %s this one, directly or through others", verb(l))
		}
	}
	r.Created = t.at(env)
	if err := tx.PutRelation(ctx, r); err != nil {
		return false, err
	}
	t.Related(env, history.RelationAdded, l, other)
	return true, nil
}

func verb(l Link) string {
	switch {
	case l.Kind == Blocks && l.Inverse:
		return "is blocked by"
	case l.Kind == Duplicates && l.Inverse:
		return "is duplicated by"
	case l.Kind == Duplicates:
		return "duplicates"
	}
	return "blocks"
}

func relationFault(format string, args ...any) error {
	e := apperr.InvalidField("relation", format, args...)
	e.Code = apperr.Unprocessable
	return e
}

// Unrelate removes the link from t to other and records it; apperr.NotFound if there is none.
func (t *Task) Unrelate(ctx context.Context, tx Tx, env Env, l Link, other uuid.UUID) error {
	if err := t.writable(env); err != nil {
		return err
	}
	if err := tx.LockStructure(ctx); err != nil {
		return err
	}
	if err := tx.DropRelation(ctx, l.relation(t.ID, other)); err != nil {
		return err
	}
	t.Related(env, history.RelationRemoved, l, other)
	return nil
}

// Related records that a relation, as t sees it, was added or removed.
func (t *Task) Related(env Env, kind history.Kind, l Link, other uuid.UUID) {
	v := linkedTask{Kind: l.String(), Task: other}
	c := history.NewChange(history.FieldRelation, nil, v)
	if kind == history.RelationRemoved {
		c = history.NewChange(history.FieldRelation, v, nil)
	}
	t.record(env, kind, []history.Change{c})
}
