package degradation

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tallyboard/tallyboard/services/drill/internal/cluster"
	"github.com/tallyboard/tallyboard/services/drill/internal/proc"
)

// halfway is a statement in the midst of a migration: one that creates a table.
type halfway struct {
	version int64
	step    int // on MySQL: among the migration's statements, from 1
	creates string
}

// migrationBrokenOff: a replica is killed while it migrates, in the midst of the first migration and of one that changes
// tables in use. The next one completes the schema, which is that of an undisturbed run. (What may happen before and behind
// each statement is tested in kit/db.)
func migrationBrokenOff(t *testing.T, r *rig) {
	t.Helper()
	for _, of := range []struct {
		service, path, table string
		places               []halfway
	}{
		{"task-service", programs.nextTasks, tasksTable, []halfway{{1, 8, "relations"}, {0, 3, nextTable(tasksTable)}}},
		{"stats-service", programs.nextStats, statsTable, []halfway{{1, 5, "stats_tasks"}, {0, 2, nextTable(statsTable)}}},
	} {
		const whole, broken = "whole", "broken"
		r.exec(t, "CREATE DATABASE "+whole)
		if err := r.migrate(t, of.path, whole); err != nil {
			t.Fatal(err)
		}
		want := r.schema(t, whole)
		r.drop(t, whole)
		for _, at := range of.places {
			if at.version == 0 {
				at.version = programs.nextSchema[of.service+string(r.engine)]
			}
			r.exec(t, "CREATE DATABASE "+broken)
			r.killMigrating(t, of.path, broken, of.table, at)
			if err := r.migrate(t, of.path, broken); err != nil {
				t.Errorf("%s, killed in version %d: %v", of.service, at.version, err)
			}
			if got := r.schema(t, broken); got != want {
				t.Errorf("%s, killed in version %d, ends in\n%s\nnot in\n%s", of.service, at.version, got, want)
			}
			r.drop(t, broken)
		}
	}
}

// drop removes a database of a test, also if the server has not noticed yet that its last client has gone.
func (r *rig) drop(t *testing.T, name string) {
	t.Helper()
	if r.engine == cluster.Postgres {
		name += " WITH (FORCE)"
	}
	r.exec(t, "DROP DATABASE "+name)
}

// in returns one connection to another database of the server.
func (r *rig) in(t *testing.T, name string) *sql.DB {
	t.Helper()
	db, err := r.DB.OpenDatabase(name)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	return db
}

// migrate runs a program's migrations to their end, on the services' database if none is named.
func (r *rig) migrate(t *testing.T, program, database string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "migrate")
	cmd.Env = r.migrating(database)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s migrate: %w\n%s", filepath.Base(program), err, out)
	}
	return nil
}

func (r *rig) migrating(database string) (env []string) {
	return []string{"PATH=" + os.Getenv("PATH"), "DATABASE_URL=" + r.DB.URL("", r.DB.Addr(), database)}
}

// barrier stops a migration in its midst, by a lock that the test holds.
type barrier interface {
	// reached returns nil once the migration waits for the lock.
	reached() error
	// lift ends what the server still does for the program, which was killed, frees the lock, and returns an error unless the
	// migration is half done.
	lift(t *testing.T) error
}

// killMigrating kills a program in the midst of a migration: certainly, since it can get no further.
func (r *rig) killMigrating(t *testing.T, program, database, goose string, at halfway) {
	t.Helper()
	db := r.in(t, database)
	defer db.Close() //nolint:errcheck // what it was needed for is done
	var b barrier
	if r.engine == cluster.Postgres {
		b = r.stopPostgres(t, db, database, goose, at)
	} else {
		b = r.stopMySQL(t, db, database, goose, at)
	}
	p := proc.New(proc.Spec{Name: "migrating", Path: program, Args: []string{"migrate"}, Dir: r.logs, Logs: r.logs, Env: r.migrating(database)})
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := p.Kill(); err != nil { // also if it never got there
			t.Error(err)
		}
	}()
	until(t, fmt.Sprintf("%s is in the midst of version %d", filepath.Base(program), at.version), func() error {
		if p.PID() == 0 {
			t.Fatalf("it ended before it was halfway: %s", logged(t, filepath.Join(r.logs, p.Name()+".log")))
		}
		return b.reached()
	})
	if err := p.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := b.lift(t); err != nil {
		t.Fatalf("%s was not killed halfway: %v", filepath.Base(program), err)
	}
}

