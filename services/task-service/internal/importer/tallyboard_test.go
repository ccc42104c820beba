package importer_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/account"
	"github.com/tallyboard/tallyboard/services/task-service/internal/importer"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
	"github.com/tallyboard/tallyboard/services/task-service/internal/recur"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task/tasktest"
)

// furnished fills project WEB with everything an export can hold and returns it exported.
func furnished(t *testing.T) (*rig, string) {
	t.Helper()
	r := setup(t)
	ctx := context.Background()
	s := task.NewService(task.Deps{
		Writer: r.store, Reader: r.store, History: r.store, Projects: r.projects, People: r.store, Recurrer: recur.Rules{},
		Clock: tasktest.Clock(now.AddDate(0, 0, -7)),
	})
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	bob := uuid.New()
	_, err := r.store.AddPeople(ctx, []account.Person{{ID: bob, Handle: "bob", Name: "Bob", Kind: account.Member}})
	must(err)
	_, label, err := r.projects.AddLabel(ctx, r.by(), "WEB", project.NewLabel{Name: "bug", Color: "#123456"})
	must(err)
	p, gone, err := r.projects.AddLabel(ctx, r.by(), "WEB", project.NewLabel{Name: "gone"})
	must(err)
	doing, _ := p.StateNamed("In progress")
	done, _ := p.StateNamed("Done")
	points := 2.5
	var refs []task.Ref
	for i := range 6 {
		in := task.New{Title: fmt.Sprint("task ", i), Assignees: []uuid.UUID{bob}, Labels: []uuid.UUID{label.ID, gone.ID}, Due: "2026-12-01", Estimate: &points}
		if i == 3 {
			in.Parent, in.Recurrence = refs[0].ID, "FREQ=WEEKLY"
		}
		x, _, err := s.Create(ctx, task.Write{Actor: bob}, "WEB", in)
		must(err)
		refs = append(refs, task.Ref{ID: x.ID})
	}
	_, _, err = s.Move(ctx, r.by(), refs[1], task.Move{State: &doing.ID, Place: &task.Placement{Top: true}})
	must(err)
	_, _, err = s.Move(ctx, r.by(), refs[1], task.Move{State: &done.ID})
	must(err)
	_, _, err = s.Trash(ctx, r.by(), refs[4])
	must(err)
	_, _, err = s.AddComment(ctx, r.by(), refs[2], "Look, @bob")
	must(err)
	_, _, err = s.Relate(ctx, r.by(), refs[2], "blocked-by", refs[5])
	must(err)
	_, _, err = s.Relate(ctx, r.by(), refs[2], "relates", refs[0])
	must(err)
	_, err = r.projects.RemoveLabel(ctx, r.by(), "WEB", gone.ID)
	must(err)
	_, err = r.projects.AddView(ctx, r.by(), "WEB", project.ViewInput{Name: "Mine", Filter: "assignee:me"})
	must(err)
	return r, exported(t, r, "WEB")
}

