package degradation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
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
	programs.nextSchema = map[string]int64{}
	for service, statements := range map[string]string{
		"task-service":  "ALTER TABLE tasks ADD COLUMN drill_weight INT NULL;\nCREATE INDEX tasks_drill_weight ON tasks (project_id, drill_weight);\nCREATE TABLE " + nextTable(tasksTable) + " (id INT NOT NULL PRIMARY KEY, name VARCHAR(20) NOT NULL);\nINSERT INTO " + nextTable(tasksTable) + " (id, name) VALUES (1, 'light');\n",
		"stats-service": "ALTER TABLE stats_tasks ADD COLUMN drill_weight INT NULL;\nCREATE TABLE " + nextTable(statsTable) + " (id INT NOT NULL PRIMARY KEY);\n",
	} {
		file := filepath.Join(dir, service+".sql")
		if err := os.WriteFile(file, []byte("-- +goose Up\n"+statements), 0o600); err != nil {
			return nil, fmt.Errorf("write a migration: %w", err)
		}
		for _, engine := range []cluster.Engine{cluster.MySQL, cluster.Postgres} {
			migrations := filepath.Join(programs.root, "services", service, "internal", "store", string(engine), "migrations")
			newest, err := newestVersion(migrations)
			if err != nil {
				return nil, err
			}
			programs.nextSchema[service+string(engine)] = newest + 1
			overlay[filepath.Join(migrations, fmt.Sprintf("%05d_next.sql", newest+1))] = file
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

// The tables in which goose records the versions of the services' schemas.
const (
	tasksTable = "goose_task"
	statsTable = "goose_stats"
)

// nextTable is what the next release adds to the schema that goose records there.
func nextTable(goose string) string {
	return map[string]string{tasksTable: "drill_weights", statsTable: "stats_drill_weights"}[goose]
}

// newestVersion returns the highest version of goose's files in a folder.
func newestVersion(dir string) (newest int64, err error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.sql"))
	if err != nil || len(files) == 0 {
		return 0, errors.Join(fmt.Errorf("there are no migrations in %s", dir), err)
	}
	for _, file := range files {
		number, _, _ := strings.Cut(filepath.Base(file), "_")
		version, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("version of %s: %w", file, err)
		}
		newest = max(newest, version)
	}
	return newest, nil
}

// twoReleases: an update replica by replica, under load. No request fails, whatever release made the event and whatever
// release reads it, and a replica of the release before that dies halfway is simply started again.
func twoReleases(t *testing.T, r *rig) {
	t.Helper()
	load := r.load(t, 3)
	for _, program := range []string{programs.nextTasks, programs.nextStats} { // first of all the schema: expand
		if err := r.migrate(t, program, ""); err != nil {
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
			r.await(t, func(ctx context.Context) error { return r.Ready(ctx, s) })
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
		a := l.r.ask(t, creation(title))
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
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	stream, err := js.Stream(ctx, streamName)
	if err != nil {
		t.Fatal(err)
	}
	last, err := stream.GetMsg(ctx, stream.CachedInfo().State.LastSeq)
	if err != nil {
		t.Fatal(err)
	}
	unknown := []byte{0xC2, 0x3E, 3, 'n', 'e', 'w'} // field 1000, length-delimited
	if _, err := js.PublishMsg(ctx, &nats.Msg{Subject: last.Subject, Data: append(last.Data, unknown...)}); err != nil {
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
	for _, of := range []struct{ service, table, program string }{
		{"task-service", tasksTable, programs.tasks}, {"stats-service", statsTable, programs.stats},
	} {
		var version int64
		if err := r.scan(t, "SELECT MAX(version_id) FROM "+of.table, &version); err != nil || version != programs.nextSchema[of.service+string(r.engine)] {
			t.Fatalf("the schema of %s is at version %d, %v; the next release makes it %d", of.service, version, err, programs.nextSchema[of.service+string(r.engine)])
		}
		if err := r.migrate(t, of.program, ""); err == nil || !strings.Contains(err.Error(), refusal) {
			t.Errorf("%s migrates a newer schema: %v", of.service, err)
		}
		back := r.one(t, "back-"+of.table, of.program)
		back.says(t, http.StatusOK, "database", "")
		r.exec(t, fmt.Sprintf("INSERT INTO %s (version_id, is_applied) VALUES (%d, TRUE)", of.table, version+1))
		older := r.one(t, "older-"+of.table, of.program)
		until(t, older.Name()+" ends", func() error {
			if older.PID() != 0 {
				return errors.New("it runs")
			}
			return nil
		})
		if text := logged(t, older.log); !strings.Contains(text, refusal) {
			t.Errorf("%s says %s", older.Name(), text)
		}
		r.exec(t, fmt.Sprintf("DELETE FROM %s WHERE version_id = %d", of.table, version+1))
	}
}
