package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"time"
)

// MySQL and MariaDB commit each statement that changes the schema by itself, so a program that dies within a migration
// leaves half of it, which goose would begin anew and fail at the first table that is there already. (PostgreSQL takes all
// of a migration back.) Here its statements are applied one after the other, with a mark in a table beside goose's before
// and behind each, and the next program goes on where the dead one was:
//
//   - a statement that changes rows is in one transaction with its mark, so it is done once;
//   - of one that changes the schema it may be unknown whether it was done. It is a whole in itself (atomic DDL: MySQL 8.0,
//     MariaDB 10.6), so it is run again, and "it is there already" then means that it was;
//   - the mark of the last one goes in the transaction that records the version.

// stepsSuffix makes the table of marks from goose's. It is there only while a migration is under way.
const stepsSuffix = "_steps"

// Server error numbers of MySQL and MariaDB that say of a change of the schema that it has been made.
var myMadeAlready = []uint16{
	1050, // table exists
	1051, // unknown table (DROP TABLE)
	1054, // unknown column (RENAME COLUMN)
	1060, // duplicate column name
	1061, // duplicate key name
	1091, // can't drop: not there
	1146, // no such table (RENAME TABLE)
	1826, // duplicate foreign key name
	3822, // duplicate check constraint name
}

// stepper applies migrations to MySQL, statement by statement. The caller holds the lock of migrations.
type stepper struct {
	conn  *sql.Conn
	table string // goose's
	log   *slog.Logger
}

// upInSteps applies what goose has not recorded yet.
func (m *migrator) upInSteps(ctx context.Context, table string, dir fs.FS, have int64, log *slog.Logger) (err error) {
	conn, err := m.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	s := stepper{conn, table, log}
	for _, source := range m.provider.ListSources() {
		if source.Version <= have {
			continue
		}
		text, err := fs.ReadFile(dir, source.Path)
		if err != nil {
			return fmt.Errorf("read migration: %w", err)
		}
		statements, err := upStatements(string(text))
		if err != nil {
			return fmt.Errorf("%s: %w", source.Path, err)
		}
		for i, statement := range statements { // before any of them is done
			if _, err := changesRows(statement); err != nil {
				return fmt.Errorf("%s: statement %d: %w", source.Path, i+1, err)
			}
		}
		began := time.Now()
		if err := s.apply(ctx, source.Version, statements); err != nil {
			return fmt.Errorf("%s: %w", source.Path, err)
		}
		log.InfoContext(ctx, "migration applied", "table", table, "version", source.Version, "file", source.Path, "duration", time.Since(began))
	}
	return s.clear(ctx)
}

// mend completes goose's table where a program died between making it and writing its first row.
func (m *migrator) mend(ctx context.Context, table string) error {
	s := stepper{table: table}
	var err error
	if s.conn, err = m.db.Conn(ctx); err != nil {
		return err
	}
	exists, err := s.exists(ctx, table)
	if err == nil && exists {
		_, err = s.conn.ExecContext(ctx, "INSERT INTO "+table+" (version_id, is_applied) SELECT 0, TRUE FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM "+table+")") //nolint:gosec // a name from the program
	}
	return errors.Join(err, s.conn.Close())
}

// apply runs the statements of one version that have not been run, and records it.
func (s stepper) apply(ctx context.Context, version int64, statements []string) error {
	_, err := s.conn.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS "+s.table+stepsSuffix+
		" (version BIGINT NOT NULL PRIMARY KEY, begun INT NOT NULL, done INT NOT NULL) ENGINE=InnoDB")
	if err != nil {
		return fmt.Errorf("make the table of marks: %w", err)
	}
	var begun, done int
	err = s.conn.QueryRowContext(ctx, "SELECT begun, done FROM "+s.table+stepsSuffix+" WHERE version = ?", version).Scan(&begun, &done)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		if _, err := s.conn.ExecContext(ctx, "INSERT INTO "+s.table+stepsSuffix+" (version, begun, done) VALUES (?, 0, 0)", version); err != nil { //nolint:gosec // a name from the program
			return fmt.Errorf("mark its beginning: %w", err)
		}
	case err != nil:
		return fmt.Errorf("read the marks: %w", err)
	default:
		s.log.WarnContext(ctx, "a migration was broken off; going on with it", "table", s.table, "version", version, "done", done, "of", len(statements))
	}
	for i := done; i < len(statements); i++ {
		if err := s.step(ctx, version, i+1, statements[i], begun == i+1); err != nil {
			return fmt.Errorf("statement %d: %w", i+1, err)
		}
	}
	return s.together(ctx, func(exec func(string, ...any) error) error {
		if err := exec("INSERT INTO "+s.table+" (version_id, is_applied) VALUES (?, TRUE)", version); err != nil {
			return err
		}
		return exec("DELETE FROM "+s.table+stepsSuffix+" WHERE version = ?", version)
	})
}