func exported(t *testing.T, r *rig, key string) string {
	t.Helper()
	var out bytes.Buffer
	if err := r.export.JSON(context.Background(), &out, key, r.ada); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func restore(r *rig, key, text string, dry bool) (importer.Report, error) {
	return r.Import(context.Background(), r.by(), key, strings.NewReader(text), importer.Options{Format: importer.Tallyboard, DryRun: dry})
}

// summary is what must survive a move to another installation, without ids.
func summary(t *testing.T, r *rig, key string) string {
	t.Helper()
	p, err := r.projects.Get(context.Background(), key)
	if err != nil {
		t.Fatal(err)
	}
	people, err := r.store.People(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	name := map[uuid.UUID]string{}
	for _, x := range people {
		name[x.ID] = "@" + x.Handle
	}
	for _, s := range p.States {
		name[s.ID] = s.Name
	}
	for _, l := range p.Labels {
		name[l.ID] = "#" + l.Name
	}
	var all []*task.Task
	for _, trashed := range []bool{false, true} {
		page, err := r.store.ListTasks(context.Background(), task.Query{ProjectID: p.ID, Trashed: trashed, Sort: task.Sort{Field: "rank"}})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, page.Tasks...)
	}
	for _, x := range all {
		name[x.ID] = fmt.Sprint("task", x.Number)
	}
	ids := regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}`)
	readable := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return ids.ReplaceAllStringFunc(string(b), func(id string) string { return name[uuid.MustParse(id)] })
	}
	var out strings.Builder
	for _, x := range all {
		fmt.Fprintf(&out, "%d %s %s %s %s %s %v %v %v %v %v\n", x.Number, x.Title, name[x.StateID], readable(x.Assignees), x.Due, x.Recurrence, x.Created, x.Started, x.Completed, x.Trashed, x.ParentID != nil)
		d, err := r.store.Details(context.Background(), x.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range d.Comments {
			fmt.Fprintf(&out, "  %s %s %s %v\n", name[c.Author], c.Body, readable(c.Mentions), c.Created)
		}
		fmt.Fprintf(&out, "  %d relations\n", len(d.Relations))
		for _, e := range r.store.EventsOf(x.ID) {
			for _, c := range e.Changes {
				if c.Field != "rank" && c.Field != "source" && c.Field != "comment" && c.Field != "labels" {
					fmt.Fprintf(&out, "  %s %s %v %s %s > %s\n", name[e.Actor], e.Kind, e.Occurred, c.Field, readable(c.Before), readable(c.After))
				}
			}
		}
	}
	return out.String()
}

func TestExportsMoveToOtherInstallations(t *testing.T) {
	t.Parallel()
	from, text := furnished(t)
	to := setup(t)
	dry, err := restore(to, "WEB", text, true)
	if err != nil || dry.Tasks != 6 || len(to.tasks()) != 0 {
		t.Fatalf("%+v, %v", dry, err)
	}
	got, err := restore(to, "WEB", text, false)
	if err != nil || got.Tasks != 6 || got.Events != dry.Events || strings.Join(got.Labels, ",") != "bug" || strings.Join(got.People, ",") != "bob" || len(got.States) != 0 {
		t.Fatalf("%+v, %v", got, err)
	}
	if a, b := summary(t, from, "WEB"), summary(t, to, "WEB"); a != b {
		t.Errorf("moved\n%s\nwas\n%s", b, a)
	}
	if views, err := to.projects.ListViews(context.Background(), "WEB", to.ada); err != nil || len(views) != 1 || views[0].Filter != "assignee:me" {
		t.Errorf("%+v, %v", views, err)
	}
	if got, err = restore(to, "WEB", text, false); err != nil || got.Tasks != 0 || got.Known != 6 {
		t.Errorf("a second time: %+v, %v", got, err)
	}
	if got, err = restore(to, "WEB", exported(t, to, "WEB"), false); err != nil || got.Tasks != 0 || got.Known != 6 {
		t.Errorf("its own export: %+v, %v", got, err)
	}
	if got, err = restore(from, "WEB", text, false); err != nil || got.Tasks != 0 || got.Known != 6 {
		t.Errorf("into the project it came from: %+v, %v", got, err)
	}
	from.project("COPY")
	if got, err = restore(from, "COPY", text, false); err != nil || got.Tasks != 6 {
		t.Errorf("as a copy: %+v, %v", got, err)
	}
	if a, b := summary(t, from, "WEB"), summary(t, from, "COPY"); a != b {
		t.Errorf("copied\n%s\nwas\n%s", b, a)
	}
}

func TestStatesOfAnotherCategory(t *testing.T) {
	t.Parallel()
	_, text := furnished(t)
	to := setup(t)
	text = strings.Replace(text, `"name":"Done","category":"done"`, `"name":"In review","category":"done"`, 1)
	text = strings.Replace(text, `"name":"In review","category":"doing"`, `"name":"QA","category":"doing"`, 1)
	got, err := restore(to, "WEB", text, false)
	if err != nil || strings.Join(got.States, ",") != "QA,In review (done)" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestDamagedExports(t *testing.T) {
	t.Parallel()
	_, text := furnished(t)
	first := regexp.MustCompile(`"task":\{"id":"([^"]+)"`).FindStringSubmatch(text)[1]
	for name, c := range map[string]struct{ text, part string }{
		"no JSON":      {"hello", "does not begin"},
		"a list":       {"[]", "does not begin"},
		"cut off":      {text[:len(text)/2], "cannot be read"},
		"no end":       {strings.TrimSuffix(text, "]}\n"), "no end"},
		"more":         {text + "{}", "behind its end"},
		"no version":   {`{"tasks":[]}`, "no version"},
		"newer":        {strings.Replace(text, `"format":1`, `"format":2`, 1), "newer"},
		"twice":        {strings.Replace(text, `"tasks": [`, `"tasks": [{"task":{"id":"`+first+`"}},`, 1), "twice"},
		"null task":    {strings.Replace(text, `"tasks": [`, `"tasks": [null,`, 1), "task 1"},
		"own parent":   {strings.Replace(text, `"priority":0`, `"priority":0,"parent":"`+first+`"`, 1), "circle"},
		"no history":   {strings.Replace(text, `"kind":"task.created"`, `"kind":"task.trashed"`, 1), "does not begin with its creation"},
		"state":        {strings.Replace(text, `"field":"state","after":"`, `"field":"state","after":"00000000-0000-0000-0000-000000000000","x":"`, 1), "state"},
		"states wrong": {strings.Replace(text, `"states":[`, `"states":[{"name":"x","category":"nothing"},`, 1), "category"},
	} {
		to := setup(t)
		_, err := restore(to, "WEB", c.text, false)
		if !apperr.Is(err, apperr.Invalid) || !strings.Contains(err.Error(), c.part) {
			t.Errorf("%s: %v, want %q", name, err, c.part)
		}
		p, err := to.projects.Get(context.Background(), "WEB")
		if err != nil || len(to.tasks()) != 0 || p.Version != 1 {
			t.Errorf("%s: a damaged file has changed the project, %v", name, err)
		}
	}
}

