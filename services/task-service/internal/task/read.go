package task

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/account"
	"github.com/tallyboard/tallyboard/services/task-service/internal/filter"
	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
)

// Limits of reading history.
const (
	MaxEvents     = 1000
	DefaultEvents = 50
	boardPage     = 1000 // tasks read at once for a board
)

// Get returns a task, also from the trash; apperr.NotFound.
func (s *Service) Get(ctx context.Context, ref Ref) (*Task, error) { return s.d.Reader.Task(ctx, ref) }

// List returns a page of tasks. Errors: apperr.Invalid for filter (with position), sort, limit and cursor, NotFound for
// a project.
func (s *Service) List(ctx context.Context, in ListInput) (Page, error) {
	q, err := s.query(ctx, in)
	if err != nil {
		return Page{}, err
	}
	return s.d.Reader.ListTasks(ctx, q)
}

// Count returns how many tasks a list has over all its pages.
func (s *Service) Count(ctx context.Context, in ListInput) (int64, error) {
	in.After = nil
	q, err := s.query(ctx, in)
	if err != nil {
		return 0, err
	}
	return s.d.Reader.CountTasks(ctx, q)
}

// query resolves a list's names. Settings may be a second old; a name they do not have is looked for in fresh ones.
func (s *Service) query(ctx context.Context, in ListInput) (Query, error) {
	q := Query{Trashed: in.Trashed, Limit: in.Limit, After: in.After}
	var err error
	if q.Sort.Field, q.Sort.Descending, err = filter.ParseSort(in.Sort); err != nil {
		return q, err
	}
	if q.Limit == 0 {
		q.Limit = DefaultPage
	}
	if q.Limit < 1 || q.Limit > MaxPage {
		return q, apperr.InvalidField("limit", "must be a number from 1 to %d", MaxPage)
	}
	if q.After != nil && q.After.Sort != q.Sort {
		return q, apperr.InvalidField("cursor", "belongs to a list with another sort")
	}
	expr, err := filter.Parse(in.Filter)
	if err != nil {
		return q, err
	}
	projects, fresh, err := s.scope(ctx, in, false)
	if err != nil {
		return q, err
	}
	q.Where, err = s.resolve(ctx, expr, projects, in.Viewer)
	if apperr.Is(err, apperr.Invalid) && !fresh {
		if projects, _, err = s.scope(ctx, in, true); err != nil {
			return q, err
		}
		q.Where, err = s.resolve(ctx, expr, projects, in.Viewer)
	}
	if err != nil {
		return q, err
	}
	if in.Project != "" {
		q.ProjectID = projects[0].ID
		return q, nil
	}
	q.Projects = make([]uuid.UUID, len(projects))
	for i, p := range projects {
		q.Projects[i] = p.ID
	}
	return q, nil
}

// scope returns the projects of a list; isFresh tells that they have just been read.
func (s *Service) scope(ctx context.Context, in ListInput, fresh bool) (projects []*project.Project, isFresh bool, err error) {
	if in.Project == "" && len(in.Projects) == 0 {
		projects, err = s.d.Projects.Projects(ctx, false)
		return projects, true, err
	}
	keys := in.Projects
	if in.Project != "" {
		keys = []string{in.Project}
	}
	read := s.recent
	if fresh {
		read = func(ctx context.Context, key string) (*project.Project, error) {
			return s.d.Projects.Project(ctx, strings.ToUpper(key))
		}
	}
	for _, key := range keys {
		p, err := read(ctx, key)
		if err != nil {
			return nil, false, err
		}
		projects = append(projects, p)
	}
	return projects, fresh, nil
}

// recent returns settings that may be a second old, where Projects has such.
func (s *Service) recent(ctx context.Context, key string) (*project.Project, error) {
	key = strings.ToUpper(key)
	if r, ok := s.d.Projects.(interface {
		Recent(ctx context.Context, key string) (*project.Project, error)
	}); ok {
		return r.Recent(ctx, key)
	}
	return s.d.Projects.Project(ctx, key)
}

func (v Viewer) zone() *time.Location {
	if v.Zone == nil {
		return time.UTC
	}
	return v.Zone
}

func (s *Service) resolve(ctx context.Context, e filter.Expr, projects []*project.Project, v Viewer) ([]Condition, error) {
	if len(e.Terms) == 0 {
		return nil, nil
	}
	return Resolve(e, Scope{
		Projects: projects, Me: v.Person, Now: s.d.Clock(), Zone: v.zone(),
		People: func() ([]account.Person, error) { return s.directory.People(ctx) },
		Task: func(ref Ref) (uuid.UUID, error) {
			t, err := s.d.Reader.Task(ctx, ref)
			if err != nil {
				return uuid.Nil, err
			}
			for _, p := range projects { // a task of another project must not be known to exist
				if p.ID == t.ProjectID {
					return t.ID, nil
				}
			}
			return uuid.Nil, apperr.New(apperr.NotFound, "There is no task %s.", ref)
		},
	})
}

