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
	h.Do("POST", "/api/v1/projects/WEB/tasks", large).Problem(t, 413)
	chunked := h.Request("POST", "/api/v1/projects/WEB/tasks", io.MultiReader(strings.NewReader(large)))
	h.Send(chunked, []byte(large)).Problem(t, 413)
	small := `{"title":"` + strings.Repeat("x", smallBodies/2) + `"}`
	if a := h.Do("POST", "/api/v1/projects/WEB/tasks", small); a.Status != 201 {
		t.Errorf("a body within the limit: %d %s", a.Status, a.Body)
	}
	chunked = h.Request("POST", "/api/v1/projects/WEB/tasks", io.MultiReader(strings.NewReader(small)))
	if a := h.Send(chunked, []byte(small)); a.Status != 201 {
		t.Errorf("a chunked body within the limit: %d %s", a.Status, a.Body)
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
		go fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: board.test\r\nContent-Type: text/csv\r\nContent-Length: %d\r\n\r\n%s%s",
			path, len(padding)+len(smuggled), padding, smuggled)
		reader := bufio.NewReader(conn)
		res, err := http.ReadResponse(reader, nil) //nolint:bodyclose // read to its end; the connection is closed
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
		if Streamed(strings.Split(path, "?")[0]) && !closed {
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
	a := h.Do("POST", importPath+"&dryRun=true&map.title=Summary&invalidDates=clamp", file, "Content-Type: text/csv")
	if a.Status != 200 || transfer.read != int64(len(file)) || !transfer.options.DryRun || transfer.options.Columns["title"] != "Summary" ||
		transfer.options.InvalidDates != "clamp" {
		t.Fatalf("import: %d %s; read %d, options %+v", a.Status, a.Body, transfer.read, transfer.options)
	}
	chunked := h.Request("POST", importPath, io.MultiReader(strings.NewReader(file)), "Content-Type: text/csv")
	if a := h.Send(chunked, nil); a.Status != 200 {
		t.Errorf("chunked import: %d %s", a.Status, a.Body)
	}
	tooLarge := strings.Repeat(file, 3)
	h.Do("POST", importPath, tooLarge, "Content-Type: text/csv").Problem(t, 413)
	chunked = h.Request("POST", importPath, io.MultiReader(strings.NewReader(tooLarge)), "Content-Type: text/csv")
	h.Send(chunked, nil).Problem(t, 413)
	h.Do("POST", importPath, "", "Content-Type: text/csv").Problem(t, 400)
	h.Do("POST", importPath, "{}", "Content-Type: application/json").Problem(t, 415)
	h.Do("POST", "/api/v1/projects/WEB/import", "x", "Content-Type: text/csv").Problem(t, 400)
	h.Do("POST", "/api/v1/projects/WEB/import?format=xml", "x", "Content-Type: text/csv").Problem(t, 400)
}

func TestImportTellsItsProgress(t *testing.T) {
	t.Parallel()
	transfer := &fakeTransfer{}
	h := serve(t, Deps{Config: Config{TempDir: t.TempDir()}, Projects: newFakeProjects(t), Importer: transfer})
	headers := []header{"Content-Type: text/csv", "Accept: application/x-ndjson"}
	lines := func() []wire.ImportProgress {
		var out []wire.ImportProgress
		a := h.Do("POST", importPath, "id\n1\n", headers...)
		for line := range strings.Lines(string(a.Body)) {
			var one wire.ImportProgress
			(Answer{Body: []byte(line)}).JSON(t, &one)
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
	h.Do("POST", importPath, "id\n1\n", "Content-Type: text/csv").Problem(t, 400)
}

func TestExportIsWholeOrBroken(t *testing.T) {
	t.Parallel()
	transfer := &fakeTransfer{out: `{"tasks":[]}`}
	h := serve(t, Deps{Projects: newFakeProjects(t), Exporter: transfer})
	a := h.Do("GET", "/api/v1/projects/WEB/export", "")
	if a.Status != 200 || string(a.Body) != transfer.out || a.Header.Get("Content-Disposition") != `attachment; filename="WEB.json"` {
		t.Errorf("export: %d %v %s", a.Status, a.Header, a.Body)
	}
	if a := h.Do("GET", "/api/v1/projects/WEB/export?format=csv", ""); !strings.HasPrefix(a.Header.Get("Content-Type"), "text/csv") {
		t.Errorf("CSV export: %v", a.Header)
	}
	transfer.fail = apperr.New(apperr.Unavailable, "The database is away.")
	h.Do("GET", "/api/v1/projects/WEB/export", "").Problem(t, 503)
	transfer.out = strings.Repeat(" ", 4*streamBuffer)
	res, err := h.client.Do(h.Request("GET", "/api/v1/projects/WEB/export", http.NoBody))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // broken off
	if n, err := io.Copy(io.Discard, res.Body); err == nil {
		t.Errorf("an export that failed after %d bytes looks complete", n)
	}
}

func TestMalformedAddressesAreTheCallersFault(t *testing.T) {
	t.Parallel()
	h := serve(t, Deps{Projects: newFakeProjects(t)})
	for _, target := range []string{
		"/api/v1/projects/%zz", "/api/v1/tasks/%zz", "/api/v1/tasks/WEB-1%00", "/api/v1/projects/WEB%2fx", "//", "/api/v1/tasks/\xff",
		"/api/v1/projects/WEB/tasks?filter=%zz", "/%00", "/..%2f..%2fetc/passwd", "/assets/../../x",
	} {
		conn, err := h.dial()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: board.test\r\nConnection: close\r\n\r\n", target); err != nil {
			t.Fatal(err)
		}
		res, err := http.ReadResponse(bufio.NewReader(conn), nil) //nolint:bodyclose // read to its end; the connection is closed
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, res.Body); err != nil {
			t.Fatal(err)
		}
		if res.StatusCode < 400 || res.StatusCode >= 500 {
			t.Errorf("%q: %d", target, res.StatusCode)
		}
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	}
	if log := h.log.String(); strings.Contains(log, `"level":"ERROR"`) {
		t.Errorf("logged at error level:\n%s", log)
	}
}
