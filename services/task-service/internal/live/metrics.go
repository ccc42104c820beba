package live

import (
	"context"

	"go.opentelemetry.io/otel/metric"
)

type metrics struct {
	gaps       metric.Int64Counter
	rangeReads metric.Int64Counter
}

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
