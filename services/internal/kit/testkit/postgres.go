package testkit

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// postgresDialect copies template0 and not template1, which PostgreSQL refuses to copy while anyone is connected to it.
var postgresDialect = dialect{
	on:     onPostgres,
	create: `CREATE DATABASE "%s" TEMPLATE template0 ENCODING 'UTF8'`,
	drop:   `DROP DATABASE IF EXISTS "%s" WITH (FORCE)`,
	list:   "SELECT datname FROM pg_database",
}

// onPostgres runs do on a short-lived connection to a postgres:// URL.
func onPostgres(ctx context.Context, serverURL string, do func(*sql.DB) error) error {
	cfg, err := pgx.ParseConfig(serverURL)
	if err != nil {
		return fmt.Errorf("parse server URL: %w", err)
	}
	db := stdlib.OpenDB(*cfg)
	db.SetMaxOpenConns(1)
	err = await(ctx, db.PingContext)
	if err == nil {
		err = do(db)
	}
	return errors.Join(err, db.Close())
}
