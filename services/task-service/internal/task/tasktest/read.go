package tasktest

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// Task implements task.Reader.
func (s *Store) Task(_ context.Context, ref task.Ref) (*task.Task, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.find(ref)
}

// ListTasks implements task.Reader for the sorts rank and number.
func (s *Store) ListTasks(_ context.Context, q task.Query) (task.Page, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*task.Task
	settings := map[uuid.UUID]*project.Project{}
	for _, p := range s.data.projects {
		settings[p.ID] = p
	}
	for _, t := range s.data.tasks {
		if t.ProjectID != q.ProjectID && !slices.Contains(q.Projects, t.ProjectID) || (t.Trashed != nil) != q.Trashed {
			continue
		}
		is, err := task.Matches(q.Where, t, settings[t.ProjectID])
		if err != nil {
			return task.Page{}, err
		}
		if is {
			all = append(all, clone(t))
		}
	}
	slices.SortFunc(all, func(a, b *task.Task) int {
		c := cmp.Compare(a.Rank, b.Rank)
		if q.Sort.Field == "number" {
			c = cmp.Compare(a.Number, b.Number)
		}
		if q.Sort.Descending {
			c = -c
		}
		return c
	})
	if q.After != nil {
		if i := slices.IndexFunc(all, func(t *task.Task) bool { return t.ID == q.After.ID }); i >= 0 {
			all = all[i+1:]
		}
	}
	page := task.Page{Tasks: all}
	if q.Limit > 0 && len(all) > q.Limit {
		page.Tasks = all[:q.Limit]
		page.Next = &task.Cursor{Sort: q.Sort, ID: all[q.Limit-1].ID}
	}
	return page, nil
}

// CountTasks implements task.Reader.
func (s *Store) CountTasks(ctx context.Context, q task.Query) (int64, error) {
	q.Limit, q.After = 0, nil
	page, err := s.ListTasks(ctx, q)
	return int64(len(page.Tasks)), err
}

// Details implements task.Reader.
func (s *Store) Details(ctx context.Context, id uuid.UUID) (task.Details, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var d task.Details
	x := &tx{s: s}
	var err error
	if d.Relations, err = x.Relations(ctx, id); err != nil {
		return d, err
	}
	for _, t := range s.data.tasks {
		if t.ParentID != nil && *t.ParentID == id {
			d.Subtasks = append(d.Subtasks, clone(t))
		}
	}
	for _, c := range s.data.comments {
		if c.TaskID == id {
			d.Comments = append(d.Comments, c)
		}
	}
	slices.SortFunc(d.Comments, func(a, b task.Comment) int { return a.Created.Compare(b.Created) })
	return d, nil
}

// ProgressOf implements task.Reader.
func (s *Store) ProgressOf(_ context.Context, parents []uuid.UUID) (map[uuid.UUID]task.Progress, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[uuid.UUID]task.Progress{}
	for _, t := range s.data.tasks {
		if t.ParentID == nil || t.Trashed != nil || !slices.Contains(parents, *t.ParentID) {
			continue
		}
		p := out[*t.ParentID]
		p.Total++
		if t.Completed != nil {
			p.Done++
		}
		out[*t.ParentID] = p
	}
	return out, nil
}

// TaskHistory implements task.HistoryReader.
func (s *Store) TaskHistory(_ context.Context, id uuid.UUID, before int64, limit int) ([]history.Event, error) {
	events := s.EventsOf(id)
	slices.Reverse(events)
	events = slices.DeleteFunc(events, func(e history.Event) bool { return before > 0 && e.Seq >= before })
	return events[:min(len(events), limit)], nil
}

// EventsAfter implements task.HistoryReader.
func (s *Store) EventsAfter(_ context.Context, projectID uuid.UUID, after int64, limit int) (out []history.Event, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.data.events {
		if e.Pos > after && (projectID == uuid.Nil || e.ProjectID == projectID) && len(out) < limit {
			out = append(out, e)
		}
	}
	return out, nil
}

// LastPos implements task.HistoryReader.
func (s *Store) LastPos(context.Context) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return int64(len(s.data.events)), nil
}

