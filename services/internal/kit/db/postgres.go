package db

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/multitracer"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// OpenPostgres returns a pool for a postgres:// URL. It does not wait for a connection; errors are about the
// configuration only. timestamptz values are read as UTC.
func OpenPostgres(ctx context.Context, cfg Config, o Options) (*pgxpool.Pool, error) {
	cfg = cfg.withDefaults()
	if engine, err := EngineOf(cfg.URL); err != nil {
		return nil, err
	} else if engine != Postgres {
		return nil, errors.New("database URL: postgres:// expected")
	}
	pc, err := pgxpool.ParseConfig(cfg.URL)
	if err != nil {
		return nil, fmt.Errorf("database URL: %w", err) // pgx redacts the password
	}
	pc.MaxConns = int32(min(o.poolSize(cfg), 10_000))
	pc.MaxConnLifetime = cfg.ConnMaxLifetime
	pc.MaxConnLifetimeJitter = cfg.ConnMaxLifetime / 10
	pc.MaxConnIdleTime = cfg.ConnMaxIdleTime
	if err := preparePostgres(pc.ConnConfig, cfg, o, cfg.StatementTimeout); err != nil {
		return nil, err
	}
	if cfg.CAFile != "" {
		pc.BeforeConnect = beforePostgres(cfg.CAFile)
	}
	pc.AfterConnect = func(_ context.Context, conn *pgx.Conn) error {
		registerUTC(conn)
		return nil
	}
	cc := pc.ConnConfig
	observer, err := newObserver(o, target{semconv.DBSystemNamePostgreSQL, cc.Host, int(cc.Port), cc.Database})
	if err != nil {
		return nil, err
	}
	switch pulse := (pulseTracer{o.Pulse}); {
	case observer != nil && o.Pulse != nil:
		cc.Tracer = multitracer.New(pgxTracer{observer}, pulse)
	case observer != nil:
		cc.Tracer = pgxTracer{observer}
	case o.Pulse != nil:
		cc.Tracer = pulse
	}
	opened := guardPostgres(pc)
	pool, err := pgxpool.NewWithConfig(ctx, pc)
	if err != nil {
		return nil, fmt.Errorf("open postgres pool: %w", err)
	}
	opened(pool)
	if o.Telemetry != nil {
		if err := registerGauges(o.Telemetry.Meter, o.name(), func() PoolStats { return PostgresStats(pool) }); err != nil {
			pool.Close()
			return nil, err
		}
	}
	return pool, nil
}

// guardPostgres makes the pool's connections leave a server that has turned read-only, and keeps them from hammering one
// that refuses them; see guardPause. opened must be told the pool.
func guardPostgres(pc *pgxpool.Config) (opened func(*pgxpool.Pool)) {
	g := &guard{}
	var pool atomic.Pointer[pgxpool.Pool]
	prepare := pc.BeforeConnect
	pc.BeforeConnect = func(ctx context.Context, cc *pgx.ConnConfig) error {
		if err := g.admit(); err != nil || prepare == nil {
			return err
		}
		return prepare(ctx, cc)
	}
	connected := pc.AfterConnect
	pc.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		g.note(nil)
		return connected(ctx, conn)
	}
	handle := pc.ConnConfig.OnPgError
	pc.ConnConfig.OnPgError = func(conn *pgconn.PgConn, err *pgconn.PgError) bool {
		g.note(err)
		if !IsReadOnly(err) {
			return handle(conn, err)
		}
		if p := pool.Load(); p != nil && g.giveUp() {
			p.Reset()
		}
		return handle(conn, err)
	}
	return pool.Store
}

// preparePostgres sets what every connection shares, pooled or not. A statementTimeout of zero sets none.
func preparePostgres(cc *pgx.ConnConfig, cfg Config, o Options, statementTimeout time.Duration) error {
	if cfg.Password != "" {
		cc.Password = cfg.Password
	}
	cc.ConnectTimeout = cfg.ConnectTimeout
	if cfg.CAFile != "" {
		eachHostOnce(cc) // never without TLS
		if err := securePostgres(cfg.CAFile, cc); err != nil {
			return err
		}
	} else if cc.TLSConfig != nil {
		cc.TLSConfig.MinVersion = tls.VersionTLS12
	}
	milliseconds := func(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
	idle := 2 * cfg.StatementTimeout // in a migration
	if statementTimeout > 0 {
		idle = cfg.TransactionIdle
	}
	maps.Copy(cc.RuntimeParams, map[string]string{
		"application_name":              "tallyboard-" + o.name(),
		"timezone":                      "UTC",
		"default_transaction_isolation": "read committed",
		"lock_timeout":                  milliseconds(cfg.LockTimeout),
		"statement_timeout":             milliseconds(statementTimeout),

		"idle_in_transaction_session_timeout": milliseconds(idle),
	})
	return nil
}

// registerUTC makes the connection read timestamptz as UTC; pgx would use the machine's own zone.
func registerUTC(conn *pgx.Conn) {
	conn.TypeMap().RegisterType(&pgtype.Type{
		Name: "timestamptz", OID: pgtype.TimestamptzOID, Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC},
	})
}
