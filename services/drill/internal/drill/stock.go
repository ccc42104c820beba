package drill

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/tallyboard/tallyboard/services/drill/internal/check"
	"github.com/tallyboard/tallyboard/services/drill/internal/cluster"
)

// calm waits until what was written has arrived everywhere: positions given and published, statistics and live streams
// up to date, and nothing new.
func (r *Conductor) calm(ctx context.Context, within time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	db, err := r.cluster.DB.Open()
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // nothing was written
	const quiet = time.Second
	events, since := int64(-1), time.Now()
	for {
		n, err := r.arrived(ctx, db)
		if n != events {
			events, since = n, time.Now()
		}
		if err == nil && time.Since(since) >= quiet {
			return nil
		}
		if rest(ctx, 100*time.Millisecond) != nil {
			return err
		}
	}
}

// arrived counts the events, and tells what has not yet arrived where.
func (r *Conductor) arrived(ctx context.Context, db *sql.DB) (events int64, err error) {
	if events, err = countEvents(ctx, db); err != nil {
		return -1, err
	}
	var given, published int64
	if err := db.QueryRowContext(ctx, "SELECT given, published FROM relay_positions").Scan(&given, &published); err != nil {
		return events, err
	}
	if given != events || published != events {
		return events, fmt.Errorf("of %d events %d have a position and %d are published", events, given, published)
	}
	var status struct{ Cursor int64 }
	if err := r.cluster.Get(ctx, r.cluster.URL()+"/api/v1/stats/status", &status); err != nil {
		return events, err
	}
	if status.Cursor != events {
		return events, fmt.Errorf("statistics are at %d of %d", status.Cursor, events)
	}
	lasts, err := lastOfProjects(ctx, db, given)
	if err != nil {
		return events, err
	}
	return events, r.load.Reached(lasts)
}

// stockAttempts is how often stock is taken if something arrives while it is (a request that hung in a process that was
// paused may come to its end late), or if it cannot be: a long run must not end without a result for one slow answer.
const stockAttempts = 6

// stockPause is between two attempts.
const stockPause = 2 * time.Second

// takeStock reads everything that is there.
func (r *Conductor) takeStock(ctx context.Context) error {
	for attempt := 1; ; attempt++ {
		found := check.Snapshot{Levels: r.record.Found.Levels, Listed: map[string][]string{}}
		err := r.readAll(ctx, &found)
		if err == nil {
			r.record.Found = found
		}
		if attempt == stockAttempts || err == nil && found.Stats.Cursor == int64(len(found.Events)) {
			return err
		}
		if err := rest(ctx, stockPause); err != nil {
			return err
		}
	}
}

func (r *Conductor) readAll(ctx context.Context, found *check.Snapshot) (err error) {
	if err := r.readStats(ctx, &found.Stats); err != nil {
		return err
	}
	for _, key := range projects {
		if found.Listed[key], err = r.list(ctx, key); err != nil {
			return err
		}
	}
	return r.readDatabase(ctx, found)
}

// verifyWithin bounds a recount: VERIFY_TIMEOUT of stats-service is 2 min, and deploy/nginx gives it 10 s more.
const verifyWithin = 130 * time.Second

// verify has a replica recount; it is asked past the edge, whose limits are those of quick requests.
func (r *Conductor) verify(ctx context.Context, into any) (err error) {
	ctx, cancel := context.WithTimeout(ctx, verifyWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+r.cluster.Stats[0].Addr+"/api/v1/stats/verify", nil)
	if err != nil {
		return err
	}
	req.Close = true
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("recount: %w", err)
	}
	defer func() { err = errors.Join(err, res.Body.Close()) }()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("recount: status %d", res.StatusCode)
	}
	if err := json.NewDecoder(res.Body).Decode(into); err != nil {
		return fmt.Errorf("recount: %w", err)
	}
	return nil
}

func (r *Conductor) readStats(ctx context.Context, s *check.Stats) error {
	var verdict struct {
		Equal         bool
		Pos           int64
		Count, Parked int
		Tasks         int
	}
	if err := r.verify(ctx, &verdict); err != nil {
		return err
	}
	var status struct {
		Cursor      int64
		ParkedCount int
	}
	if err := r.cluster.Get(ctx, r.cluster.URL()+"/api/v1/stats/status", &status); err != nil {
		return err
	}
	*s = check.Stats{Equal: verdict.Equal, Pos: verdict.Pos, Differences: verdict.Count, Parked: max(verdict.Parked, status.ParkedCount), Cursor: status.Cursor, Tasks: verdict.Tasks}
	return nil
}

