package importer_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/account"
	"github.com/tallyboard/tallyboard/services/task-service/internal/exporter"
	"github.com/tallyboard/tallyboard/services/task-service/internal/importer"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task/tasktest"
)

var now = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

type rig struct {
	*importer.Importer
	t        testing.TB
	store    *tasktest.Store
	projects *project.Service
	export   *exporter.Exporter
	ada      uuid.UUID
}

func setup(t testing.TB) *rig {
	t.Helper()
	r := &rig{t: t, ada: uuid.New()}
	r.store = tasktest.New(account.Person{ID: r.ada, Handle: "ada", Name: "Ada Lovelace", Kind: account.Member})
	clock := func() time.Time { return now }
	r.projects = project.NewService(project.Deps{Store: r.store, Views: r.store, People: r.store, Clock: clock})
	r.Importer = importer.New(importer.Deps{Store: r.store, Reader: r.store, Projects: r.projects, People: r.store, Clock: clock, TempDir: t.TempDir(), BatchSize: 50})
	r.export = exporter.New(exporter.Deps{Reader: r.store, History: r.store, Projects: r.projects, Views: r.store, People: r.store, Clock: clock})
	r.project("WEB")
	return r
}

func (r *rig) project(key string) {
	r.t.Helper()
	if _, err := r.projects.Create(context.Background(), r.by(), project.New{Key: key, Name: key}); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) by() task.Write { return task.Write{Actor: r.ada} }

func (r *rig) run(text string, o importer.Options) importer.Report {
	r.t.Helper()
	if o.Format == "" {
		o.Format = importer.CSV
	}
	report, err := r.Import(context.Background(), r.by(), "WEB", strings.NewReader(text), o)
	if err != nil {
		r.t.Fatal(err)
	}
	return report
}

func (r *rig) tasks() []*task.Task {
	r.t.Helper()
	p, err := r.projects.Get(context.Background(), "WEB")
	if err != nil {
		r.t.Fatal(err)
	}
	page, err := r.store.ListTasks(context.Background(), task.Query{ProjectID: p.ID, Sort: task.Sort{Field: "number"}})
	if err != nil {
		r.t.Fatal(err)
	}
	return page.Tasks
}

// path shows what a task went through: state@day for each entry.
func (r *rig) path(t *task.Task) string {
	r.t.Helper()
	p, err := r.projects.Get(context.Background(), t.ProjectKey)
	if err != nil {
		r.t.Fatal(err)
	}
	var out []string
	for _, e := range r.store.EventsOf(t.ID) {
		c, ok := e.Change("state")
		if !ok {
			continue
		}
		s, _ := p.State(uuid.MustParse(strings.Trim(string(c.After), `"`)))
		out = append(out, s.Name+"@"+e.Occurred.Format("01-02"))
		if e.Recorded != now {
			r.t.Errorf("event recorded at %s", e.Recorded)
		}
	}
	return strings.Join(out, " ")
}

func reasons(r importer.Report) string {
	var out []string
	for _, x := range r.Refused {
		out = append(out, fmt.Sprintf("%d %s: %s", x.Line, x.ID, x.Reason))
	}
	return strings.Join(out, "\n")
}

