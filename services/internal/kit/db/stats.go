package db

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// PoolStats is the state of one pool, as /pool-stats shows it.
type PoolStats struct {
	// Engine is "mysql" or "postgres".
	Engine string `json:"engine"`
	// Max is the number of connections the pool may open.
	Max int `json:"max"`
	// Open is the number of connections there are: InUse + Idle (+ those being made).
	Open  int `json:"open"`
	InUse int `json:"inUse"`
	Idle  int `json:"idle"`
	// WaitCount counts how often a caller had to wait for a connection since the start.
	WaitCount int64 `json:"waitCount"`
	// WaitMillis is the time waited in all since the start, in milliseconds.
	WaitMillis float64 `json:"waitMillis"`
	// Canceled counts waits given up because a context ended (PostgreSQL only; 0 on MySQL).
	Canceled int64 `json:"canceled"`
	// ClosedIdle and ClosedAge count connections closed for being idle or old.
	ClosedIdle int64 `json:"closedIdle"`
	ClosedAge  int64 `json:"closedAge"`
}

// MySQLStats returns the state of a database/sql pool.
func MySQLStats(pool *sql.DB) PoolStats {
	s := pool.Stats()
	return PoolStats{
		Engine: string(MySQL), Max: s.MaxOpenConnections, Open: s.OpenConnections, InUse: s.InUse, Idle: s.Idle,
		WaitCount: s.WaitCount, WaitMillis: s.WaitDuration.Seconds() * 1e3,
		ClosedIdle: s.MaxIdleClosed + s.MaxIdleTimeClosed, ClosedAge: s.MaxLifetimeClosed,
	}
}

// PostgresStats returns the state of a pgx pool.
func PostgresStats(pool *pgxpool.Pool) PoolStats {
	s := pool.Stat()
	return PoolStats{
		Engine: string(Postgres), Max: int(s.MaxConns()), Open: int(s.TotalConns()), InUse: int(s.AcquiredConns()),
		Idle: int(s.IdleConns()), WaitCount: s.EmptyAcquireCount(), WaitMillis: s.EmptyAcquireWaitTime().Seconds() * 1e3,
		Canceled: s.CanceledAcquireCount(), ClosedIdle: s.MaxIdleDestroyCount(), ClosedAge: s.MaxLifetimeDestroyCount(),
	}
}

// registerGauges observes a pool under the names of the OpenTelemetry database conventions, for both engines alike. The
// two wait counters are ours: the conventions want a histogram that neither driver offers.
func registerGauges(meter metric.Meter, pool string, stats func() PoolStats) error {
	count, err := meter.Int64ObservableUpDownCounter("db.client.connection.count",
		metric.WithUnit("{connection}"), metric.WithDescription("Connections of the pool by state."))
	if err != nil {
		return fmt.Errorf("pool gauges: %w", err)
	}
	maximum, err := meter.Int64ObservableUpDownCounter("db.client.connection.max",
		metric.WithUnit("{connection}"), metric.WithDescription("Connections the pool may open."))
	if err != nil {
		return fmt.Errorf("pool gauges: %w", err)
	}
	waits, err := meter.Int64ObservableCounter("db.client.connection.waits",
		metric.WithUnit("{wait}"), metric.WithDescription("Times a caller had to wait for a connection."))
	if err != nil {
		return fmt.Errorf("pool gauges: %w", err)
	}
	waited, err := meter.Float64ObservableCounter("db.client.connection.waited",
		metric.WithUnit("s"), metric.WithDescription("Time callers waited for a connection, in all."))
	if err != nil {
		return fmt.Errorf("pool gauges: %w", err)
	}
	name := semconv.DBClientConnectionPoolName(pool)
	of := func(kv ...attribute.KeyValue) metric.MeasurementOption {
		return metric.WithAttributeSet(attribute.NewSet(append(kv, name)...))
	}
	used, idle, all := of(semconv.DBClientConnectionStateUsed), of(semconv.DBClientConnectionStateIdle), of()
	_, err = meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		s := stats()
		o.ObserveInt64(count, int64(s.InUse), used)
		o.ObserveInt64(count, int64(s.Idle), idle)
		o.ObserveInt64(maximum, int64(s.Max), all)
		o.ObserveInt64(waits, s.WaitCount, all)
		o.ObserveFloat64(waited, s.WaitMillis/1e3, all)
		return nil
	}, count, maximum, waits, waited)
	if err != nil {
		return fmt.Errorf("pool gauges: %w", err)
	}
	return nil
}
