package app_test

import (
	"strings"
	"testing"

	"github.com/tallyboard/tallyboard/services/stats-service/app"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/store/storetest"
)

// command runs a command and returns what it printed.
func command(t *testing.T, environ []string, args ...string) (string, error) {
	t.Helper()
	var out, log logBuffer
	err := app.Command(t.Context(), args, app.Terminal{Environ: environ, Out: &out, Err: &log}, "1.2.3")
	return out.String(), err
}

func TestCommands(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(d *storetest.Database) {
		t := d.T
		w := recent()
		d.Write(t, w, len(w.Events))
		env := environ(d.URL, nowhere)
		if _, err := command(t, env, "migrate"); err != nil {
			t.Fatal(err)
		}
		out, err := command(t, env, "rebuild") // also fills empty projections
		if err != nil || !strings.Contains(out, "generation 2") {
			t.Fatalf("rebuild: %s %v", out, err)
		}
		if out, err = command(t, env, "verify"); err != nil || !strings.Contains(out, `"equal": true`) {
			t.Errorf("verify: %s %v", out, err)
		}
		d.Exec(t, "UPDATE stats_tasks SET priority = 4 - priority")
		if out, err = command(t, env, "verify", "-limit", "1"); err == nil || !strings.Contains(out, `"field": "priority"`) {
			t.Errorf("verify of something wrong: %s %v", out, err)
		}
		if out, err = command(t, env, "rebuild", "-fresh"); err != nil || !strings.Contains(out, "generation 3") {
			t.Errorf("rebuild: %s %v", out, err)
		}
		if out, err = command(t, env, "verify"); err != nil {
			t.Errorf("verify after rebuild: %s %v", out, err)
		}
		if out, err = command(t, env, "retry", "-all"); err != nil || out != "" {
			t.Errorf("retry of nothing: %s %v", out, err)
		}
	})
}

func TestCommandLine(t *testing.T) {
	t.Parallel()
	env := environ("postgres://127.0.0.1:1/none", nowhere)
	if out, err := command(t, env, "version"); err != nil || out != "stats-service 1.2.3\n" {
		t.Errorf("version %q %v", out, err)
	}
	for want, args := range map[string][]string{
		`there is no command "sing"`: {"sing"},
		"is not an id":               {"retry", "x"},
		"name ids":                   {"retry"},
		"healthcheck":                {"healthcheck"},
		"flag provided but":          {"rebuild", "-slow"},
	} {
		if _, err := command(t, env, args...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", args, err, want)
		}
	}
	if _, err := command(t, []string{"DATABASE_URL=sqlite://x"}, "serve"); err == nil || !strings.Contains(err.Error(), "DATABASE_URL") {
		t.Errorf("a wrong scheme: %v", err)
	}
}

// TestHealthcheck asks a running service.
func TestHealthcheck(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(d *storetest.Database) {
		t := d.T
		s := start(t, environ(d.URL, nowhere))
		if _, err := command(t, []string{"LISTEN=" + strings.TrimPrefix(s.url, "http://")}, "healthcheck"); err != nil {
			t.Error(err)
		}
	})
}
