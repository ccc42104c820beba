package degradation

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/tallyboard/tallyboard/services/drill/internal/cluster"
)

// nextVersion is what the programs of the next release call themselves.
const nextVersion = "next"

// nextRelease returns the flags that build the release after this one: its migrations expand the schema, as the rule for
// releases (docs/deployment.md) has it, by a column and an index of a table that both releases write, and by a table.
func nextRelease(dir string) (flags []string, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make a folder: %w", err)
	}
	overlay := map[string]string{}
	for service, statements := range map[string]string{
		"task-service":  "ALTER TABLE tasks ADD COLUMN weight INT NULL;\nCREATE INDEX tasks_weight ON tasks (project_id, weight);\nCREATE TABLE weights (id INT NOT NULL PRIMARY KEY, name VARCHAR(20) NOT NULL);\nINSERT INTO weights (id, name) VALUES (1, 'light');\n",
		"stats-service": "ALTER TABLE stats_tasks ADD COLUMN weight INT NULL;\nCREATE TABLE stats_weights (id INT NOT NULL PRIMARY KEY);\n",
	} {
		file := filepath.Join(dir, service+".sql")
		if err := os.WriteFile(file, []byte("-- +goose Up\n"+statements), 0o600); err != nil {
			return nil, fmt.Errorf("write a migration: %w", err)
		}
		for _, engine := range []string{"mysql", "postgres"} {
			overlay[filepath.Join(programs.root, "services", service, "internal", "store", engine, "migrations", "00002_next.sql")] = file
		}
	}
	text, err := json.Marshal(map[string]any{"Replace": overlay})
	if err != nil {
		return nil, fmt.Errorf("write the overlay: %w", err)
	}
	file := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return nil, fmt.Errorf("write the overlay: %w", err)
	}
	return []string{"-overlay", file, "-ldflags", "-X main.version=" + nextVersion}, nil
}

// twoReleases: an update replica by replica, under load. No request fails, whatever release made the event and whatever
// release reads it, and a replica of the release before that dies halfway is simply started again.
func twoReleases(t *testing.T, r *rig) {
	t.Helper()
	load := r.load(t, 3)
	for _, program := range []string{programs.nextTasks, programs.nextStats} { // first of all the schema: expand
		if err := r.migrate(t, program, "tallyboard"); err != nil {
			t.Fatal(err)
		}
	}
	replace := func(replicas ...*cluster.Service) {
		for _, s := range replicas {
			if err := s.Terminate(patience); err != nil {
				t.Errorf("stop %s: %v", s.Name(), err)
			}
			if err := s.Start(); err != nil {
				t.Fatal(err)
			}
			if err := r.Ready(t.Context(), s); err != nil {
				t.Fatal(err)
			}
		}
		rest(t, leftOut)
		load.more(t, 30)
	}
	replace(r.Tasks[1]) // still the release before: it starts on the schema of the next one
	r.release(t, programs.nextTasks, programs.nextStats)
	replace(r.Stats[0], r.Tasks[0])
	versions := map[string]bool{}
	for _, s := range r.Services() {
		var h struct{ Version string }
		if a := r.ask(t, request{at: s.Addr, path: "/health"}); decode(a.body, &h) != nil {
			t.Errorf("health of %s: %s", s.Name(), a)
		}
		versions[h.Version] = true
	}
	if len(versions) != 2 || !versions[nextVersion] {
		t.Errorf("releases %v run side by side", versions)
	}
	replace(r.Stats[1], r.Tasks[1])
	load.stop(t)
}

// load is clients that create and change tasks, one request after the other, and expect each to be answered at once.
type load struct {
	r      *rig
	mu     sync.Mutex
	done   int
	failed []string
	made   map[string]string
	end    chan struct{}
	all    sync.WaitGroup
}

func (r *rig) load(t *testing.T, clients int) *load {
	t.Helper()
	l := &load{r: r, made: map[string]string{}, end: make(chan struct{})}
	for i := range clients {
		l.all.Go(func() { l.work(t, i) })
	}
	t.Cleanup(func() { l.stop(t) })
	return l
}

