package app

import (
	"cmp"
	"context"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/tallyboard/tallyboard/services/internal/access"
	"github.com/tallyboard/tallyboard/services/internal/kit/boot"
	"github.com/tallyboard/tallyboard/services/internal/kit/db"
	"github.com/tallyboard/tallyboard/services/internal/kit/fiberx"
	"github.com/tallyboard/tallyboard/services/internal/kit/jsbus"
	"github.com/tallyboard/tallyboard/services/internal/kit/opstatus"
	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
	"github.com/tallyboard/tallyboard/services/internal/kit/traces"
	"github.com/tallyboard/tallyboard/services/task-service/internal/httpapi"
	"github.com/tallyboard/tallyboard/services/task-service/internal/live"
	"github.com/tallyboard/tallyboard/services/task-service/internal/outbox"
	"github.com/tallyboard/tallyboard/services/task-service/internal/store"
)

// serverDeps are the parts that answer requests.
type serverDeps struct {
	tel     *telemetry.Telemetry
	store   *storage
	bus     *jsbus.Bus
	hub     *live.Hub
	relay   *outbox.Relay
	domain  *domain
	streams *fiberx.Streams
	state   *boot.Readiness
	traces  traces.Source
}

// newServer returns the HTTP server with all routes, and the state of the instance that it serves.
func newServer(cfg Config, deps Deps, d serverDeps, started time.Time) (*fiber.App, func() opstatus.Status, error) {
	cfg.HTTP.Streamed = httpapi.Streamed
	server := fiberx.New(cfg.HTTP, d.tel.Logger(), d.tel)
	status := func() opstatus.Status { return d.status(cfg, deps.Version, started, server) }
	checks, err := healthChecks(cfg, d)
	if err != nil {
		return nil, nil, err
	}
	fiberx.MountOps(server, fiberx.Ops{
		Service: ServiceName, Version: deps.Version, Instance: cfg.Telemetry.Instance, Ready: d.state.Ready,
		Checks: checks, Pool: d.store.poolStats,
		Pools:   map[string]func() db.PoolStats{"requests": d.store.poolStats, "background": d.store.backgroundStats},
		Metrics: d.tel.MetricsHandler(),
	})
	server.Use("/api", fiberx.Gate(d.state.Current.Load, "Tallyboard is starting: its database is not ready yet."))
	server.Use("/api", fiberx.Gate(d.store.pulse.Beats, "The database does not answer."))
	err = httpapi.Mount(server, httpapi.Deps{
		Config: cfg.API, Tasks: d.domain.tasks, Projects: d.domain.projects, People: d.store.requests,
		Importer: d.domain.importer, Exporter: d.domain.exporter, Feed: feed{d.hub},
		Guard:   access.NewGuard(access.LocalOwner{}, access.NewCachedRoles(d.store.roles)),
		Streams: d.streams, UI: deps.UI, Log: d.tel.Logger(), Traces: d.traces, Operations: operations{d.bus, status},
	})
	return server, status, err
}

// healthChecks probe through the background pool, so that a service under load is not taken for a sick one.
func healthChecks(cfg Config, d serverDeps) ([]fiberx.Check, error) {
	schemas, err := store.Schemas(cfg.Database.URL)
	if err != nil {
		return nil, err
	}
	own := schemas[len(schemas)-1]
	want, err := db.WantedVersion(own.Files)
	if err != nil {
		return nil, err
	}
	return []fiberx.Check{
		fiberx.DatabaseCheck(func(ctx context.Context) (int64, error) { return d.store.schemaVersion(ctx, own.Table) }, want),
		{Name: "nats", Probe: func(context.Context) fiberx.CheckResult {
			r := fiberx.CheckResult{OK: d.bus.Connected(), Since: d.bus.Since()}
			if !r.OK {
				r.Detail = cmp.Or(d.bus.Reason(), "NATS cannot be reached") + ": live updates and statistics may be late, nothing is lost"
			}
			return r
		}},
		{Name: "live", Probe: func(context.Context) fiberx.CheckResult {
			s := d.hub.State()
			r := fiberx.CheckResult{OK: s.Live, Since: s.Since}
			if !r.OK {
				r.Detail = "live updates come late"
			}
			return r
		}},
	}, nil
}
