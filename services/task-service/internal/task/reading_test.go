package task_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

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
