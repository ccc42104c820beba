package flow

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
)

// CreateProject implements project.Store.
func (f *Flows) CreateProject(ctx context.Context, w project.Write, p *project.Project) (*project.Project, error) {
	events := p.TakePending()
	var made *project.Project
	err := f.transaction(ctx, "create project", func(ctx context.Context, tx Tx, attempt int) error {
		made = nil
		var earlier project.Project
		switch found, err := replayed(ctx, tx, w, &earlier); {
		case err != nil:
			return err
		case found:
			made = &earlier
			return nil
		case attempt > 0: // the duplicate was not the idempotency key
			taken := apperr.InvalidField("key", "%s is taken by another project", p.Key)
			taken.Code = apperr.Conflict
			return taken
		}
		if err := tx.InsertProject(ctx, p); err != nil {
			return err
		}
		if err := tx.InsertEvents(ctx, f.stamp(ctx, slices.Clone(events))); err != nil {
			return err
		}
		if err := f.remember(ctx, tx, w, p); err != nil {
			return err
		}
		made = p
		return nil
	})
	if err != nil {
		return nil, err
	}
	return made, nil
}

// UpdateProject implements project.Store.
func (f *Flows) UpdateProject(ctx context.Context, w project.Write, key string, fn func(*project.Project) error) (*project.Project, error) {
	id, err := f.engine.ProjectID(ctx, key)
	if err != nil {
		return nil, Classify("update project", err)
	}
	var changed *project.Project
	err = f.transaction(ctx, "update project", func(ctx context.Context, tx Tx, _ int) error {
		changed = nil
		p, err := tx.LockProject(ctx, id)
		if err != nil {
			return err
		}
		var earlier project.Project
		switch found, err := replayed(ctx, tx, w, &earlier); {
		case err != nil:
			return err
		case found:
			changed = &earlier
			return nil
		}
		before := Clone(p)
		if w.IfVersion > 0 && p.Version != w.IfVersion {
			return apperr.New(apperr.Stale, "Project %s has been changed since you read it.", p.Key).WithCurrent(before)
		}
		if err := fn(p); err != nil {
			return err
		}
		if err := f.saveProject(ctx, tx, before, p); err != nil {
			return err
		}
		changed = p
		return f.remember(ctx, tx, w, p)
	})
	if err != nil {
		return nil, err
	}
	return changed, nil
}

// saveProject writes what a locked project's rules have changed, with its events.
func (f *Flows) saveProject(ctx context.Context, tx Tx, before, p *project.Project) error {
	events := f.stamp(ctx, p.TakePending())
	if len(events) == 0 {
		return nil
	}
	if gone := closedStates(before, p); len(gone) > 0 {
		if _, err := tx.LockCounters(ctx, p.ID); err != nil { // no task may be created in them from here on
			return err
		}
		used, err := tx.StateInUse(ctx, p.ID, gone)
		if err != nil {
			return err
		}
		if used {
			return apperr.New(apperr.Conflict, "This state still has tasks, perhaps in the trash. Move them to another state first.")
		}
	}
	if err := tx.UpdateProject(ctx, before, p); err != nil {
		return err
	}
	return tx.InsertEvents(ctx, events)
}

// closedStates returns the states that were open before and are archived or gone now.
func closedStates(before, after *project.Project) []uuid.UUID {
	var gone []uuid.UUID
	for _, s := range before.States {
		now, there := after.State(s.ID)
		if !s.Archived && (!there || now.Archived) || s.Archived && !there {
			gone = append(gone, s.ID)
		}
	}
	return gone
}

// Clone returns a copy that shares nothing with p; pending events stay with p.
func Clone(p *project.Project) *project.Project {
	c := &project.Project{ID: p.ID, Key: p.Key, Name: p.Name, Description: p.Description, Version: p.Version, Seq: p.Seq,
		Created: p.Created, Updated: p.Updated, CreatedBy: p.CreatedBy}
	c.States, c.Labels, c.Members = slices.Clone(p.States), slices.Clone(p.Labels), slices.Clone(p.Members)
	for i, s := range c.States {
		if s.WIPLimit != nil {
			limit := *s.WIPLimit
			c.States[i].WIPLimit = &limit
		}
	}
	if p.Archived != nil {
		at := *p.Archived
		c.Archived = &at
	}
	return c
}

// SaveView implements project.ViewStore.
func (f *Flows) SaveView(ctx context.Context, w project.Write, v project.View) (project.View, error) {
	saved := v
	err := f.transaction(ctx, "save view", func(ctx context.Context, tx Tx, _ int) error {
		saved = v
		p, err := tx.LockProject(ctx, v.ProjectID)
		if err != nil {
			return err
		}
		if found, err := replayed(ctx, tx, w, &saved); err != nil || found {
			return err
		}
		before := Clone(p)
		old, err := tx.View(ctx, v.ProjectID, v.ID)
		by := project.By{Actor: w.Actor, Now: f.now()}
		switch {
		case apperr.Is(err, apperr.NotFound) && w.IfVersion > 0:
			return err
		case apperr.Is(err, apperr.NotFound):
			if err := roomForView(ctx, tx, p.ID); err != nil {
				return err
			}
			saved.Version = 1
			p.ViewChanged(by, nil, &saved)
		case err != nil:
			return err
		case w.IfVersion > 0 && old.Version != w.IfVersion:
			return apperr.New(apperr.Stale, "This view has been changed since you read it.").WithCurrent(old)
		default:
			saved.Version, saved.Created, saved.Owner = old.Version+1, old.Created, old.Owner
			p.ViewChanged(by, &old, &saved)
		}
		if err := tx.PutView(ctx, saved); err != nil {
			return err
		}
		if err := f.saveProject(ctx, tx, before, p); err != nil {
			return err
		}
		return f.remember(ctx, tx, w, saved)
	})
	if err != nil {
		return project.View{}, err
	}
	return saved, nil
}

func roomForView(ctx context.Context, tx Tx, projectID uuid.UUID) error {
	n, err := tx.CountViews(ctx, projectID)
	if err == nil && n >= project.MaxViews {
		return apperr.New(apperr.Unprocessable, "A project can have at most %d views.", project.MaxViews)
	}
	return err
}

// RemoveView implements project.ViewStore; apperr.NotFound if there is no such view.
func (f *Flows) RemoveView(ctx context.Context, w project.Write, projectID, id uuid.UUID) error {
	return f.transaction(ctx, "remove view", func(ctx context.Context, tx Tx, _ int) error {
		p, err := tx.LockProject(ctx, projectID)
		if err != nil {
			return err
		}
		var done bool
		if found, err := replayed(ctx, tx, w, &done); err != nil || found {
			return err
		}
		old, err := tx.View(ctx, projectID, id)
		if err != nil {
			return err
		}
		if w.IfVersion > 0 && old.Version != w.IfVersion {
			return apperr.New(apperr.Stale, "This view has been changed since you read it.").WithCurrent(old)
		}
		before := Clone(p)
		p.ViewChanged(project.By{Actor: w.Actor, Now: f.now()}, &old, nil)
		if err := tx.DropView(ctx, id); err != nil {
			return err
		}
		if err := f.saveProject(ctx, tx, before, p); err != nil {
			return err
		}
		return f.remember(ctx, tx, w, true)
	})
}
