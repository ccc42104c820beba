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
	"time"

	"github.com/tallyboard/tallyboard/services/drill/internal/cluster"
	"github.com/tallyboard/tallyboard/services/drill/internal/proc"
)

// migrationBrokenOff: a replica is killed while it migrates, at one table after the other. The next one completes the
// schema, which is that of an undisturbed run. (What may happen between two statements is tested in kit/db.)
func migrationBrokenOff(t *testing.T, r *rig) {
	t.Helper()
	for _, program := range []struct{ name, path string }{{"task-service", programs.nextTasks}, {"stats-service", programs.nextStats}} {
		const whole = "whole"
		r.exec(t, "CREATE DATABASE "+whole)
		if err := r.migrate(t, program.path, whole); err != nil {
			t.Fatal(err)
		}
		want, all := r.schema(t, whole)
		r.exec(t, "DROP DATABASE "+whole)
		step := max(all/killings, 1)
		for tables := 1; tables <= all; tables += step {
			const broken = "broken"
			r.exec(t, "CREATE DATABASE "+broken)
			killed := r.killMigrating(t, program.path, broken, tables)
			if err := r.migrate(t, program.path, broken); err != nil {
				t.Errorf("%s, killed with %d tables: %v", program.name, killed, err)
			}
			if got, _ := r.schema(t, broken); got != want {
				t.Errorf("%s, killed with %d tables, ends in\n%s\nnot in\n%s", program.name, killed, got, want)
			}
			r.exec(t, "DROP DATABASE "+broken)
		}
	}
}

// killings is how many times each program is killed, about.
const killings = 2

// look is the pause between two looks at how far a migration is: less than a statement takes.
const look = 2 * time.Millisecond

// in returns a connection to another database of the server.
func (r *rig) in(t *testing.T, name string) *sql.DB {
	t.Helper()
	db, err := r.DB.OpenDatabase(name)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func (r *rig) urlOf(name string) string {
	return strings.Replace(r.url("", r.DB.Addr()), "/tallyboard", "/"+name, 1)
}

// migrate runs a program's migrations to their end.
func (r *rig) migrate(t *testing.T, program, database string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "migrate")
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "DATABASE_URL=" + r.urlOf(database)}
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s migrate: %w\n%s", filepath.Base(program), err, out)
	}
	return nil
}

// killMigrating kills a program as soon as its migrations have made so many tables, and returns how many there are then.
func (r *rig) killMigrating(t *testing.T, program, database string, tables int) (made int) {
	t.Helper()
	p := proc.New(proc.Spec{
		Name: "migrating", Path: program, Args: []string{"migrate"}, Dir: r.logs, Logs: r.logs,
		Env: []string{"PATH=" + os.Getenv("PATH"), "DATABASE_URL=" + r.urlOf(database)},
	})
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	for p.PID() != 0 {
		if err := r.scan(t, "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = '"+database+"'", &made); err != nil {
			t.Error(err)
		}
		if r.engine == cluster.Postgres { // nothing is to be seen before all is done: some milliseconds for each
			rest(t, time.Duration(tables)*5*time.Millisecond)
			break
		}
		if made >= tables {
			break
		}
		rest(t, look)
	}
	if err := p.Kill(); err != nil {
		t.Error(err)
	}
	return made
}

// schema returns all columns, indexes and constraints of a database and the first rows of its tables, and how many tables
// there are.
func (r *rig) schema(t *testing.T, database string) (text string, tables int) {
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
	return b.String(), len(names)
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
