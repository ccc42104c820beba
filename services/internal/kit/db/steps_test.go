package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"github.com/tallyboard/tallyboard/services/internal/kit/testkit"
)

// longMigration holds the kinds of statements that cannot simply be run twice.
const longMigration = `-- +goose Up
-- A comment; with a semicolon.
CREATE TABLE boards (
  id INT NOT NULL PRIMARY KEY, -- a comment; here as well
  n  INT NOT NULL
) ENGINE=InnoDB;
INSERT INTO boards (id, n) VALUES (1, 0);
UPDATE
  boards SET n = n + 1;
ALTER TABLE boards ADD COLUMN title VARCHAR(20) NOT NULL DEFAULT 'a;b';
CREATE INDEX boards_title ON boards (title);
ALTER TABLE boards ADD CONSTRAINT boards_n CHECK (n < 100);
CREATE TABLE cards (id INT NOT NULL PRIMARY KEY, board INT NOT NULL, CONSTRAINT cards_board FOREIGN KEY (board) REFERENCES boards (id)) ENGINE=InnoDB;
UPDATE boards SET n = n + 1;
ALTER TABLE boards RENAME COLUMN title TO name;
DROP INDEX boards_title ON boards;
ALTER TABLE cards RENAME TO notes;
-- +goose StatementBegin
INSERT INTO notes (id, board)
  SELECT 7, id FROM boards;
-- +goose StatementEnd
-- +goose Down
DROP TABLE notes;
`

// errDied is what a connection of a program that was killed says in a test.
var errDied = errors.New("killed")

// mortal makes connections on which only so many statements are carried out; the answer of the last one is lost.
type mortal struct {
	driver.Connector

	left *atomic.Int64
}

func (m mortal) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := m.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &mortalConn{conn.(mysqlDriverConn), m.left}, nil //nolint:errcheck,forcetypeassert // MySQL's
}

type mortalConn struct {
	mysqlDriverConn

	left *atomic.Int64
}

func (c *mortalConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	left := c.left.Add(-1)
	if left < 0 {
		return nil, errDied
	}
	result, err := c.mysqlDriverConn.ExecContext(ctx, query, args)
	if left == 0 && err == nil {
		return nil, errDied
	}
	return result, err
}

func (c *mortalConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	tx, err := c.mysqlDriverConn.BeginTx(ctx, opts)
	return mortalTx{tx, c.left}, err
}

type mortalTx struct {
	driver.Tx

	left *atomic.Int64
}

func (t mortalTx) Commit() error {
	left := t.left.Add(-1)
	if left < 0 {
		return errors.Join(errDied, t.Rollback())
	}
	if err := t.Tx.Commit(); left > 0 {
		return err
	}
	return errDied
}

func TestABrokenOffMigrationIsCompleted(t *testing.T) {
	t.Parallel()
	for _, engine := range testkit.Engines() {
		if engine.Name == "postgres" {
			continue // takes all of it back
		}
		t.Run(engine.Name, func(t *testing.T) {
			t.Parallel()
			url := engine.Open(t)
			files := fstest.MapFS{"00001_long.sql": {Data: []byte(longMigration)}}
			h := open(t, Config{URL: url}, Options{})
			whole := ""
			for statements := int64(1); ; statements++ {
				died := dieAfter(t, url, files, statements)
				if err := Migrate(t.Context(), url, "goose_test", files, quiet()); err != nil {
					t.Fatalf("after %d statements: %v", statements, err)
				}
				got := h.schema(t)
				if whole == "" {
					whole = got // the first died before it changed anything
				}
				if got != whole {
					t.Fatalf("after %d statements it ends in\n%s\nnot in\n%s", statements, got, whole)
				}
				h.must(t, "DROP TABLE notes", "DROP TABLE boards", "DROP TABLE goose_test")
				if !died {
					if statements < 20 {
						t.Errorf("a whole migration took only %d statements", statements)
					}
					return
				}
			}
		})
	}
}

// dieAfter migrates until that many statements have been carried out, and reports whether that was before the end.
func dieAfter(t *testing.T, url string, files fstest.MapFS, statements int64) bool {
	t.Helper()
	m, err := openMigrator(url, "goose_test", files)
	if err != nil {
		t.Fatal(err)
	}
	defer m.close(quiet())
	if _, _, err := m.provider.GetVersions(t.Context()); err != nil {
		t.Fatal(err)
	}
	connector, err := newMySQLConnector(Config{URL: url}.withDefaults(), Options{}, 0)
	if err != nil {
		t.Fatal(err)
	}
	left := &atomic.Int64{}
	left.Store(statements)
	whole := m.db
	m.db = sql.OpenDB(mortal{connector, left})
	defer func() { m.db = whole }()
	err = m.upInSteps(t.Context(), "goose_test", files, 0, quiet())
	if err != nil && !errors.Is(err, errDied) {
		t.Fatalf("after %d statements: %v", statements, err)
	}
	if closeErr := m.db.Close(); closeErr != nil {
		t.Error(closeErr)
	}
	return err != nil
}

