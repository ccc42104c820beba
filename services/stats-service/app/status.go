package app

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"go.opentelemetry.io/otel/metric"

	"github.com/tallyboard/tallyboard/services/internal/kit/fiberx"
	"github.com/tallyboard/tallyboard/services/internal/kit/opstatus"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/stats"
)

// verifications remembers the last verification that this instance was asked for. Other instances know of their own.
type verifications struct {
	last atomic.Pointer[opstatus.Verify]
}

// observe tells as a metric how many differences the last verification found: 0 before the first.
func (v *verifications) observe(meter metric.Meter) error {
	_, err := meter.Int64ObservableGauge("tallyboard.stats.verify.differences", metric.WithUnit("{difference}"),
		metric.WithDescription("Differences to a recount that the last verification found."),
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
			var differences int64
			if last := v.last.Load(); last != nil {
				differences = int64(last.Differences)
			}
			o.Observe(differences)
			return nil
		}))
	if err != nil {
		return fmt.Errorf("observe verifications: %w", err)
	}
	return nil
}

func (v *verifications) remember(found *stats.Verification) {
	v.last.Store(&opstatus.Verify{At: time.Now().UTC(), Equal: found.Equal, Differences: found.Count})
}

// status returns this instance's state for the operations page. It asks nobody: everything in it is counted or measured
// as it happens.
func (d serverDeps) status(cfg Config, version string, started time.Time, server *fiber.App) opstatus.Status {
	s := opstatus.Self(ServiceName, cfg.Telemetry.Instance, version, started, d.bus)
	s.Ready = d.state.Ready()
	for name, pool := range d.store.stats {
		s.Pools = append(s.Pools, opstatus.PoolOf(name, pool()))
	}
	slices.SortFunc(s.Pools, func(a, b opstatus.Pool) int { return strings.Compare(a.Name, b.Name) })
	applier := d.applier.Status()
	s.Consumer = &opstatus.Consumer{
		Leader: applier.Leading, Cursor: applier.Cursor, Lag: applier.Lag, LagSeconds: applier.LagTime.Seconds(),
		Parked: applier.Parked, Source: applier.Source, LastVerify: d.verify.last.Load(),
	}
	s.Routes = append(s.Routes, fiberx.RouteStats(server)...)
	return s
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
