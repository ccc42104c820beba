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

	measured             atomic.Bool // whether the last measurement succeeded
	cursor, head, parked atomic.Int64
	lagSeconds           atomic.Uint64 // bits of a float64
}

func newMetrics(m metric.Meter) (*metrics, error) {
	out := &metrics{}
	var errs []error
	counter := func(name, unit, description string) metric.Int64Counter {
		c, err := m.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(description))
		errs = append(errs, err)
		if err == nil {
			c.Add(context.Background(), 0) // a rate needs a beginning
		}
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
		if !out.measured.Load() { // no value is better than an old one
			return nil
		}
		positions, age := out.lag()
		o.ObserveInt64(lag, positions)
		o.ObserveFloat64(seconds, age)
		o.ObserveInt64(parked, out.parked.Load())
		return nil
	}, lag, seconds, parked)
	return out, errors.Join(append(errs, err)...)
}

// observe takes what the gauges show.
func (m *metrics) observe(s stats.Status, now time.Time) {
	m.cursor.Store(s.Cursor.Pos)
	m.head.Store(s.Head)
	m.parked.Store(int64(s.ParkedCount))
	seconds := 0.0
	if s.Pending != nil {
		seconds = max(0, now.Sub(*s.Pending).Seconds())
	}
	m.lagSeconds.Store(math.Float64bits(seconds))
	m.measured.Store(true)
}

// miss notes that a measurement failed: the gauges show nothing until one succeeds.
func (m *metrics) miss() { m.measured.Store(false) }

// lag returns how many positions are not applied, and the age of the oldest in seconds. This instance's own progress since
// the last measurement counts.
func (m *metrics) lag() (positions int64, seconds float64) {
	if positions = m.head.Load() - m.cursor.Load(); positions <= 0 {
		return 0, 0
	}
	return positions, math.Float64frombits(m.lagSeconds.Load())
}

// record counts a batch that was applied. Each event's delay is shown with the trace that the event came from.
func (m *metrics) record(ctx context.Context, out stats.Applied, events []stats.Event, now time.Time) {
	m.cursor.Store(out.To)
	m.applied.Add(ctx, int64(out.Applied))
	m.parkedEvents.Add(ctx, int64(out.Parked))
	for i := range events {
		if events[i].Pos > out.From {
			m.delay.Record(contextOf(ctx, &events[i]), max(0, now.Sub(events[i].Recorded).Seconds()))
		}
	}
}
