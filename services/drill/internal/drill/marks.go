package drill

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tallyboard/tallyboard/services/drill/internal/check"
	"github.com/tallyboard/tallyboard/services/drill/internal/cluster"
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

// noteStepsBack is what has the database note each committed change that makes a mark smaller. One that lasts for
// milliseconds, as that of a leader which is not fenced off, is seen by no look from outside.
func noteStepsBack(e cluster.Engine) []string {
	statements := []string{"CREATE TABLE drill_steps_back (what VARCHAR(40) NOT NULL, was BIGINT NOT NULL, became BIGINT NOT NULL)"}
	for _, of := range []struct {
		table string
		marks [][2]string // column and name
	}{
		{"relay_positions", [][2]string{{"epoch", "epoch of the relay"}, {"given", "last position given"}, {"published", "last position published"}}},
		{"stats_cursor", [][2]string{{"epoch", "epoch of the statistics"}, {"pos", "cursor of the statistics"}}},
	} {
		var notes strings.Builder
		for _, m := range of.marks {
			fmt.Fprintf(&notes, " INSERT INTO drill_steps_back (what, was, became) SELECT '%s', OLD.%[2]s, NEW.%[2]s FROM (SELECT 1 AS one) AS row_of_one WHERE NEW.%[2]s < OLD.%[2]s;", m[1], m[0])
		}
		body := "BEGIN" + notes.String()
		trigger := "CREATE TRIGGER drill_" + of.table + " BEFORE UPDATE ON " + of.table + " FOR EACH ROW "
		if e == cluster.MySQL {
			statements = append(statements, trigger+body+" END")
			continue
		}
		function := "drill_note_" + of.table + "()"
		statements = append(statements, "CREATE FUNCTION "+function+" RETURNS trigger LANGUAGE plpgsql AS $$ "+body+" RETURN NEW; END $$", trigger+"EXECUTE FUNCTION "+function)
	}
	return statements
}

// watchSteps begins to note steps back.
func (r *Conductor) watchSteps(ctx context.Context) (err error) {
	db, err := r.cluster.DB.Open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	for _, statement := range noteStepsBack(r.cluster.DB.Engine) {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("have the database note steps back: %w", err)
		}
	}
	return nil
}