// none waits until a query counts nothing any more, doing something about it before each look.
func (r *rig) none(t *testing.T, what, query string, about func() error) {
	t.Helper()
	until(t, what, func() error {
		var n int
		if err := about(); err != nil {
			return err
		}
		if err := r.scan(t, query, &n); err != nil || n > 0 {
			return errors.Join(fmt.Errorf("%d are left", n), err)
		}
		return nil
	})
}

// postgresBarrier is a table of the same name, made in a transaction that does not end: who creates it, too, waits.
type postgresBarrier struct {
	r               *rig
	t               *testing.T
	db              *sql.DB
	tx              *sql.Tx
	pid             int
	database, goose string
	at              halfway
}

func (r *rig) stopPostgres(t *testing.T, db *sql.DB, database, goose string, at halfway) barrier {
	t.Helper()
	b := &postgresBarrier{r: r, t: t, db: db, database: database, goose: goose, at: at}
	var err error
	if b.tx, err = db.BeginTx(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := b.tx.ExecContext(t.Context(), "CREATE TABLE "+at.creates+" (id INT)"); err != nil {
		t.Fatal(err)
	}
	if err := b.tx.QueryRowContext(t.Context(), "SELECT pg_backend_pid()").Scan(&b.pid); err != nil {
		t.Fatal(err)
	}
	return b
}

// reached demands that whoever waits has changed the schema already, in its transaction.
func (b *postgresBarrier) reached() error {
	var waiting, changed int
	who := fmt.Sprintf("(SELECT pid FROM pg_stat_activity WHERE %d = ANY(pg_blocking_pids(pid)))", b.pid)
	err := b.r.scan(b.t, "SELECT (SELECT COUNT(*) FROM "+who+" AS w), (SELECT COUNT(*) FROM pg_locks WHERE pid IN "+who+" AND granted AND locktype = 'relation' AND mode = 'AccessExclusiveLock')", &waiting, &changed)
	if err != nil || waiting != 1 || changed == 0 {
		return errors.Join(fmt.Errorf("%d wait, having changed %d tables", waiting, changed), err)
	}
	return nil
}

func (b *postgresBarrier) lift(t *testing.T) error {
	t.Helper()
	others := fmt.Sprintf("FROM pg_stat_activity WHERE datname = '%s' AND pid <> %d", b.database, b.pid)
	b.r.none(t, "the server lets go of the migration", "SELECT COUNT(*) "+others, func() error {
		return execAll(t.Context(), b.r.db, "SELECT pg_terminate_backend(pid) "+others)
	})
	if err := b.tx.Rollback(); err != nil {
		return err
	}
	var recorded, there int
	err := b.db.QueryRowContext(t.Context(), "SELECT (SELECT COUNT(*) FROM "+b.goose+" WHERE version_id = $1), (SELECT COUNT(*) FROM pg_class WHERE relname = $2)", b.at.version, b.at.creates).Scan(&recorded, &there)
	if err != nil || recorded != 0 || there != 0 {
		return errors.Join(fmt.Errorf("version %d is recorded %d times, %s is there %d times", b.at.version, recorded, b.at.creates, there), err)
	}
	return nil
}

// mysqlBarrier is a trigger at the marks of the migration's steps (kit/db/steps.go), which waits for a lock: the statement
// was done, and its mark was not made.
type mysqlBarrier struct {
	r               *rig
	t               *testing.T
	db              *sql.DB
	lock            *sql.Conn
	database, goose string
	at              halfway
}

func (r *rig) stopMySQL(t *testing.T, db *sql.DB, database, goose string, at halfway) barrier {
	t.Helper()
	b := &mysqlBarrier{r: r, t: t, db: db, database: database, goose: goose, at: at}
	var err error
	if b.lock, err = r.db.Conn(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.lock.Close() }) // lift has given it back, if it came to that
	var got int
	if err := b.lock.QueryRowContext(t.Context(), "SELECT GET_LOCK('drill', 0)").Scan(&got); err != nil || got != 1 {
		t.Fatalf("take a lock: %d, %v", got, err)
	}
	// The table as a migration makes it that died behind its first statement; it goes with the last migration.
	err = execAll(t.Context(), db,
		"CREATE TABLE "+goose+"_steps (version BIGINT NOT NULL PRIMARY KEY, begun INT NOT NULL, done INT NOT NULL)",
		fmt.Sprintf("CREATE TRIGGER drill_halfway BEFORE UPDATE ON %s_steps FOR EACH ROW BEGIN IF NEW.version = %d AND NEW.done = %d THEN DO GET_LOCK('drill', 3600); END IF; END", goose, at.version, at.step))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *mysqlBarrier) reached() error {
	var waiting int
	err := b.r.scan(b.t, "SELECT COUNT(*) FROM information_schema.processlist WHERE db = '"+b.database+"' AND state = 'User lock'", &waiting)
	if err != nil || waiting != 1 {
		return errors.Join(fmt.Errorf("%d wait", waiting), err)
	}
	return nil
}