// schema returns all tables, columns, indexes and rows of the test's database.
func (h handle) schema(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	for _, query := range []string{
		"SELECT GROUP_CONCAT(table_name, ' ', column_name, ' ', column_type ORDER BY table_name, ordinal_position SEPARATOR '\n') FROM information_schema.columns WHERE table_schema = DATABASE()",
		"SELECT GROUP_CONCAT(table_name, ' ', index_name, ' ', column_name ORDER BY table_name, index_name SEPARATOR '\n') FROM information_schema.statistics WHERE table_schema = DATABASE()",
		"SELECT GROUP_CONCAT(table_name, ' ', constraint_name ORDER BY table_name, constraint_name SEPARATOR '\n') FROM information_schema.table_constraints WHERE table_schema = DATABASE()",
		"SELECT GROUP_CONCAT(id, ' ', n, ' ', name) FROM boards", "SELECT GROUP_CONCAT(id, ' ', board) FROM notes",
		"SELECT GROUP_CONCAT(version_id ORDER BY version_id) FROM goose_test",
	} {
		fmt.Fprintln(&b, h.text(t, query))
	}
	return b.String()
}

func TestAVersionTableWithoutItsFirstRowIsMended(t *testing.T) {
	t.Parallel()
	url := testkit.MySQL(t)
	if err := Migrate(t.Context(), url, "goose_test", schema(1), quiet()); err != nil {
		t.Fatal(err)
	}
	h := open(t, Config{URL: url}, Options{})
	h.must(t, "DROP TABLE step1", "DELETE FROM goose_test")
	if err := Migrate(t.Context(), url, "goose_test", schema(2), quiet()); err != nil || h.version(t, "goose_test") != 2 {
		t.Errorf("%v", err)
	}
}

// Only what a dead program may have done is taken for done: a table of the same name that was there before is an error.
func TestATableThatIsInTheWayIsAnError(t *testing.T) {
	t.Parallel()
	url := testkit.MySQL(t)
	open(t, Config{URL: url}, Options{}).must(t, "CREATE TABLE step1 (other INT)")
	for range 2 {
		if err := Migrate(t.Context(), url, "goose_test", schema(1), quiet()); myNumber(err) != 1050 {
			t.Errorf("got %v", err)
		}
	}
}

func TestStatementsAreToldApart(t *testing.T) {
	t.Parallel()
	got, err := upStatements(longMigration)
	if err != nil || len(got) != 12 {
		t.Fatalf("%d statements, %v", len(got), err)
	}
	if !strings.HasPrefix(got[0], "CREATE TABLE boards") || !strings.HasSuffix(got[0], "InnoDB;") || !strings.Contains(got[11], "SELECT 7") {
		t.Errorf("got %q", got)
	}
	for i, statement := range got {
		if rows, err := changesRows(statement); err != nil || rows != slices.Contains([]int{1, 2, 7, 11}, i) {
			t.Errorf("%q changes rows: %v, %v", statement, rows, err)
		}
	}
	for statement, want := range map[string]bool{
		"update\tboards SET n = 1;":                        true,
		"-- a comment\n# another\nINSERT INTO a VALUES ()": true,
		"/* a; comment */ /* ** */\nDELETE FROM a":         true,
		"/* INSERT */ ALTER\nTABLE a ADD b INT":            false,
	} {
		if rows, err := changesRows(statement); err != nil || rows != want {
			t.Errorf("%q changes rows: %v, %v", statement, rows, err)
		}
	}
	for _, unknown := range []string{"", "SET @a = 1", "WITH x AS (SELECT 1) DELETE FROM a", "CALL a()", "/*!50000 INSERT INTO a VALUES () */", "-- only this"} {
		if _, err := changesRows(unknown); err == nil {
			t.Errorf("%q was accepted", unknown)
		}
	}
	for _, bad := range []string{"-- +goose Up\nCREATE TABLE a (id INT)\n", "-- +goose ENVSUB ON\n"} {
		if _, err := upStatements(bad); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}
