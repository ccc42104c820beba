// Package tasktest has an in-memory store for tests of rules and services, where no database is the subject. It keeps the
// contracts of task.Writer, Reader, HistoryReader and ImportStore and of project.Store and ViewStore; every method is one
// transaction under one lock, and a failed one changes nothing.
package tasktest

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/account"
	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
	"github.com/tallyboard/tallyboard/services/task-service/internal/rank"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// Store keeps everything in memory.
type Store struct {
	mu   sync.Mutex
	data data

	Transactions int // committed by CreateTasks and ImportTasks
}

type data struct {
	people    []account.Person
	projects  map[string]*project.Project
	tasks     map[uuid.UUID]*task.Task
	events    []history.Event
	comments  map[uuid.UUID]task.Comment
	relations []task.Relation
	views     map[uuid.UUID]project.View
	numbers   map[uuid.UUID]int64
	answers   map[string]answer
}

type answer struct {
	hash [32]byte
	json []byte
}

var (
	_ task.Writer        = (*Store)(nil)
	_ task.Reader        = (*Store)(nil)
	_ task.HistoryReader = (*Store)(nil)
	_ task.ImportStore   = (*Store)(nil)
	_ project.Store      = (*Store)(nil)
	_ project.ViewStore  = (*Store)(nil)
	_ account.Store      = (*Store)(nil)
)

// New returns a store with the given people.
func New(people ...account.Person) *Store {
	return &Store{data: data{
		people: people, projects: map[string]*project.Project{}, tasks: map[uuid.UUID]*task.Task{}, comments: map[uuid.UUID]task.Comment{},
		views: map[uuid.UUID]project.View{}, numbers: map[uuid.UUID]int64{}, answers: map[string]answer{},
	}}
}

// clone copies a value through JSON, as a real store does.
func clone[T any](v *T) *T {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("tasktest: %T cannot be stored: %v", v, err))
	}
	out := new(T)
	if err := json.Unmarshal(b, out); err != nil {
		panic(fmt.Sprintf("tasktest: %T cannot be read back: %v", v, err))
	}
	return out
}

// atomically runs fn under the lock and takes everything back if it fails.
func (s *Store) atomically(fn func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.data
	before := data{
		people: slices.Clone(d.people), projects: maps.Clone(d.projects), tasks: maps.Clone(d.tasks), events: slices.Clone(d.events),
		comments: maps.Clone(d.comments), relations: slices.Clone(d.relations), views: maps.Clone(d.views), numbers: maps.Clone(d.numbers),
		answers: maps.Clone(d.answers),
	}
	err := fn()
	if err != nil {
		s.data = before
	}
	return err
}

// replay returns the answer of an idempotency key that was used before.
func (s *Store) replay(w task.Write, v any) (bool, error) {
	a, used := s.data.answers[w.Actor.String()+w.Key]
	switch {
	case w.Key == "" || !used:
		return false, nil
	case a.hash != w.RequestHash:
		return false, apperr.New(apperr.Unprocessable, "The idempotency key was used for another request.")
	}
	return true, json.Unmarshal(a.json, v)
}

func (s *Store) remember(w task.Write, v any) error {
	if w.Key == "" {
		return nil
	}
	b, err := json.Marshal(v)
	s.data.answers[w.Actor.String()+w.Key] = answer{w.RequestHash, b}
	return err
}

// append stores events and gives them positions.
func (s *Store) append(events []history.Event) {
	for _, e := range events {
		e.ID = int64(len(s.data.events) + 1)
		e.Pos = e.ID
		s.data.events = append(s.data.events, e)
	}
}

func (s *Store) projectOf(key string) (*project.Project, error) {
	p := s.data.projects[key]
	if p == nil {
		return nil, apperr.New(apperr.NotFound, "There is no project %s.", key)
	}
	return clone(p), nil
}

func (s *Store) projectByID(id uuid.UUID) *project.Project {
	for _, p := range s.data.projects {
		if p.ID == id {
			return clone(p)
		}
	}
	return nil
}