// step runs statement n; again, if a program that died has begun with it.
func (s stepper) step(ctx context.Context, version int64, n int, statement string, again bool) error {
	mark := func(column string) string {
		return "UPDATE " + s.table + stepsSuffix + " SET " + column + " = ? WHERE version = ?"
	}
	rows, err := changesRows(statement)
	if err != nil {
		return err
	}
	if rows {
		return s.together(ctx, func(exec func(string, ...any) error) error {
			if err := exec(statement); err != nil {
				return err
			}
			return exec(mark("done"), n, version)
		})
	}
	if _, err := s.conn.ExecContext(ctx, mark("begun"), n, version); err != nil {
		return err
	}
	if _, err := s.conn.ExecContext(ctx, statement); err != nil && !(again && slices.Contains(myMadeAlready, myNumber(err))) {
		if myNumber(err) != 0 { // the server refuses it: it was not done, and the next program must not take it for done
			_, unmarked := s.conn.ExecContext(ctx, mark("begun"), n-1, version)
			err = errors.Join(err, unmarked)
		}
		return err
	}
	_, err = s.conn.ExecContext(ctx, mark("done"), n, version)
	return err
}

// together runs statements in one transaction.
func (s stepper) together(ctx context.Context, do func(exec func(string, ...any) error) error) error {
	tx, err := s.conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	err = do(func(statement string, args ...any) error {
		_, err := tx.ExecContext(ctx, statement, args...)
		return err
	})
	if err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// clear removes the table of marks.
func (s stepper) clear(ctx context.Context) error {
	exists, err := s.exists(ctx, s.table+stepsSuffix)
	if err == nil && exists {
		_, err = s.conn.ExecContext(ctx, "DROP TABLE "+s.table+stepsSuffix)
	}
	return err
}

func (s stepper) exists(ctx context.Context, table string) (exists bool, err error) {
	err = s.conn.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?)", table).Scan(&exists)
	return exists, err
}

// Statements by their first word: those that a transaction can take back, and those that commit by themselves.
var (
	rowStatements    = []string{"INSERT", "UPDATE", "DELETE", "REPLACE"}
	schemaStatements = []string{"CREATE", "ALTER", "DROP", "RENAME", "TRUNCATE"}
)

// leadingComment is a comment before a statement. What MySQL executes of comments (/*! */) is none.
var leadingComment = regexp.MustCompile(`(?s)^\s*(?:(?:--\s|#).*?(?:\n|$)|/\*[^!M+].*?\*/)`)

// changesRows tells statements that a transaction can take back from those that commit by themselves. Of others it is not
// known whether they may be run again, so they have no place in a migration.
func changesRows(statement string) (bool, error) {
	rest := statement
	for {
		comment := leadingComment.FindString(rest)
		if comment == "" {
			break
		}
		rest = rest[len(comment):]
	}
	words := strings.Fields(strings.ToUpper(rest))
	switch {
	case len(words) > 0 && slices.Contains(rowStatements, words[0]):
		return true, nil
	case len(words) > 0 && slices.Contains(schemaStatements, words[0]):
		return false, nil
	}
	return false, fmt.Errorf("a migration's statements begin with one of %v: %.40q", slices.Concat(rowStatements, schemaStatements), rest)
}

// upStatements returns the statements of a goose file's Up section, by goose's rules
// (https://pressly.github.io/goose/documentation/annotations): each ends with the line that ends with a semicolon, but for
// what stands between StatementBegin and StatementEnd.
func upStatements(file string) ([]string, error) {
	var out []string
	var statement strings.Builder
	up, block := false, false
	flush := func() {
		if text := strings.TrimSpace(statement.String()); text != "" {
			out = append(out, text)
		}
		statement.Reset()
	}
	for line := range strings.Lines(file) {
		line = strings.TrimSpace(line)
		if annotation, is := strings.CutPrefix(line, "-- +goose "); is {
			switch strings.TrimSpace(annotation) {
			case "Up":
				up = true
			case "Down":
				up = false
			case "StatementBegin":
				block = true
			case "StatementEnd":
				block = false
				if up {
					flush()
				}
			case "NO TRANSACTION": // nothing here is in one
			default:
				return nil, fmt.Errorf("unknown annotation %q", annotation)
			}
			continue
		}
		if !up || statement.Len() == 0 && (line == "" || strings.HasPrefix(line, "--")) {
			continue
		}
		statement.WriteString(line + "\n")
		code, _, _ := strings.Cut(line, " --")
		if !block && strings.HasSuffix(strings.TrimSpace(code), ";") {
			flush()
		}
	}
	if strings.TrimSpace(statement.String()) != "" {
		return nil, errors.New("its last statement has no semicolon")
	}
	return out, nil
}
