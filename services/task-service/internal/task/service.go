package task

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/account"
	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
)

// Projects is what the service needs to know of projects; project.Service and project.Store have it. If it also has
// project.Service's Recent, filters are resolved with settings up to a second old, and with fresh ones where a name is
// not found.
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

// Service holds the use cases of tasks. Callers have checked rights before; Write.Actor is trusted. Each method that
// changes something is one transaction; replayed tells that the idempotency key had been used for the same request
// before, and the answer is the one of then.
type Service struct {
	d         Deps
	creates   *batcher
	directory *account.Directory
}

// NewService returns a service. Close it to drain its queues.
func NewService(d Deps) *Service {
	if d.Clock == nil {
		d.Clock = history.Now
	}
	if d.Wake == nil {
		d.Wake = func() {}
	}
	return &Service{d: d, creates: newBatcher(d.Batch, d.Writer.CreateTasks), directory: account.NewDirectory(d.People.People)}
}

// Close refuses new creates and waits until those under way are answered, or ctx ends.
func (s *Service) Close(ctx context.Context) error { return s.creates.close(ctx) }

// env returns what rules need, with the people known that ids name.
func (s *Service) env(p *project.Project, w Write, known func(uuid.UUID) bool) Env {
	return Env{Project: p, Actor: w.Actor, Now: s.d.Clock(), Known: known, Canonical: s.d.Recurrer.Canonical}
}

// known looks people up before a transaction begins, so that none waits for another pool connection inside of one.
func (s *Service) known(ctx context.Context, lists ...[]uuid.UUID) (func(uuid.UUID) bool, error) {
	var ids []uuid.UUID
	for _, l := range lists {
		ids = append(ids, l...)
	}
	return s.directory.Known(ctx, ids)
}

// update runs one change of one task.
func (s *Service) update(ctx context.Context, w Write, ref Ref, fn func(ctx context.Context, tx Tx, t *Task) error) (*Task, bool, error) {
	t, replayed, err := s.d.Writer.UpdateTask(ctx, w, ref, fn)
	if err == nil && !replayed {
		s.d.Wake()
	}
	return t, replayed, err
}

// ParseRef reads a task id or a key such as WEB-42, ignoring case. Anything else names no task: apperr.NotFound.
func ParseRef(text string) (Ref, error) {
	if len(text) == 36 {
		if id, err := uuid.Parse(text); err == nil {
			return Ref{ID: id}, nil
		}
	}
	key, number, ok := strings.Cut(text, "-")
	if ok && len(number) > 0 && len(number) <= 18 && number[0] >= '1' && number[0] <= '9' {
		if n, err := strconv.ParseInt(number, 10, 64); err == nil {
			if key, err := project.CleanKey(key); err == nil {
				return Ref{Key: key, Number: n}, nil
			}
		}
	}
	return Ref{}, apperr.New(apperr.NotFound, "There is no task %q.", shorten(text))
}

// String returns the ref as ParseRef reads it.
func (r Ref) String() string {
	if r.ID != uuid.Nil {
		return r.ID.String()
	}
	return r.Key + "-" + strconv.FormatInt(r.Number, 10)
}

func (r Ref) names(t *Task) bool {
	if r.ID != uuid.Nil {
		return r.ID == t.ID
	}
	return r.Number == t.Number && strings.EqualFold(r.Key, t.ProjectKey)
}
