package lease

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// tableName is what a table may be called; it goes into statements as it is.
var tableName = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,63}$`)

func checkTable(table string) {
	if !tableName.MatchString(table) {
		panic("lease: table name must be lower-case letters, digits and _: " + table) // a constant of the program
	}
}

// held asks whether another has the lease. Standbys ask often, and nearly always get a yes: a plain read locks nothing and
// commits nothing, while a statement that might take the lease would cost PostgreSQL a durable commit each time.
func held(table, name, holder, now string) string {
	return "SELECT EXISTS (SELECT 1 FROM " + table + " WHERE name = " + name + " AND holder <> " + holder + " AND expires_at > " + now + ")"
}

// MySQLStore keeps leases in a table of MySQL or MariaDB. See the package's comment for the table.
type MySQLStore struct {
	db                                    *sql.DB
	held, insert, take, get, keep, giveUp string
}

// NewMySQL returns a store on table, which must exist by the time of the first call.
func NewMySQL(db *sql.DB, table string) *MySQLStore {
	checkTable(table)
	const until = "UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND"
	return &MySQLStore{
		db:   db,
		held: held(table, "?", "?", "UTC_TIMESTAMP(6)"),
		// A row that is there already stays as it is: the UPDATE decides.
		insert: "INSERT IGNORE INTO " + table + " (name, holder, epoch, expires_at) VALUES (?, '', 0, UTC_TIMESTAMP(6))",
		// epoch first: MySQL assigns from left to right and later assignments see the new values.
		take: "UPDATE " + table + " SET epoch = epoch + 1, holder = ?, expires_at = " + until +
			" WHERE name = ? AND (expires_at <= UTC_TIMESTAMP(6) OR holder = ?)",
		get:    "SELECT epoch FROM " + table + " WHERE name = ? AND holder = ?",
		keep:   "UPDATE " + table + " SET expires_at = " + until + " WHERE name = ? AND holder = ? AND epoch = ? AND expires_at > UTC_TIMESTAMP(6)",
		giveUp: "UPDATE " + table + " SET holder = '', expires_at = UTC_TIMESTAMP(6) WHERE name = ? AND holder = ? AND epoch = ?",
	}
}

// Acquire implements Store.
func (s *MySQLStore) Acquire(ctx context.Context, name, holder string, ttl time.Duration) (int64, bool, error) {
	var held bool
	if err := s.db.QueryRowContext(ctx, s.held, name, holder).Scan(&held); err != nil {
		return 0, false, fmt.Errorf("look at lease: %w", err)
	}
	if held {
		return 0, false, nil
	}
	taken, err := s.exec(ctx, s.take, holder, ttl.Microseconds(), name, holder)
	if err != nil {
		return 0, false, fmt.Errorf("acquire lease: %w", err)
	}
	if !taken {
		inserted, err := s.exec(ctx, s.insert, name)
		if err != nil {
			return 0, false, fmt.Errorf("insert lease: %w", err)
		}
		if !inserted {
			return 0, false, nil
		}
		if taken, err = s.exec(ctx, s.take, holder, ttl.Microseconds(), name, holder); err != nil || !taken {
			return 0, false, wrap("acquire lease", err)
		}
	}
	// Nobody else changes a row that is ours until it expires; if it has by now, no row is found.
	var epoch int64
	err = s.db.QueryRowContext(ctx, s.get, name, holder).Scan(&epoch)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("read lease epoch: %w", err)
	}
	return epoch, true, nil
}

// Renew implements Store.
func (s *MySQLStore) Renew(ctx context.Context, name, holder string, epoch int64, ttl time.Duration) (bool, error) {
	ok, err := s.exec(ctx, s.keep, ttl.Microseconds(), name, holder, epoch)
	return ok, wrap("renew lease", err)
}

// Release implements Store.
func (s *MySQLStore) Release(ctx context.Context, name, holder string, epoch int64) error {
	_, err := s.exec(ctx, s.giveUp, name, holder, epoch)
	return wrap("release lease", err)
}

func (s *MySQLStore) exec(ctx context.Context, statement string, args ...any) (changed bool, err error) {
	result, err := s.db.ExecContext(ctx, statement, args...)
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n > 0, err
}

// PostgresStore keeps leases in a table of PostgreSQL. See the package's comment for the table.
type PostgresStore struct {
	pool                     *pgxpool.Pool
	held, take, keep, giveUp string
}

// NewPostgres returns a store on table, which must exist by the time of the first call.
func NewPostgres(pool *pgxpool.Pool, table string) *PostgresStore {
	checkTable(table)
	const until = "clock_timestamp() + $3 * interval '1 microsecond'"
	return &PostgresStore{
		pool: pool,
		held: held(table, "$1", "$2", "clock_timestamp()"),
		take: "INSERT INTO " + table + " AS l (name, holder, epoch, expires_at) VALUES ($1, $2, 1, " + until + ")" +
			" ON CONFLICT (name) DO UPDATE SET holder = $2, epoch = l.epoch + 1, expires_at = " + until +
			" WHERE l.expires_at <= clock_timestamp() OR l.holder = $2 RETURNING epoch",
		keep: "UPDATE " + table + " SET expires_at = " + until +
			" WHERE name = $1 AND holder = $2 AND epoch = $4 AND expires_at > clock_timestamp()",
		giveUp: "UPDATE " + table + " SET holder = '', expires_at = clock_timestamp() WHERE name = $1 AND holder = $2 AND epoch = $3",
	}
}

// Acquire implements Store.
func (s *PostgresStore) Acquire(ctx context.Context, name, holder string, ttl time.Duration) (int64, bool, error) {
	var held bool
	if err := s.pool.QueryRow(ctx, s.held, name, holder).Scan(&held); err != nil {
		return 0, false, fmt.Errorf("look at lease: %w", err)
	}
	if held {
		return 0, false, nil
	}
	var epoch int64
	err := s.pool.QueryRow(ctx, s.take, name, holder, ttl.Microseconds()).Scan(&epoch)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("acquire lease: %w", err)
	}
	return epoch, true, nil
}

// Renew implements Store.
func (s *PostgresStore) Renew(ctx context.Context, name, holder string, epoch int64, ttl time.Duration) (bool, error) {
	tag, err := s.pool.Exec(ctx, s.keep, name, holder, ttl.Microseconds(), epoch)
	return tag.RowsAffected() > 0, wrap("renew lease", err)
}

// Release implements Store.
func (s *PostgresStore) Release(ctx context.Context, name, holder string, epoch int64) error {
	_, err := s.pool.Exec(ctx, s.giveUp, name, holder, epoch)
	return wrap("release lease", err)
}

func wrap(operation string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", operation, err)
}
