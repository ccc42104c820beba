package live

import (
	"context"

	"go.opentelemetry.io/otel/metric"
)

type metrics struct {
	gaps       metric.Int64Counter
	rangeReads metric.Int64Counter
	delay      metric.Float64Histogram
}

// delayBounds are the bucket bounds, in seconds, of the time from an event's writing to its being written to a browser.
var delayBounds = []float64{0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 600}

func newMetrics(m metric.Meter, h *Hub) (*metrics, error) {
	out := &metrics{}
	var err error
	if out.gaps, err = m.Int64Counter("tallyboard.live.gaps",
		metric.WithDescription("Deliveries that left positions out, filled from the database"), metric.WithUnit("{gap}")); err != nil {
		return nil, err
	}
	if out.rangeReads, err = m.Int64Counter("tallyboard.live.range_reads",
		metric.WithDescription("Reads of the history for subscribers that resume or are slow"), metric.WithUnit("{read}")); err != nil {
		return nil, err
	}
	for _, counter := range []metric.Int64Counter{out.gaps, out.rangeReads} {
		counter.Add(context.Background(), 0) // a rate needs a beginning
	}
	if out.delay, err = m.Float64Histogram("tallyboard.live.delivery.delay",
		metric.WithDescription("Time from the writing of an event to its being written to a browser's stream"), metric.WithUnit("s"),
		metric.WithExplicitBucketBoundaries(delayBounds...)); err != nil {
		return nil, err
	}
	subscribers, err := m.Int64ObservableGauge("tallyboard.live.subscribers",
		metric.WithDescription("Open live feeds"), metric.WithUnit("{feed}"))
	if err != nil {
		return nil, err
	}
	stale, err := m.Int64ObservableGauge("tallyboard.live.stale",
		metric.WithDescription("1 while events reach subscribers late, because NATS or the database is away"))
	if err != nil {
		return nil, err
	}
	_, err = m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		h.mu.Lock()
		defer h.mu.Unlock()
		o.ObserveInt64(subscribers, int64(h.count))
		var v int64
		if !h.state.Live {
			v = 1
		}
		o.ObserveInt64(stale, v)
		return nil
	}, subscribers, stale)
	return out, err
}
