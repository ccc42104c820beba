package outbox

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/metric"
)

type metrics struct {
	assigned      metric.Int64Counter
	published     metric.Int64Counter
	failures      metric.Int64Counter
	unpublishable metric.Int64Counter
	takeovers     metric.Int64Counter
	publishDelay  metric.Float64Histogram
}

// delayBounds are the bucket bounds, in seconds, of the time from an event's writing to its acknowledgement by JetStream.
var delayBounds = []float64{0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 600, 3600, 86400}

// backlog is what was last measured.
type backlog struct {
	known                        bool
	withoutPos, given, published int64
	oldest                       time.Time
}

// age returns how long the oldest event without a position has waited for one.
func (b backlog) age() time.Duration {
	if b.oldest.IsZero() {
		return 0
	}
	return max(0, time.Since(b.oldest))
}

// watchBacklog measures on every replica, so that a backlog without any leader is seen, too.
func (r *Relay) watchBacklog(ctx context.Context) {
	for {
		withoutPos, oldest, given, published, err := r.store.Backlog(ctx, r.shard)
		r.mu.Lock()
		r.backlog = backlog{known: err == nil, withoutPos: withoutPos, oldest: oldest, given: given, published: published}
		r.mu.Unlock()
		if !wait(ctx, nil, r.cfg.BacklogEvery) {
			return
		}
	}
}

func newMetrics(m metric.Meter, r *Relay) (*metrics, error) {
	out := &metrics{}
	var errs []error
	counter := func(to *metric.Int64Counter, name, unit, description string) {
		var err error
		*to, err = m.Int64Counter("tallyboard.relay."+name, metric.WithUnit(unit), metric.WithDescription(description))
		errs = append(errs, err)
		if err == nil {
			(*to).Add(context.Background(), 0) // a rate needs a beginning
		}
	}
	gauge := func(name, unit, description string) metric.Int64ObservableGauge {
		g, err := m.Int64ObservableGauge("tallyboard.relay."+name, metric.WithUnit(unit), metric.WithDescription(description))
		errs = append(errs, err)
		return g
	}
	counter(&out.assigned, "assigned", "{event}", "Events that were given a position")
	counter(&out.published, "published", "{event}", "Events that JetStream acknowledged")
	counter(&out.failures, "publish_failures", "{failure}", "Attempts to publish that a reachable NATS did not acknowledge")
	counter(&out.unpublishable, "unpublishable", "{event}", "Events left to be read from the database, too large for a message")
	counter(&out.takeovers, "takeovers", "{takeover}", "Times this replica's relay became the leader")
	var err error
	out.publishDelay, err = m.Float64Histogram("tallyboard.relay.publish.delay", metric.WithUnit("s"),
		metric.WithDescription("Time from the writing of an event to its acknowledgement by JetStream"),
		metric.WithExplicitBucketBoundaries(delayBounds...))
	errs = append(errs, err)
	leader := gauge("leader", "{leader}", "1 while this replica's relay is the leader")
	waiting := gauge("unpositioned", "{event}", "Committed events without a position")
	unpublished := gauge("unpublished", "{event}", "Events with a position that JetStream has not acknowledged")
	age, err := m.Float64ObservableGauge("tallyboard.relay.oldest_age", metric.WithUnit("s"),
		metric.WithDescription("Age of the oldest committed event without a position"))
	if err = errors.Join(append(errs, err)...); err != nil {
		return nil, err
	}
	_, err = m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		var leads int64
		if r.leading.Load() {
			leads = 1
		}
		o.ObserveInt64(leader, leads)
		r.mu.Lock()
		b := r.backlog
		r.mu.Unlock()
		if !b.known { // no value is better than an old one
			return nil
		}
		o.ObserveInt64(waiting, b.withoutPos)
		o.ObserveInt64(unpublished, b.given-b.published)
		o.ObserveFloat64(age, b.age().Seconds())
		return nil
	}, leader, waiting, unpublished, age)
	return out, err
}
