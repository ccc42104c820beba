package degradation

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tallyboard/tallyboard/services/drill/internal/cluster"
)

// projectKey is the project that all rows work in.
const projectKey = "DEG"

// rig is a cluster with a project in it, somebody who follows the project's live stream, and a connection to the database
// past everything that is broken.
type rig struct {
	*cluster.Cluster

	engine cluster.Engine
	db     *sql.DB
	live   *follower
	names  int
	made   map[string]string // ids of acknowledged tasks by title
	logs   string

	tasks, stats string // links to the programs that a replica runs when it is started
}

func start(t *testing.T, e cluster.Engine) *rig {
	t.Helper()
	dir := folder(t)
	r := &rig{engine: e, made: map[string]string{}, logs: folder(t)}
	r.tasks, r.stats = filepath.Join(r.logs, "task-service"), filepath.Join(r.logs, "stats-service")
	r.release(t, programs.tasks, programs.stats)
	var err error
	r.Cluster, err = cluster.Start(t.Context(), cluster.Config{
		Engine: e, NATS: 1, Dir: dir, Logs: r.logs, Tasks: r.tasks, Stats: r.stats, Self: programs.self, Script: programs.script,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Stop(); err != nil {
			t.Error(err)
		}
	})
	if r.db, err = r.DB.Open(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.db.Close(); err != nil {
			t.Error(err)
		}
	})
	if a := r.ask(t, request{method: http.MethodPost, path: "/api/v1/projects", body: `{"key":"` + projectKey + `","name":"Degradation"}`}); a.status != http.StatusCreated {
		t.Fatalf("create the project: %s", a)
	}
	r.live = follow(t, r.URL()+"/api/v1/projects/"+projectKey+"/events")
	return r
}

// release makes replicas that are started from now on run these programs.
func (r *rig) release(t *testing.T, tasks, stats string) {
	t.Helper()
	for link, program := range map[string]string{r.tasks: tasks, r.stats: stats} {
		if err := os.Remove(link); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		if err := os.Symlink(program, link); err != nil {
			t.Fatal(err)
		}
	}
}

// title returns one that no other task has.
func (r *rig) title() string {
	r.names++
	return fmt.Sprintf("task-%d", r.names)
}

// create asks for a task once. What is acknowledged must be there in the end, what is not must not be there twice.
func (r *rig) create(t *testing.T, title string) answer {
	t.Helper()
	a := r.ask(t, creation(title))
	if a.ok() {
		r.note(t, title, a)
	}
	return a
}

// creation asks for a task. Its title is its Idempotency-Key, too.
func creation(title string) request {
	return request{method: http.MethodPost, path: "/api/v1/projects/" + projectKey + "/tasks", body: `{"title":"` + title + `"}`, key: title}
}

func (r *rig) note(t *testing.T, title string, a answer) {
	t.Helper()
	var made struct{ ID string }
	if err := decode(a.body, &made); err != nil || made.ID == "" {
		t.Fatalf("create %s: %s", title, a)
	}
	r.made[title] = made.ID
}

// must creates tasks, each at the first attempt, and returns the id of the last.
func (r *rig) must(t *testing.T, tasks int) (id string) {
	t.Helper()
	for range tasks {
		title := r.title()
		if a := r.create(t, title); !a.ok() {
			t.Fatalf("create %s: %s", title, a)
		}
		id = r.made[title]
	}
	return id
}

// again repeats a creation until it is acknowledged, as clients do.
func (r *rig) again(t *testing.T, title string) {
	t.Helper()
	a, _, err := r.persist(t, title)
	if err != nil {
		t.Fatal(err)
	}
	r.note(t, title, a)
}

// persist is again for any goroutine: it notes nothing, and returns how often it asked.
func (r *rig) persist(t *testing.T, title string) (a answer, attempts int, err error) {
	t.Helper()
	for end := time.Now().Add(patience); ; {
		attempts++
		if a = r.ask(t, creation(title)); a.ok() {
			return a, attempts, nil
		}
		select {
		case <-time.After(pace):
		case <-t.Context().Done():
			return a, attempts, t.Context().Err()
		}
		if time.Now().After(end) {
			return a, attempts, fmt.Errorf("create %s: not within %s: %s", title, patience, a)
		}
	}
}

// mustRead demands that tasks can be read.
func (r *rig) mustRead(t *testing.T) {
	t.Helper()
	r.serves(t, request{path: "/api/v1/projects/" + projectKey + "/tasks?limit=5"})
}

// health is the body of /health as far as it matters here.
type health struct {
	Status string
	Checks []struct {
		Name, Status, Detail string
		Since                *time.Time
	}
}

// healthOf asks a replica how it is, whatever it answers. That it does not answer is an error, for the caller to judge.
func (r *rig) healthOf(t *testing.T, addr string) (h health, status int, err error) {
	t.Helper()
	a := r.ask(t, request{at: addr, path: "/health"})
	if a.err == nil {
		a.err = decode(a.body, &h)
	}
	if a.err != nil {
		return h, a.status, fmt.Errorf("health of %s: %s", addr, a)
	}
	return h, a.status, nil
}

