package task_test

import (
	"context"
	"encoding/json"
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

func TestParents(t *testing.T) {
	t.Parallel()
	r := setup(t)
	ctx := context.Background()
	chain := []*task.Task{r.create(task.New{Title: "0"})}
	for range task.MaxDepth {
		chain = append(chain, r.create(task.New{Title: "x", Parent: chain[len(chain)-1].ID}))
	}
	_, _, err := r.Create(ctx, r.by(), "WEB", task.New{Title: "too deep", Parent: chain[task.MaxDepth].ID})
	wantCode(t, err, apperr.Unprocessable, "levels")
	set := func(child, parent uuid.UUID) error {
		_, _, err := r.Change(ctx, r.by(), task.Ref{ID: child}, task.Patch{Parent: &parent})
		return err
	}
	wantCode(t, set(chain[0].ID, chain[2].ID), apperr.Unprocessable, "below this task")
	wantCode(t, set(chain[0].ID, chain[0].ID), apperr.Unprocessable, "own parent")
	wantCode(t, set(chain[0].ID, uuid.New()), apperr.Unprocessable, "no task")
	other := r.create(task.New{Title: "other"})
	wantCode(t, set(chain[0].ID, other.ID), apperr.Unprocessable, "levels")
	if err := set(chain[1].ID, other.ID); err != nil {
		t.Error(err)
	}
	if err := set(chain[1].ID, uuid.Nil); err != nil {
		t.Error(err)
	}
	if _, _, err := r.Trash(ctx, r.by(), task.Ref{ID: other.ID}); err != nil {
		t.Fatal(err)
	}
	_, _, err = r.Create(ctx, r.by(), "WEB", task.New{Title: "x", Parent: other.ID})
	wantCode(t, err, apperr.Unprocessable, "trash")
}

func TestRelations(t *testing.T) {
	t.Parallel()
	r := setup(t)
	ctx := context.Background()
	var ref []task.Ref
	for _, title := range []string{"a", "b", "c"} {
		ref = append(ref, task.Ref{ID: r.create(task.New{Title: title}).ID})
	}
	relate := func(a int, kind string, b int) error {
		_, _, err := r.Relate(ctx, r.by(), ref[a], kind, ref[b])
		return err
	}
	for _, err := range []error{relate(0, "blocks", 1), relate(2, "blocked-by", 1), relate(0, "blocks", 1), relate(2, "relates", 0), relate(0, "relates", 2)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	wantCode(t, relate(2, "blocks", 0), apperr.Unprocessable, "circle")
	wantCode(t, relate(0, "blocked-by", 2), apperr.Unprocessable, "circle")
	wantCode(t, relate(0, "blocks", 0), apperr.Unprocessable, "itself")
	wantCode(t, relate(0, "eats", 1), apperr.Invalid, "blocked-by")
	_, d, err := r.Details(ctx, ref[0])
	if err != nil || len(d.Relations) != 2 {
		t.Errorf("%+v, %v", d.Relations, err)
	}
	e := r.store.EventsOf(ref[1].ID)
	if len(e) != 3 || e[1].Kind != history.RelationAdded || !strings.Contains(string(e[1].Changes[0].After), `"blocked-by"`) {
		t.Errorf("b's history: %+v", e)
	}
	if b, err := r.Get(ctx, ref[1]); err != nil || b.Version != 1 {
		t.Error("relations do not make edits stale", err)
	}
	if _, _, err := r.Unrelate(ctx, r.by(), ref[1], "blocked-by", ref[0]); err != nil {
		t.Error(err)
	}
	_, _, err = r.Unrelate(ctx, r.by(), ref[1], "blocked-by", ref[0])
	wantCode(t, err, apperr.NotFound, "")
	if err := relate(2, "blocks", 0); err != nil {
		t.Error(err)
	}
}

func TestComments(t *testing.T) {
	t.Parallel()
	r := setup(t)
	ctx, bob := context.Background(), task.Write{Actor: r.bob}
	ref := task.Ref{ID: r.create(task.New{Title: "a"}).ID}
	c, _, err := r.AddComment(ctx, bob, ref, "first")
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = r.EditComment(ctx, r.by(), ref, c.ID, "mine now")
	wantCode(t, err, apperr.Forbidden, "author")
	c, _, err = r.EditComment(ctx, bob, ref, c.ID, "second @ada")
	if err != nil || c.Edited == nil || !slices.Equal(c.Mentions, []uuid.UUID{r.ada}) {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := r.RemoveComment(ctx, r.by(), ref, c.ID); err != nil { // ada owns the project
		t.Error(err)
	}
	_, err = r.RemoveComment(ctx, bob, ref, c.ID)
	wantCode(t, err, apperr.NotFound, "")
	for _, body := range []string{"", " \n", "\xff", strings.Repeat("x", task.MaxComment+1)} {
		_, _, err := r.AddComment(ctx, bob, ref, body)
		wantCode(t, err, apperr.Invalid, "body")
	}
	var kinds []string
	for _, e := range r.store.EventsOf(ref.ID) {
		kinds = append(kinds, string(e.Kind)+":"+fieldsOf(e))
	}
	want := "task.created:title state number rank,comment.added:comment body,comment.edited:comment body mentions,comment.removed:comment body mentions"
	if got := strings.Join(kinds, ","); got != want {
		t.Errorf("events\n got %s\nwant %s", got, want)
	}
}

func TestMoveKeepsNeighbours(t *testing.T) {
	t.Parallel()
	r := setup(t)
	a, b, c := r.create(task.New{Title: "a"}), r.create(task.New{Title: "b"}), r.create(task.New{Title: "c"})
	r.create(task.New{Title: "d", Place: task.Placement{After: a.ID}})
	r.create(task.New{Title: "e", Place: task.Placement{Top: true}})
	if got := r.list(""); got != "e a d b c" {
		t.Errorf("order %s", got)
	}
	if _, _, err := r.Move(context.Background(), r.by(), task.Ref{ID: c.ID}, task.Move{Place: &task.Placement{Before: a.ID}}); err != nil {
		t.Fatal(err)
	}
	if got := r.list(""); got != "e c a d b" {
		t.Errorf("order %s", got)
	}
	if after, err := r.Get(context.Background(), task.Ref{ID: b.ID}); err != nil || after.Rank != b.Rank || after.Version != 1 {
		t.Error("a neighbour was rewritten", err)
	}
	_, _, err := r.Move(context.Background(), r.by(), task.Ref{ID: a.ID}, task.Move{Place: &task.Placement{Before: a.ID}})
	wantCode(t, err, apperr.Invalid, "beside itself")
	_, _, err = r.Move(context.Background(), r.by(), task.Ref{ID: a.ID}, task.Move{Place: &task.Placement{Before: b.ID, Top: true}})
	wantCode(t, err, apperr.Invalid, "only one")
}

func TestBulk(t *testing.T) {
	t.Parallel()
	r := setup(t)
	ctx := context.Background()
	a, b := r.create(task.New{Title: "a"}), r.create(task.New{Title: "b", Labels: []uuid.UUID{r.bug}})
	c := r.create(task.New{Title: "c"})
	done := r.state("Done")
	refs := []task.Ref{{ID: a.ID}, {Key: "web", Number: 2}, {ID: b.ID}}
	ts, _, err := r.Bulk(ctx, r.by(), "web", task.BulkEdit{Refs: refs, Patch: &task.Patch{State: &done, AddAssignees: []uuid.UUID{r.bob}}})
	if err != nil || len(ts) != 2 || ts[1].StateID != done || ts[0].Version != 2 {
		t.Fatalf("%+v, %v", ts, err)
	}
	if ts, _, err = r.Bulk(ctx, r.by(), "WEB", task.BulkEdit{Filter: "label:bug", Trash: true, Viewer: task.Viewer{Person: r.ada}}); err != nil || len(ts) != 1 {
		t.Fatal(ts, err)
	}
	long := strings.Repeat("x", 501)
	_, _, err = r.Bulk(ctx, r.by(), "WEB", task.BulkEdit{Refs: []task.Ref{{ID: a.ID}, {ID: b.ID}, {ID: c.ID}}, Patch: &task.Patch{RemoveAssignees: []uuid.UUID{r.bob}}})
	e, ok := apperr.As(err)
	if !ok || e.Code != apperr.Unprocessable || len(e.Fields) != 1 || e.Fields[0].Name != "tasks[WEB-2]" || !strings.Contains(e.Fields[0].Message, "trash") {
		t.Errorf("got %v, want the task in the trash named", err)
	}
	if got, err := r.Get(ctx, task.Ref{ID: a.ID}); err != nil || len(got.Assignees) != 1 {
		t.Error("a refused bulk edit changed a task", err)
	}
	_, _, err = r.Bulk(ctx, r.by(), "WEB", task.BulkEdit{Refs: []task.Ref{{ID: a.ID}, {ID: c.ID}}, Patch: &task.Patch{Title: &long}})
	if e, ok = apperr.As(err); !ok || len(e.Fields) != 2 {
		t.Errorf("got %v, want both tasks named", err)
	}
	for _, b := range []task.BulkEdit{{}, {Trash: true}, {Refs: refs}, {Refs: refs, Filter: "x", Trash: true}, {Refs: refs, Trash: true, Restore: true}, {Refs: make([]task.Ref, 501), Trash: true}} {
		_, _, err := r.Bulk(ctx, r.by(), "WEB", b)
		wantCode(t, err, apperr.Invalid, "")
	}
}

func TestFilters(t *testing.T) {
	t.Parallel()
	r := setup(t)
	half := 0.5
	a := r.create(task.New{Title: "a", Assignees: []uuid.UUID{r.ada}, Due: "2026-11-24", Priority: task.Urgent})
	b := r.create(task.New{Title: "b", Labels: []uuid.UUID{r.bug}, Due: "2026-11-26", Estimate: &half, Description: "The **login** page"})
	r.create(task.New{Title: "c", Parent: a.ID, Priority: task.Low, Recurrence: "FREQ=DAILY"})
	r.move(b, "Done")
	for filter, want := range map[string]string{
		"": "a b c", "state:done": "b", "state:backlog": "a c", `state:"IN PROGRESS",Done`: "b", "-state:done": "a c", "assignee:me": "a", "assignee:none": "b c",
		"assignee:@ada,none": "a b c", "label:bug": "b", "label:none,bug": "a b c", "priority:urgent": "a", "priority<=2": "a", "priority>2": "c", "priority:0,4": "b c",
		"due<today": "a", "due:none": "c", "due:+1d": "b", "due:2026-11-24,2026-11-26": "a b", "due>=yesterday due<=+1d": "a b", "estimate<1": "b", "estimate:none,0.5": "a b c",
		"is:overdue": "a", "is:done": "b", "is:open": "a c", "is:subtask": "c", "is:recurring": "c", "is:unassigned": "b c", "parent:web-1": "c", "parent:none": "a b",
		"creator:ada": "a b c", "created:today": "a b c", "created<today": "", "completed:none": "a c", "completed>=today": "b", "log page": "b", `"page log"`: "b", "LOGIN": "b", "ogin": "",
		"-label:bug -is:subtask": "a",
	} {
		if got := r.list(filter); got != want {
			t.Errorf("%s: %q, want %q", filter, got, want)
		}
	}
	for filter, want := range map[string]struct {
		position int
		part     string
	}{
		"a state:dnoe":           {2, `did you mean "Done"`},
		"label:bgu":              {0, `No label is called "bgu" (did you mean "bug"?)`},
		"x y assignee:bobb":      {4, `did you mean "bob"`},
		"due:soon":               {0, "2026-12-01"},
		"due<none":               {0, "no date"},
		"created:none":           {0, "no date"},
		"created:today,tomorrow": {0, "one day"},
		"is:opne":                {0, `did you mean "open"`},
		"is:open,done":           {0, "one value"},
		"priority:5":             {0, "0 to 4"},
		"priority<1":             {0, "No priority"},
		"estimate:-1":            {0, "no estimate"},
		"parent:WEB-99":          {0, "no task WEB-99"},
		"parent:x":               {0, "such as WEB-12"},
		"++":                     {0, "no letters"},
		"due:+99999d":            {0, "no date"},
	} {
		_, err := r.List(context.Background(), task.ListInput{Project: "WEB", Filter: filter, Viewer: task.Viewer{Person: r.ada}})
		e, ok := apperr.As(err)
		if !ok || len(e.Fields) != 1 || e.Fields[0].Position == nil || *e.Fields[0].Position != want.position || !strings.Contains(e.Fields[0].Message, want.part) {
			t.Errorf("%s: %v, want %q at %d", filter, err, want.part, want.position)
		}
	}
	for _, in := range []task.ListInput{{Sort: "rnak"}, {Limit: -1}, {Limit: task.MaxPage + 1}, {After: &task.Cursor{Sort: task.Sort{Field: "due"}}}} {
		_, err := r.List(context.Background(), in)
		wantCode(t, err, apperr.Invalid, "")
	}
	page, err := r.List(context.Background(), task.ListInput{Filter: "state:doing,backlog"}) // of all projects
	if err != nil || len(page.Tasks) != 2 {
		t.Error(page, err)
	}
}

func TestNewNamesAreFoundAtOnce(t *testing.T) {
	t.Parallel()
	r := setup(t)
	r.create(task.New{Title: "a"})
	r.list("label:bug") // the settings are remembered now
	elsewhere := project.NewService(project.Deps{Store: r.store, Views: r.store, People: r.store})
	if _, _, err := elsewhere.AddLabel(context.Background(), r.by(), "WEB", project.NewLabel{Name: "fresh"}); err != nil {
		t.Fatal(err)
	}
	if got := r.list("-label:fresh"); got != "a" {
		t.Errorf("got %q", got)
	}
}

func TestQuickAdd(t *testing.T) {
	t.Parallel()
	r := setup(t)
	a := r.create(task.New{Title: "a"})
	made, _, err := r.QuickAdd(context.Background(), r.by(), "WEB", `Fix login !1 @me @Bob #bug #"needs review" #nope tomorrow 5pm ^WEB-1 /doing ^web-9`, task.Viewer{Person: r.ada})
	if err != nil {
		t.Fatal(err)
	}
	if made.Title != "Fix login #nope ^web-9" || made.Priority != task.Urgent || !slices.Equal(made.Assignees, []uuid.UUID{r.ada, r.bob}) ||
		len(made.Labels) != 2 || made.Due != "2026-11-26" || *made.ParentID != a.ID || made.StateID != r.state("In progress") || made.Started == nil {
		t.Errorf("got %+v", made)
	}
	_, _, err = r.QuickAdd(context.Background(), r.by(), "WEB", "!1 #bug", task.Viewer{})
	wantCode(t, err, apperr.Invalid, "title")
	_, err = r.ParseQuick(context.Background(), "WEB", strings.Repeat("x", task.MaxQuick+1), task.Viewer{})
	wantCode(t, err, apperr.Invalid, "quick")
	samoa, err := time.LoadLocation("Pacific/Apia")
	if err != nil {
		t.Fatal(err)
	}
	p, err := r.ParseQuick(context.Background(), "WEB", "x today", task.Viewer{Zone: samoa})
	if err != nil || p.New.Due != "2026-11-25" {
		t.Errorf("today at 09:00 UTC in Apia is %s, %v", p.New.Due, err)
	}
}

func TestBoardOfThePast(t *testing.T) {
	t.Parallel()
	r := setup(t)
	ctx := context.Background()
	a := r.create(task.New{Title: "a"})
	b := r.create(task.New{Title: "b"})
	a = r.move(a, "Done")
	then := a.LastAt
	title := "renamed"
	if _, _, err := r.Change(ctx, r.by(), task.Ref{ID: a.ID}, task.Patch{Title: &title}); err != nil {
		t.Fatal(err)
	}
	r.move(a, "Todo")
	if _, _, err := r.Trash(ctx, r.by(), task.Ref{ID: b.ID}); err != nil {
		t.Fatal(err)
	}
	r.create(task.New{Title: "c"})
	name := "New name"
	if _, err := r.projects.Change(ctx, r.by(), "WEB", project.Patch{Name: &name}); err != nil {
		t.Fatal(err)
	}
	past, err := r.Board(ctx, task.BoardInput{Project: "web", At: then})
	if err != nil || len(past.Tasks) != 2 || past.Project.Name != "Website" {
		t.Fatalf("%+v, %v", past, err)
	}
	if p := past.Tasks[0]; p.Title != "a" || p.StateID != r.state("Done") || p.Completed == nil || !p.Completed.Equal(*a.Completed) {
		t.Errorf("a stood as %+v", p)
	}
	if past, err = r.Board(ctx, task.BoardInput{Project: "web", At: then, Filter: "is:done"}); err != nil || len(past.Tasks) != 1 {
		t.Errorf("%+v, %v", past, err)
	}
	_, err = r.Board(ctx, task.BoardInput{Project: "web", At: then, Filter: "is:blocked"})
	wantCode(t, err, apperr.Unprocessable, "past")
	_, err = r.Board(ctx, task.BoardInput{Project: "web", At: wednesday.Add(-time.Hour)})
	wantCode(t, err, apperr.NotFound, "")
	now, err := r.Board(ctx, task.BoardInput{Project: "web"})
	if err != nil || len(now.Tasks) != 2 || now.Tasks[0].Title != "renamed" || now.Pos == 0 {
		t.Errorf("%+v, %v", now, err)
	}
}

func TestRefs(t *testing.T) {
	t.Parallel()
	id := uuid.New()
	for text, want := range map[string]task.Ref{id.String(): {ID: id}, "web-42": {Key: "WEB", Number: 42}, "A1-1": {Key: "A1", Number: 1}} {
		got, err := task.ParseRef(text)
		if err != nil || got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
		if back, err := task.ParseRef(got.String()); err != nil || back != got {
			t.Errorf("%s is printed as %s", text, got)
		}
	}
	for _, text := range []string{"", "WEB", "WEB-", "WEB-0", "WEB-042", "W-1", "WEB--1", "WEB-1x", "WEB-9999999999999999999", "{" + id.String() + "}"} {
		_, err := task.ParseRef(text)
		wantCode(t, err, apperr.NotFound, "")
	}
}

func TestSnapshotsRoundTrip(t *testing.T) {
	t.Parallel()
	r := setup(t)
	points := 0.1
	a := r.create(task.New{Title: "a", Estimate: &points, Labels: []uuid.UUID{r.bug}, State: r.state("Done"), Recurrence: "FREQ=DAILY"})
	b, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	var back task.Task
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(&back)
	if err != nil || string(again) != string(b) || !back.Created.Equal(a.Created) || back.Created.Location() != time.UTC {
		t.Errorf("%s became %s, %v", b, again, err)
	}
}
