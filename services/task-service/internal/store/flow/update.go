package flow

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/internal/kit/seeded"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

type change = func(ctx context.Context, tx task.Tx, t *task.Task) error

// UpdateTask implements task.Writer.
func (f *Flows) UpdateTask(ctx context.Context, w task.Write, ref task.Ref, fn change) (t *task.Task, replay bool, err error) {
	err = f.changing(ctx, "update task", func(ctx context.Context, tx Tx, _ int) error {
		t, replay = nil, false
		found, err := f.lockOne(ctx, tx, ref)
		if err != nil {
			return err
		}
		var before task.Task
		if replay, err = replayed(ctx, tx, w, &before); err != nil {
			return err
		}
		if replay {
			t = &before
			return nil
		}
		if found == nil {
			return errNoTask()
		}
		u, err := f.updating(ctx, tx, w, found.ProjectID)
		if err != nil {
			return err
		}
		if err := u.apply(ctx, found, fn); err != nil {
			return err
		}
		t = found
		return u.finish(ctx, t)
	})
	if err != nil {
		return nil, false, err
	}
	return t, replay, nil
}

// UpdateTasks implements task.Writer.
func (f *Flows) UpdateTasks(ctx context.Context, w task.Write, refs []task.Ref, fn change) (ts []*task.Task, replay bool, err error) {
	ctx, cancel := Bounded(ctx)
	defer cancel()
	ids, err := f.resolve(ctx, refs)
	if err != nil {
		return nil, false, Classify("update tasks", err)
	}
	err = f.changing(ctx, "update tasks", func(ctx context.Context, tx Tx, _ int) error {
		ts, replay = nil, false
		locked, err := tx.LockTasks(ctx, inOrder(ids))
		if err != nil {
			return err
		}
		if replay, err = replayed(ctx, tx, w, &ts); err != nil || replay {
			return err
		}
		chosen, err := choose(locked, ids)
		if err != nil || len(chosen) == 0 {
			return err
		}
		u, err := f.updating(ctx, tx, w, chosen[0].ProjectID)
		if err != nil {
			return err
		}
		for _, t := range chosen {
			if err := u.apply(ctx, t, fn); err != nil {
				return err
			}
		}
		ts = chosen
		return u.finish(ctx, ts)
	})
	if err != nil {
		return nil, false, err
	}
	return ts, replay, nil
}

// lockOne locks the task a ref names; nil if there is none.
func (f *Flows) lockOne(ctx context.Context, tx Tx, ref task.Ref) (*task.Task, error) {
	if ref.ID != uuid.Nil {
		ts, err := tx.LockTasks(ctx, []uuid.UUID{ref.ID})
		if err != nil || len(ts) == 0 {
			return nil, err
		}
		return ts[0], nil
	}
	project, err := f.engine.ProjectID(ctx, ref.Key)
	switch {
	case apperr.Is(err, apperr.NotFound):
		return nil, nil //nolint:nilnil // as documented
	case err != nil:
		return nil, err
	}
	return tx.LockTask(ctx, project, ref.Number)
}

// resolve returns the ids of refs; uuid.Nil where there is none.
func (f *Flows) resolve(ctx context.Context, refs []task.Ref) ([]uuid.UUID, error) {
	ids := make([]uuid.UUID, len(refs))
	numbers := map[string][]int64{}
	for i, r := range refs {
		ids[i] = r.ID
		if r.ID == uuid.Nil {
			numbers[r.Key] = append(numbers[r.Key], r.Number)
		}
	}
	for key, of := range numbers {
		project, err := f.engine.ProjectID(ctx, key)
		switch {
		case apperr.Is(err, apperr.NotFound):
			continue
		case err != nil:
			return nil, err
		}
		found, err := f.engine.TaskIDs(ctx, project, of)
		if err != nil {
			return nil, err
		}
		for i, r := range refs {
			if r.ID == uuid.Nil && r.Key == key {
				ids[i] = found[r.Number]
			}
		}
	}
	return ids, nil
}

func inOrder(ids []uuid.UUID) []uuid.UUID {
	sorted := slices.DeleteFunc(slices.Clone(ids), func(id uuid.UUID) bool { return id == uuid.Nil })
	slices.SortFunc(sorted, func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) })
	return slices.Compact(sorted)
}

// choose returns the locked tasks in the order of ids, each once. All must be there and of one project.
func choose(locked []*task.Task, ids []uuid.UUID) ([]*task.Task, error) {
	byID := make(map[uuid.UUID]*task.Task, len(locked))
	for _, t := range locked {
		byID[t.ID] = t
	}
	chosen := make([]*task.Task, 0, len(ids))
	taken := make(map[uuid.UUID]bool, len(ids))
	for _, id := range ids {
		t := byID[id]
		switch {
		case t == nil:
			return nil, errNoTask()
		case taken[id]:
			continue
		case len(chosen) > 0 && t.ProjectID != chosen[0].ProjectID:
			return nil, apperr.New(apperr.Invalid, "Tasks that are changed together must be in one project.")
		}
		taken[id] = true
		chosen = append(chosen, t)
	}
	return chosen, nil
}

// updating is the change of one or more locked tasks of a project.
type updating struct {
	f     *Flows
	w     task.Write
	rules *rules
}

func (f *Flows) updating(ctx context.Context, tx Tx, w task.Write, projectID uuid.UUID) (*updating, error) {
	version, err := tx.ShareProject(ctx, projectID)
	if err != nil {
		return nil, err
	}
	p, err := f.settingsAt(ctx, tx, projectID, version)
	if err != nil {
		return nil, err
	}
	return &updating{f: f, w: w, rules: &rules{f: f, tx: tx, ctx: ctx, project: p, ranks: &ranker{tx: tx, project: projectID}}}, nil
}

// apply changes one task and writes it at once, so that rules for the next one see it.
func (u *updating) apply(ctx context.Context, t *task.Task, fn change) error {
	t.ProjectKey = u.rules.project.Key
	before := *t
	before.Assignees, before.Labels = slices.Clone(t.Assignees), slices.Clone(t.Labels)
	if u.w.IfVersion > 0 && t.Version != u.w.IfVersion && !seeded.Is(seeded.SkipVersionCheck) {
		return apperr.New(apperr.Stale, "%s has been changed since you read it.", t.Key()).WithCurrent(&before)
	}
	u.rules.now = t.ID
	if err := fn(ctx, u.rules, t); err != nil {
		return err
	}
	events := u.f.stamp(ctx, t.TakePending())
	if len(events) == 0 {
		return nil
	}
	if err := u.rules.tx.UpdateTask(ctx, &before, t); err != nil {
		return err
	}
	return u.rules.tx.InsertEvents(ctx, events)
}

func (u *updating) finish(ctx context.Context, answer any) error {
	return u.f.remember(ctx, u.rules.tx, u.w, answer)
}