// Details returns a task with what its panel shows.
func (s *Service) Details(ctx context.Context, ref Ref) (*Task, Details, error) {
	t, err := s.d.Reader.Task(ctx, ref)
	if err != nil {
		return nil, Details{}, err
	}
	d, err := s.d.Reader.Details(ctx, t.ID)
	return t, d, err
}

// History returns events of a task with seq < beforeSeq (0: the newest), newest first; limit 0 is DefaultEvents.
func (s *Service) History(ctx context.Context, ref Ref, beforeSeq int64, limit int) ([]history.Event, error) {
	limit, err := eventLimit(limit)
	if err != nil {
		return nil, err
	}
	id := ref.ID
	if id == uuid.Nil {
		t, err := s.d.Reader.Task(ctx, ref)
		if err != nil {
			return nil, err
		}
		id = t.ID
	}
	return s.d.History.TaskHistory(ctx, id, beforeSeq, limit)
}

func eventLimit(limit int) (int, error) {
	if limit == 0 {
		limit = DefaultEvents
	}
	if limit < 1 || limit > MaxEvents {
		return 0, apperr.InvalidField("limit", "must be a number from 1 to %d", MaxEvents)
	}
	return limit, nil
}

// Events returns positioned events behind a position, in order; uuid.Nil: of all projects.
func (s *Service) Events(ctx context.Context, projectID uuid.UUID, after int64, limit int) ([]history.Event, error) {
	limit, err := eventLimit(limit)
	if err != nil {
		return nil, err
	}
	return s.d.History.EventsAfter(ctx, projectID, after, limit)
}

// LastPos returns the highest position given so far.
func (s *Service) LastPos(ctx context.Context) (int64, error) { return s.d.History.LastPos(ctx) }

// Progress returns the progress of the subtasks of each task.
func (s *Service) Progress(ctx context.Context, parents []uuid.UUID) (map[uuid.UUID]Progress, error) {
	if len(parents) == 0 {
		return map[uuid.UUID]Progress{}, nil
	}
	return s.d.Reader.ProgressOf(ctx, parents)
}

// Board returns a project with its tasks in order of rank, now or at a moment of the past. A moment that is not past yet
// is now; before the project existed there is apperr.NotFound.
func (s *Service) Board(ctx context.Context, in BoardInput) (Board, error) {
	if !in.At.IsZero() && in.At.Before(s.d.Clock()) {
		return s.pastBoard(ctx, in)
	}
	pos, err := s.d.History.LastPos(ctx) // before the tasks: what comes later is sent again rather than missed
	if err != nil {
		return Board{}, err
	}
	p, err := s.d.Projects.Project(ctx, strings.ToUpper(in.Project))
	if err != nil {
		return Board{}, err
	}
	q, err := s.query(ctx, ListInput{Project: in.Project, Filter: in.Filter, Viewer: in.Viewer})
	if err != nil {
		return Board{}, err
	}
	b := Board{Project: p, Pos: pos}
	for {
		q.Limit = min(boardPage, MaxBoard+1-len(b.Tasks))
		page, err := s.d.Reader.ListTasks(ctx, q)
		if err != nil {
			return Board{}, err
		}
		b.Tasks = append(b.Tasks, page.Tasks...)
		if len(b.Tasks) > MaxBoard {
			b.Tasks, b.Truncated = b.Tasks[:MaxBoard], true
			return b, nil
		}
		if page.Next == nil {
			return b, nil
		}
		q.After = page.Next
	}
}

func (s *Service) pastBoard(ctx context.Context, in BoardInput) (Board, error) {
	expr, err := filter.Parse(in.Filter)
	if err != nil {
		return Board{}, err
	}
	pos, err := s.d.History.LastPos(ctx)
	if err != nil {
		return Board{}, err
	}
	p, tasks, err := s.d.History.BoardAt(ctx, strings.ToUpper(in.Project), in.At)
	if err != nil {
		return Board{}, err
	}
	where, err := s.resolve(ctx, expr, []*project.Project{p}, in.Viewer)
	if err != nil {
		return Board{}, err
	}
	today := DateOf(in.At.In(in.Viewer.zone())) // overdue then, not now
	for i := range where {
		where[i].Today = today
	}
	b := Board{Project: p, Pos: pos}
	for _, t := range tasks {
		is, err := Matches(where, t, p)
		if err != nil {
			return Board{}, err
		}
		if !is {
			continue
		}
		if len(b.Tasks) == MaxBoard {
			b.Truncated = true
			break
		}
		b.Tasks = append(b.Tasks, t)
	}
	return b, nil
}
