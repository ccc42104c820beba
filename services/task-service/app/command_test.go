package app_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tallyboard/tallyboard/services/internal/kit/testkit"
	"github.com/tallyboard/tallyboard/services/task-service/app"
)

// result is what a command printed and how it ended.
type result struct {
	out, messages string
	err           error
}

func command(t *testing.T, in string, vars env, args ...string) result {
	t.Helper()
	var environ []string
	for k, v := range vars {
		environ = append(environ, k+"="+v)
	}
	var out, messages bytes.Buffer
	err := app.Command(t.Context(), args, app.Terminal{Environ: environ, In: strings.NewReader(in), Out: &out, Err: &messages}, "1.2.3", nil)
	return result{out.String(), messages.String(), err}
}

func TestHealthcheckCommand(t *testing.T) {
	t.Parallel()
	r := start(t, testkit.Postgres(t), testkit.NATS(t), nil)
	listen := env{"LISTEN": strings.TrimPrefix(r.url, "http://")}
	if err := command(t, "", listen, "healthcheck").err; err != nil {
		t.Errorf("healthcheck of a healthy service: %v", err)
	}
	r.stop()
	if err := command(t, "", listen, "healthcheck").err; err == nil {
		t.Error("healthcheck of a stopped service succeeds")
	}
}

func TestVersionHelpAndUnknownCommands(t *testing.T) {
	t.Parallel()
	if r := command(t, "", nil, "version"); r.err != nil || r.out != "task-service 1.2.3\n" {
		t.Errorf("version prints %q, %v", r.out, r.err)
	}
	if r := command(t, "", nil, "help"); r.err != nil || !strings.Contains(r.out, "healthcheck") {
		t.Errorf("help prints %q, %v", r.out, r.err)
	}
	if r := command(t, "", nil, "import", "-h"); r.err != nil || !strings.Contains(r.messages, "-dry-run") {
		t.Errorf("import -h prints %q, %v", r.messages, r.err)
	}
	if r := command(t, "", nil, "destroy"); r.err == nil || !strings.Contains(r.err.Error(), `"destroy"`) {
		t.Errorf("an unknown command gives %v", r.err)
	}
	if r := command(t, "", nil, "migrate"); r.err == nil || !strings.Contains(r.err.Error(), "DATABASE_URL") {
		t.Errorf("migrate without a database gives %v", r.err)
	}
}

func TestImportAndExportCommands(t *testing.T) {
	t.Parallel()
	database := testkit.Postgres(t)
	r := start(t, database, testkit.NATS(t), nil)
	r.createProject()
	vars := env{"DATABASE_URL": database}
	file := filepath.Join(t.TempDir(), "tasks.csv")
	const csv = "id,title,created,finished\nA-1,First,2026-01-02,2026-01-05\nA-2,Second,2026-01-03,\n"
	if err := os.WriteFile(file, []byte(csv), 0o600); err != nil {
		t.Fatal(err)
	}

	stream := r.watch("")
	next(t, stream, "ready")
	if got := command(t, "", vars, "import", "-project", "web", "-dry-run", file); got.err != nil || !strings.Contains(got.out, " 2 tasks would be imported") {
		t.Fatalf("dry run: %v\n%s%s", got.err, got.out, got.messages)
	}
	if got := command(t, csv, vars, "import", "-project", "WEB", "-"); got.err != nil || !strings.Contains(got.out, " 2 tasks imported") {
		t.Fatalf("import: %v\n%s%s", got.err, got.out, got.messages)
	}
	for range 2 { // the relay of the running service brings them out
		next(t, stream, "task.created")
	}
	if got := command(t, "", vars, "import", "-project", "WEB", file); got.err != nil || !strings.Contains(got.out, " 0 tasks imported") {
		t.Errorf("second import: %v\n%s%s", got.err, got.out, got.messages)
	}
	var list struct{ Tasks []any }
	if status := r.send(http.MethodGet, "/api/v1/projects/WEB/tasks", nil, &list); status != http.StatusOK || len(list.Tasks) != 2 {
		t.Errorf("after the import there are %d tasks (%d), want 2", len(list.Tasks), status)
	}

	var project map[string]any
	exported := command(t, "", vars, "export", "-project", "WEB")
	if err := json.Unmarshal([]byte(exported.out), &project); exported.err != nil || err != nil {
		t.Errorf("export: %v, %v\n%.300s", exported.err, err, exported.out)
	}
	target := filepath.Join(t.TempDir(), "out.csv")
	if got := command(t, "", vars, "export", "-project", "WEB", "-format", "csv", "-o", target); got.err != nil {
		t.Errorf("export as CSV: %v", got.err)
	}
	if b, err := os.ReadFile(target); err != nil || strings.Count(string(b), "\n") != 3 {
		t.Errorf("exported CSV %q, %v; want a header and two tasks", b, err)
	}
	if got := command(t, "", vars, "export", "-project", "NONE"); got.err == nil || strings.Contains(got.err.Error(), "SELECT") {
		t.Errorf("export of a project that is not there gives %v", got.err)
	}
	if got := command(t, "", vars, "import", "-project", "WEB", file+".none"); got.err == nil {
		t.Error("a missing file is imported")
	}
	if got := command(t, "", vars, "import", file); got.err == nil {
		t.Error("import without a project works")
	}
}
