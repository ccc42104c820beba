package httpapi

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/httpapi/wire"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

const importPath = "/api/v1/projects/WEB/import?format=csv"

func TestOrdinaryBodiesKeepTheirLimit(t *testing.T) {
	t.Parallel()
	projects := newFakeProjects(t)
	sample := sampleTask(t, projects.one)
	h := serve(t, Deps{Projects: projects, Tasks: &fakeTasks{
		create: func(task.Write, task.New) (*task.Task, bool, error) { return sample, false, nil },
	}})
	large := `{"title":"` + strings.Repeat("x", smallBodies) + `"}`
	h.do("POST", "/api/v1/projects/WEB/tasks", large).problem(t, 413)
	chunked := h.request("POST", "/api/v1/projects/WEB/tasks", io.MultiReader(strings.NewReader(large)))
	h.send(chunked, []byte(large)).problem(t, 413)
	small := `{"title":"` + strings.Repeat("x", smallBodies/2) + `"}`
	if a := h.do("POST", "/api/v1/projects/WEB/tasks", small); a.status != 201 {
		t.Errorf("a body within the limit: %d %s", a.status, a.body)
	}
	chunked = h.request("POST", "/api/v1/projects/WEB/tasks", io.MultiReader(strings.NewReader(small)))
	if a := h.send(chunked, []byte(small)); a.status != 201 {
		t.Errorf("a chunked body within the limit: %d %s", a.status, a.body)
	}
}

// A body that nobody reads must never be taken for the next request on the connection.
func TestUnreadBodiesAreNotRequests(t *testing.T) {
	t.Parallel()
	h := serve(t, Deps{Projects: newFakeProjects(t), Importer: &fakeTransfer{}})
	smuggled := "GET /api/v1/me HTTP/1.1\r\nHost: board.test\r\n\r\n"
	for _, path := range []string{
		"/api/v1/projects/NOPE/import?format=csv", "/api/v1/projects/WEB/import?format=bogus", "/api/v1/nothing", "/health-not",
	} {
		padding := strings.Repeat("x", 20_000)
		conn, err := h.dial()
		if err != nil {
			t.Fatal(err)
		}
		go fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: board.test\r\nContent-Type: text/csv\r\nContent-Length: %d\r\n\r\n%s%s", //nolint:errcheck // the server may close first
			path, len(padding)+len(smuggled), padding, smuggled)
		reader := bufio.NewReader(conn)
		res, err := http.ReadResponse(reader, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, res.Body); err != nil {
			t.Fatal(err)
		}
		closed := res.Close
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
		if isImport(strings.Split(path, "?")[0]) && !closed {
			t.Errorf("%s: the connection is kept although its body was not read", path)
		}
	}
	if log := h.log.String(); strings.Contains(log, `"route":"/api/v1/me"`) {
		t.Errorf("a body was taken for a request:\n%s", log)
	}
}

func TestImportStreamsItsBody(t *testing.T) {
	t.Parallel()
	transfer := &fakeTransfer{}
	h := serve(t, Deps{Config: Config{ImportLimit: 10 * smallBodies, TempDir: t.TempDir()}, Projects: newFakeProjects(t), Importer: transfer})
	file := strings.Repeat("a,b\n", smallBodies) // four times the limit of other bodies
	a := h.do("POST", importPath+"&dryRun=true&map.title=Summary&invalidDates=clamp", file, "Content-Type: text/csv")
	if a.status != 200 || transfer.read != int64(len(file)) || !transfer.options.DryRun || transfer.options.Columns["title"] != "Summary" ||
		transfer.options.InvalidDates != "clamp" {
		t.Fatalf("import: %d %s; read %d, options %+v", a.status, a.body, transfer.read, transfer.options)
	}
	chunked := h.request("POST", importPath, io.MultiReader(strings.NewReader(file)), "Content-Type: text/csv")
	if a := h.send(chunked, nil); a.status != 200 {
		t.Errorf("chunked import: %d %s", a.status, a.body)
	}
	tooLarge := strings.Repeat(file, 3)
	h.do("POST", importPath, tooLarge, "Content-Type: text/csv").problem(t, 413)
	chunked = h.request("POST", importPath, io.MultiReader(strings.NewReader(tooLarge)), "Content-Type: text/csv")
	h.send(chunked, nil).problem(t, 413)
	h.do("POST", importPath, "", "Content-Type: text/csv").problem(t, 400)
	h.do("POST", importPath, "{}", "Content-Type: application/json").problem(t, 415)
	h.do("POST", "/api/v1/projects/WEB/import", "x", "Content-Type: text/csv").problem(t, 400)
	h.do("POST", "/api/v1/projects/WEB/import?format=xml", "x", "Content-Type: text/csv").problem(t, 400)
}

func TestImportTellsItsProgress(t *testing.T) {
	t.Parallel()
	transfer := &fakeTransfer{}
	h := serve(t, Deps{Config: Config{TempDir: t.TempDir()}, Projects: newFakeProjects(t), Importer: transfer})
	headers := []header{"Content-Type: text/csv", "Accept: application/x-ndjson"}
	lines := func() []wire.ImportProgress {
		var out []wire.ImportProgress
		a := h.do("POST", importPath, "id\n1\n", headers...)
		for line := range strings.Lines(string(a.body)) {
			var one wire.ImportProgress
			(answer{body: []byte(line)}).json(t, &one)
			out = append(out, one)
		}
		return out
	}
	got := lines()
	if len(got) != 3 || got[1].Type != "progress" || *got[1].Rows != 5 || got[2].Type != "report" || got[2].Report.Tasks != 4 {
		t.Errorf("lines %+v", got)
	}
	transfer.fail = apperr.InvalidField("body", "line 3 has too many columns")
	got = lines()
	if last := got[len(got)-1]; last.Type != "problem" || last.Problem.Status != 400 || (*last.Problem.Errors)[0].Name != "body" {
		t.Errorf("lines %+v", got)
	}
	h.do("POST", importPath, "id\n1\n", "Content-Type: text/csv").problem(t, 400)
}

func TestExportIsWholeOrBroken(t *testing.T) {
	t.Parallel()
	transfer := &fakeTransfer{out: `{"tasks":[]}`}
	h := serve(t, Deps{Projects: newFakeProjects(t), Exporter: transfer})
	a := h.do("GET", "/api/v1/projects/WEB/export", "")
	if a.status != 200 || string(a.body) != transfer.out || a.header.Get("Content-Disposition") != `attachment; filename="WEB.json"` {
		t.Errorf("export: %d %v %s", a.status, a.header, a.body)
	}
	if a := h.do("GET", "/api/v1/projects/WEB/export?format=csv", ""); !strings.HasPrefix(a.header.Get("Content-Type"), "text/csv") {
		t.Errorf("CSV export: %v", a.header)
	}
	transfer.fail = apperr.New(apperr.Unavailable, "The database is away.")
	h.do("GET", "/api/v1/projects/WEB/export", "").problem(t, 503)
	transfer.out = strings.Repeat(" ", 4*streamBuffer)
	res, err := h.client.Do(h.request("GET", "/api/v1/projects/WEB/export", http.NoBody))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // broken off
	if n, err := io.Copy(io.Discard, res.Body); err == nil {
		t.Errorf("an export that failed after %d bytes looks complete", n)
	}
}
