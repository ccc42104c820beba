package soak

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tallyboard/tallyboard/services/drill/internal/cluster"
	"github.com/tallyboard/tallyboard/services/drill/internal/drill"
	"github.com/tallyboard/tallyboard/services/drill/internal/proxy"
)

// How a backlog is made and worked off.
const (
	importRows    = 500                   // of one import
	fillWithin    = 3 * time.Minute       // until the backlog is written
	catchUpWithin = 2 * time.Minute       // until the statistics have it
	lookEvery     = 20 * time.Millisecond // at their cursor
)

// CatchUp is how the statistics came to the head of the history again after something had been away.
type CatchUp struct {
	Away      string        `json:"away"`
	Written   int64         `json:"written"` // events while it was away
	Writing   time.Duration `json:"writing"`
	Behind    int64         `json:"behind"` // events not applied when all was back
	Took      time.Duration `json:"took"`   // from then until the last was applied, taking office included
	PerSecond float64       `json:"perSecond"`
	// Flowing is the rate between a tenth and nine tenths of the backlog.
	Flowing float64 `json:"flowing"`
	// Course shows what it waited for: for the relay, or for itself.
	Course []Course `json:"course"`
	Error  string   `json:"error,omitempty"`
}

// Course is how far everything was at a moment of a catching up.
type Course struct {
	After     time.Duration `json:"after"` // since all was back
	Published int64         `json:"published"`
	Cursor    int64         `json:"cursor"`
}

// courseEvery is between two points of a course.
const courseEvery = 250 * time.Millisecond

// outage is something that can be away.
type outage struct {
	name string
	take func() error
	give func(ctx context.Context) error
}

// outages returns NATS alone, which statistics hardly notice: they read the database meanwhile; and NATS together with their
// way to the database, so that a backlog is there when both come back.
func outages(c *cluster.Cluster) []outage {
	hold := func(on bool) {
		for _, l := range c.Links {
			if from, to, _ := strings.Cut(l.Name(), "→"); strings.HasPrefix(from, "stats-") && to == database {
				l.Set(proxy.Conditions{Hold: on})
			}
		}
	}
	return []outage{
		{"NATS", c.StopNATS, c.StartNATS},
		{"NATS, and the database for stats-service", func() error { hold(true); return c.StopNATS() }, func(ctx context.Context) error {
			defer hold(false) // last: from here on the time counts
			return c.StartNATS(ctx)
		}},
	}
}

// catchUp takes something away, has tasks imported, gives it back and measures. Whatever goes wrong, it is given back.
func catchUp(ctx context.Context, r *drill.Conductor, o outage, backlog int) CatchUp {
	out := CatchUp{Away: o.name}
	err := func() (err error) {
		db, err := r.Cluster().DB.Open()
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, db.Close()) }()
		before, _, _, err := positions(ctx, db)
		if err != nil {
			return err
		}
		taken := o.take()
		began := r.Since()
		fill(ctx, r, backlog)
		out.Writing = r.Since() - began
		if err := errors.Join(taken, o.give(ctx)); err != nil {
			return err
		}
		back := r.Since()
		head, cursor, _, err := positions(ctx, db)
		if err != nil {
			return err
		}
		out.Written, out.Behind = head-before, head-cursor
		return out.follow(ctx, r, db, head, back)
	}()
	if err != nil {
		out.Error = err.Error()
	}
	return out
}

func fill(ctx context.Context, r *drill.Conductor, backlog int) {
	ctx, cancel := context.WithTimeout(ctx, fillWithin)
	defer cancel()
	projects := drill.Projects()
	for _, key := range projects {
		r.Load().Fill(ctx, key, backlog/len(projects), importRows)
	}
}

// positions returns the number of events, the position up to which the statistics have them, and the one up to which they are
// published.
func positions(ctx context.Context, db *sql.DB) (head, cursor, published int64, err error) {
	err = db.QueryRowContext(ctx, `SELECT r.given + (SELECT COUNT(*) FROM events WHERE shard = 0 AND pos IS NULL), c.pos, r.published
		FROM relay_positions r, stats_cursor c WHERE r.shard = 0 AND c.shard = 0 AND c.role = 'active'`).Scan(&head, &cursor, &published)
	if err != nil {
		return 0, 0, 0, fmt.Errorf("look how far the statistics are: %w", err)
	}
	return head, cursor, published, nil
}

// follow measures until the cursor has come to the head.
func (c *CatchUp) follow(ctx context.Context, r *drill.Conductor, db *sql.DB, head int64, back time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, catchUpWithin)
	defer cancel()
	type step struct {
		at  time.Duration
		pos int64
	}
	var tenth, ninth step
	for {
		_, cursor, published, err := positions(ctx, db)
		now := step{r.Since(), cursor}
		if err == nil {
			if n := len(c.Course); n == 0 || now.at-back-c.Course[n-1].After >= courseEvery || cursor >= head {
				c.Course = append(c.Course, Course{now.at - back, published, cursor})
			}
			if done := cursor - (head - c.Behind); tenth.pos == 0 && done*10 >= c.Behind {
				tenth = now
			} else if ninth.pos == 0 && done*10 >= c.Behind*9 {
				ninth = now
			}
		}
		if err == nil && cursor >= head {
			c.Took = now.at - back
			c.PerSecond = float64(c.Behind) / c.Took.Seconds()
			if d := ninth.at - tenth.at; d > 0 {
				c.Flowing = float64(ninth.pos-tenth.pos) / d.Seconds()
			}
			return nil
		}
		select {
		case <-time.After(lookEvery):
		case <-ctx.Done():
			return fmt.Errorf("statistics are at %d of %d after %s: %w", cursor, head, now.at-back, errors.Join(ctx.Err(), err))
		}
	}
}
