package recovery

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMySQLWithoutADatabase restores where there is none, as after a restore that broke off: there is nothing to save first.
func TestMySQLWithoutADatabase(t *testing.T) {
	t.Parallel()
	s := newStack(t, newMySQL(t))
	l := s.project(t)
	s.phase(t, l, "before")
	backup, good := s.backup(t, nil), l.promised()
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	s.db.exec("DROP DATABASE tallyboard")
	s.restore(t, backup, "", good)
	if _, err := s.script(nil, "backup", backup); err == nil || !strings.Contains(err.Error(), "is there already") {
		t.Errorf("a backup over another: %v", err)
	}
}

// TestPostgresAfterItsServerIsLost restores into another server that was made in its place: to a moment after the base
// backup, which only the former one's archive knows, then to the backup itself.
func TestPostgresAfterItsServerIsLost(t *testing.T) {
	t.Parallel()
	s := newStack(t, newPostgres(t))
	l := s.project(t)
	s.phase(t, l, "before")
	early := l.promised()
	backup := s.backup(t, []string{"BASE=1"})
	s.phase(t, l, "after")
	good, noted := l.promised(), moment()
	s.db.exec("SELECT pg_current_xact_id()")
	if err := errors.Join(s.stop(), s.db.stop()); err != nil {
		t.Fatal(err)
	}
	s.db.renew()
	product := s.db.db
	s.db.db = s.db.open("postgres?sslmode=disable")
	if err := errors.Join(s.db.start(), s.db.ready(t.Context())); err != nil {
		t.Fatal(err)
	}
	s.db.db = product
	s.restore(t, backup, noted, good)
	s.restore(t, backup, "", early)
	if left, err := filepath.Glob(filepath.Join(s.db.archive, "..", "re*")); err != nil || len(left) > 0 {
		t.Errorf("left over: %v, %v", left, err)
	}
	s.damaged(t, backup)
}

// damaged holds a restore that fails to leaving everything as it was.
func (s *stack) damaged(t *testing.T, backup string) {
	t.Helper()
	before, err := s.present()
	if err != nil {
		t.Fatal(err)
	}
	whole, err := s.script([]string{"BASE=1"}, "backup")
	if err != nil {
		t.Fatal(err)
	}
	if whole == backup {
		t.Errorf("two backups have one name: %s", whole)
	}
	broken := filepath.Join(s.dir, "broken.tar.gz")
	run(t, "bash", "-o", "pipefail", "-c", `zcat "$1" | { head -c 100000; cat >/dev/null; } | gzip >"$2"`, "damage", whole, broken)
	if _, err := s.script(nil, "restore", broken); err == nil || !strings.Contains(err.Error(), "nothing was changed") {
		t.Errorf("a damaged base backup: %v", err)
	}
	after, err := s.present()
	if err != nil {
		t.Fatal(err)
	}
	if len(after) != len(before) {
		t.Errorf("%d tasks after a restore that failed, want %d", len(after), len(before))
	}
	if _, err := os.Stat(filepath.Join(s.db.archive, "..", "restoring")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a restore that failed left its data: %v", err)
	}
}

func (s *stack) project(t *testing.T) *ledger {
	t.Helper()
	if err := s.call(http.MethodPost, "/api/v1/projects", `{"key":"`+project+`","name":"Safe"}`, nil); err != nil {
		t.Fatal(err)
	}
	return &ledger{titles: map[string]string{}}
}

// phase is some work.
func (s *stack) phase(t *testing.T, l *ledger, part string) {
	t.Helper()
	work := s.begin(l, part)
	err := work.until(t.Context())
	work.stop()
	if err = errors.Join(err, l.err); err != nil {
		t.Fatal(err)
	}
}

func (s *stack) backup(t *testing.T, kind []string) string {
	t.Helper()
	file, err := s.script(kind, "backup")
	if err != nil {
		t.Fatal(err)
	}
	closed(t, file)
	return file
}
