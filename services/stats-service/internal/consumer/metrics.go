package consumer

import (
	"context"
	"errors"
	"math"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/metric"

	"github.com/tallyboard/tallyboard/services/stats-service/internal/stats"
)

// delayBounds are the bucket bounds, in seconds, of the time from an event's writing to its application.
var delayBounds = []float64{0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 600, 3600, 86400}

// metrics of the consumer. Gauges are measured by every instance, so that a lag shows also while nobody applies.
type metrics struct {
	applied, skipped, redelivered, undecodable, gapFills, parkedEvents, failures metric.Int64Counter
	delay                                                                        metric.Float64Histogram

	lagPositions, parked atomic.Int64
	lagSeconds           atomic.Uint64 // bits of a float64
}

func newMetrics(m metric.Meter) (*metrics, error) {
	out := &metrics{}
	var errs []error
	counter := func(name, unit, description string) metric.Int64Counter {
		c, err := m.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(description))
		errs = append(errs, err)
		return c
	}
	out.applied = counter("tallyboard.stats.events.applied", "{event}", "Events applied to the projections.")
	out.skipped = counter("tallyboard.stats.events.skipped", "{event}", "Events received that had been applied before.")
	out.redelivered = counter("tallyboard.stats.redeliveries", "{message}", "Messages that NATS delivered again.")
	out.undecodable = counter("tallyboard.stats.messages.undecodable", "{message}", "Messages that could not be read; their events come from the database.")
	out.gapFills = counter("tallyboard.stats.gap_fills", "{event}", "Events read from the database because NATS left them out.")
	out.parkedEvents = counter("tallyboard.stats.events.parked", "{event}", "Events set aside because they, or one before them, could not be applied.")
	out.failures = counter("tallyboard.stats.apply.failures", "{attempt}", "Attempts to apply events that failed and were repeated.")
	var err error
	out.delay, err = m.Float64Histogram("tallyboard.stats.apply.delay", metric.WithUnit("s"),
		metric.WithDescription("Time from the writing of an event to its application."), metric.WithExplicitBucketBoundaries(delayBounds...))
	errs = append(errs, err)
	lag, err := m.Int64ObservableGauge("tallyboard.stats.lag.positions", metric.WithUnit("{event}"),
		metric.WithDescription("Positions given but not yet applied."))
	errs = append(errs, err)
	seconds, err := m.Float64ObservableGauge("tallyboard.stats.lag", metric.WithUnit("s"),
		metric.WithDescription("Age of the oldest event not yet applied."))
	errs = append(errs, err)
	parked, err := m.Int64ObservableGauge("tallyboard.stats.parked", metric.WithUnit("{task}"),
		metric.WithDescription("Tasks and projects whose events are set aside."))
	errs = append(errs, err)
	_, err = m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		o.ObserveInt64(lag, out.lagPositions.Load())
		o.ObserveFloat64(seconds, math.Float64frombits(out.lagSeconds.Load()))
		o.ObserveInt64(parked, out.parked.Load())
		return nil
	}, lag, seconds, parked)
	return out, errors.Join(append(errs, err)...)
}

// observe takes what the gauges show.
func (m *metrics) observe(s stats.Status, now time.Time) {
	m.lagPositions.Store(max(0, s.Head-s.Cursor.Pos))
	m.parked.Store(int64(s.ParkedCount))
	seconds := 0.0
	if s.Pending != nil {
		seconds = max(0, now.Sub(*s.Pending).Seconds())
	}
	m.lagSeconds.Store(math.Float64bits(seconds))
}

// record counts a batch that was applied.
func (m *metrics) record(ctx context.Context, out stats.Applied, events []stats.Event, now time.Time) {
	m.applied.Add(ctx, int64(out.Applied))
	m.parkedEvents.Add(ctx, int64(out.Parked))
	for i := range events {
		if events[i].Pos > out.From {
			m.delay.Record(ctx, max(0, now.Sub(events[i].Recorded).Seconds()))
		}
	}
}
