package task

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/task-service/internal/account"
	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
)

// Projects is what the service needs to know of projects; project.Service and project.Store have it.
type Projects interface {
	Project(ctx context.Context, key string) (*project.Project, error)
	Projects(ctx context.Context, archived bool) ([]*project.Project, error)
}

// People is what the service needs to know of people; account.Store has it.
type People interface {
	People(ctx context.Context) ([]account.Person, error)
}

// Recurrer understands recurrence rules; recur.Rules is one.
type Recurrer interface {
	// Canonical checks an RRULE and returns it in canonical form; errors are apperr.Invalid for the field recurrence.
	Canonical(rule string) (string, error)
	// Next returns the due date of the occurrence that follows one due at due (empty: completed counts instead) and
	// completed on the day completed, and the rule that is left from there on. ok is false if the series has ended.
	Next(rule string, due, completed Date) (next Date, rest string, ok bool, err error)
}

// Deps are what a Service works with. All but Clock, Wake and Batch are required.
type Deps struct {
	Writer   Writer
	Reader   Reader
	History  HistoryReader
	Projects Projects
	People   People
	Recurrer Recurrer
	Clock    func() time.Time // nil: history.Now
	Wake     func()           // called after each commit that may have written events; nil: nothing
	Batch    BatchConfig      // zero fields: defaults
}

// Service holds the use cases of tasks. Callers have checked rights before; Write.Actor is trusted.
type Service struct {
	d Deps
}

// NewService returns a service. Close it to drain its queues.
func NewService(d Deps) *Service { return &Service{d: d} }

// BatchConfig bounds the group commit of creates.
type BatchConfig struct {
	Workers  int `env:"CREATE_WORKERS" envDefault:"2"`      // transactions at once per project
	MaxBatch int `env:"CREATE_MAX_BATCH" envDefault:"128"`  // drafts per transaction
	MaxQueue int `env:"CREATE_MAX_QUEUE" envDefault:"4096"` // waiting drafts per project; beyond: apperr.Unavailable
}

func (s *Service) Close(ctx context.Context) error { panic("x") }

func (s *Service) Create(ctx context.Context, w Write, projectKey string, in New) (t *Task, replayed bool, err error) {
	panic("x")
}

func (s *Service) QuickAdd(ctx context.Context, w Write, projectKey, text string, v Viewer) (t *Task, replayed bool, err error) {
	panic("x")
}

func (s *Service) ParseQuick(ctx context.Context, projectKey, text string, v Viewer) (QuickPreview, error) {
	panic("x")
}

func (s *Service) Change(ctx context.Context, w Write, ref Ref, ch Patch) (t *Task, replayed bool, err error) {
	panic("x")
}

func (s *Service) Move(ctx context.Context, w Write, ref Ref, m Move) (t *Task, replayed bool, err error) {
	panic("x")
}

func (s *Service) Trash(ctx context.Context, w Write, ref Ref) (t *Task, replayed bool, err error) {
	panic("x")
}

func (s *Service) Restore(ctx context.Context, w Write, ref Ref) (t *Task, replayed bool, err error) {
	panic("x")
}

func (s *Service) Bulk(ctx context.Context, w Write, projectKey string, b BulkEdit) (ts []*Task, replayed bool, err error) {
	panic("x")
}

func (s *Service) AddComment(ctx context.Context, w Write, ref Ref, body string) (c Comment, replayed bool, err error) {
	panic("x")
}

func (s *Service) EditComment(ctx context.Context, w Write, ref Ref, id uuid.UUID, body string) (c Comment, replayed bool, err error) {
	panic("x")
}

func (s *Service) RemoveComment(ctx context.Context, w Write, ref Ref, id uuid.UUID) (replayed bool, err error) {
	panic("x")
}

// Relate: kind is blocks, blocked-by, relates, duplicates or duplicated-by, as seen from ref.
func (s *Service) Relate(ctx context.Context, w Write, ref Ref, kind string, other Ref) (t *Task, replayed bool, err error) {
	panic("x")
}

func (s *Service) Unrelate(ctx context.Context, w Write, ref Ref, kind string, other Ref) (t *Task, replayed bool, err error) {
	panic("x")
}

func (s *Service) Get(ctx context.Context, ref Ref) (*Task, error) { panic("x") }

func (s *Service) List(ctx context.Context, in ListInput) (Page, error) { panic("x") }

func (s *Service) Count(ctx context.Context, in ListInput) (int64, error) { panic("x") }

func (s *Service) Details(ctx context.Context, ref Ref) (*Task, Details, error) { panic("x") }

func (s *Service) History(ctx context.Context, ref Ref, beforeSeq int64, limit int) ([]history.Event, error) {
	panic("x")
}

func (s *Service) Events(ctx context.Context, projectID uuid.UUID, after int64, limit int) ([]history.Event, error) {
	panic("x")
}

func (s *Service) LastPos(ctx context.Context) (int64, error) { panic("x") }

func (s *Service) Board(ctx context.Context, in BoardInput) (Board, error) { panic("x") }

func (s *Service) Progress(ctx context.Context, parents []uuid.UUID) (map[uuid.UUID]Progress, error) {
	panic("x")
}

// ParseRef reads a task id or a key such as WEB-42 (case-insensitive); apperr.NotFound for anything else.
func ParseRef(s string) (Ref, error) { panic("x") }
