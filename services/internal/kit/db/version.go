package db

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"
)

// SchemaVersionMySQL returns the highest migration applied, as goose recorded it in table. table is a name from the
// program, never from a user.
func SchemaVersionMySQL(ctx context.Context, pool *sql.DB, table string) (int64, error) {
	var version int64
	err := pool.QueryRowContext(ctx, "SELECT COALESCE(MAX(version_id), 0) FROM "+table+" WHERE is_applied").Scan(&version)
	if err != nil {
		return 0, fmt.Errorf("read schema version: %w", err)
	}
	return version, nil
}

// SchemaVersionPostgres is SchemaVersionMySQL for PostgreSQL.
func SchemaVersionPostgres(ctx context.Context, pool *pgxpool.Pool, table string) (int64, error) {
	var version int64
	err := pool.QueryRow(ctx, "SELECT COALESCE(MAX(version_id), 0) FROM "+table+" WHERE is_applied").Scan(&version)
	if err != nil {
		return 0, fmt.Errorf("read schema version: %w", err)
	}
	return version, nil
}
