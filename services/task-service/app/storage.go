package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/tallyboard/tallyboard/services/internal/access"
	"github.com/tallyboard/tallyboard/services/internal/kit/db"
	"github.com/tallyboard/tallyboard/services/internal/kit/lease"
	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
	"github.com/tallyboard/tallyboard/services/task-service/internal/store"
	"github.com/tallyboard/tallyboard/services/task-service/internal/store/mysql"
	"github.com/tallyboard/tallyboard/services/task-service/internal/store/postgres"
)

// leaseTable holds the leases of this service.
const leaseTable = "task_leases"

// storage is one database behind two pools: a traced one for requests, and an untraced one for what goes on beside them,
// so that neither waits for the other and traces hold no polling.
type storage struct {
	engine     db.Engine
	requests   store.Store
	background store.Store
	leases     lease.Store
	roles      access.RoleSource

	pulse           *db.Pulse // of both pools
	poolStats       func() db.PoolStats
	backgroundStats func() db.PoolStats
	ping            func(context.Context) error                            // background pool
	schemaVersion   func(ctx context.Context, table string) (int64, error) // background pool
	close           func(context.Context) error
}

// openStorage makes the pools. The database need not be there.
func openStorage(ctx context.Context, cfg Config, tel *telemetry.Telemetry) (*storage, error) {
	pulse := &db.Pulse{}
	requests := db.Options{Name: "requests", Tracer: true, Telemetry: tel, Pulse: pulse}
	background := db.Options{Name: "background", Telemetry: tel, PoolSize: cfg.BackgroundPoolSize, Pulse: pulse}
	engine, err := db.EngineOf(cfg.Database.URL)
	if err != nil {
		return nil, err
	}
	if engine == db.Postgres {
		return openPostgres(ctx, cfg, requests, background)
	}
	return openMySQL(ctx, cfg, requests, background)
}

func openMySQL(ctx context.Context, cfg Config, requests, background db.Options) (*storage, error) {
	front, err := db.OpenMySQL(ctx, cfg.Database, requests)
	if err != nil {
		return nil, err
	}
	back, err := db.OpenMySQL(ctx, cfg.Database, background)
	if err != nil {
		return nil, errors.Join(err, front.Close())
	}
	return &storage{
		engine: db.MySQL, requests: mysql.New(front, back), background: mysql.New(back, back), leases: lease.NewMySQL(back, leaseTable),
		roles:           access.NewMySQLRoles(front),
		pulse:           requests.Pulse,
		poolStats:       func() db.PoolStats { return db.MySQLStats(front) },
		backgroundStats: func() db.PoolStats { return db.MySQLStats(back) },
		ping:            back.PingContext,
		schemaVersion: func(ctx context.Context, table string) (int64, error) {
			return db.SchemaVersionMySQL(ctx, back, table)
		},
		close: func(context.Context) error {
			if err := errors.Join(front.Close(), back.Close()); err != nil {
				return fmt.Errorf("close pools: %w", err)
			}
			return nil
		},
	}, nil
}

func openPostgres(ctx context.Context, cfg Config, requests, background db.Options) (*storage, error) {
	front, err := db.OpenPostgres(ctx, cfg.Database, requests)
	if err != nil {
		return nil, err
	}
	back, err := db.OpenPostgres(ctx, cfg.Database, background)
	if err != nil {
		front.Close()
		return nil, err
	}
	return &storage{
		engine: db.Postgres, requests: postgres.New(front, back), background: postgres.New(back, back),
		leases:          lease.NewPostgres(back, leaseTable),
		roles:           access.NewPostgresRoles(front),
		pulse:           requests.Pulse,
		poolStats:       func() db.PoolStats { return db.PostgresStats(front) },
		backgroundStats: func() db.PoolStats { return db.PostgresStats(back) },
		ping:            back.Ping,
		schemaVersion: func(ctx context.Context, table string) (int64, error) {
			return db.SchemaVersionPostgres(ctx, back, table)
		},
		close: func(context.Context) error {
			front.Close()
			back.Close()
			return nil
		},
	}, nil
}