func TestCSVExportIsReadBack(t *testing.T) {
	t.Parallel()
	r, _ := furnished(t)
	var out bytes.Buffer
	if err := r.export.CSV(context.Background(), &out, "WEB"); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(out.String())).ReadAll()
	if err != nil || len(rows) != 6 || rows[1][0] != "WEB-1" || rows[4][11] != "WEB-1" || rows[1][7] != "bug" {
		t.Fatalf("%v, %v", rows, err)
	}
	to := setup(t)
	if got := to.run(out.String(), importer.Options{}); got.Tasks != 5 || got.RefusedRows != 0 {
		t.Errorf("%+v\n%s", got, reasons(got))
	}
	done := to.tasks()[1]
	if got := to.path(done); got != "Backlog@11-18 In progress@11-18 Done@11-18" || done.Due != "2026-12-01" {
		t.Errorf("%s, %+v", got, done)
	}
}

func TestSpreadsheetsRunNothing(t *testing.T) {
	t.Parallel()
	r := setup(t)
	r.run("id,title,created\n1,=1+1,2026-01-01\n2,'@x,2026-01-01\n", importer.Options{})
	var out bytes.Buffer
	if err := r.export.CSV(context.Background(), &out, "WEB"); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), ",'=1+1,") || !strings.Contains(out.String(), ",'@x,") {
		t.Errorf("got %s", out.String())
	}
	to := setup(t)
	to.run(out.String(), importer.Options{})
	if to.tasks()[0].Title != "=1+1" || to.tasks()[1].Title != "@x" {
		t.Errorf("got %q", to.tasks()[0].Title)
	}
}