// healthy returns an error unless a replica says of a part that it is well.
func (r *rig) healthy(t *testing.T, addr, part string) error {
	t.Helper()
	h, _, err := r.healthOf(t, addr)
	if err != nil {
		return err
	}
	if status, detail, _ := h.check(part); status != "ok" {
		return fmt.Errorf("%s is %s: %s", part, status, detail)
	}
	return nil
}

// check returns what is said of one part.
func (h health) check(name string) (status, detail string, since time.Time) {
	for _, c := range h.Checks {
		if c.Name == name {
			if c.Since != nil {
				since = *c.Since
			}
			return c.Status, c.Detail, since
		}
	}
	return "", "", since
}

// alive demands that a replica still lives: a restart would not help, so no orchestrator should try one.
func (r *rig) alive(t *testing.T) {
	t.Helper()
	for _, s := range r.Services() {
		if a := r.ask(t, request{at: s.Addr, path: "/livez"}); !a.ok() {
			t.Errorf("%s is dead: %s", s.Name(), a)
		}
		if s.PID() == 0 {
			t.Errorf("%s has ended", s.Name())
		}
	}
}

// await does what takes its time, patience at most.
func (r *rig) await(t *testing.T, do func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := do(ctx); err != nil {
		t.Fatal(err)
	}
}

// scan reads one row past everything that is broken.
func (r *rig) scan(t *testing.T, query string, into ...any) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	return r.db.QueryRowContext(ctx, query).Scan(into...)
}

// settle waits until all has arrived everywhere by itself, and holds the promises: every acknowledged task is there once,
// none is there half, positions and each task's seq have no gap, the live stream brought every event once and in order,
// and the statistics equal a recount.
func (r *rig) settle(t *testing.T) {
	t.Helper()
	until(t, "everything arrives", func() error { return r.arrived(t) })
	var verdict struct {
		Equal  bool
		Parked int
		Count  int
	}
	var recount answer
	until(t, "statistics are recounted", func() error {
		if recount = r.ask(t, request{path: "/api/v1/stats/verify"}); !recount.ok() {
			return answerError(recount)
		}
		return nil
	})
	if err := decode(recount.body, &verdict); err != nil || !verdict.Equal || verdict.Parked != 0 {
		t.Errorf("statistics differ from a recount: %s %v", recount, err)
	}
	for _, s := range r.Services() {
		until(t, s.Name()+" is well", func() error {
			h, _, err := r.healthOf(t, s.Addr)
			if err == nil && h.Status != "ok" {
				err = fmt.Errorf("%+v", h)
			}
			return err
		})
	}
	r.holds(t)
}

// arrived tells what has not arrived yet.
func (r *rig) arrived(t *testing.T) error {
	t.Helper()
	var events, last, published, of int64
	err := r.scan(t, "SELECT COUNT(*), COALESCE(MAX(pos), 0) FROM events", &events, &last)
	if err == nil {
		err = r.scan(t, "SELECT published FROM relay_positions", &published)
	}
	if err == nil {
		err = r.scan(t, "SELECT COALESCE(MAX(e.pos), 0) FROM events e JOIN projects p ON p.id = e.project_id WHERE p.pkey = '"+projectKey+"'", &of)
	}
	if err != nil {
		return err
	}
	var status struct{ Cursor int64 }
	a := r.ask(t, request{path: "/api/v1/stats/status"})
	if !a.ok() || decode(a.body, &status) != nil {
		return errors.New(a.String())
	}
	if events != last || events != published || events != status.Cursor || r.live.last() != of {
		return fmt.Errorf("of %d events %d have positions, %d are published, %d are counted, the stream is at %d of %d", events, last, published, status.Cursor, r.live.last(), of)
	}
	return nil
}

// holds compares what was promised with what is there.
func (r *rig) holds(t *testing.T) {
	t.Helper()
	there := map[string]int{}
	r.rows(t, "SELECT title FROM tasks", func(scan func(...any) error) error {
		var title string
		err := scan(&title)
		there[title]++
		return err
	})
	for title := range r.made {
		if there[title] != 1 {
			t.Errorf("%q was acknowledged and is there %d times", title, there[title])
		}
	}
	for title, n := range there {
		if n != 1 {
			t.Errorf("%q is there %d times", title, n)
		}
	}
	var half int
	if err := r.scan(t, "SELECT (SELECT COUNT(*) FROM tasks t WHERE t.seq <> (SELECT COUNT(*) FROM events e WHERE e.aggregate_id = t.id AND e.seq <= t.seq))", &half); err != nil || half != 0 {
		t.Errorf("%d tasks without their whole history, %v", half, err)
	}
	var want []int64
	r.rows(t, "SELECT e.pos FROM events e JOIN projects p ON p.id = e.project_id WHERE p.pkey = '"+projectKey+"' ORDER BY e.pos", func(scan func(...any) error) error {
		var pos int64
		err := scan(&pos)
		want = append(want, pos)
		return err
	})
	r.live.holds(t, want)
}

func (r *rig) rows(t *testing.T, query string, each func(scan func(...any) error) error) {
	t.Helper()
	rows, err := r.db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close() //nolint:errcheck // read to its end
	for rows.Next() {
		if err := each(rows.Scan); err != nil {
			t.Fatal(err)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}
