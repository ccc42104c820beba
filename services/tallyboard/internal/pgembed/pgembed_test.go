package pgembed

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// openDir returns a folder the unprivileged database user can reach, which t.TempDir is not when root runs the test.
func openDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "pgembed") //nolint:usetesting // t.TempDir is closed to the database's user
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func config(t *testing.T, dir string) Config {
	t.Helper()
	pkg, err := Package()
	if err != nil {
		t.Fatal(err)
	}
	bin, err := filepath.Abs(filepath.Join("..", "..", "postgres", "node_modules", filepath.FromSlash(pkg), "native"))
	if err != nil {
		t.Fatal(err)
	}
	return Config{Binaries: bin, DataDir: dir, RootHome: filepath.Join(dir, "elsewhere")}
}

func start(t *testing.T, cfg Config) *Server {
	t.Helper()
	s, err := Start(t.Context(), cfg, slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func query(t *testing.T, s *Server, sql string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx) //nolint:errcheck // what matters was read
	rows, err := conn.Query(ctx, sql)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		v, err := rows.Values()
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, fmt.Sprint(v...))
	}
	if rows.Err() != nil {
		t.Fatal(rows.Err())
	}
	return strings.Join(out, ",")
}

func TestDataSurviveStopCrashAndOrphan(t *testing.T) {
	t.Parallel()
	cfg := config(t, openDir(t))
	s := start(t, cfg)
	query(t, s, "CREATE TABLE kept (n int)")
	query(t, s, "INSERT INTO kept VALUES (1)")

	// A crash: the supervisor brings it back on the same port, recovered.
	pid := s.postmaster()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, s.URL())
		if err == nil && s.postmaster() != pid {
			conn.Close(ctx) //nolint:errcheck // that it connected is enough
			break
		}
		if ctx.Err() != nil {
			t.Fatal("did not come back: ", err)
		}
	}
	query(t, s, "INSERT INTO kept VALUES (2)")
	s.Stop()

	// A second start finds everything.
	s = start(t, cfg)
	if got := query(t, s, "SELECT n FROM kept ORDER BY n"); got != "1,2" {
		t.Fatalf("after a restart: %q", got)
	}
	// Another Tallyboard on the same cluster (the lock of the data folder is the launcher's) stops the one left behind.
	other := start(t, cfg)
	if got := query(t, other, "SELECT count(*) FROM kept"); got != "2" {
		t.Fatalf("after taking over: %q", got)
	}
	s.stop() // its supervisor must not fight on
	<-s.done
	other.Stop()
}

func TestClosedFolderKeepsDataElsewhereForRoot(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	closed := filepath.Join(dir, "closed")
	if err := os.Mkdir(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	cfg := config(t, closed)
	cfg.RootHome = filepath.Join(dir, "elsewhere")
	s := start(t, cfg)
	defer s.Stop()
	if got := query(t, s, "SELECT 1"); got != "1" {
		t.Fatal(got)
	}
	wantHome := filepath.Join(closed, "postgres")
	if os.Geteuid() == 0 {
		wantHome = cfg.RootHome
	}
	if !strings.HasPrefix(s.Home(), wantHome) {
		t.Errorf("home %s, want below %s", s.Home(), wantHome)
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	t.Parallel()
	cfg := Config{Binaries: filepath.Join(t.TempDir(), "native"), DataDir: t.TempDir(), RootHome: t.TempDir()}
	if _, err := Start(t.Context(), cfg, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "make run") {
		t.Errorf("missing binaries: %v", err)
	}
	dir := openDir(t)
	cfg = config(t, dir)
	if err := os.MkdirAll(filepath.Join(dir, "postgres", "cluster"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "postgres", "cluster", "PG_VERSION"), []byte("9\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Start(t.Context(), cfg, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "written by PostgreSQL 9") {
		t.Errorf("another major version: %v", err)
	}
}
