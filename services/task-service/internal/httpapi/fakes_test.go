package httpapi

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/access"
	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
	"github.com/tallyboard/tallyboard/services/task-service/internal/importer"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// The fakes here stand for services where a test is about HTTP alone; what a test does not set panics.

type fakeTasks struct {
	Tasks
	get    func(ref task.Ref) (*task.Task, error)
	list   func(in task.ListInput) (task.Page, error)
	create func(w task.Write, in task.New) (*task.Task, bool, error)
	change func(w task.Write, ch task.Patch) (*task.Task, bool, error)
	quick  func(text string) (task.QuickPreview, error)
}

func (f *fakeTasks) LastPos(context.Context) (int64, error) { return 7, nil }

func (f *fakeTasks) Get(_ context.Context, ref task.Ref) (*task.Task, error) { return f.get(ref) }

func (f *fakeTasks) List(_ context.Context, in task.ListInput) (task.Page, error) { return f.list(in) }

func (f *fakeTasks) Create(_ context.Context, w task.Write, _ string, in task.New) (*task.Task, bool, error) {
	return f.create(w, in)
}

func (f *fakeTasks) Change(_ context.Context, w task.Write, _ task.Ref, ch task.Patch) (*task.Task, bool, error) {
	return f.change(w, ch)
}

func (f *fakeTasks) ParseQuick(_ context.Context, _, text string, _ task.Viewer) (task.QuickPreview, error) {
	return f.quick(text)
}

type fakeProjects struct {
	Projects
	one *project.Project
}

func (f *fakeProjects) Recent(_ context.Context, key string) (*project.Project, error) {
	if f.one == nil || key != f.one.Key {
		return nil, apperr.New(apperr.NotFound, "There is no project %s.", key)
	}
	return f.one, nil
}

func (f *fakeProjects) Get(ctx context.Context, key string) (*project.Project, error) {
	return f.Recent(ctx, key)
}

func newFakeProjects(t testing.TB) *fakeProjects {
	t.Helper()
	at := time.Date(2026, 11, 2, 8, 15, 0, 123456000, time.UTC)
	return &fakeProjects{one: &project.Project{
		ID: mustID(t), Key: "WEB", Name: "Website", Version: 3, Created: at, Updated: at,
		States: []project.State{{ID: mustID(t), Name: "To do", Category: project.Todo}},
	}}
}

func sampleTask(t testing.TB, p *project.Project) *task.Task {
	t.Helper()
	at := time.Date(2026, 11, 2, 8, 15, 0, 123456000, time.UTC)
	estimate := 2.5
	return &task.Task{
		ID: mustID(t), ProjectID: p.ID, ProjectKey: p.Key, Number: 42, Title: `Fix "login" \ now`, Description: "line\n\ttwo\x01 ☃",
		StateID: p.States[0].ID, Rank: "a1", Priority: task.High, Assignees: []uuid.UUID{access.OwnerID}, Due: "2026-12-01",
		Estimate: &estimate, Version: 7, Seq: 9, Created: at, CreatedBy: access.OwnerID, Updated: at, UpdatedBy: access.OwnerID,
		Started: &at, LastAt: at,
	}
}

// fakeFeed plays updates to every subscriber and waits then.
type fakeFeed struct {
	updates []Update
	gone    bool // for any position but FromNow
	afters  chan int64
}

func (f *fakeFeed) Subscribe(_ context.Context, _ uuid.UUID, after int64) (Subscription, error) {
	if f.afters != nil {
		f.afters <- after
	}
	if f.gone && after != FromNow {
		return nil, apperr.New(apperr.Gone, "This history has no position %d.", after)
	}
	return &fakeSubscription{updates: f.updates, start: max(after, 0)}, nil
}

type fakeSubscription struct {
	updates []Update
	start   int64
}

func (s *fakeSubscription) Start() int64 { return s.start }
func (s *fakeSubscription) Close()       {}

func (s *fakeSubscription) Next(ctx context.Context) (Update, error) {
	if len(s.updates) > 0 {
		next := s.updates[0]
		s.updates = s.updates[1:]
		return next, nil
	}
	<-ctx.Done()
	return Update{}, ctx.Err()
}

// fakeTransfer counts what it is given and writes what it is told to.
type fakeTransfer struct {
	options importer.Options
	read    int64
	fail    error
	out     string
}

func (f *fakeTransfer) Import(_ context.Context, _ task.Write, _ string, r io.Reader, o importer.Options) (importer.Report, error) {
	n, err := io.Copy(io.Discard, r)
	f.options, f.read = o, n
	if o.Progress != nil {
		o.Progress(importer.Progress{Rows: 5, Bytes: n, Tasks: 4})
	}
	if err == nil {
		err = f.fail
	}
	return importer.Report{Format: o.Format, DryRun: o.DryRun, Rows: 5, Tasks: 4}, err
}

func (f *fakeTransfer) JSON(_ context.Context, w io.Writer, _ string, _ uuid.UUID) error {
	if _, err := io.Copy(w, strings.NewReader(f.out)); err != nil {
		return err
	}
	return f.fail
}

func (f *fakeTransfer) CSV(ctx context.Context, w io.Writer, key string) error {
	return f.JSON(ctx, w, key, uuid.Nil)
}

func taskEvent(t *task.Task, pos int64) history.Event {
	return history.Event{
		ID: pos, Pos: pos, ProjectID: t.ProjectID, Aggregate: history.OfTask, AggregateID: t.ID, Seq: t.Seq,
		Kind: history.TaskChanged, Actor: access.OwnerID, Changes: []history.Change{history.NewChange("title", "a", "b")},
		Occurred: t.Updated, Recorded: t.Updated, Traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
	}
}
