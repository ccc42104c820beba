package task

import (
	"slices"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
)

// Change applies a patch and, unless rank is empty, a new rank. Only what really differs is recorded; if nothing does,
// no event is written and the version stays. It reports whether the task entered a done state from one that is not.
// Whether a new parent fits is checked before, by CheckParent.
func (t *Task) Change(env Env, ch Patch, rank string) (completed bool, err error) {
	if err := t.writable(env); err != nil {
		return false, err
	}
	next, err := t.patched(env, ch)
	if err != nil {
		return false, err
	}
	if rank != "" {
		next.Rank = rank
	}
	at := t.at(env)
	if next.StateID != t.StateID {
		was, _ := env.Project.State(t.StateID) // states are never removed
		is, _ := env.Project.State(next.StateID)
		next.enter(is.Category, at)
		completed = is.Category == project.Done && was.Category != project.Done
	}
	changes := differences(t, next)
	if len(changes) == 0 {
		return false, nil
	}
	*t = *next
	t.bump(env, at)
	t.record(env, history.TaskChanged, changes)
	return completed, nil
}

// patched returns a copy with the patch applied, or every fault of the patch.
func (t *Task) patched(env Env, ch Patch) (*Task, error) {
	next := *t
	var f faults
	if ch.Title != nil {
		next.Title = f.line("title", *ch.Title, MaxTitle)
	}
	if ch.Description != nil {
		next.Description = f.text("description", *ch.Description, MaxDescription)
	}
	if ch.State != nil && *ch.State != t.StateID {
		s, fault := env.openState(*ch.State)
		if fault != nil {
			f = append(f, *fault)
		}
		next.StateID = s.ID
	}
	if ch.Priority != nil {
		f.priority(*ch.Priority)
		next.Priority = *ch.Priority
	}
	next.Assignees = f.list("assignees", t.Assignees, ch.Assignees, ch.AddAssignees, ch.RemoveAssignees, MaxAssignees, env.Known, "person")
	next.Labels = f.list("labels", t.Labels, ch.Labels, ch.AddLabels, ch.RemoveLabels, MaxLabels, env.labelKnown, "label in this project")
	if ch.Start != nil {
		next.Start = *ch.Start
	}
	if ch.Due != nil {
		next.Due = *ch.Due
	}
	if ch.Start != nil || ch.Due != nil {
		f.span(next.Start, next.Due)
	}
	if ch.Estimate != nil {
		f.estimate(*ch.Estimate)
		next.Estimate = *ch.Estimate
	}
	if ch.Parent != nil {
		next.ParentID = nil
		if parent := *ch.Parent; parent != uuid.Nil {
			next.ParentID = &parent
		}
	}
	if ch.Recurrence != nil {
		next.Recurrence = f.recurrence(env, *ch.Recurrence)
	}
	return &next, f.err()
}

// list returns what a list of ids becomes; the same set in another order is left as it was.
func (f *faults) list(name string, had []uuid.UUID, set *[]uuid.UUID, add, remove []uuid.UUID, limit int, known func(uuid.UUID) bool, what string) []uuid.UUID {
	if set == nil && len(add) == 0 && len(remove) == 0 {
		return had
	}
	want := had
	if set != nil {
		want = *set
	}
	want = append(slices.Clone(want), add...)
	want = slices.DeleteFunc(want, func(id uuid.UUID) bool { return slices.Contains(remove, id) })
	out := f.ids(name, want, had, limit, known, what)
	if sameSet(out, had) {
		return had
	}
	return out
}

// Trash puts the task into the trash; nothing happens if it is there.
func (t *Task) Trash(env Env) error {
	if err := env.Project.Writable(); err != nil || t.Trashed != nil {
		return err
	}
	at := t.at(env)
	t.Trashed = &at
	t.bump(env, at)
	t.record(env, history.TaskTrashed, []history.Change{history.NewChange(history.FieldTrashed, nil, at)})
	return nil
}

// Restore takes the task out of the trash; nothing happens if it is not there.
func (t *Task) Restore(env Env) error {
	if err := env.Project.Writable(); err != nil || t.Trashed == nil {
		return err
	}
	was := *t.Trashed
	t.Trashed = nil
	t.bump(env, t.at(env))
	t.record(env, history.TaskRestored, []history.Change{history.NewChange(history.FieldTrashed, was, nil)})
	return nil
}

// writable refuses changes of tasks in the trash and in archived projects.
func (t *Task) writable(env Env) error {
	if err := env.Project.Writable(); err != nil {
		return err
	}
	if t.Trashed != nil {
		return apperr.New(apperr.Conflict, "%s is in the trash; restore it before changing it.", t.Key())
	}
	return nil
}
