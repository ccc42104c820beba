package app

import (
	"context"
	"log/slog"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/tallyboard/tallyboard/services/internal/kit/fiberx"
	"github.com/tallyboard/tallyboard/services/internal/kit/jsbus"
	"github.com/tallyboard/tallyboard/services/internal/kit/opstatus"
	"github.com/tallyboard/tallyboard/services/task-service/internal/outbox"
)

// status returns this instance's state for the operations page. It asks nobody: everything in it is counted or measured
// as it happens.
func (d serverDeps) status(cfg Config, version string, started time.Time, server *fiber.App) opstatus.Status {
	s := opstatus.Self(ServiceName, cfg.Telemetry.Instance, version, started, d.bus)
	s.Ready = d.state.Ready()
	s.Pools = append(s.Pools, opstatus.PoolOf("requests", d.store.poolStats()), opstatus.PoolOf("background", d.store.backgroundStats()))
	s.Relay = relayStatus(d.relay.Status())
	s.Live = &opstatus.Live{Subscribers: d.hub.Subscribers(), Stale: !d.hub.State().Live}
	s.Routes = append(s.Routes, fiberx.RouteStats(server)...)
	return s
}

// relayStatus is the relay's state without the figures that have not been measured.
func relayStatus(s outbox.Status) *opstatus.Relay {
	relay := &opstatus.Relay{Leader: s.Leading, Takeovers: s.Takeovers}
	if s.Known {
		relay.Unpositioned, relay.OldestAgeSeconds = new(s.Unpositioned), new(s.OldestAge.Seconds())
		relay.Given, relay.Published = new(s.Given), new(s.Published)
	}
	return relay
}

// answerStatus answers who asks all instances how they are, until the function it returns is called. Without it this
// instance is missing on the operations page and works all the same, so a failure is only logged.
func (d serverDeps) answerStatus(ctx context.Context, status func() opstatus.Status) (stop func(context.Context) error) {
	end, err := opstatus.Answer(d.bus, status)
	if err != nil {
		d.tel.Logger().LogAttrs(ctx, slog.LevelWarn, "this instance will be missing on the operations page", slog.Any("error", err))
		return func(context.Context) error { return nil }
	}
	return func(context.Context) error { end(); return nil }
}

// collectWait is how long the operations page waits for the answers of other instances.
const collectWait = 400 * time.Millisecond

// operations is every instance's state as httpapi asks for it.
type operations struct {
	bus  *jsbus.Bus
	self func() opstatus.Status
}

// Self implements httpapi.Operations.
func (o operations) Self() opstatus.Status { return o.self() }

// Collect implements httpapi.Operations.
func (o operations) Collect(ctx context.Context) ([]opstatus.Status, error) {
	return opstatus.Collect(ctx, o.bus, collectWait)
}
