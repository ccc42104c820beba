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
	"github.com/tallyboard/tallyboard/services/stats-service/internal/consumer"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/httpapi"
)

// serverDeps are the parts that answer requests.
type serverDeps struct {
	tel     *telemetry.Telemetry
	store   *storage
	bus     *jsbus.Bus
	hub     *httpapi.Hub
	applier *consumer.Consumer
	streams *fiberx.Streams
	state   *boot.Readiness
	verify  *verifications
}

// newServer returns the HTTP server with all routes. The operations endpoints are there twice: at the root for whoever
// reaches this instance itself, and below the API's prefix, which is all that the edge hands on. status is the state of
// the instance that it serves.
func newServer(cfg Config, deps Deps, d serverDeps, started time.Time) (server *fiber.App, status func() opstatus.Status, err error) {
	server = fiberx.New(cfg.HTTP, d.tel.Logger(), d.tel)
	status = func() opstatus.Status { return d.status(cfg, deps.Version, started, server) }
	checks, err := healthChecks(d)
	if err != nil {
		return nil, nil, err
	}
	if err := d.verify.observe(d.tel.Meter); err != nil {
		return nil, nil, err
	}
	ops := fiberx.Ops{
		Service: ServiceName, Version: deps.Version, Instance: cfg.Telemetry.Instance, Ready: d.state.Ready,
		Checks: checks, Pool: d.store.stats["requests"], Pools: d.store.stats, Metrics: d.tel.MetricsHandler(),
	}
	fiberx.MountOps(server, ops)
	below := fiber.New()
	fiberx.MountOps(below, ops)
	server.Mount(httpapi.Prefix, below)
	server.Use(httpapi.Prefix, fiberx.Gate(d.state.Current.Load, "The statistics are starting: their database is not ready yet."))
	server.Use(httpapi.Prefix, fiberx.Gate(d.store.pulse.Beats, "The database does not answer."))
	err = httpapi.Mount(server, httpapi.Deps{
		Config: cfg.API, Reader: d.store.requests, Operator: operator{d.store.requests, d.bus, d.verify}, Applier: d.applier, Link: d.bus,
		Hub: d.hub, Guard: access.NewGuard(access.LocalOwner{}, access.NewCachedRoles(d.store.roles)), Streams: d.streams,
		Log: d.tel.Logger(),
	})
	return server, status, err
}

// healthChecks probe through the background pool, so that a service under load is not taken for a sick one.
func healthChecks(d serverDeps) ([]fiberx.Check, error) {
	schemas := schemas(d.store.engine)
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
				r.Detail = cmp.Or(d.bus.Reason(), "NATS cannot be reached") + ": events are read from the database, a little later"
			}
			return r
		}},
	}, nil
}