// CreateTasks implements task.Writer.
func (s *Store) CreateTasks(ctx context.Context, key string, drafts []task.Draft) []task.Outcome {
	out := make([]task.Outcome, len(drafts))
	for i, d := range drafts {
		if err := ctx.Err(); err != nil {
			out[i].Err = err
			continue
		}
		err := s.atomically(func() (err error) {
			var t task.Task
			if out[i].Replayed, err = s.replay(d.Write, &t); err != nil || out[i].Replayed {
				out[i].Task = &t
				return err
			}
			p, err := s.projectOf(key)
			if err != nil {
				return err
			}
			made, place, err := d.Build(p)
			if err != nil {
				return err
			}
			x := &tx{s: s, project: p, self: made.ID}
			if d.Check != nil {
				if err := d.Check(ctx, x, made); err != nil {
					return err
				}
			}
			if err := x.Add(ctx, made, place); err != nil {
				return err
			}
			out[i].Task = clone(made)
			return s.remember(d.Write, made)
		})
		if err != nil {
			out[i] = task.Outcome{Err: err}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Transactions++
	return out
}

// UpdateTask implements task.Writer.
func (s *Store) UpdateTask(ctx context.Context, w task.Write, ref task.Ref, fn func(context.Context, task.Tx, *task.Task) error) (t *task.Task, replayed bool, err error) {
	err = s.atomically(func() error {
		t = &task.Task{}
		if replayed, err = s.replay(w, t); err != nil || replayed {
			return err
		}
		if t, err = s.change(ctx, w, ref, fn); err != nil {
			return err
		}
		return s.remember(w, t)
	})
	return t, replayed, err
}

func (s *Store) change(ctx context.Context, w task.Write, ref task.Ref, fn func(context.Context, task.Tx, *task.Task) error) (*task.Task, error) {
	t, err := s.find(ref)
	if err != nil {
		return nil, err
	}
	if w.IfVersion != 0 && w.IfVersion != t.Version {
		return nil, apperr.New(apperr.Stale, "%s has been changed since.", t.Key()).WithCurrent(t)
	}
	if err := fn(ctx, &tx{s: s, project: s.projectByID(t.ProjectID), self: t.ID}, t); err != nil {
		return nil, err
	}
	if events := t.TakePending(); len(events) > 0 {
		s.append(events)
		s.data.tasks[t.ID] = clone(t)
	}
	return t, nil
}

// UpdateTasks implements task.Writer.
func (s *Store) UpdateTasks(ctx context.Context, w task.Write, refs []task.Ref, fn func(context.Context, task.Tx, *task.Task) error) (ts []*task.Task, replayed bool, err error) {
	err = s.atomically(func() error {
		if replayed, err = s.replay(w, &ts); err != nil || replayed {
			return err
		}
		for _, ref := range refs {
			t, err := s.change(ctx, w, ref, fn)
			if err != nil {
				return err
			}
			ts = append(ts, t)
		}
		return s.remember(w, ts)
	})
	return ts, replayed, err
}

// ImportTasks implements task.ImportStore.
func (s *Store) ImportTasks(_ context.Context, _ task.Write, key string, batch []task.Imported) (added []bool, err error) {
	err = s.atomically(func() error {
		p, err := s.projectOf(key)
		if err != nil {
			return err
		}
		added = make([]bool, len(batch))
		for i := range batch {
			b := &batch[i]
			if s.sourceKnown(p.ID, b.Task.Source) {
				continue
			}
			at := b.Task.Rank
			if at == "" {
				if at, err = rank.After(nil, s.lastRank(p.ID)); err != nil {
					return err
				}
			}
			s.data.numbers[p.ID]++
			b.Place(s.data.numbers[p.ID], at)
			s.data.tasks[b.Task.ID] = clone(b.Task)
			s.append(b.Events)
			for _, c := range b.Comments {
				s.data.comments[c.ID] = c
			}
			s.data.relations = append(s.data.relations, b.Relations...)
			added[i] = true
		}
		s.Transactions++
		return nil
	})
	return added, err
}

func (s *Store) sourceKnown(projectID uuid.UUID, source string) bool {
	for _, t := range s.data.tasks {
		if t.ProjectID == projectID && t.Source == source && source != "" {
			return true
		}
	}
	return false
}

// KnownSources implements task.ImportStore.
func (s *Store) KnownSources(_ context.Context, projectID uuid.UUID, sources []string) (map[string]bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	have := map[string]bool{}
	for _, t := range s.data.tasks {
		have[t.Source] = have[t.Source] || t.ProjectID == projectID
	}
	out := map[string]bool{}
	for _, source := range sources {
		if source != "" && have[source] {
			out[source] = true
		}
	}
	return out, nil
}

func (s *Store) lastRank(projectID uuid.UUID) (last string) {
	for _, t := range s.data.tasks {
		if t.ProjectID == projectID {
			last = max(last, t.Rank)
		}
	}
	return last
}

func (s *Store) find(ref task.Ref) (*task.Task, error) {
	for _, t := range s.data.tasks {
		if t.ID == ref.ID || ref.ID == uuid.Nil && t.Number == ref.Number && t.ProjectKey == strings.ToUpper(ref.Key) {
			return clone(t), nil
		}
	}
	return nil, apperr.New(apperr.NotFound, "There is no task %s.", ref)
}

// People implements account.Store.
func (s *Store) People(context.Context) ([]account.Person, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.data.people), nil
}

// Person implements account.Store.
func (s *Store) Person(_ context.Context, id uuid.UUID) (account.Person, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.data.people {
		if p.ID == id {
			return p, nil
		}
	}
	return account.Person{}, apperr.New(apperr.NotFound, "There is no such person.")
}

// AddPeople implements account.Store.
func (s *Store) AddPeople(_ context.Context, people []account.Person) ([]account.Person, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := slices.Clone(people)
	for i, p := range people {
		if at := slices.IndexFunc(s.data.people, func(have account.Person) bool { return have.Handle == p.Handle }); at >= 0 {
			out[i] = s.data.people[at]
			continue
		}
		s.data.people = append(s.data.people, p)
	}
	return out, nil
}

// EventsOf returns the events of a task or project, oldest first.
func (s *Store) EventsOf(id uuid.UUID) (out []history.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.data.events {
		if e.AggregateID == id {
			out = append(out, e)
		}
	}
	return out
}

// Clock returns a clock that begins at start and goes on by a second each time.
func Clock(start time.Time) func() time.Time {
	var mu sync.Mutex
	return func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		start = start.Add(time.Second)
		return start
	}
}
