package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/access"
	"github.com/tallyboard/tallyboard/services/internal/kit/db"
	"github.com/tallyboard/tallyboard/services/internal/kit/lease"
	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/consumer"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/httpapi"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/stats"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/store/mysql"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/store/postgres"
)

// leaseTable holds the leases of this service.
const leaseTable = "stats_leases"

// applyPoolSize is the number of connections that apply events: one transaction at a time.
const applyPoolSize = 1

// store is what both engines' stores do.
type store interface {
	consumer.Store
	consumer.RebuildStore
	consumer.RetryStore
	httpapi.Reader
	httpapi.ProgressReader
	Verify(ctx context.Context, limit int) (*stats.Verification, error)
}

var (
	_ store = (*mysql.Store)(nil)
	_ store = (*postgres.Store)(nil)
)

// storage is one database behind three pools: a traced one for requests, a traced one for applying events, so that
// neither waits for the other, and an untraced one for what goes on beside them, so that traces hold no polling.
type storage struct {
	engine     db.Engine
	requests   store
	applying   store
	background store
	leases     lease.Store
	roles      access.RoleSource

	pulse         *db.Pulse // of all pools
	stats         map[string]func() db.PoolStats
	ping          func(context.Context) error                            // background pool
	schemaVersion func(ctx context.Context, table string) (int64, error) // background pool
	close         func(context.Context) error
}

// applyStore applies through one pool and does everything else through another.
type applyStore struct {
	store
	applying store
}

// Apply implements consumer.Store.
func (s applyStore) Apply(ctx context.Context, epoch int64, events []stats.Event) (stats.Applied, error) {
	return s.applying.Apply(ctx, epoch, events)
}

// operator works on the projections for requests.
type operator struct {
	store
	notify   consumer.Notifier
	verified *verifications
}

// Verify implements httpapi.Operator, and has the result remembered.
func (o operator) Verify(ctx context.Context, limit int) (*stats.Verification, error) {
	found, err := o.store.Verify(ctx, limit)
	if err != nil {
		return nil, err
	}
	o.verified.remember(found)
	return found, nil
}

// Retry implements httpapi.Operator.
func (o operator) Retry(ctx context.Context, id uuid.UUID) (stats.Retried, error) {
	return consumer.Retry(ctx, o.store, o.notify, id)
}

// openStorage makes the pools. The database need not be there.
func openStorage(ctx context.Context, cfg Config, tel *telemetry.Telemetry) (*storage, error) {
	pulse := &db.Pulse{}
	options := []db.Options{
		{Name: "requests", Tracer: true, Telemetry: tel, Pulse: pulse},
		{Name: "apply", Tracer: true, Telemetry: tel, PoolSize: applyPoolSize, Pulse: pulse},
		{Name: "background", Telemetry: tel, PoolSize: cfg.BackgroundPoolSize, Pulse: pulse},
	}
	engine, err := db.EngineOf(cfg.Database.URL)
	if err != nil {
		return nil, err
	}
	s := &storage{engine: engine, pulse: pulse, stats: map[string]func() db.PoolStats{}}
	var closers []func() error
	s.close = func(context.Context) error {
		var errs []error
		for _, fn := range closers {
			errs = append(errs, fn())
		}
		if err := errors.Join(errs...); err != nil {
			return fmt.Errorf("close pools: %w", err)
		}
		return nil
	}
	stores := make([]store, len(options))
	for i, o := range options {
		var err error
		if engine == db.Postgres {
			stores[i], err = s.openPostgres(ctx, cfg, o, &closers)
		} else {
			stores[i], err = s.openMySQL(ctx, cfg, o, &closers)
		}
		if err != nil {
			return nil, errors.Join(err, s.close(ctx))
		}
	}
	s.requests, s.applying, s.background = stores[0], stores[1], stores[2]
	return s, nil
}

// openMySQL opens one pool; the last one opened is the background pool.
func (s *storage) openMySQL(ctx context.Context, cfg Config, o db.Options, closers *[]func() error) (store, error) {
	pool, err := db.OpenMySQL(ctx, cfg.Database, o)
	if err != nil {
		return nil, err
	}
	*closers = append(*closers, pool.Close)
	s.stats[o.Name] = func() db.PoolStats { return db.MySQLStats(pool) }
	s.leases, s.ping = lease.NewMySQL(pool, leaseTable), pool.PingContext
	s.schemaVersion = func(ctx context.Context, table string) (int64, error) { return db.SchemaVersionMySQL(ctx, pool, table) }
	if s.roles == nil {
		s.roles = access.NewMySQLRoles(pool)
	}
	return mysql.New(pool), nil
}

// openPostgres opens one pool; the last one opened is the background pool.
func (s *storage) openPostgres(ctx context.Context, cfg Config, o db.Options, closers *[]func() error) (store, error) {
	pool, err := db.OpenPostgres(ctx, cfg.Database, o)
	if err != nil {
		return nil, err
	}
	*closers = append(*closers, func() error { pool.Close(); return nil })
	s.stats[o.Name] = func() db.PoolStats { return db.PostgresStats(pool) }
	s.leases, s.ping = lease.NewPostgres(pool, leaseTable), pool.Ping
	s.schemaVersion = func(ctx context.Context, table string) (int64, error) {
		return db.SchemaVersionPostgres(ctx, pool, table)
	}
	if s.roles == nil {
		s.roles = access.NewPostgresRoles(pool)
	}
	return postgres.New(pool), nil
}
