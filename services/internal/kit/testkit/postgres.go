package testkit

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

type postgresDialect struct{}

// create copies template0 and not template1, which PostgreSQL refuses to copy while anyone is connected to it.
func (postgresDialect) create(ctx context.Context, serverURL, name string) error {
	return onPostgres(ctx, serverURL, func(db *sql.DB) error {
		_, err := db.ExecContext(ctx, `CREATE DATABASE "`+name+`" TEMPLATE template0 ENCODING 'UTF8'`)
		return err
	})
}

func (postgresDialect) drop(ctx context.Context, serverURL, name string) error {
	return onPostgres(ctx, serverURL, func(db *sql.DB) error {
		_, err := db.ExecContext(ctx, `DROP DATABASE IF EXISTS "`+name+`" WITH (FORCE)`)
		return err
	})
}

func (d postgresDialect) sweep(ctx context.Context, serverURL string) error {
	var old []string
	err := onPostgres(ctx, serverURL, func(db *sql.DB) (err error) {
		old, err = abandonedDatabases(ctx, db, "SELECT datname FROM pg_database")
		return err
	})
	if err != nil {
		return err
	}
	for _, name := range old {
		if err := d.drop(ctx, serverURL, name); err != nil {
			return err
		}
	}
	return nil
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
