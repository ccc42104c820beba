package project

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/account"
	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
)

// People is what the service needs to know of people; account.Store has it.
type People interface {
	People(ctx context.Context) ([]account.Person, error)
}

// Deps are what a Service works with. Clock, Wake and CacheTTL may be left out.
type Deps struct {
	Store    Store
	Views    ViewStore
	People   People
	Clock    func() time.Time // nil: history.Now
	Wake     func()           // called after each commit that may have written events; nil: nothing
	CacheTTL time.Duration    // how old settings from Recent may be; 0: 1 s
}

// Service holds the use cases of projects and views. Callers have checked rights before; Write.Actor is trusted.
// Methods that change settings return the project as it is then. Their errors: apperr.Invalid for a field, Conflict for a
// name that is taken and for an archived project, Unprocessable for a broken rule, Stale if w.IfVersion is another
// version, NotFound.
type Service struct {
	d         Deps
	directory *account.Directory

	mu     sync.Mutex
	recent map[string]cached
}

type cached struct {
	project *Project
	read    time.Time
}

// maxCached bounds the projects Recent keeps; beyond, it forgets all.
const maxCached = 1000

// NewService returns a service.
func NewService(d Deps) *Service {
	if d.Clock == nil {
		d.Clock = history.Now
	}
	if d.Wake == nil {
		d.Wake = func() {}
	}
	if d.CacheTTL <= 0 {
		d.CacheTTL = time.Second
	}
	return &Service{d: d, directory: account.NewDirectory(d.People.People), recent: map[string]cached{}}
}

func (s *Service) by(w Write) By { return By{Actor: w.Actor, Now: s.d.Clock()} }

// Create makes a project; the actor becomes an owner. apperr.Conflict if the key is taken.
func (s *Service) Create(ctx context.Context, w Write, in New) (*Project, error) {
	for _, m := range in.Members {
		if err := s.exists(ctx, m.PersonID); err != nil {
			return nil, err
		}
	}
	p, err := Make(s.by(w), in)
	if err != nil {
		return nil, err
	}
	if p, err = s.d.Store.CreateProject(ctx, w, p); err != nil {
		return nil, err
	}
	s.d.Wake()
	return p, nil
}

func (s *Service) exists(ctx context.Context, person uuid.UUID) error {
	known, err := s.directory.Known(ctx, []uuid.UUID{person})
	if err != nil {
		return err
	}
	if !known(person) {
		return apperr.InvalidField("person", "there is no person %s", person)
	}
	return nil
}

// Get returns a project by key, ignoring case; apperr.NotFound.
func (s *Service) Get(ctx context.Context, key string) (*Project, error) {
	return s.d.Store.Project(ctx, strings.ToUpper(key))
}

// Project is Get, under the name that task.Projects wants.
func (s *Service) Project(ctx context.Context, key string) (*Project, error) { return s.Get(ctx, key) }

// Recent returns a project that may be as old as Deps.CacheTTL. It is shared: do not change it. For what happens on every
// request, such as finding the id of a key.
func (s *Service) Recent(ctx context.Context, key string) (*Project, error) {
	key = strings.ToUpper(key)
	s.mu.Lock()
	c, ok := s.recent[key]
	s.mu.Unlock()
	if ok && time.Since(c.read) < s.d.CacheTTL {
		return c.project, nil
	}
	at := time.Now()
	p, err := s.d.Store.Project(ctx, key)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.recent) >= maxCached {
		clear(s.recent)
	}
	s.recent[key] = cached{p, at}
	return p, nil
}

func (s *Service) forget(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.recent, strings.ToUpper(key))
}

// List returns all projects by key; archived ones only if asked for.
func (s *Service) List(ctx context.Context, archived bool) ([]*Project, error) {
	return s.d.Store.Projects(ctx, archived)
}

// Projects is List, under the name that task.Projects wants.
func (s *Service) Projects(ctx context.Context, archived bool) ([]*Project, error) {
	return s.List(ctx, archived)
}

// update runs one change of settings.
func (s *Service) update(ctx context.Context, w Write, key string, fn func(p *Project) error) (*Project, error) {
	p, err := s.d.Store.UpdateProject(ctx, w, strings.ToUpper(key), fn)
	if err != nil {
		return nil, err
	}
	s.forget(key)
	s.d.Wake()
	return p, nil
}

// edit is update for what an archived project refuses.
func (s *Service) edit(ctx context.Context, w Write, key string, fn func(p *Project) error) (*Project, error) {
	return s.update(ctx, w, key, func(p *Project) error { return p.Edit(s.by(w), fn) })
}

