package importer_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/importer"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

const changelogHeader = "issue_key,issue_type_name,issue_created_date,issue_points,status_from_name,status_to_name,status_to_category_name,status_change_date\n"

func changelog() importer.Options { return importer.Options{Format: importer.JiraChangelog} }

func TestChangelog(t *testing.T) {
	t.Parallel()
	r := setup(t)
	report := r.run(changelogHeader+
		"AB-10,Bug,2026-01-01T08:00:00.000+0000,,Open,In Dev,In Progress,2026-01-03T08:00:00.000+0000\n"+
		"AB-2,Story,2026-01-02,5,,Open,To Do,2026-01-02\n"+
		"AB-10,Bug,2026-01-01T08:00:00.000+0000,,Ready for QA,Live,Done,2026-01-05T08:00:00.000+0000\n"+
		"AB-2,Story,2026-01-02,5,Open,In Dev,In Progress,2026-01-04\n"+
		"AB-10,Bug,2026-01-01T08:00:00.000+0000,,In Dev,Ready for QA,In Progress,2026-01-04T08:00:00.000+0000\n"+
		"AB-3,Story,2026-01-02,,Open,Open,To Do,2026-01-04\n"+
		"AB-2,Story,2026-01-02,5,In Dev,Live,Done,2026-01-06\n"+
		"AB-2,Story,2026-01-02,5,Live,In Dev,In Progress,2026-01-07\n", changelog())
	if report.Tasks != 3 || report.RefusedRows != 0 || report.Rows != 8 || report.Events != 4+4+1 {
		t.Fatalf("%+v\n%s", report, reasons(report))
	}
	want := []string{"Open@01-02 In Dev@01-04 Live@01-06 In Dev@01-07", "Open@01-02", "Open@01-01 In Dev@01-03 Ready for QA@01-04 Live@01-05"}
	for i, x := range r.tasks() {
		if got := r.path(x); got != want[i] {
			t.Errorf("%s: %s, want %s", x.Source, got, want[i])
		}
	}
	reopened := r.tasks()[0]
	if reopened.Completed != nil || reopened.Started == nil || *reopened.Estimate != 5 || len(reopened.Labels) != 1 || reopened.Title != "AB-2" {
		t.Errorf("got %+v", reopened)
	}
	p, err := r.projects.Get(context.Background(), "WEB")
	if err != nil {
		t.Fatal(err)
	}
	for name, category := range map[string]project.Category{"Open": project.Todo, "In Dev": project.Doing, "Ready for QA": project.Doing, "Live": project.Done} {
		if s, ok := p.StateNamed(name); !ok || s.Category != category {
			t.Errorf("%s is %+v, want %s", name, s, category)
		}
	}
	if again := r.run(changelogHeader+"AB-2,Story,2026-01-02,5,,Open,To Do,2026-01-02\n", changelog()); again.Tasks != 0 || again.Known != 1 {
		t.Errorf("again: %+v", again)
	}
}

func TestChangelogRefusals(t *testing.T) {
	t.Parallel()
	r := setup(t)
	text := changelogHeader +
		"A-1,Bug,2026-01-01,,Open,Done,Done,someday\n" +
		"A-1,Bug,2026-01-01,,Done,Open,To Do,2026-01-05\n" +
		",Bug,2026-01-01,,Open,Done,Done,2026-01-02\n" +
		"A-2,Bug,2026-01-03,,Open,Done,Done,2026-01-02\n" +
		"A-3,Bug,2026-01-01,,Open,,Done,2026-01-02\n" +
		"A-4,Bug,,,Open,Done,Done,2026-01-02\n" +
		"A-5,Bug,2026-01-01,lots,Open,Done,Done,2026-01-02\n" +
		"A-6,Bug,2026-01-01,,Open\n" +
		"A-7,Bug,2026-01-01,1,Open,Done,Done,2026-01-02\n"
	got := r.run(text, changelog())
	if got.Tasks != 1 || got.RefusedRows != 8 || got.Rows != 9 {
		t.Errorf("%+v", got)
	}
	for _, part := range []string{
		`2 A-1: changed: "someday" is no date`, "(so all 2 rows of the issue are left out)", "4 : has no issue key", "5 A-2: changed 2026-01-02 00:00:00 before the issue was created",
		"6 A-3: does not say to which status", "7 A-4: has no date of the issue's creation", `8 A-5: estimate: "lots"`, "9 A-6: has 5 fields",
	} {
		if !strings.Contains(reasons(got), part) {
			t.Errorf("no %q in\n%s", part, reasons(got))
		}
	}
	if got = r.run(text, importer.Options{Format: importer.JiraChangelog, InvalidDates: importer.Clamp}); got.Clamped != 1 || got.Tasks != 1 {
		t.Errorf("clamped: %+v", got)
	}
	_, err := r.Import(context.Background(), r.by(), "WEB", strings.NewReader("issue_key,issue_created_date\n"), changelog())
	if !apperr.Is(err, apperr.Invalid) || !strings.Contains(err.Error(), "map.to") {
		t.Error(err)
	}
}

