// Package app wires stats-service: it makes the parts, starts them in order, and stops them in order. It holds no rule of
// the domain and no statement of its own.
package app

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"
	_ "time/tzdata" // viewers' time zones, also where the system has none

	"github.com/nats-io/nats.go"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"

	"github.com/tallyboard/tallyboard/services/internal/kit/boot"
	"github.com/tallyboard/tallyboard/services/internal/kit/fiberx"
	"github.com/tallyboard/tallyboard/services/internal/kit/jsbus"
	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/consumer"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/httpapi"
)

// ServiceName is how this service calls itself in logs, traces, metrics and /health.
const ServiceName = "stats-service"

// partTimeout bounds the stopping of one part that waits for nobody outside.
const partTimeout = 5 * time.Second

// Deps are what a caller may hand in beside the configuration. The zero value is a service on its own.
type Deps struct {
	Log     io.Writer         // of log lines; nil: standard output
	Ready   func(addr string) // called once, when the server listens and the schema has been looked at; addr is host:port
	NATS    *nats.Conn        // a connection to use in place of NATS_URL; Run closes it
	Version string            // shown in /health and telemetry

	// Spans receives every recorded span, beside the exporters of the OTEL_* variables; nil: nobody does. The caller owns
	// what is behind it.
	Spans otlptrace.Client
}

// Run starts the service and blocks until ctx is done or a part fails for good; then it stops everything in order.
// Neither the database nor NATS must be there: the service answers 503 until the database is, and reads events from the
// database without NATS. Errors are about the configuration, a port in use, or a schema this program cannot work with.
func Run(ctx context.Context, cfg Config, deps Deps) (err error) {
	started := time.Now()
	cfg = named(cfg, deps)
	tel, err := telemetry.Start(ctx, cfg.Telemetry)
	if err != nil {
		return err
	}
	log := tel.Logger()
	cfg.Consumer.Lease.Log = log
	closer := &boot.Closer{Log: log}
	defer func() {
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), cfg.ShutdownDelay+cfg.ShutdownTimeout)
		defer cancel()
		err = errors.Join(err, closer.Close(stop))
	}()
	closer.Add("telemetry", partTimeout, tel.Shutdown)
	log.LogAttrs(ctx, slog.LevelInfo, "starting", append(boot.Masked(cfg), slog.String("version", deps.Version))...)

	listener, err := boot.Listen(ctx, cfg.Listen) // first of all, so that a port in use is said at once
	if err != nil {
		return err
	}
	closer.Add("listener", partTimeout, boot.CloseListener(listener))
	boot.WarnIfPublic(log, listener.Addr())

	store, err := openStorage(ctx, cfg, tel)
	if err != nil {
		return err
	}
	closer.Add("database pools", partTimeout, store.close)
	bus, err := connectNATS(ctx, cfg, deps, tel)
	if err != nil {
		return err
	}
	closer.Add("NATS", partTimeout, bus.Close)
	hub := httpapi.NewHub(cfg.API, store.background, bus, consumer.WakeSubject, log)
	applier, err := consumer.New(cfg.Consumer, applyStore{store.background, store.applying}, store.leases, bus, tel, hub.Wake) //nolint:contextcheck // counters begin without one
	if err != nil {
		return err
	}
	streams := fiberx.NewStreams(cfg.MaxStreams)
	state := &boot.Readiness{}
	d := serverDeps{tel, store, bus, hub, applier, streams, state, &verifications{}}
	server, status, err := newServer(cfg, deps, d, started) //nolint:contextcheck // requests have contexts of their own
	if err != nil {
		return err
	}

	// They stop from the bottom up: not ready, streams, HTTP, hub, applier, status, NATS, pools, telemetry.
	working, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	parts := &boot.Parts{Fail: fail}
	closer.Add("status", partTimeout, d.answerStatus(ctx, status))
	closer.Add("applier", partTimeout, parts.Stop("applier"))
	closer.Add("hub", partTimeout, parts.Stop("hub"))
	closer.Add("HTTP server", cfg.ShutdownTimeout, server.ShutdownWithContext)
	closer.Add("event streams", partTimeout, streams.Close)
	closer.Add("readiness", cfg.ShutdownDelay+partTimeout, func(ctx context.Context) error {
		state.Stopping.Store(true)
		return boot.Pause(ctx, cfg.ShutdownDelay)
	})

	parts.Start(ctx, "HTTP server", func(context.Context) error { return fiberx.Serve(server, listener) })
	announce := boot.Once(deps.Ready, listener.Addr().String())
	if err := prepareSchema(working, cfg, store, log, announce); err != nil {
		return boot.Outcome(working, err)
	}
	parts.Start(ctx, "applier", applier.Run)
	parts.Start(ctx, "hub", hub.Run)
	state.Current.Store(true)
	log.InfoContext(ctx, "ready", "address", listener.Addr().String())
	announce()
	<-working.Done()
	return boot.Outcome(working, nil)
}

// connectNATS returns the bus, on the connection handed in or on one of its own that comes up whenever NATS is there.
func connectNATS(ctx context.Context, cfg Config, deps Deps, tel *telemetry.Telemetry) (*jsbus.Bus, error) {
	cfg.NATS.Name = ServiceName
	if deps.NATS != nil {
		return jsbus.Wrap(deps.NATS, cfg.NATS, tel, tel.Logger())
	}
	return jsbus.Connect(ctx, cfg.NATS, tel, tel.Logger())
}