// Change changes name, description, or whether the project is archived (read-only).
func (s *Service) Change(ctx context.Context, w Write, key string, ch Patch) (*Project, error) {
	return s.update(ctx, w, key, func(p *Project) error { return p.Apply(s.by(w), ch) })
}

// AddState adds a column.
func (s *Service) AddState(ctx context.Context, w Write, key string, in NewState) (*Project, State, error) {
	p, err := s.edit(ctx, w, key, func(p *Project) error { return p.addState(in) })
	if err != nil {
		return nil, State{}, err
	}
	added, _ := p.StateNamed(in.Name) // by name, because a replayed request has not come past addState
	return p, added, nil
}

// ChangeState renames, moves, limits, archives or reopens a column. Its category never changes. A state that still has
// tasks, trashed ones included, cannot be archived: apperr.Conflict.
func (s *Service) ChangeState(ctx context.Context, w Write, key string, id uuid.UUID, ch StatePatch) (*Project, State, error) {
	p, err := s.edit(ctx, w, key, func(p *Project) error { return p.changeState(id, ch) })
	if err != nil {
		return nil, State{}, err
	}
	changed, _ := p.State(id) // changeState has found it
	return p, changed, nil
}

// MoveState puts a column at a 0-based position among those not archived.
func (s *Service) MoveState(ctx context.Context, w Write, key string, id uuid.UUID, position int) (*Project, error) {
	p, _, err := s.ChangeState(ctx, w, key, id, StatePatch{Position: &position})
	return p, err
}

// ArchiveState archives a column without tasks.
func (s *Service) ArchiveState(ctx context.Context, w Write, key string, id uuid.UUID) (*Project, error) {
	archived := true
	p, _, err := s.ChangeState(ctx, w, key, id, StatePatch{Archived: &archived})
	return p, err
}

// AddLabel adds a label.
func (s *Service) AddLabel(ctx context.Context, w Write, key string, in NewLabel) (*Project, Label, error) {
	p, err := s.edit(ctx, w, key, func(p *Project) error { return p.addLabel(in) })
	if err != nil {
		return nil, Label{}, err
	}
	added, _ := p.LabelNamed(in.Name) // as in AddState
	return p, added, nil
}

// ChangeLabel renames, recolours or moves a label.
func (s *Service) ChangeLabel(ctx context.Context, w Write, key string, id uuid.UUID, ch LabelPatch) (*Project, Label, error) {
	p, err := s.edit(ctx, w, key, func(p *Project) error { return p.changeLabel(id, ch) })
	if err != nil {
		return nil, Label{}, err
	}
	changed, _ := p.Label(id) // changeLabel has found it
	return p, changed, nil
}

// RemoveLabel removes a label. Tasks keep its id, which nothing shows any more.
func (s *Service) RemoveLabel(ctx context.Context, w Write, key string, id uuid.UUID) (*Project, error) {
	return s.edit(ctx, w, key, func(p *Project) error { return p.removeLabel(id) })
}

// AddStates adds columns, for imports; a name that exists is left as it is.
func (s *Service) AddStates(ctx context.Context, w Write, key string, in []NewState) (*Project, error) {
	return s.update(ctx, w, key, func(p *Project) error { return p.AddStates(s.by(w), in) })
}

// AddLabels adds labels, for imports; a name that exists is left as it is.
func (s *Service) AddLabels(ctx context.Context, w Write, key string, in []NewLabel) (*Project, error) {
	return s.update(ctx, w, key, func(p *Project) error { return p.AddLabels(s.by(w), in) })
}

// SetMember makes a person a member, or changes their role. The last owner keeps theirs.
func (s *Service) SetMember(ctx context.Context, w Write, key string, person uuid.UUID, role string) (*Project, error) {
	if err := s.exists(ctx, person); err != nil {
		return nil, err
	}
	return s.edit(ctx, w, key, func(p *Project) error { return p.setMember(person, role) })
}

// RemoveMember takes a person out of the project; their tasks stay theirs.
func (s *Service) RemoveMember(ctx context.Context, w Write, key string, person uuid.UUID) (*Project, error) {
	return s.edit(ctx, w, key, func(p *Project) error { return p.removeMember(person) })
}

// MemberRole returns the role of a person; ok is false for people who are no members.
func (p *Project) MemberRole(person uuid.UUID) (role string, ok bool) {
	i := slices.IndexFunc(p.Members, func(m Member) bool { return m.PersonID == person })
	if i < 0 {
		return "", false
	}
	return p.Members[i].Role, true
}