// TestOrderOfRowsDoesNotMatter: whatever the order of a changelog's rows, the tasks and their histories are the same.
func TestOrderOfRowsDoesNotMatter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		var rows []string
		for issue := range rapid.IntRange(1, 5).Draw(rt, "issues") {
			from, day := "Todo", 1
			for range rapid.IntRange(1, 5).Draw(rt, "changes") {
				to := rapid.SampledFrom([]string{"Todo", "In progress", "Done"}).Draw(rt, "to")
				day += rapid.IntRange(1, 4).Draw(rt, "days")
				rows = append(rows, fmt.Sprintf("A-%d,Bug,2026-01-01,,%s,%s,,2026-01-%02d\n", issue+1, from, to, day))
				from = to
			}
		}
		show := func(rows []string) string {
			r := setup(t)
			r.run(changelogHeader+strings.Join(rows, ""), changelog())
			var out []string
			for _, x := range r.tasks() {
				out = append(out, x.Source+" "+r.path(x))
			}
			return strings.Join(out, "\n")
		}
		ordered := show(rows)
		if got := show(rapid.Permutation(rows).Draw(rt, "order")); got != ordered {
			rt.Fatalf("got\n%s\nwant\n%s", got, ordered)
		}
	})
}

// counting is a store that keeps nothing, for files larger than a test should keep.
type counting struct{ tasks, events int }

func (c *counting) ImportTasks(_ context.Context, _ task.Write, _ string, batch []task.Imported) ([]bool, error) {
	for _, b := range batch {
		c.tasks++
		c.events += len(b.Events)
	}
	return slices.Repeat([]bool{true}, len(batch)), nil
}

func (c *counting) KnownSources(context.Context, uuid.UUID, []string) (map[string]bool, error) {
	return map[string]bool{}, nil
}

// TestLargeChangelog: 100,000 rows in random order, whose issues are spread over all sorted runs, in bounded memory.
func TestLargeChangelog(t *testing.T) {
	t.Parallel()
	const issues, changes = 25_000, 4
	r := setup(t)
	store := &counting{}
	im := importer.New(importer.Deps{Store: store, Reader: r.store, Projects: r.projects, People: r.store, Clock: func() time.Time { return now }, TempDir: t.TempDir()})
	order := rand.New(rand.NewPCG(1, 2)).Perm(issues * changes)
	from, to := io.Pipe()
	go func() {
		states := []string{"Backlog", "Todo", "In progress", "In review", "Done"}
		_, err := io.WriteString(to, changelogHeader)
		for _, n := range order {
			if err != nil {
				break
			}
			issue, change := n/changes, n%changes
			_, err = fmt.Fprintf(to, "BIG-%d,Story,2026-01-01,3,%s,%s,,2026-01-%02d 10:00:00\n", issue+1, states[change], states[change+1], change+2)
		}
		to.CloseWithError(err)
	}()
	var peak uint64
	o := importer.Options{Format: importer.JiraChangelog, Progress: func(p importer.Progress) {
		if p.Tasks%5000 == 0 {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapInuse)
		}
	}}
	report, err := im.Import(context.Background(), r.by(), "WEB", from, o)
	if err != nil {
		t.Fatal(err)
	}
	if report.Rows != issues*changes || report.Tasks != issues || store.events != issues*(changes+1) {
		t.Errorf("%+v, %d events stored", report, store.events)
	}
	if peak > 200<<20 {
		t.Errorf("the heap grew to %d MiB", peak>>20)
	}
	t.Logf("heap in use at most %d MiB", peak>>20)
}