// BoardAt implements task.HistoryReader.
func (s *Store) BoardAt(_ context.Context, key string, at time.Time) (*project.Project, []*task.Task, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := s.projectOf(key)
	if err != nil {
		return nil, nil, err
	}
	tasks := map[uuid.UUID]*task.Task{}
	for id, t := range s.data.tasks {
		if t.ProjectID == p.ID {
			tasks[id] = clone(t)
		}
	}
	for _, e := range slices.Backward(s.data.events) {
		if e.ProjectID != p.ID || !e.Occurred.After(at) {
			continue
		}
		var existed bool
		if e.Aggregate == history.OfProject {
			if existed, err = project.Undo(p, e); err == nil && !existed {
				err = apperr.New(apperr.NotFound, "Project %s did not exist then.", key)
			}
		} else if existed, err = task.Undo(tasks[e.AggregateID], e); err == nil && !existed {
			delete(tasks, e.AggregateID)
		}
		if err != nil {
			return nil, nil, err
		}
	}
	var out []*task.Task
	for _, t := range tasks {
		if t.Trashed == nil {
			out = append(out, t)
		}
	}
	slices.SortFunc(out, func(a, b *task.Task) int { return cmp.Compare(a.Rank, b.Rank) })
	return p, out, nil
}

// CreateProject implements project.Store.
func (s *Store) CreateProject(_ context.Context, w project.Write, p *project.Project) (out *project.Project, err error) {
	err = s.atomically(func() error {
		if s.data.projects[p.Key] != nil {
			return apperr.New(apperr.Conflict, "The key %s is taken.", p.Key)
		}
		s.append(p.TakePending())
		s.data.projects[p.Key] = clone(p)
		out = p
		return s.remember(w, p)
	})
	return out, err
}

// Project implements project.Store.
func (s *Store) Project(_ context.Context, key string) (*project.Project, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.projectOf(key)
}

// Projects implements project.Store.
func (s *Store) Projects(_ context.Context, archived bool) (out []*project.Project, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.data.projects {
		if archived || p.Archived == nil {
			out = append(out, clone(p))
		}
	}
	slices.SortFunc(out, func(a, b *project.Project) int { return cmp.Compare(a.Key, b.Key) })
	return out, nil
}

// UpdateProject implements project.Store.
func (s *Store) UpdateProject(_ context.Context, w project.Write, key string, fn func(*project.Project) error) (out *project.Project, err error) {
	err = s.atomically(func() error {
		p, err := s.projectOf(key)
		if err != nil {
			return err
		}
		if w.IfVersion != 0 && w.IfVersion != p.Version {
			return apperr.New(apperr.Stale, "Project %s has been changed since.", key).WithCurrent(p)
		}
		if err := fn(p); err != nil {
			return err
		}
		for _, t := range s.data.tasks {
			if st, ok := p.State(t.StateID); ok && st.Archived {
				return apperr.New(apperr.Conflict, "The state %q still has tasks.", st.Name)
			}
		}
		s.append(p.TakePending())
		s.data.projects[key] = clone(p)
		out = p
		return nil
	})
	return out, err
}

// Views implements project.ViewStore.
func (s *Store) Views(_ context.Context, projectID, viewer uuid.UUID) (out []project.View, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range s.data.views {
		if v.ProjectID == projectID && (v.Shared || v.Owner == viewer) {
			out = append(out, v)
		}
	}
	slices.SortFunc(out, func(a, b project.View) int { return cmp.Compare(a.Name, b.Name) })
	return out, nil
}

// SaveView implements project.ViewStore.
func (s *Store) SaveView(_ context.Context, w project.Write, v project.View) (project.View, error) {
	err := s.atomically(func() error {
		was, there := s.data.views[v.ID]
		if there && w.IfVersion != 0 && was.Version != w.IfVersion {
			return apperr.New(apperr.Stale, "The view has been changed since.").WithCurrent(was)
		}
		s.data.views[v.ID] = v
		return nil
	})
	return v, err
}

// RemoveView implements project.ViewStore.
func (s *Store) RemoveView(_ context.Context, _ project.Write, _, id uuid.UUID) error {
	return s.atomically(func() error {
		delete(s.data.views, id)
		return nil
	})
}