func sample(t testing.TB) string {
	t.Helper()
	b, err := os.ReadFile("testdata/agile-project-dataset/jira.csv")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestRealHistory(t *testing.T) {
	t.Parallel()
	r := setup(t)
	dry := r.run(sample(t), importer.Options{DryRun: true})
	if len(r.tasks()) != 0 {
		t.Fatal("a dry run added tasks")
	}
	got := r.run(sample(t), importer.Options{})
	if got.Rows != 275 || got.RefusedRows+got.Tasks != 275 || got.RefusedRows < 90 || len(got.Refused) != 100 || got.Tasks != int64(len(r.tasks())) || got.Events != 2*got.Tasks {
		t.Errorf("report %+v", got)
	}
	if dry.Tasks != got.Tasks || dry.Events != got.Events || dry.RefusedRows != got.RefusedRows || reasons(dry) != reasons(got) {
		t.Errorf("the dry run said %+v, the import %+v", dry, got)
	}
	if !strings.Contains(reasons(got), "finished 2015-02-04 before it was created 2015-02-05") {
		t.Errorf("refused %s", reasons(got))
	}
	if got.Columns["id"] != "id" || got.Columns["created"] != "created_date" || got.Columns["finished"] != "finished_date" || !slices.Equal(got.UnusedColumns, []string{"project", "task", "cycle_time_days"}) {
		t.Errorf("columns %v, unused %v", got.Columns, got.UnusedColumns)
	}
	for _, x := range r.tasks() {
		if x.Completed == nil || x.Completed.Before(x.Created) || x.Title != x.Source || x.ID.Version() != 7 {
			t.Fatalf("got %+v", x)
		}
	}
	again := r.run(sample(t), importer.Options{})
	if again.Tasks != 0 || again.Known != got.Tasks || again.Events != 0 {
		t.Errorf("importing twice: %+v", again)
	}
	clamped := r.run(sample(t), importer.Options{InvalidDates: importer.Clamp, MaxRefused: 5})
	if clamped.Tasks != got.RefusedRows || clamped.Clamped != got.RefusedRows || clamped.RefusedRows != 0 || len(r.tasks()) != 275 {
		t.Errorf("clamped: %+v", clamped)
	}
}

func TestCSVPaths(t *testing.T) {
	t.Parallel()
	r := setup(t)
	report := r.run("\uFEFFKey;Summary;Status;Created;Started;Resolved;Assignee;Tags;Priority;Story Points;Due Date\r\n"+
		"A-1;Plain;;2026-01-01;;;;;;;\r\n"+
		"A-2;\"Quoted; with \"\"quotes\"\"\nand lines\";;2026-01-01;;2026-01-05;;;;;\r\n"+
		"A-3;Worked on;;2026-01-01;2026-01-02;2026-01-05;Ada Lovelace;\"bug, Later\";High;1,5;24.12.2026\r\n"+
		"A-4;Shipped;Shipped;2026-01-01;2026-01-02;2026-01-06;grace@navy.mil; ;0;;\r\n"+
		"A-5;Reviewing;In Review;2026-01-01;2026-01-03;;Grace@navy.mil;;;;\r\n"+
		"A-6;Dropped;Won't do;2026-01-01;;2026-01-04;Юрий Гагарин;;;;\r\n"+
		"A-7;Waiting;To do later;2026-01-01;;;;;;;\r\n"+
		"A-8;Same day;;2026-01-01 15:30;;2026-01-01;;;;;\r\n", importer.Options{})
	if report.RefusedRows != 1 || report.Tasks != 7 {
		t.Fatalf("%+v\n%s", report, reasons(report))
	}
	if !strings.Contains(reasons(report), "3 A-2: title must be one line") {
		t.Errorf("refused %s", reasons(report))
	}
	want := []string{
		"Backlog@01-01", "Backlog@01-01 In progress@01-02 Done@01-05", "Backlog@01-01 In progress@01-02 Shipped@01-06",
		"Backlog@01-01 In review@01-03", "Backlog@01-01 Won't do@01-04", "To do later@01-01", "Backlog@01-01 Done@01-01",
	}
	tasks := r.tasks()
	for i, x := range tasks {
		if got := r.path(x); got != want[i] {
			t.Errorf("%s: %s, want %s", x.Source, got, want[i])
		}
	}
	if x := tasks[1]; x.Priority != task.High || *x.Estimate != 1.5 || x.Due != "2026-12-24" || len(x.Labels) != 2 || !slices.Equal(x.Assignees, []uuid.UUID{r.ada}) || x.Started == nil {
		t.Errorf("got %+v", x)
	}
	if !slices.Equal(tasks[2].Assignees, tasks[3].Assignees) {
		t.Error("one person became two")
	}
	if got := strings.Join(report.States, ","); got != "Shipped,Won't do,To do later" {
		t.Errorf("states %s", got)
	}
	if got := strings.Join(report.People, ","); !strings.HasPrefix(got, "grace,person-") || strings.Join(report.Labels, ",") != "bug,Later" {
		t.Errorf("people %s, labels %v", got, report.Labels)
	}
	p, err := r.projects.Get(context.Background(), "WEB")
	if err != nil {
		t.Fatal(err)
	}
	for name, category := range map[string]project.Category{"Shipped": project.Done, "Won't do": project.Cancelled, "To do later": project.Backlog} {
		if s, ok := p.StateNamed(name); !ok || s.Category != category {
			t.Errorf("state %+v, want category %s", s, category)
		}
	}
}

func TestRefusedRows(t *testing.T) {
	t.Parallel()
	r := setup(t)
	report := r.run("id,title,created,started,finished,state,estimate,priority,due,start\n"+
		"1,ok,2026-01-01,,,,,,,\n"+
		"2,short,2026-01-01\n"+
		"3,long,2026-01-01,,,,,,,,,extra\n"+
		"4,,,,,,,,,\n"+
		"5,x,01/02/2026,,,,,,,\n"+
		"6,x,2030-01-01,,,,,,,\n"+
		"1,again,2026-01-01,,,,,,,\n"+
		",no id,2026-01-01,,,,,,,\n"+
		"9,x,2026-01-02,,2026-01-01,,,,,\n"+
		"10,x,2026-01-02,2026-01-05,2026-01-03,,,,,\n"+
		"11,x,2026-01-02,,2026-01-03,Todo,,,,\n"+
		"12,x,2026-01-02,,,Done,,,,\n"+
		"13,x,2026-01-02,,,,many,,,\n"+
		"14,x,2026-01-02,,,,-1,,,\n"+
		"15,x,2026-01-02,,,,,great,,\n"+
		"16,x,2026-01-02,,,,,,2026-01-01,2026-01-02\n"+
		"17,a\xffb,2026-01-02,,,,,,,\n"+
		"18,a\"b,2026-01-02,,,,,,,\n"+
		"19,"+strings.Repeat("x", 501)+",2026-01-02,,,,,,,\n"+
		"20,x,2026-01-02,,,"+strings.Repeat("s", 41)+",,,,\n"+
		"21,ok,2026-01-02,,,,,,,\n", importer.Options{})
	want := []string{
		"3 : has 3 fields, the header has 10", "4 : has 12 fields", "5 4: has no created date", `6 5: created: "01/02/2026" is no date that can be read`,
		"7 6: created: 2030-01-01 lies in the future", "8 1: has the same id as line 2", "9 : has no id", "10 9: finished 2026-01-01 before it was created 2026-01-02",
		"11 10: finished 2026-01-03 before it was started 2026-01-05", `12 11: has a finished date, but its state "Todo"`, `13 12: is in state "Done", but has no finished date`,
		`14 13: estimate: "many" is no number`, "15 14: estimate must be a number from 0", `16 15: priority: "great" is none of`, "17 16: start 2026-01-02 is after due 2026-01-01",
		`18 : the field in column "title" is not valid UTF-8`, "19 : has a quote inside of a field", "20 19: title has 501 characters", "21 20: name has 41 characters",
	}
	got := strings.Split(reasons(report), "\n")
	if report.Tasks != 2 || len(got) != len(want) {
		t.Fatalf("%+v\n%s", report, reasons(report))
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("got  %s\nwant %s", got[i], want[i])
		}
	}
}

func TestFilesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	r := setup(t)
	for name, c := range map[string]struct {
		text, part string
		o          importer.Options
	}{
		"empty":            {"", "empty", importer.Options{}},
		"only a mark":      {"\uFEFF", "empty", importer.Options{}},
		"UTF-16":           {"\xff\xfei\x00d\x00", "UTF-16", importer.Options{}},
		"no created":       {"id,title\n1,x\n", "map.created", importer.Options{}},
		"unknown column":   {"id,created\n1,2026-01-01\n", `did you mean "created"`, importer.Options{Columns: map[string]string{"created": "creatd"}}},
		"unknown field":    {"id,created\n1,2026-01-01\n", "map.mood", importer.Options{Columns: map[string]string{"mood": "id"}}},
		"quote never shut": {"id,created\n1,2026-01-01\n2,\"" + strings.Repeat("x\n", importer.MaxRow), "behind line 2", importer.Options{}},
		"header broken":    {"id,cre\"ated\n", "header", importer.Options{}},
		"format":           {"x", "format", importer.Options{Format: "xml"}},
		"dates":            {"x", "invalidDates", importer.Options{InvalidDates: "maybe"}},
		"columns":          {strings.Repeat("a,", 300) + "\n", "301", importer.Options{}},
	} {
		if c.o.Format == "" {
			c.o.Format = importer.CSV
		}
		_, err := r.Import(context.Background(), r.by(), "WEB", strings.NewReader(c.text), c.o)
		if !apperr.Is(err, apperr.Invalid) || !strings.Contains(err.Error(), c.part) {
			t.Errorf("%s: %v, want %q", name, err, c.part)
		}
	}
	if len(r.tasks()) != 0 {
		t.Error("a file that cannot be read has added tasks")
	}
	broken := errors.New("connection reset")
	_, err := r.Import(context.Background(), r.by(), "WEB", &failing{strings.NewReader("id,created\n1,2026"), broken}, importer.Options{Format: importer.CSV})
	if !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err = r.Import(gone, r.by(), "WEB", strings.NewReader("id,created\n1,2026-01-01\n"), importer.Options{Format: importer.CSV}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

type failing struct {
	*strings.Reader
	err error
}

func (f *failing) Read(p []byte) (int, error) {
	n, err := f.Reader.Read(p)
	if err != nil {
		err = f.err
	}
	return n, err
}

func TestColumnsAndRowsWithoutIDs(t *testing.T) {
	t.Parallel()
	r := setup(t)
	text := "what,when,ended\n" + strings.Repeat("same,02/01/2026,03/01/2026\n", 2) + "other,04/01/2026,\n"
	o := importer.Options{Columns: map[string]string{"title": "What", "created": "when", "finished": "ended"}, DateFormat: "DD/MM/YYYY"}
	if got := r.run(text, o); got.Tasks != 3 || got.RefusedRows != 0 {
		t.Fatalf("%+v\n%s", got, reasons(got))
	}
	if got := r.run(text, o); got.Tasks != 0 || got.Known != 3 {
		t.Errorf("the second time %+v", got)
	}
	if got := r.run(text+"same,02/01/2026,03/01/2026\n", o); got.Tasks != 1 {
		t.Errorf("a third equal row: %+v", got)
	}
	if x := r.tasks()[0]; x.Created.Format(task.DateLayout) != "2026-01-02" || r.path(x) != "Backlog@01-02 Done@01-03" {
		t.Errorf("got %+v", x)
	}
}

func TestZones(t *testing.T) {
	t.Parallel()
	r := setup(t)
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	r.run("id,created,due\n1,2026-07-01,2026-07-02\n2,2026-07-01T00:00:00Z,\n3,2026-11-25,\n", importer.Options{Zone: berlin})
	for i, want := range []string{"2026-06-30T22:00:00Z", "2026-07-01T00:00:00Z", "2026-11-24T23:00:00Z"} {
		if got := r.tasks()[i].Created.Format(time.RFC3339); got != want {
			t.Errorf("created %s, want %s", got, want)
		}
	}
	if got := r.tasks()[0].Due; got != "2026-07-02" {
		t.Errorf("due %s", got)
	}
}

func TestProgress(t *testing.T) {
	t.Parallel()
	r := setup(t)
	var seen []importer.Progress
	r.run(sample(t), importer.Options{InvalidDates: importer.Clamp, Progress: func(p importer.Progress) { seen = append(seen, p) }})
	last := seen[len(seen)-1]
	if len(seen) < 6 || last.Rows != 275 || last.TotalRows != 275 || last.Tasks != 275 {
		t.Errorf("%d times, at last %+v", len(seen), last)
	}
}
