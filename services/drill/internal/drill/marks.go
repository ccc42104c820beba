package drill

import (
	"context"
	"time"

	"github.com/tallyboard/tallyboard/services/drill/internal/check"
)

// marksEvery is how often it is noted how far relay and statistics have come.
const marksEvery = 50 * time.Millisecond

// watchMarks notes them until ctx ends. While the database is away there is nothing to note.
func (r *Conductor) watchMarks(ctx context.Context) (marks []check.Mark, err error) {
	db, err := r.cluster.DB.Open()
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	for {
		m := check.Mark{At: r.since()}
		err := db.QueryRowContext(ctx, `SELECT r.epoch, r.given, r.published, c.epoch, c.pos FROM relay_positions r, stats_cursor c WHERE r.shard = 0 AND c.shard = 0 AND c.role = 'active'`).
			Scan(&m.Epoch, &m.Given, &m.Published, &m.CursorEpoch, &m.Cursor)
		if err == nil {
			marks = append(marks, m)
		}
		if rest(ctx, marksEvery) != nil {
			return marks, db.Close()
		}
	}
}
