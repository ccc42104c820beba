package project

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/task-service/internal/account"
)

// Deps are what a Service works with. Clock, Wake and CacheTTL may be left out.
type Deps struct {
	Store    Store
	Views    ViewStore
	People   People           // account.Store
	Clock    func() time.Time // nil: history.Now
	Wake     func()           // called after each commit that wrote events
	CacheTTL time.Duration    // how old settings from Recent may be; 0: 1 s
}

// People is what the service needs to know of people; account.Store has it.
type People interface {
	People(ctx context.Context) ([]account.Person, error)
}

// Service holds the use cases of projects and views.
type Service struct{ d Deps }

func NewService(d Deps) *Service { return &Service{d: d} }

func (s *Service) Create(ctx context.Context, w Write, in New) (*Project, error) { panic("x") }

// Get (also named Project, as task.Projects wants it) returns a project by key, ignoring case; apperr.NotFound.
func (s *Service) Get(ctx context.Context, key string) (*Project, error)           { panic("x") }
func (s *Service) Project(ctx context.Context, key string) (*Project, error)       { panic("x") }
func (s *Service) Recent(ctx context.Context, key string) (*Project, error)        { panic("x") }
func (s *Service) List(ctx context.Context, archived bool) ([]*Project, error)     { panic("x") }
func (s *Service) Projects(ctx context.Context, archived bool) ([]*Project, error) { panic("x") }
func (s *Service) Change(ctx context.Context, w Write, key string, ch Patch) (*Project, error) {
	panic("x")
}
func (s *Service) AddState(ctx context.Context, w Write, key string, in NewState) (*Project, State, error) {
	panic("x")
}
func (s *Service) ChangeState(ctx context.Context, w Write, key string, id uuid.UUID, ch StatePatch) (*Project, State, error) {
	panic("x")
}
func (s *Service) MoveState(ctx context.Context, w Write, key string, id uuid.UUID, position int) (*Project, error) {
	panic("x")
}
func (s *Service) ArchiveState(ctx context.Context, w Write, key string, id uuid.UUID) (*Project, error) {
	panic("x")
}
func (s *Service) AddLabel(ctx context.Context, w Write, key string, in NewLabel) (*Project, Label, error) {
	panic("x")
}
func (s *Service) ChangeLabel(ctx context.Context, w Write, key string, id uuid.UUID, ch LabelPatch) (*Project, Label, error) {
	panic("x")
}
func (s *Service) RemoveLabel(ctx context.Context, w Write, key string, id uuid.UUID) (*Project, error) {
	panic("x")
}
func (s *Service) SetMember(ctx context.Context, w Write, key string, person uuid.UUID, role string) (*Project, error) {
	panic("x")
}
func (s *Service) RemoveMember(ctx context.Context, w Write, key string, person uuid.UUID) (*Project, error) {
	panic("x")
}

// AddStates and AddLabels add many at once, for imports; names that exist are left as they are.
func (s *Service) AddStates(ctx context.Context, w Write, key string, in []NewState) (*Project, error) {
	panic("x")
}
func (s *Service) AddLabels(ctx context.Context, w Write, key string, in []NewLabel) (*Project, error) {
	panic("x")
}
func (s *Service) ListViews(ctx context.Context, key string, viewer uuid.UUID) ([]View, error) {
	panic("x")
}
func (s *Service) AddView(ctx context.Context, w Write, key string, in ViewInput) (View, error) {
	panic("x")
}
func (s *Service) ReplaceView(ctx context.Context, w Write, ref ViewRef, in ViewInput) (View, error) {
	panic("x")
}
func (s *Service) RemoveView(ctx context.Context, w Write, ref ViewRef) error { panic("x") }
