package flow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/internal/kit/caller"
	"github.com/tallyboard/tallyboard/services/internal/kit/db"
	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
)

const (
	// lockAttempts is how often a transaction is run that lost against others' locks.
	lockAttempts = 8
	// duplicateAttempts is how often it is run if a unique index refused a rank, or an idempotency key that somebody else
	// has just used.
	duplicateAttempts = 5
	// maxCachedProjects bounds the settings kept in memory.
	maxCachedProjects = 2000
	// DefaultTimeout bounds a call whose context has no deadline, so that no statement waits for ever.
	DefaultTimeout = 30 * time.Second
)

// Flows implements task.Writer, task.ImportStore, project.Store's and project.ViewStore's writing methods.
type Flows struct {
	engine   Engine
	settings settings
	now      func() time.Time
}

// New returns the flows of an engine.
func New(e Engine) *Flows {
	return &Flows{engine: e, settings: settings{projects: map[uuid.UUID]*project.Project{}}, now: history.Now}
}

// Bounded returns ctx with a deadline.
func Bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, DefaultTimeout)
}

// transaction runs fn until it is committed or fails for a reason of its own. attempt counts from 0 the runs behind a
// refused duplicate. Errors are classified; op says what was attempted.
func (f *Flows) transaction(ctx context.Context, op string, fn func(ctx context.Context, tx Tx, attempt int) error) error {
	ctx, cancel := Bounded(ctx)
	defer cancel()
	for attempt := 0; ; attempt++ {
		err := db.RetryTx(ctx, lockAttempts, func(ctx context.Context) error {
			return f.engine.Transaction(ctx, func(ctx context.Context, tx Tx) error {
				if err := fn(ctx, tx, attempt); err != nil {
					return err
				}
				return caller.Present(ctx) // now that all locks are held: see there
			})
		})
		switch {
		case err == nil:
			return nil
		case db.IsDuplicate(err) && attempt < duplicateAttempts:
			continue
		case db.IsDuplicate(err):
			return apperr.Wrap(err, apperr.Conflict, "Somebody else changed the same thing at the same time. Try again.")
		case db.IsForeignKey(err):
			return apperr.Wrap(err, apperr.Unprocessable, "A person or project that this names is not known.")
		}
		return Classify(op, err)
	}
}

// Classify makes the driver's errors what callers can act on, and says what was attempted.
func Classify(op string, err error) error {
	if err == nil {
		return nil
	}
	if classified := db.Classify(err); classified != err { //nolint:errorlint // identity: unclassified errors come back as they are
		return classified
	}
	if _, ok := apperr.As(err); ok {
		return err
	}
	return fmt.Errorf("%s: %w", op, err)
}

// settings keeps each project's settings at the newest version seen. What it holds is never changed.
type settings struct {
	mu       sync.RWMutex
	projects map[uuid.UUID]*project.Project
}

func (s *settings) at(id uuid.UUID, version int64) *project.Project {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if p := s.projects[id]; p != nil && p.Version == version {
		return p
	}
	return nil
}

func (s *settings) put(p *project.Project) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if old := s.projects[p.ID]; old != nil && old.Version >= p.Version {
		return
	}
	if len(s.projects) >= maxCachedProjects {
		for id := range s.projects { // any one: it is read again when needed
			delete(s.projects, id)
			break
		}
	}
	s.projects[p.ID] = p
}

// settingsAt returns the settings of a version that the transaction holds against change. Seq may be older.
func (f *Flows) settingsAt(ctx context.Context, tx Tx, id uuid.UUID, version int64) (*project.Project, error) {
	if p := f.settings.at(id, version); p != nil {
		return p, nil
	}
	p, err := tx.Settings(ctx, id)
	if err != nil {
		return nil, err
	}
	if p.Version != version {
		return nil, fmt.Errorf("project %s: its row has version %d, its lock %d", p.Key, p.Version, version)
	}
	f.settings.put(p)
	return p, nil
}

// stamp fills what events take from the request: trace and time of writing.
func (f *Flows) stamp(ctx context.Context, events []history.Event) []history.Event {
	trace := telemetry.Traceparent(ctx)
	for i := range events {
		if events[i].Traceparent == "" {
			events[i].Traceparent = trace
		}
		if events[i].Recorded.IsZero() {
			events[i].Recorded = f.now()
		}
	}
	return events
}

// errKeyReused answers a key that was used for something else.
func errKeyReused() error {
	e := apperr.InvalidField("Idempotency-Key", "was used for another request; make a new key for each request")
	e.Code = apperr.Unprocessable
	return e
}

// replayed decodes the answer of an earlier request with the same key into v; found is false if the key is new.
func replayed(ctx context.Context, tx Tx, w project.Write, v any) (found bool, err error) {
	if w.Key == "" {
		return false, nil
	}
	rs, err := tx.Replays(ctx, w.Actor, []string{w.Key})
	if err != nil || len(rs) == 0 {
		return false, err
	}
	if rs[0].Request != w.RequestHash {
		return false, errKeyReused()
	}
	if err := json.Unmarshal(rs[0].Result, v); err != nil {
		return false, fmt.Errorf("read the answer of an earlier request: %w", err)
	}
	return true, nil
}

// remember writes the answer of a request with a key.
func (f *Flows) remember(ctx context.Context, tx Tx, w project.Write, answer any) error {
	if w.Key == "" {
		return nil
	}
	r, err := f.replay(w, answer)
	if err != nil {
		return err
	}
	return tx.InsertReplays(ctx, []Replay{r})
}

func (f *Flows) replay(w project.Write, answer any) (Replay, error) {
	result, err := json.Marshal(answer)
	if err != nil {
		return Replay{}, fmt.Errorf("keep the answer of a request: %w", err)
	}
	return Replay{Actor: w.Actor, Key: w.Key, Request: w.RequestHash, Result: result, Created: f.now()}, nil
}

// ended reports whether a request is over before its work has begun. It must be asked under the locks: see package caller.
func ended(ctx context.Context) error {
	if ctx == nil || ctx.Err() == nil {
		return caller.Present(ctx)
	}
	return db.Classify(errors.Join(ctx.Err(), context.Cause(ctx)))
}

// Cached returns a copy of a project's settings at a version, or nil if they have to be read.
func (f *Flows) Cached(id uuid.UUID, version int64) *project.Project {
	if p := f.settings.at(id, version); p != nil {
		return Clone(p)
	}
	return nil
}

// Keep remembers settings that were read in one snapshot.
func (f *Flows) Keep(p *project.Project) { f.settings.put(Clone(p)) }
