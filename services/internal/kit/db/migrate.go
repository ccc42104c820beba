package db

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

// migrationLockWait is how long a replica waits for another one's migrations before it gives up.
const migrationLockWait = 5 * time.Minute

// ErrSchemaNewer says that the database has migrations this binary does not know: an old binary was started after a
// newer one. It must not run, for it could write what the newer schema forbids.
var ErrSchemaNewer = errors.New("the database schema is newer than this program")

func newer(table string, have, want int64) error {
	return fmt.Errorf("%w: %s is at version %d, this program knows %d; start the newer program, or restore a backup",
		ErrSchemaNewer, table, have, want)
}

// Migrate brings the schema in dir (goose SQL files, in its root) up to date, recording versions in table. Any number of
// replicas may call it at once: a lock of the database lets one work, and the others find nothing left to do. It fails
// with ErrSchemaNewer if the database is ahead of dir, and with an error that IsUnavailable if there is no database. What a
// program leaves that dies within a migration is completed by the next one, on MySQL, too (see steps.go).
func Migrate(ctx context.Context, url, table string, dir fs.FS, log *slog.Logger) error {
	m, err := openMigrator(url, table, dir)
	if err != nil {
		return err
	}
	defer m.close(log)
	unlock, err := m.lock(ctx, table)
	if err != nil {
		return fmt.Errorf("lock migrations %s: %w", table, err)
	}
	defer unlock(log)
	if m.engine == MySQL {
		if err := m.mend(ctx, table); err != nil {
			return fmt.Errorf("look at %s: %w", table, err)
		}
	}
	have, want, err := m.provider.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read schema version %s: %w", table, err)
	}
	if have > want {
		return newer(table, have, want)
	}
	if m.engine == MySQL {
		if err := m.upInSteps(ctx, table, dir, have, log); err != nil {
			return fmt.Errorf("migrate %s: %w", table, err)
		}
	}
	done, err := m.provider.Up(ctx) // after steps it finds nothing to do, or a version that was left out
	for _, r := range done {
		log.InfoContext(ctx, "migration applied", "table", table, "version", r.Source.Version, "file", r.Source.Path,
			"duration", r.Duration)
	}
	if err != nil {
		return fmt.Errorf("migrate %s: %w", table, err)
	}
	return nil
}

// MigrationsCurrent returns the version the database has and the one dir wants; they are equal when nothing is left to
// do. It opens a connection of its own; health checks use SchemaVersionMySQL or SchemaVersionPostgres on their pool.
func MigrationsCurrent(ctx context.Context, url, table string, dir fs.FS) (have, want int64, err error) {
	m, err := openMigrator(url, table, dir)
	if err != nil {
		return 0, 0, err
	}
	defer m.close(slog.New(slog.DiscardHandler))
	want = m.want()
	if have, err = m.provider.GetDBVersion(ctx); err != nil {
		return 0, want, fmt.Errorf("read schema version %s: %w", table, err)
	}
	return have, want, nil
}

// WantedVersion returns the highest version among the goose files in dir.
func WantedVersion(dir fs.FS) (int64, error) {
	names, err := fs.Glob(dir, "*.sql")
	if err != nil {
		return 0, fmt.Errorf("list migrations: %w", err)
	}
	var highest int64
	for _, name := range names {
		v, err := goose.NumericComponent(name)
		if err != nil {
			return 0, fmt.Errorf("migration %s: %w", name, err)
		}
		highest = max(highest, v)
	}
	if highest == 0 {
		return 0, errors.New("there are no migrations")
	}
	return highest, nil
}

type migrator struct {
	engine   Engine
	db       *sql.DB
	provider *goose.Provider
	database string
}

func openMigrator(url, table string, dir fs.FS) (*migrator, error) {
	engine, err := EngineOf(url)
	if err != nil {
		return nil, err
	}
	m := &migrator{engine: engine}
	cfg := Config{URL: url}.withDefaults()
	// A migration may take long: no statement or socket timeout, but the usual one for connecting.
	cfg.SocketTimeout = 24 * time.Hour
	cfg.LockTimeout = time.Minute
	dialect := goose.DialectMySQL
	if engine == MySQL {
		connector, err := newMySQLConnector(cfg, Options{Name: "migrate"}, 0)
		if err != nil {
			return nil, err
		}
		dsn, err := mysqlConfig(cfg)
		if err != nil {
			return nil, err
		}
		m.db, m.database = sql.OpenDB(connector), dsn.DBName
	} else {
		dialect = goose.DialectPostgres
		cc, err := pgx.ParseConfig(url)
		if err != nil {
			return nil, fmt.Errorf("database URL: %w", err)
		}
		if err := preparePostgres(cc, cfg, Options{Name: "migrate"}, 0); err != nil {
			return nil, err
		}
		cc.RuntimeParams["idle_in_transaction_session_timeout"] = "0"
		m.db, m.database = stdlib.OpenDB(*cc), cc.Database
	}
	m.db.SetMaxOpenConns(3) // one holds the lock, one migrates, one reads
	m.provider, err = goose.NewProvider(dialect, m.db, dir, goose.WithTableName(table), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read migrations of %s: %w", table, err), m.db.Close())
	}
	return m, nil
}

func (m *migrator) want() int64 {
	sources := m.provider.ListSources()
	return sources[len(sources)-1].Version
}

func (m *migrator) close(log *slog.Logger) {
	if err := m.db.Close(); err != nil {
		log.Warn("migration pool could not be closed", "error", err)
	}
}

// lock takes the database's own lock on a session, which frees it even if this process dies. MySQL's lock names are
// global to the server, hence the database's name in the key.
func (m *migrator) lock(ctx context.Context, table string) (unlock func(*slog.Logger), err error) {
	ctx, cancel := context.WithTimeout(ctx, migrationLockWait)
	defer cancel()
	conn, err := m.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	key := sha256.Sum256([]byte("tallyboard migrate " + m.database + " " + table))
	if m.engine == Postgres {
		id := int64(binary.BigEndian.Uint64(key[:8]))
		if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", id); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
		return release(conn, "SELECT pg_advisory_unlock($1)", id), nil //nolint:contextcheck // see release
	}
	name := "tally_" + hex.EncodeToString(key[:16])
	var got sql.NullInt64
	err = conn.QueryRowContext(ctx, "SELECT GET_LOCK(?, ?)", name, int(migrationLockWait/time.Second)).Scan(&got)
	if err == nil && got.Int64 != 1 {
		err = fmt.Errorf("another replica has held the lock for more than %s", migrationLockWait)
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return release(conn, "DO RELEASE_LOCK(?)", name), nil //nolint:contextcheck // see release
}

// release returns what frees the lock, also when the migration's context has ended.
func release(conn *sql.Conn, statement string, arg any) func(*slog.Logger) {
	return func(log *slog.Logger) {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_, err := conn.ExecContext(ctx, statement, arg)
		if err = errors.Join(err, conn.Close()); err != nil {
			log.Warn("migration lock could not be released; its session's end frees it", "error", err)
		}
	}
}
