// Package storetest is what every engine's store must do. [Exercise] runs it; nothing in it knows an engine.
package storetest

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/task-service/internal/account"
	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
	"github.com/tallyboard/tallyboard/services/task-service/internal/store"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// testTimeout bounds one test; it is reached only if something hangs.
const testTimeout = 2 * time.Minute

// Exercise runs the suite. open returns a store on a fresh, migrated database, which is closed when the test ends. Most
// tests share one, each with a person and a project of its own; those that look at a whole database have one alone.
func Exercise(t *testing.T, open func(t testing.TB) store.Store) {
	t.Helper()
	shared := open(t)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := shared
			if c.alone {
				s = open(t)
			}
			c.run(newFixture(t, s))
		})
	}
}

// fixture is a store with a person and a project of the test's own.
type fixture struct {
	store.Store
	t     *testing.T
	ctx   context.Context
	p     *project.Project
	actor uuid.UUID
}

func newFixture(t *testing.T, s store.Store) *fixture {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	t.Cleanup(cancel)
	f := &fixture{Store: s, t: t, ctx: ctx, actor: uuid.Must(uuid.NewV7())}
	person := account.Person{ID: f.actor, Handle: "p" + strings.ToLower(rand.Text()), Name: "A tester", Kind: account.Member, Created: history.Now()}
	if _, err := f.AddPeople(ctx, []account.Person{person}); err != nil {
		t.Fatalf("add person: %v", err)
	}
	f.p = f.project(t, newKey())
	return f
}

// newKey returns a project key no other test has.
func newKey() string { return "T" + rand.Text()[:9] }

// project makes one with a state of each category and three labels.
func (f *fixture) project(t *testing.T, key string) *project.Project {
	t.Helper()
	p, err := project.Make(f.by(), project.New{Key: key, Name: "Project " + key, Labels: []project.NewLabel{{Name: "bug"}, {Name: "ui"}, {Name: "later"}}})
	if err != nil {
		t.Fatalf("make project: %v", err)
	}
	stored, err := f.CreateProject(f.ctx, project.Write{Actor: f.actor}, p)
	if err != nil {
		t.Fatalf("create project: %v", err)
	}
	return stored
}

func (f *fixture) by() project.By { return project.By{Actor: f.actor, Now: history.Now()} }

func (f *fixture) env(p *project.Project) task.Env {
	return task.Env{Project: p, Actor: f.actor, Now: history.Now(), Known: func(uuid.UUID) bool { return true },
		Canonical: func(rule string) (string, error) { return rule, nil }}
}

// write is a change by the fixture's actor, without a key.
func (f *fixture) write() task.Write { return task.Write{Actor: f.actor} }

// keyed is a change with an idempotency key; body stands for the request.
func (f *fixture) keyed(key, body string) task.Write {
	w := task.Write{Actor: f.actor, Key: key}
	copy(w.RequestHash[:], body)
	return w
}

// state returns the project's first state of a category.
func (f *fixture) state(c project.Category) uuid.UUID {
	for _, s := range f.p.States {
		if s.Category == c {
			return s.ID
		}
	}
	panic(fmt.Sprintf("storetest: the fixture has no state of category %s", c))
}

// draft is one that makes a task of in.
func (f *fixture) draft(w task.Write, in task.New) task.Draft {
	return task.Draft{Write: w, Ctx: f.ctx, Build: func(p *project.Project) (*task.Task, task.Placement, error) {
		t, err := task.Make(f.env(p), in)
		return t, in.Place, err
	}}
}

// add creates one task.
func (f *fixture) add(t testing.TB, in task.New) *task.Task {
	t.Helper()
	return f.addIn(t, f.p.Key, in)
}

func (f *fixture) addIn(t testing.TB, key string, in task.New) *task.Task {
	t.Helper()
	out := f.CreateTasks(f.ctx, key, []task.Draft{f.draft(f.write(), in)})
	if out[0].Err != nil {
		t.Fatalf("create task %q: %v", in.Title, out[0].Err)
	}
	return out[0].Task
}

// change applies a patch to a task.
func (f *fixture) change(ctx context.Context, id uuid.UUID, ch task.Patch) (*task.Task, error) {
	t, _, err := f.UpdateTask(ctx, f.write(), task.Ref{ID: id}, f.patch(ch))
	return t, err
}

func (f *fixture) patch(ch task.Patch) func(ctx context.Context, tx task.Tx, t *task.Task) error {
	return func(ctx context.Context, tx task.Tx, t *task.Task) error {
		if ch.Parent != nil && *ch.Parent != uuid.Nil {
			if err := t.CheckParent(ctx, tx, *ch.Parent); err != nil {
				return err
			}
		}
		_, err := t.Change(f.env(tx.Project()), ch, "")
		return err
	}
}

func (f *fixture) mustChange(t testing.TB, id uuid.UUID, ch task.Patch) *task.Task {
	t.Helper()
	changed, err := f.change(f.ctx, id, ch)
	if err != nil {
		t.Fatalf("change task: %v", err)
	}
	return changed
}

// place moves a task.
func (f *fixture) place(ctx context.Context, id uuid.UUID, p task.Placement) (*task.Task, error) {
	t, _, err := f.UpdateTask(ctx, f.write(), task.Ref{ID: id}, func(ctx context.Context, tx task.Tx, t *task.Task) error {
		rank, err := tx.Rank(ctx, p)
		if err != nil {
			return err
		}
		_, err = t.Change(f.env(tx.Project()), task.Patch{}, rank)
		return err
	})
	return t, err
}

func (f *fixture) trash(t testing.TB, id uuid.UUID) *task.Task {
	t.Helper()
	changed, _, err := f.UpdateTask(f.ctx, f.write(), task.Ref{ID: id}, func(_ context.Context, tx task.Tx, t *task.Task) error {
		return t.Trash(f.env(tx.Project()))
	})
	if err != nil {
		t.Fatalf("trash task: %v", err)
	}
	return changed
}

// events reads a task's whole history, oldest first.
func (f *fixture) events(t testing.TB, id uuid.UUID) []history.Event {
	t.Helper()
	events, err := f.TaskHistory(f.ctx, id, 0, 0)
	if err != nil {
		t.Fatalf("read history: %v", err)
	}
	for i, j := 0, len(events)-1; i < j; i, j = i+1, j-1 {
		events[i], events[j] = events[j], events[i]
	}
	return events
}
