// Package store opens task-service's storage on the engine a database URL names.
package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	accessdb "github.com/tallyboard/tallyboard/services/internal/access/migrations"
	"github.com/tallyboard/tallyboard/services/internal/kit/db"
	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
	"github.com/tallyboard/tallyboard/services/task-service/internal/account"
	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
	"github.com/tallyboard/tallyboard/services/task-service/internal/store/mysql"
	mysqlmigrations "github.com/tallyboard/tallyboard/services/task-service/internal/store/mysql/migrations"
	"github.com/tallyboard/tallyboard/services/task-service/internal/store/postgres"
	pgmigrations "github.com/tallyboard/tallyboard/services/task-service/internal/store/postgres/migrations"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// backgroundConnections are those of the relay: one for its transactions, one for reading.
const backgroundConnections = 2

// Store is everything task-service keeps. It is safe for concurrent use.
type Store interface {
	task.Writer
	task.Reader
	task.HistoryReader
	task.ImportStore
	task.ExportReader
	project.Store
	project.ViewStore
	account.Store
	Relay
	// Ping asks the database for a sign of life.
	Ping(ctx context.Context) error
	// Stats of the pool that serves requests.
	Stats() db.PoolStats
	// Close gives all connections back.
	Close() error
}

// Relay is what the outbox needs. Its methods use a pool of their own, without traces. All that write answer
// apperr.Conflict when a relay of a newer epoch has written: the caller leads no more.
type Relay interface {
	// Assign gives positions, in order of row id, to up to limit committed events that have none; it returns how many and
	// the last position given.
	Assign(ctx context.Context, shard int, epoch int64, limit int) (n int, last int64, err error)
	// Unpublished returns positioned events behind the published mark, in order of position, and the mark.
	Unpublished(ctx context.Context, shard int, limit int) (published int64, events []history.Event, err error)
	// MarkPublished moves the mark to pos, never back and never beyond what is given.
	MarkPublished(ctx context.Context, shard int, epoch int64, pos int64) error
	// Backlog counts events without a position and says when the first was written (zero without any).
	Backlog(ctx context.Context, shard int) (withoutPos int64, oldest time.Time, given, published int64, err error)
	// Fence writes a new leader's epoch, before it does anything else.
	Fence(ctx context.Context, shard int, epoch int64) error
	// ForgetIdempotency deletes up to limit records of requests from before a moment.
	ForgetIdempotency(ctx context.Context, before time.Time, limit int) (int64, error)
}

// Open returns the store of the engine that cfg.URL names, with a pool for requests and a small one for the relay. It does
// not wait for the database. tel may be nil.
func Open(ctx context.Context, cfg db.Config, tel *telemetry.Telemetry) (Store, error) {
	engine, err := db.EngineOf(cfg.URL)
	if err != nil {
		return nil, err
	}
	requests := db.Options{Tracer: tel != nil, Telemetry: tel, Name: "requests"}
	background := db.Options{Telemetry: tel, Name: "background", PoolSize: backgroundConnections}
	if engine == db.Postgres {
		pool, err := db.OpenPostgres(ctx, cfg, requests)
		if err != nil {
			return nil, fmt.Errorf("open store: %w", err)
		}
		behind, err := db.OpenPostgres(ctx, cfg, background)
		if err != nil {
			pool.Close()
			return nil, fmt.Errorf("open store: %w", err)
		}
		return postgres.New(pool, behind), nil
	}
	pool, err := db.OpenMySQL(ctx, cfg, requests)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	behind, err := db.OpenMySQL(ctx, cfg, background)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open store: %w", err), pool.Close())
	}
	return mysql.New(pool, behind), nil
}

// Schemas returns the migrations of package access and of task-service, in that order, for the engine a URL names.
func Schemas(url string) ([]db.Schema, error) {
	engine, err := db.EngineOf(url)
	if err != nil {
		return nil, err
	}
	if engine == db.Postgres {
		return []db.Schema{{Table: accessdb.Table, Files: accessdb.Postgres()}, {Table: pgmigrations.Table, Files: pgmigrations.Files}}, nil
	}
	return []db.Schema{{Table: accessdb.Table, Files: accessdb.MySQL()}, {Table: mysqlmigrations.Table, Files: mysqlmigrations.Files}}, nil
}

// Migrate brings both schemas up to date. It fails with db.ErrSchemaNewer if a newer program has migrated the database.
func Migrate(ctx context.Context, url string, log *slog.Logger) error {
	schemas, err := Schemas(url)
	if err != nil {
		return err
	}
	return db.MigrateAll(ctx, url, schemas, log)
}