// list returns the ids of a project's tasks by rank, as the API pages through them.
func (r *Conductor) list(ctx context.Context, key string) (ids []string, err error) {
	cursor := ""
	for {
		var page struct {
			Tasks []struct{ ID string }
			Next  *string
		}
		at := r.cluster.URL() + "/api/v1/projects/" + key + "/tasks?sort=rank&limit=200"
		if cursor != "" {
			at += "&cursor=" + url.QueryEscape(cursor)
		}
		if err := r.persist(ctx, func() error { return r.cluster.Get(ctx, at, &page) }); err != nil {
			return nil, err
		}
		for _, t := range page.Tasks {
			ids = append(ids, t.ID)
		}
		if page.Next == nil {
			return ids, nil
		}
		cursor = *page.Next
	}
}

// pageAttempts is how often one page of a list is asked for: of hundreds, one may take longer than a client waits.
const pageAttempts = 5

// persist calls fn until it succeeds, several times at most.
func (r *Conductor) persist(ctx context.Context, fn func() error) error {
	for attempt := 1; ; attempt++ {
		err := fn()
		if err == nil || attempt == pageAttempts || rest(ctx, stockPause) != nil {
			return err
		}
	}
}

// readDatabase reads all rows in one transaction, which sees them as of one moment.
func (r *Conductor) readDatabase(ctx context.Context, found *check.Snapshot) (err error) {
	db, err := r.cluster.DB.Open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	tx, err := db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // nothing was written
	id := func(column string) string {
		if r.cluster.DB.Engine == cluster.Postgres {
			return column + "::text"
		}
		return "LOWER(HEX(" + column + "))" // 32 digits, made a UUID by readID
	}
	rows := rowReader{found}
	for _, read := range []struct {
		what, query string
		row         func(scan func(...any) error) error
	}{
		{"projects", "SELECT " + id("id") + ", pkey, name, version FROM projects", rows.project},
		{"states", "SELECT " + id("project_id") + ", " + id("id") + ", name, category, wip_limit, archived FROM states ORDER BY project_id, position", rows.state},
		{"labels", "SELECT " + id("project_id") + ", " + id("id") + ", name, color FROM labels ORDER BY project_id, position", rows.label},
		{"members", "SELECT " + id("project_id") + ", " + id("person_id") + ", role FROM members", rows.member},
		{"views", "SELECT " + id("project_id") + ", " + id("id") + ", name, filter, layout, shared, version FROM views", rows.view},
		{"tasks", "SELECT " + id("id") + ", " + id("project_id") + ", number, title, description, " + id("state_id") + ", task_rank, estimate, " + id("labels") + ", version, seq, trashed FROM tasks", rows.task},
		{"labels of tasks", "SELECT " + id("task_id") + ", " + id("label_id") + " FROM task_labels", rows.labelled},
		{"comments", "SELECT " + id("id") + ", " + id("task_id") + ", body FROM comments", rows.comment},
		{"relations", "SELECT " + id("from_id") + ", " + id("to_id") + ", kind FROM relations", rows.relation},
		{"events", "SELECT id, COALESCE(pos, 0), " + id("project_id") + ", " + id("aggregate_id") + ", aggregate, seq, kind, changes, traceparent, occurred, recorded FROM events", rows.event},
		{"steps back", "SELECT what, was, became FROM drill_steps_back", rows.stepBack},
		{"positions", "SELECT given, published FROM relay_positions", func(scan func(...any) error) error { return scan(&found.Given, &found.Published) }},
	} {
		if err := each(ctx, tx, read.query, read.row); err != nil {
			return fmt.Errorf("read %s: %w", read.what, err)
		}
	}
	keys := map[string]string{}
	for _, p := range found.Projects {
		keys[p.ID] = p.Key
	}
	for i := range found.Tasks {
		found.Tasks[i].Key = fmt.Sprintf("%s-%d", keys[found.Tasks[i].Project], found.Tasks[i].Number)
	}
	return nil
}

func each(ctx context.Context, tx *sql.Tx, query string, row func(scan func(...any) error) error) error {
	rows, err := tx.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // read to its end
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}
