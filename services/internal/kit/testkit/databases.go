package testkit

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	// adminTimeout bounds one administrative step: connecting, creating or dropping a database.
	adminTimeout = 2 * time.Minute
	// abandonedAfter is the age from which a test database can only be what a killed test process left.
	abandonedAfter = 6 * time.Hour
	// databasePrefix marks the databases of this package; the time of their making follows, in base 36.
	databasePrefix = "tallytest_"
)

var (
	mysqlServer    = newServer("mysql", "TEST_MYSQL_URL", mysqlDialect)
	mariadbServer  = newServer("mariadb", "TEST_MARIADB_URL", mysqlDialect)
	postgresServer = newServer("postgres", "TEST_POSTGRES_URL", postgresDialect)
)

// EngineCase is one database engine for suites that must hold on all of them.
type EngineCase struct {
	Name string                    // mysql, mariadb or postgres
	Open func(t testing.TB) string // URL of a fresh empty database, dropped when the test ends
}

// Engines returns every engine the product supports; conformance suites range over it.
func Engines() []EngineCase {
	return []EngineCase{
		{Name: mysqlServer.engine, Open: MySQL},
		{Name: mariadbServer.engine, Open: MariaDB},
		{Name: postgresServer.engine, Open: Postgres},
	}
}

// MySQL returns the mysql:// URL of a fresh empty database on a real MySQL server. Its user may do anything.
func MySQL(t testing.TB) string {
	t.Helper()
	return mysqlServer.database(t)
}

// MariaDB returns the mysql:// URL of a fresh empty database on a real MariaDB server. Its user may do anything.
func MariaDB(t testing.TB) string {
	t.Helper()
	return mariadbServer.database(t)
}

// Postgres returns the postgres:// URL of a fresh empty database on a real PostgreSQL server. Its user may do anything.
func Postgres(t testing.TB) string {
	t.Helper()
	return postgresServer.database(t)
}

// dialect is how to talk to an engine's server and its words for what this package does there.
type dialect struct {
	on     func(ctx context.Context, serverURL string, do func(*sql.DB) error) error // runs do on a short-lived connection
	create string                                                                    // of a database, its name in place of %s
	drop   string
	list   string
}

func (d dialect) exec(ctx context.Context, serverURL, statement, name string) error {
	return d.on(ctx, serverURL, func(db *sql.DB) error {
		_, err := db.ExecContext(ctx, fmt.Sprintf(statement, name))
		return err
	})
}

// sweep drops the databases that killed test processes left behind.
func (d dialect) sweep(ctx context.Context, serverURL string) error {
	return d.on(ctx, serverURL, func(db *sql.DB) error {
		names, err := databases(ctx, db, d.list)
		if err != nil {
			return fmt.Errorf("list databases: %w", err)
		}
		for _, name := range names {
			if !abandoned(name, time.Now()) {
				continue
			}
			if _, err := db.ExecContext(ctx, fmt.Sprintf(d.drop, name)); err != nil { //nolint:gosec // a name abandoned knows as ours
				return fmt.Errorf("drop %s: %w", name, err)
			}
		}
		return nil
	})
}

func databases(ctx context.Context, db *sql.DB, query string) (names []string, err error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, rows.Err()
}

// database makes a database for one test. No connection outlives this call, so leak checks stay quiet.
func (s *engineServer) database(t testing.TB) string {
	t.Helper()
	serverURL, err := s.locate()
	if err != nil {
		t.Fatalf("testkit: no %s server: %v", s.engine, err)
	}
	name := newName(time.Now())
	ctx, cancel := context.WithTimeout(context.Background(), adminTimeout)
	defer cancel()
	if err := s.dialect.exec(ctx, serverURL, s.dialect.create, name); err != nil {
		t.Fatalf("testkit: create a database on %s: %v", s.engine, err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), adminTimeout)
		defer cancel()
		if err := s.dialect.exec(ctx, serverURL, s.dialect.drop, name); err != nil {
			t.Errorf("testkit: drop the test's database on %s (is a connection or transaction still open?): %v", s.engine, err)
		}
	})
	u, err := withDatabase(serverURL, name)
	if err != nil {
		t.Fatalf("testkit: %s: %v", s.variable, err)
	}
	return u
}

// newName returns a name no other test has, at most 32 characters of [a-z0-9_].
func newName(now time.Time) string {
	return databasePrefix + strconv.FormatInt(now.Unix(), 36) + "_" + strings.ToLower(rand.Text()[:12])
}

// abandoned says whether a database carries this package's mark and is too old to be in use.
func abandoned(name string, now time.Time) bool {
	rest, ours := strings.CutPrefix(name, databasePrefix)
	stamp, _, _ := strings.Cut(rest, "_")
	made, err := strconv.ParseInt(stamp, 36, 64)
	return ours && err == nil && now.Sub(time.Unix(made, 0)) > abandonedAfter
}

// withDatabase points a server's URL at one of its databases and keeps everything else.
func withDatabase(serverURL, name string) (string, error) {
	u, err := url.Parse(serverURL)
	if err != nil {
		return "", fmt.Errorf("parse server URL: %w", err)
	}
	u.Path = "/" + name
	return u.String(), nil
}
