// Package app wires task-service: it makes the parts, starts them in order, and stops them in order. It holds no rule of
// the domain and no statement of its own.
package app

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"

	"github.com/tallyboard/tallyboard/services/internal/kit/boot"
	"github.com/tallyboard/tallyboard/services/internal/kit/fiberx"
	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
	"github.com/tallyboard/tallyboard/services/internal/kit/traces"
	"github.com/tallyboard/tallyboard/services/task-service/internal/live"
	"github.com/tallyboard/tallyboard/services/task-service/internal/outbox"
)

// ServiceName is how this service calls itself in logs, traces, metrics and /health.
const ServiceName = "task-service"

// partTimeout bounds the stopping of one part that waits for nobody outside.
const partTimeout = 5 * time.Second

// Deps are what a caller may hand in beside the configuration. The zero value is a service on its own.
type Deps struct {
	Log     io.Writer         // of log lines; nil: standard output
	Ready   func(addr string) // called once, when the server listens and the schema has been looked at; addr is host:port
	NATS    *nats.Conn        // a connection to use in place of NATS_URL; Run closes it
	Version string            // shown in /health and telemetry
	UI      fs.FS             // built browser UI; nil: none is served

	// Spans receives every recorded span, beside the exporters of the OTEL_* variables; nil: nobody does. The caller owns
	// what is behind it.
	Spans otlptrace.Client
	// Traces is where traces are read back; nil: from TRACES_URL, and from nowhere without it.
	Traces traces.Source
}

// Run starts the service and blocks until ctx is done or a part fails for good; then it stops everything in order.
// Neither the database nor NATS must be there: the service answers 503 until the database is, and is degraded without
// NATS. Errors are about the configuration, a port in use, or a schema that this program cannot work with.
func Run(ctx context.Context, cfg Config, deps Deps) (err error) {
	started := time.Now()
	cfg = cfg.named(deps)
	tel, err := telemetry.Start(ctx, cfg.Telemetry)
	if err != nil {
		return err
	}
	log := tel.Logger()
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
	hub, err := live.New(cfg.Live, store.background, feedBus{bus}, tel) //nolint:contextcheck // counters begin without one
	if err != nil {
		return err
	}
	relay, err := outbox.New(cfg.Relay, outbox.Deps{ //nolint:contextcheck // counters begin without one
		Store: store.background, Keys: store.background, Bus: bus, Leases: store.leases, Feed: hub, Telemetry: tel,
	})
	if err != nil {
		return err
	}
	domain := newDomain(cfg, store, relay.Wake)
	streams := fiberx.NewStreams(cfg.Live.MaxSubscribers)
	state := &boot.Readiness{}
	d := serverDeps{tel, store, bus, hub, relay, domain, streams, state, traceSource(cfg, deps)}
	server, status, err := newServer(cfg, deps, d, started) //nolint:contextcheck // requests have contexts of their own
	if err != nil {
		return err
	}

	// They stop from the bottom up: not ready, streams, HTTP, queued changes, relay, live feed, status, NATS, pools, telemetry.
	working, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	parts := &boot.Parts{Fail: fail}
	closer.Add("status", partTimeout, d.answerStatus(ctx, status))
	closer.Add("live feed", partTimeout, parts.Stop("live feed"))
	closer.Add("relay", cfg.Relay.WindUp+partTimeout, parts.Stop("relay"))
	closer.Add("queued changes", partTimeout, domain.close)
	closer.Add("HTTP server", cfg.ShutdownTimeout, server.ShutdownWithContext)
	closer.Add("event streams", partTimeout, func(ctx context.Context) error { hub.Close(); return streams.Close(ctx) })
	closer.Add("readiness", cfg.ShutdownDelay+partTimeout, func(ctx context.Context) error {
		state.Stopping.Store(true)
		return boot.Pause(ctx, cfg.ShutdownDelay)
	})

	parts.Start(ctx, "HTTP server", func(context.Context) error { return fiberx.Serve(server, listener) })
	announce := boot.Once(deps.Ready, listener.Addr().String())
	if err := prepareSchema(working, cfg, store, log, announce); err != nil {
		return boot.Outcome(working, err)
	}
	parts.Start(ctx, "relay", relay.Run)
	parts.Start(ctx, "live feed", hub.Run)
	state.Current.Store(true)
	log.InfoContext(ctx, "ready", "address", listener.Addr().String())
	announce()
	<-working.Done()
	return boot.Outcome(working, nil)
}
