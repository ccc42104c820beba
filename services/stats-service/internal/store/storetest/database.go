// Package storetest gives tests real databases with the whole schema, and writes histories into them as task-service
// would, without importing it.
package storetest

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	_ "github.com/jackc/pgx/v5/stdlib" // the fixture writes through database/sql on both engines

	access "github.com/tallyboard/tallyboard/services/internal/access/migrations"
	kitdb "github.com/tallyboard/tallyboard/services/internal/kit/db"
	"github.com/tallyboard/tallyboard/services/internal/kit/lease"
	"github.com/tallyboard/tallyboard/services/internal/kit/testkit"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/stats"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/store/mysql"
	mysqlmigrations "github.com/tallyboard/tallyboard/services/stats-service/internal/store/mysql/migrations"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/store/postgres"
	pgmigrations "github.com/tallyboard/tallyboard/services/stats-service/internal/store/postgres/migrations"
)

// Store is everything both stores can do.
type Store interface {
	Cursor(ctx context.Context) (stats.Cursor, error)
	Head(ctx context.Context) (int64, error)
	Events(ctx context.Context, after, until int64, limit int) ([]stats.Event, error)
	Apply(ctx context.Context, epoch int64, events []stats.Event) (stats.Applied, error)
	Retry(ctx context.Context, id uuid.UUID) (stats.Retried, bool, error)
	Project(ctx context.Context, key string) (stats.ProjectRef, error)
	View(ctx context.Context, project uuid.UUID, fn func(stats.View) error) error
	Status(ctx context.Context, limit int) (stats.Status, error)
	Verify(ctx context.Context, limit int) (*stats.Verification, error)
	BeginRebuild(ctx context.Context, fresh bool) (stats.Generation, error)
	ApplyTo(ctx context.Context, generation int64, events []stats.Event) (stats.Applied, error)
	Swap(ctx context.Context, generation int64) (bool, error)
	Clean(ctx context.Context, portion int) (bool, error)
}

// Database is a fresh database of one engine with the whole schema.
type Database struct {
	T      *testing.T // of the engine's own test, in Each
	URL    string
	Engine kitdb.Engine
	Store  Store
	Leases lease.Store
	SQL    *sql.DB // for the fixture, and for tests that look behind the store
}

// Each runs a test on every engine, in parallel.
func Each(t *testing.T, fn func(d *Database)) {
	t.Helper()
	for _, engine := range testkit.Engines() {
		t.Run(engine.Name, func(t *testing.T) {
			t.Parallel()
			d := Open(t, engine.Open(t))
			d.T = t
			fn(d)
		})
	}
}

// Open applies the schemas of access, task-service and stats-service to an empty database and opens the store on it.
func Open(t testing.TB, url string) *Database {
	t.Helper()
	engine, err := kitdb.EngineOf(url)
	if err != nil {
		t.Fatal(err)
	}
	d := &Database{URL: url, Engine: engine}
	people, own := access.Postgres(), fs.FS(pgmigrations.Files)
	if engine == kitdb.MySQL {
		people, own = access.MySQL(), fs.FS(mysqlmigrations.Files)
	}
	ctx := t.Context()
	log := slog.New(slog.DiscardHandler)
	for _, m := range []struct {
		table string
		files fs.FS
	}{{access.Table, people}, {"goose_task", taskMigrations(t, engine)}, {pgmigrations.Table, own}} {
		if err := kitdb.Migrate(ctx, url, m.table, m.files, log); err != nil {
			t.Fatal(err)
		}
	}
	cfg := kitdb.Config{URL: url}
	if engine == kitdb.MySQL {
		pool, err := kitdb.OpenMySQL(ctx, cfg, kitdb.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { closeSQL(t, pool) })
		d.SQL, d.Store, d.Leases = pool, mysql.New(pool), lease.NewMySQL(pool, "stats_leases")
		return d
	}
	pool, err := kitdb.OpenPostgres(ctx, cfg, kitdb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	d.SQL = openStdlib(t, pool)
	d.Store, d.Leases = postgres.New(pool), lease.NewPostgres(pool, "stats_leases")
	return d
}

func openStdlib(t testing.TB, pool *pgxpool.Pool) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", pool.Config().ConnString())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeSQL(t, db) })
	return db
}

func closeSQL(t testing.TB, db *sql.DB) {
	t.Helper()
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

// taskMigrations finds task-service's migrations beside this module, from whatever package the test runs in.
func taskMigrations(t testing.TB, engine kitdb.Engine) fs.FS {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		path := filepath.Join(dir, "task-service", "internal", "store", string(engine), "migrations")
		if _, err := os.Stat(path); err == nil {
			return os.DirFS(path)
		}
		if parent := filepath.Dir(dir); parent != dir {
			dir = parent
			continue
		}
		t.Fatalf("task-service's migrations for %s are not beside this module", engine)
	}
}

// Exec runs a statement without parameters.
func (d *Database) Exec(t testing.TB, statement string) {
	t.Helper()
	if _, err := d.SQL.ExecContext(context.Background(), statement); err != nil {
		t.Fatalf("%.200s: %v", statement, err)
	}
}

// ID writes an id as a literal of the engine.
func (d *Database) ID(id uuid.UUID) string {
	if d.Engine == kitdb.MySQL {
		return fmt.Sprintf("x'%x'", id[:])
	}
	return fmt.Sprintf("'%s'::uuid", id)
}
