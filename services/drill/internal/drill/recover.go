package drill

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/tallyboard/tallyboard/services/drill/internal/ledger"
)

// lookEvery is how often it is looked whether everything is well again.
const lookEvery = 50 * time.Millisecond

// recover waits until people can work again and until everything is well, and tells how long after the given moment that
// was.
func (r *Conductor) recover(ctx context.Context, healed time.Duration) (serving, whole time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*r.cfg.Limits.Whole)
	defer cancel()
	probe := r.load.Probe(ctx, len(r.record.Faults)+1)
	serving = probe.End - healed
	if probe.Outcome != ledger.Acknowledged {
		return serving, serving, fmt.Errorf("no write was acknowledged: %s", probe.Error)
	}
	db, err := r.cluster.DB.Open()
	if err != nil {
		return serving, serving, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var written int64 // events until now, the probe's among them
	for {
		if written == 0 {
			written, err = countEvents(ctx, db)
		}
		if err == nil {
			err = r.whole(ctx, db, written)
		}
		whole = r.since() - healed
		if err == nil {
			return serving, whole, nil
		}
		if rest(ctx, lookEvery) != nil {
			return serving, whole, err
		}
		err = nil
	}
}

// whole returns what is not well: a service that says so itself, or somebody who has not got what had been written.
func (r *Conductor) whole(ctx context.Context, db *sql.DB, written int64) error {
	for _, s := range r.cluster.Services() {
		status, err := r.cluster.Health(ctx, s)
		if err != nil {
			return err
		}
		if status != "ok" {
			return fmt.Errorf("%s is %s", s.Name(), status)
		}
	}
	var given, published int64
	if err := db.QueryRowContext(ctx, "SELECT given, published FROM relay_positions").Scan(&given, &published); err != nil {
		return err
	}
	if given < written || published < written {
		return fmt.Errorf("of %d events %d have a position and %d are published", written, given, published)
	}
	var status struct {
		Cursor int64 `json:"cursor"`
	}
	if err := r.cluster.Get(ctx, r.cluster.URL()+"/api/v1/stats/status", &status); err != nil {
		return err
	}
	if status.Cursor < written {
		return fmt.Errorf("statistics are at %d of %d", status.Cursor, written)
	}
	lasts, err := lastOfProjects(ctx, db, written)
	if err != nil {
		return err
	}
	return r.load.Reached(lasts)
}

// countEvents counts the events without reading them all: positions are given from 1 on without gaps (which the checker
// holds them to), and those without one are few.
func countEvents(ctx context.Context, db *sql.DB) (n int64, err error) {
	err = db.QueryRowContext(ctx, "SELECT (SELECT given FROM relay_positions WHERE shard = 0) + (SELECT COUNT(*) FROM events WHERE shard = 0 AND pos IS NULL)").Scan(&n)
	return n, err
}

// lastOfProjects returns each project's last position up to one, by key.
func lastOfProjects(ctx context.Context, db *sql.DB, upTo int64) (map[string]int64, error) {
	lasts := map[string]int64{}
	for _, key := range projects {
		// By the index of the project's positions: there may be hundreds of thousands.
		query := fmt.Sprintf("SELECT pos FROM events WHERE project_id = (SELECT id FROM projects WHERE pkey = '%s') AND pos <= %d ORDER BY pos DESC LIMIT 1", key, upTo) //nolint:gosec // our own projects and a number
		var pos int64
		if err := db.QueryRowContext(ctx, query).Scan(&pos); err != nil && !errors.Is(err, sql.ErrNoRows) {
			return nil, err
		}
		lasts[key] = pos
	}
	return lasts, nil
}
