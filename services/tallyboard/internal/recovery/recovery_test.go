package recovery

import (
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// written is how many acknowledged tasks a phase of the test has at least.
const written = 20

// moment is now, as one would note it.
func moment() string { return time.Now().UTC().Format("2006-01-02 15:04:05.000000") }

func TestMySQLToAPointInTime(t *testing.T) {
	t.Parallel()
	exercise(t, newStack(t, newMySQL(t)), nil)
}

func TestPostgresToAPointInTime(t *testing.T) {
	t.Parallel()
	exercise(t, newStack(t, newPostgres(t)), []string{"BASE=1"})
}

// exercise is the runbook of docs/deployment.md: a backup under load, more work, a mistake, and back to the moment before
// it; then work, another mistake, and back once more from the same backup.
func exercise(t *testing.T, s *stack, kind []string) {
	t.Helper()
	if err := s.call(http.MethodPost, "/api/v1/projects", `{"key":"`+project+`","name":"Safe"}`, nil); err != nil {
		t.Fatal(err)
	}
	tooEarly := moment()
	promises := &ledger{titles: map[string]string{}}
	work := s.begin(promises, "before")
	if err := work.until(t.Context()); err != nil {
		t.Fatal(err)
	}
	backup, err := s.script(kind, "backup")
	if err != nil {
		t.Fatal(err)
	}
	if err := work.until(t.Context()); err != nil {
		t.Fatal(err)
	}
	work.stop()
	if promises.err != nil {
		t.Fatal(promises.err)
	}
	closed(t, backup)
	s.refused(t, backup, tooEarly, "is newer than UNTIL")
	s.refused(t, backup, time.Now().Add(time.Hour).UTC().Format(time.RFC3339), "in the future")
	s.refused(t, backup, "yesterday", "UNTIL must be a time")

	good, noted := promises.promised(), moment()
	s.mistake(t)
	s.restore(t, backup, noted, good)

	// The same backup, to a moment after the first restore.
	work = s.begin(promises, "after")
	if err := work.until(t.Context()); err != nil {
		t.Fatal(err)
	}
	work.stop()
	if promises.err != nil {
		t.Fatal(promises.err)
	}
	good, noted = promises.promised(), moment()
	s.mistake(t)
	s.restore(t, backup, noted, good)
	s.lostLog(t, backup, noted)
}

// mistake is one that people make, and one that administrators make.
func (s *stack) mistake(t *testing.T) {
	t.Helper()
	there, err := s.present()
	if err != nil {
		t.Fatal(err)
	}
	ids := slices.Sorted(maps.Keys(there))
	body := `{"tasks":["` + strings.Join(ids[:written], `","`) + `"],"trash":true}`
	if err := s.call(http.MethodPost, "/api/v1/projects/"+project+"/tasks/bulk", body, nil); err != nil {
		t.Fatal(err)
	}
	s.db.exec("DELETE FROM comments")
}

// restore goes back to the noted moment and holds the product to everything that was acknowledged before.
func (s *stack) restore(t *testing.T, backup, noted string, good map[string]string) {
	t.Helper()
	s.taken()
	started := time.Now()
	if _, err := s.script(nil, "restore", backup, noted); err != nil {
		t.Fatal(err)
	}
	calls := s.taken()
	t.Logf("%s: restored %d tasks in %s; %s", s.db.engine, len(good), time.Since(started).Round(time.Millisecond), strings.Join(calls, " | "))
	if len(calls) == 0 || calls[0] != "stop edge task-service stats-service" || !slices.Contains(calls, "provision true") {
		t.Errorf("the services were not stopped first, or the stream was not discarded: %q", calls)
	}
	there, err := s.present()
	if err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(there, good) {
		t.Errorf("%d tasks are there, %d were acknowledged before the moment; differences: %v", len(there), len(good), differences(there, good))
	}
	if err := s.repeated(good); err != nil {
		t.Error(err)
	}
	if n := s.db.number("SELECT COUNT(*) FROM comments"); n < len(good)-clients || n > len(good) {
		t.Errorf("%d comments on %d tasks", n, len(good))
	}
	if s.db.engine == "postgres" { // the administrator's password is of this stack, whatever it was in the backup's
		if n := s.db.number("SELECT COUNT(*) FROM pg_authid WHERE rolname = 'postgres' AND rolpassword LIKE 'SCRAM-SHA-256$%'"); n != 1 {
			t.Error("the administrator has no password")
		}
	}
	if err := s.statistics(); err != nil {
		t.Error(err)
	}
	s.goesOn(t, good)
}

// goesOn holds the restored product to what it does for people who just go on.
func (s *stack) goesOn(t *testing.T, good map[string]string) {
	t.Helper()
	var made task
	highest := s.db.number("SELECT MAX(number) FROM tasks")
	if err := s.call(http.MethodPost, "/api/v1/projects/"+project+"/tasks", `{"title":"Going on"}`, &made); err != nil {
		t.Fatal(err)
	}
	if made.Number != int64(highest+1) {
		t.Errorf("the next task has the number %d, want %d", made.Number, highest+1)
	}
	if err := s.statistics(); err != nil {
		t.Error(err)
	}
	events, last := s.db.number("SELECT COUNT(pos) FROM events"), s.db.number("SELECT MAX(pos) FROM events")
	if given := s.db.number("SELECT given FROM relay_positions"); events != last || given != last {
		t.Errorf("%d events have positions up to %d, of %d given", events, last, given)
	}
	if err := s.call(http.MethodDelete, "/api/v1/tasks/"+made.ID, "", nil, "If-Match: *"); err != nil {
		t.Fatal(err)
	}
	for id, title := range good { // a creation sent once more, as browsers do that had no answer, makes nothing new
		name := strings.TrimSuffix(title, ", changed")
		var again task
		if err := s.call(http.MethodPost, "/api/v1/projects/"+project+"/tasks", `{"title":"`+name+`"}`, &again, "Idempotency-Key: "+name); err != nil {
			t.Fatal(err)
		}
		if again.ID != id {
			t.Errorf("repeating the creation of %s made %s", id, again.ID)
		}
		return
	}
}

// lostLog takes away what a restore needs: it is refused, and nothing is stopped.
func (s *stack) lostLog(t *testing.T, backup, noted string) {
	t.Helper()
	want := "the archive does not have what followed"
	if s.db.engine == "mysql" {
		want = "the binary logs since the backup are gone"
		s.db.exec("FLUSH BINARY LOGS")
		var last string
		rows, err := s.db.db.QueryContext(t.Context(), "SHOW BINARY LOGS")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close() //nolint:errcheck // read to the end
		for rows.Next() {
			var size, encrypted string
			if err := rows.Scan(&last, &size, &encrypted); err != nil {
				t.Fatal(err)
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		s.db.exec("PURGE BINARY LOGS TO '" + last + "'")
	} else {
		histories, err := filepath.Glob(filepath.Join(s.db.archive, "*", "*.backup.gz"))
		if err != nil || len(histories) == 0 {
			t.Fatalf("no history of a backup in the archive: %v", err)
		}
		for _, h := range histories {
			if err := os.Remove(h); err != nil {
				t.Fatal(err)
			}
		}
	}
	s.refused(t, backup, noted, want)
}

// refused asserts that a restore says why it cannot be, before it stops or changes anything.
func (s *stack) refused(t *testing.T, backup, until, why string) {
	t.Helper()
	s.taken()
	_, err := s.script(nil, "restore", backup, until)
	if err == nil || !strings.Contains(err.Error(), why) {
		t.Errorf("restore to %s: got %v, want %q", until, err, why)
	}
	if calls := s.taken(); len(calls) != 0 {
		t.Errorf("a restore that was refused did this: %q", calls)
	}
}

// closed asserts that nobody else may read a backup.
func closed(t *testing.T, file string) {
	t.Helper()
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm()&0o077 != 0 || info.Size() == 0 {
		t.Errorf("%s has %d bytes and mode %s", file, info.Size(), info.Mode())
	}
}

func differences(there, good map[string]string) []string {
	var out []string
	for id, title := range good {
		if got, ok := there[id]; !ok || got != title {
			out = append(out, "want "+strconv.Quote(title)+", got "+strconv.Quote(got))
		}
	}
	for id, title := range there {
		if _, ok := good[id]; !ok {
			out = append(out, "too many: "+strconv.Quote(title))
		}
	}
	return out[:min(len(out), 10)]
}
