package task_test

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/account"
	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
	"github.com/tallyboard/tallyboard/services/task-service/internal/recur"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task/tasktest"
)

// rig is a service over a store in memory, with project WEB and three people.
type rig struct {
	*task.Service
	t        *testing.T
	store    *tasktest.Store
	projects *project.Service
	project  *project.Project
	ada, bob uuid.UUID
	bug      uuid.UUID // a label
	wakes    int
}

var wednesday = time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)

func setup(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, ada: uuid.New(), bob: uuid.New()}
	r.store = tasktest.New(
		account.Person{ID: r.ada, Handle: "ada", Name: "Ada"}, account.Person{ID: r.bob, Handle: "bob", Name: "Bob"},
		account.Person{ID: uuid.New(), Handle: "eve.long", Name: "Eve"},
	)
	clock := tasktest.Clock(wednesday)
	r.projects = project.NewService(project.Deps{Store: r.store, Views: r.store, People: r.store, Clock: clock})
	var err error
	r.project, err = r.projects.Create(context.Background(), r.by(), project.New{Key: "web", Name: "Website", Labels: []project.NewLabel{{Name: "bug"}, {Name: "Needs review"}}})
	if err != nil {
		t.Fatal(err)
	}
	r.bug = r.project.Labels[0].ID
	r.Service = task.NewService(task.Deps{
		Writer: r.store, Reader: r.store, History: r.store, Projects: r.projects, People: r.store, Recurrer: recur.Rules{},
		Clock: clock, Wake: func() { r.wakes++ },
	})
	t.Cleanup(func() {
		if err := r.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return r
}

func (r *rig) by() task.Write { return task.Write{Actor: r.ada} }

func (r *rig) state(name string) uuid.UUID {
	r.t.Helper()
	s, ok := r.project.StateNamed(name)
	if !ok {
		r.t.Fatalf("no state %s", name)
	}
	return s.ID
}

func (r *rig) create(in task.New) *task.Task {
	r.t.Helper()
	t, _, err := r.Create(context.Background(), r.by(), "WEB", in)
	if err != nil {
		r.t.Fatal(err)
	}
	return t
}

func (r *rig) move(t *task.Task, state string) *task.Task {
	r.t.Helper()
	s := r.state(state)
	t, _, err := r.Move(context.Background(), r.by(), task.Ref{ID: t.ID}, task.Move{State: &s})
	if err != nil {
		r.t.Fatal(err)
	}
	return t
}

func (r *rig) list(filter string) string {
	r.t.Helper()
	page, err := r.List(context.Background(), task.ListInput{Project: "WEB", Filter: filter, Viewer: task.Viewer{Person: r.ada}})
	if err != nil {
		r.t.Fatalf("%s: %v", filter, err)
	}
	titles := make([]string, len(page.Tasks))
	for i, t := range page.Tasks {
		titles[i] = t.Title
	}
	return strings.Join(titles, " ")
}

func wantCode(t *testing.T, err error, code apperr.Code, part string) {
	t.Helper()
	if apperr.CodeOf(err) != code || !strings.Contains(err.Error(), part) {
		t.Errorf("got %v, want %s with %q", err, code, part)
	}
}

func fieldsOf(e history.Event) string {
	var out []string
	for _, c := range e.Changes {
		out = append(out, c.Field)
	}
	return strings.Join(out, " ")
}

func TestCreateFillsDefaults(t *testing.T) {
	t.Parallel()
	r := setup(t)
	made := r.create(task.New{Title: "  Fix login ", Labels: []uuid.UUID{r.bug, r.bug}, Assignees: []uuid.UUID{r.bob}})
	if made.Key() != "WEB-1" || made.Title != "Fix login" || made.StateID != r.state("Backlog") || made.Version != 1 || made.Seq != 1 ||
		len(made.Labels) != 1 || made.Rank == "" || made.CreatedBy != r.ada || made.Started != nil || made.Completed != nil {
		t.Errorf("got %+v", made)
	}
	e := r.store.EventsOf(made.ID)
	if len(e) != 1 || e[0].Kind != history.TaskCreated || fieldsOf(e[0]) != "title state assignees labels number rank" {
		t.Errorf("events %+v", e)
	}
	if r.wakes != 1 {
		t.Errorf("the relay was woken %d times", r.wakes)
	}
}

func TestCreateReportsEveryFault(t *testing.T) {
	t.Parallel()
	r := setup(t)
	nan := math.NaN()
	_, _, err := r.Create(context.Background(), r.by(), "WEB", task.New{
		Title: "a\nb", Description: strings.Repeat("ä", task.MaxDescription+1), State: uuid.New(), Priority: 9, Assignees: []uuid.UUID{uuid.New()},
		Labels: []uuid.UUID{uuid.New()}, Start: "2026-12-02", Due: "2026-12-01", Estimate: &nan, Recurrence: "weekly",
	})
	e, ok := apperr.As(err)
	if !ok || e.Code != apperr.Invalid {
		t.Fatal(err)
	}
	var names []string
	for _, f := range e.Fields {
		names = append(names, f.Name)
	}
	slices.Sort(names)
	if got := strings.Join(names, " "); got != "assignees[0] description estimate labels[0] priority recurrence start state title" {
		t.Errorf("faults of %s", got)
	}
	for _, in := range []task.New{{}, {Title: "\xff"}, {Title: strings.Repeat("x", 501)}, {Title: "x", Due: "2026-13-01"}, {Title: "x", Due: "0001-01-01"}, {Title: "x", Description: "a\x00b"}} {
		_, _, err := r.Create(context.Background(), r.by(), "WEB", in)
		wantCode(t, err, apperr.Invalid, "")
	}
	if r.create(task.New{Title: strings.Repeat("ä", 500)}).Number != 1 {
		t.Error("refused tasks must not use numbers")
	}
	_, _, err = r.Create(context.Background(), r.by(), "NOPE", task.New{Title: "x"})
	wantCode(t, err, apperr.NotFound, "NOPE")
}

func TestIdempotency(t *testing.T) {
	t.Parallel()
	r := setup(t)
	w := task.Write{Actor: r.ada, Key: "k1", RequestHash: [32]byte{1}}
	first, replayed, err := r.Create(context.Background(), w, "WEB", task.New{Title: "a"})
	if err != nil || replayed {
		t.Fatal(err, replayed)
	}
	again, replayed, err := r.Create(context.Background(), w, "WEB", task.New{Title: "a"})
	if err != nil || !replayed || again.ID != first.ID {
		t.Errorf("%v, replayed %v, %s", err, replayed, again.ID)
	}
	w.Key = "k2"
	c, _, err := r.AddComment(context.Background(), w, task.Ref{ID: first.ID}, "Hi @BOB, `@eve.long`, a@ada.org and @nobody")
	if err != nil || !slices.Equal(c.Mentions, []uuid.UUID{r.bob}) {
		t.Fatalf("%+v, %v", c, err)
	}
	c2, replayed, err := r.AddComment(context.Background(), w, task.Ref{ID: first.ID}, "Hi @BOB, `@eve.long`, a@ada.org and @nobody")
	if err != nil || !replayed || c2.ID != c.ID || c2.Body != c.Body {
		t.Errorf("%+v, %v, %v", c2, replayed, err)
	}
}

func TestChangeRecordsOnlyWhatDiffers(t *testing.T) {
	t.Parallel()
	r := setup(t)
	made := r.create(task.New{Title: "a", Assignees: []uuid.UUID{r.ada, r.bob}})
	same, order, due := "a", []uuid.UUID{r.bob, r.ada}, task.Date("2026-12-24")
	got, _, err := r.Change(context.Background(), r.by(), task.Ref{Key: "web", Number: 1}, task.Patch{Title: &same, Assignees: &order})
	if err != nil || got.Version != 1 || got.Seq != 1 {
		t.Errorf("nothing changed, yet %+v, %v", got, err)
	}
	got, _, err = r.Change(context.Background(), r.by(), task.Ref{ID: made.ID}, task.Patch{Title: &same, Due: &due, AddLabels: []uuid.UUID{r.bug}, RemoveAssignees: []uuid.UUID{r.bob}})
	if err != nil || got.Version != 2 || got.Seq != 2 {
		t.Fatal(got, err)
	}
	e := r.store.EventsOf(made.ID)[1]
	if fieldsOf(e) != "assignees labels due" {
		t.Errorf("changes of %s", fieldsOf(e))
	}
	if c, _ := e.Change("due"); c.Before != nil || string(c.After) != `"2026-12-24"` {
		t.Errorf("due changed from %s to %s", c.Before, c.After)
	}
	_, _, err = r.Change(context.Background(), task.Write{Actor: r.ada, IfVersion: 1}, task.Ref{ID: made.ID}, task.Patch{Title: &same})
	wantCode(t, err, apperr.Stale, "")
	none := task.Date("")
	var noEstimate *float64
	if got, _, err = r.Change(context.Background(), r.by(), task.Ref{ID: made.ID}, task.Patch{Due: &none, Estimate: &noEstimate}); err != nil || got.Due != "" {
		t.Error(got, err)
	}
}

func TestStartedAndCompleted(t *testing.T) {
	t.Parallel()
	r := setup(t)
	a := r.create(task.New{Title: "a"})
	a = r.move(a, "In progress")
	started := *a.Started
	a = r.move(a, "Done")
	completed := *a.Completed
	if !completed.After(started) {
		t.Error("completed before started")
	}
	a = r.move(a, "In progress")
	if a.Completed != nil || !a.Started.Equal(started) {
		t.Errorf("reopened: %+v", a)
	}
	a = r.move(a, "Done")
	if !a.Completed.After(completed) {
		t.Error("completing again is a new completion")
	}
	a = r.move(a, "Cancelled")
	if a.Completed != nil {
		t.Error("cancelled is not completed")
	}
	b := r.create(task.New{Title: "b", State: r.state("Done")})
	if b.Completed == nil || !b.Completed.Equal(b.Created) || b.Started != nil {
		t.Errorf("created in done: %+v", b)
	}
}

func TestTrash(t *testing.T) {
	t.Parallel()
	r := setup(t)
	a := r.create(task.New{Title: "a"})
	ref := task.Ref{ID: a.ID}
	if a, _, err := r.Trash(context.Background(), r.by(), ref); err != nil || a.Trashed == nil {
		t.Fatal(err)
	}
	title := "b"
	_, _, err := r.Change(context.Background(), r.by(), ref, task.Patch{Title: &title})
	wantCode(t, err, apperr.Conflict, "trash")
	_, _, err = r.AddComment(context.Background(), r.by(), ref, "x")
	wantCode(t, err, apperr.Conflict, "trash")
	if a, _, err := r.Trash(context.Background(), r.by(), ref); err != nil || a.Seq != 2 {
		t.Error("trashing twice is one event", err)
	}
	if a, _, err := r.Restore(context.Background(), r.by(), ref); err != nil || a.Trashed != nil || a.Version != 3 {
		t.Error(a, err)
	}
}

func TestArchivedProjectsAreReadOnly(t *testing.T) {
	t.Parallel()
	r := setup(t)
	a := r.create(task.New{Title: "a"})
	yes := true
	if _, err := r.projects.Change(context.Background(), r.by(), "WEB", project.Patch{Archived: &yes}); err != nil {
		t.Fatal(err)
	}
	_, _, err := r.Create(context.Background(), r.by(), "WEB", task.New{Title: "b"})
	wantCode(t, err, apperr.Conflict, "archived")
	_, _, err = r.Trash(context.Background(), r.by(), task.Ref{ID: a.ID})
	wantCode(t, err, apperr.Conflict, "archived")
}

func TestRecurrenceGoesOnExactlyOnce(t *testing.T) {
	t.Parallel()
	r := setup(t)
	points := 3.0
	a := r.create(task.New{Title: "report", Start: "2026-11-20", Due: "2026-11-27", Recurrence: "freq=weekly;count=2", Labels: []uuid.UUID{r.bug}, Estimate: &points})
	a = r.move(a, "Done")
	if a.Recurrence != "" {
		t.Error("the rule must move to the next task")
	}
	r.move(r.move(a, "Todo"), "Done")
	page, err := r.List(context.Background(), task.ListInput{Project: "WEB"})
	if err != nil || len(page.Tasks) != 2 {
		t.Fatalf("%d tasks, %v", len(page.Tasks), err)
	}
	next := page.Tasks[1]
	if next.Due != "2026-12-04" || next.Start != "2026-11-27" || next.Recurrence != "FREQ=WEEKLY;COUNT=1" || next.StateID != r.state("Backlog") ||
		*next.Estimate != 3 || !slices.Equal(next.Labels, []uuid.UUID{r.bug}) || next.Number != 2 || next.CreatedBy != r.ada {
		t.Errorf("next %+v", next)
	}
	r.move(next, "Done")
	if n, err := r.Count(context.Background(), task.ListInput{Project: "WEB"}); err != nil || n != 2 {
		t.Errorf("the series has ended, yet there are %d tasks, %v", n, err)
	}
	if next, err = r.Get(context.Background(), task.Ref{ID: next.ID}); err != nil || next.Recurrence != "" {
		t.Error(next, err)
	}
}