func (b *mysqlBarrier) lift(t *testing.T) error {
	t.Helper()
	var own int64
	if err := b.db.QueryRowContext(t.Context(), "SELECT CONNECTION_ID()").Scan(&own); err != nil {
		return err
	}
	others := fmt.Sprintf("FROM information_schema.processlist WHERE db = '%s' AND id <> %d", b.database, own)
	b.r.none(t, "the server lets go of the migration", "SELECT COUNT(*) "+others, func() error {
		ids, err := texts(t.Context(), b.r.db, "SELECT id "+others)
		for _, id := range ids {
			_ = execAll(t.Context(), b.r.db, "KILL "+id) // one that is gone needs none
		}
		return err
	})
	if _, err := b.lock.ExecContext(t.Context(), "DO RELEASE_LOCK('drill')"); err != nil {
		return err
	}
	if err := b.lock.Close(); err != nil {
		return err
	}
	var recorded, there, begun, done int
	err := b.db.QueryRowContext(t.Context(), "SELECT (SELECT COUNT(*) FROM "+b.goose+" WHERE version_id = ?), (SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?), begun, done FROM "+b.goose+"_steps WHERE version = ?",
		b.at.version, b.at.creates, b.at.version).Scan(&recorded, &there, &begun, &done)
	if err != nil || recorded != 0 || there != 1 || begun != b.at.step || done != b.at.step-1 {
		return errors.Join(fmt.Errorf("version %d is recorded %d times, %s is there %d times, step %d was begun and %d done", b.at.version, recorded, b.at.creates, there, begun, done), err)
	}
	return execAll(t.Context(), b.db, "DROP TRIGGER drill_halfway")
}

// schema returns all columns, indexes and constraints of a database, and how many rows its tables have.
func (r *rig) schema(t *testing.T, database string) string {
	t.Helper()
	db := r.in(t, database)
	defer db.Close() //nolint:errcheck // nothing was written
	own := "table_schema = DATABASE()"
	indexes := "SELECT CONCAT_WS(' ', table_name, index_name, seq_in_index, column_name, non_unique) FROM information_schema.statistics WHERE " + own
	if r.engine == cluster.Postgres {
		own = "table_schema = 'public'"
		indexes = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'"
	}
	var b strings.Builder
	for _, query := range []string{
		"SELECT CONCAT_WS(' ', table_name, ordinal_position, column_name, data_type, is_nullable, column_default) FROM information_schema.columns WHERE " + own,
		indexes,
		"SELECT CONCAT_WS(' ', table_name, constraint_type, COUNT(*)) FROM information_schema.table_constraints WHERE " + own + " GROUP BY table_name, constraint_type",
	} {
		lines, err := texts(t.Context(), db, query+" ORDER BY 1")
		if err != nil {
			t.Fatal(err)
		}
		b.WriteString(strings.Join(lines, "\n") + "\n")
	}
	names, err := texts(t.Context(), db, "SELECT table_name FROM information_schema.tables WHERE "+own+" ORDER BY 1")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		query := "SELECT CONCAT('" + name + " has ', COUNT(*)) FROM " + name
		if strings.HasPrefix(name, "goose_") {
			query = "SELECT CONCAT('" + name + " ', version_id) FROM " + name + " ORDER BY version_id"
		}
		lines, err := texts(t.Context(), db, query)
		if err != nil {
			t.Fatal(err)
		}
		b.WriteString(strings.Join(lines, "\n") + "\n")
	}
	return b.String()
}

func texts(ctx context.Context, db *sql.DB, query string) (lines []string, err error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", query, err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return nil, fmt.Errorf("%s: %w", query, err)
		}
		lines = append(lines, line)
	}
	return lines, rows.Err()
}