func (l *load) work(t *testing.T, client int) {
	t.Helper()
	for n := 0; ; n++ {
		select {
		case <-l.end:
			return
		default:
		}
		title := fmt.Sprintf("load-%d-%d", client, n)
		a := l.r.ask(t, request{method: http.MethodPost, path: "/api/v1/projects/" + projectKey + "/tasks", body: `{"title":"` + title + `"}`, key: title})
		var made struct{ ID string }
		if a.ok() {
			a.err = decode(a.body, &made)
		}
		l.note(title, made.ID, a)
		if made.ID != "" {
			l.note("", "", l.r.ask(t, request{method: http.MethodPost, path: "/api/v1/tasks/" + made.ID + "/comments", body: `{"body":"said"}`, key: title + "-said"}))
		}
		l.note("", "", l.r.ask(t, request{path: "/api/v1/stats/projects/" + projectKey + "/summary"}))
	}
}

func (l *load) note(title, id string, a answer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.done++
	if !a.ok() {
		l.failed = append(l.failed, title+": "+a.String())
	} else if title != "" {
		l.made[title] = id
	}
}

// more waits until so many more requests have been answered.
func (l *load) more(t *testing.T, n int) {
	t.Helper()
	count := func() int {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.done
	}
	from := count()
	until(t, "requests are answered", func() error {
		if done := count() - from; done < n {
			return fmt.Errorf("%d of %d", done, n)
		}
		return nil
	})
}

// stop ends the clients; none of their requests may have failed.
func (l *load) stop(t *testing.T) {
	t.Helper()
	select {
	case <-l.end:
		return
	default:
		close(l.end)
	}
	l.all.Wait()
	for _, failed := range l.failed {
		t.Error(failed)
	}
	maps.Copy(l.r.made, l.made)
	t.Logf("%d requests, %d failed", l.done, len(l.failed))
}

// newerEvent: a newer release has written a kind of event that this one does not know, with a field it does not know, and
// a message with a field that is not in its protobuf schema. Nobody stumbles, and nothing is parked.
func newerEvent(t *testing.T, r *rig) {
	t.Helper()
	id := r.must(t, 1)
	hex := "UNHEX(REPLACE('" + id + "', '-', ''))"
	now := "UTC_TIMESTAMP(6)"
	if r.engine == cluster.Postgres {
		hex, now = "'"+id+"'::uuid", "now()"
	}
	tx, err := r.db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		"UPDATE tasks SET seq = seq + 1 WHERE id = " + hex,
		"INSERT INTO events (project_id, aggregate, aggregate_id, seq, kind, actor, changes, occurred, recorded, traceparent)" +
			" SELECT project_id, 'task', id, seq, 'task.teleported', created_by, '[{\"field\":\"orbit\",\"before\":null,\"after\":{\"height\":3}}]', " + now + ", " + now + ", '' FROM tasks WHERE id = " + hex,
	} {
		if _, err := tx.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(errors.Join(err, tx.Rollback()))
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	r.settle(t)
	nc, err := r.NATS[0].Connect()
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := js.Stream(t.Context(), streamName)
	if err != nil {
		t.Fatal(err)
	}
	last, err := stream.GetMsg(t.Context(), stream.CachedInfo().State.LastSeq)
	if err != nil {
		t.Fatal(err)
	}
	unknown := []byte{0xC2, 0x3E, 3, 'n', 'e', 'w'} // field 1000, length-delimited
	if _, err := js.PublishMsg(t.Context(), &nats.Msg{Subject: last.Subject, Data: append(last.Data, unknown...)}); err != nil {
		t.Fatal(err)
	}
	r.must(t, 2)
}

// downgrade: a program does not migrate a schema that is newer than itself, nor start on one that is newer by more than
// the release after it, and says so in so many words. One release back it serves: a replica that dies halfway through a
// rolling update is started again.
func downgrade(t *testing.T, r *rig) {
	t.Helper()
	const refusal = "the database schema is newer than this program"
	tables := map[string]string{"goose_task": programs.tasks, "goose_stats": programs.stats}
	for table, program := range tables {
		if err := r.migrate(t, program, "tallyboard"); err == nil || !strings.Contains(err.Error(), refusal) {
			t.Errorf("%s migrates a newer schema: %v", filepath.Base(program), err)
		}
		back := r.one(t, "back-"+table, program)
		back.says(t, http.StatusOK, "database", "")
		r.exec(t, "INSERT INTO "+table+" (version_id, is_applied) VALUES (3, TRUE)")
		older := r.one(t, "older-"+table, program)
		until(t, older.Name()+" ends", func() error {
			if older.PID() != 0 {
				return errors.New("it runs")
			}
			return nil
		})
		if text := logged(t, older.log); !strings.Contains(text, refusal) {
			t.Errorf("%s says %s", older.Name(), text)
		}
		r.exec(t, "DELETE FROM "+table+" WHERE version_id = 3")
	}
}
