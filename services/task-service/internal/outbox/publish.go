package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tallyboard/tallyboard/services/internal/kit/jsbus"
	"github.com/tallyboard/tallyboard/services/task-service/internal/eventpb"
	"github.com/tallyboard/tallyboard/services/task-service/internal/eventspan"
	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
)

// errAway is why nothing is published while NATS cannot be reached.
var errAway = errors.New("NATS is away")

// publish brings events with positions to JetStream, in order, and waits while it is away.
func (r *Relay) publish(ctx context.Context, epoch int64) error {
	pause := backoff{min: r.cfg.BackoffMin, max: r.cfg.BackoffMax}
	for wait(ctx, r.given, r.cfg.Poll) {
		for more := true; more; {
			var err error
			more, err = r.publishBatch(ctx, epoch)
			switch {
			case ctx.Err() != nil:
				return ctx.Err()
			case err == nil:
				if pause.reset() {
					r.log.InfoContext(ctx, "relay publishes again")
				}
			case !mends(err):
				return err
			default:
				r.holdUp(ctx, err, &pause)
				more = true
			}
		}
	}
	return ctx.Err()
}

// holdUp waits after a failure. Back from an absence, NATS gets what is owed at once; one that is there and refuses is
// not pressed.
func (r *Relay) holdUp(ctx context.Context, err error, pause *backoff) {
	if pause.first() {
		r.log.WarnContext(ctx, "relay cannot publish; positions go on, trying again until it can", "error", err)
	}
	if errors.Is(err, errAway) {
		wait(ctx, nil, pause.least())
		return
	}
	r.metrics.failures.Add(ctx, 1)
	wait(ctx, nil, pause.next())
}

// mends reports whether waiting may mend a failure to publish: anything of NATS, and what is transient of the database.
func mends(err error) bool {
	var store *storeError
	return !errors.As(err, &store) || transient(err)
}

// storeError tells failures of the database from those of NATS.
type storeError struct{ error }

func (e *storeError) Unwrap() error { return e.error }

// publishBatch publishes the next events in order and records how far that went. more is true if others may follow.
func (r *Relay) publishBatch(ctx context.Context, epoch int64) (more bool, err error) {
	if !r.bus.Connected() {
		return false, errAway
	}
	published, events, err := r.store.Unpublished(ctx, r.shard, r.cfg.PublishBatch)
	if err != nil {
		return false, &storeError{fmt.Errorf("read unpublished events: %w", err)}
	}
	if len(events) == 0 {
		return false, nil
	}
	r.feed.Observe(events)
	msgs, index := r.encode(ctx, events)
	upto := events[len(events)-1].Pos
	var failure error
	if len(msgs) > 0 {
		timed, cancel := context.WithTimeout(ctx, r.cfg.PublishTimeout)
		acknowledged, err := r.bus.Publish(timed, msgs)
		cancel()
		r.recordPublished(ctx, events, index[:acknowledged])
		if acknowledged < len(msgs) {
			if err == nil {
				err = errors.New("not acknowledged")
			}
			failure = fmt.Errorf("publish: %w", err)
			upto = published
			if first := index[acknowledged]; first > 0 {
				upto = events[first-1].Pos
			}
		}
	}
	if upto > published {
		if err := r.store.MarkPublished(ctx, r.shard, epoch, upto); err != nil {
			return false, errors.Join(failure, &storeError{fmt.Errorf("mark published: %w", err)})
		}
	}
	return failure == nil && len(events) == r.cfg.PublishBatch, failure
}

// recordPublished counts the events that JetStream has acknowledged, by their index, and measures how long they took.
func (r *Relay) recordPublished(ctx context.Context, events []history.Event, acknowledged []int) {
	now := time.Now()
	r.published.Add(int64(len(acknowledged)))
	r.metrics.published.Add(ctx, int64(len(acknowledged)))
	for _, i := range acknowledged {
		e := events[i]
		traced := ctx
		if eventspan.Sampled(e.Traceparent) { // then the measurement shows which trace it is of
			traced = eventspan.Context(ctx, e)
		}
		r.metrics.publishDelay.Record(traced, max(0, now.Sub(e.Recorded).Seconds()))
	}
}

// encode turns events into messages; index says which event each one is. An event that cannot travel, because it is too
// large or malformed, is left out: holding up all others would be worse, and consumers read it from the database.
func (r *Relay) encode(ctx context.Context, events []history.Event) (msgs []jsbus.Msg, index []int) {
	msgs, index = make([]jsbus.Msg, 0, len(events)), make([]int, 0, len(events))
	for i, e := range events {
		data, err := eventpb.Marshal(r.shard, e)
		if err == nil && len(data) > r.cfg.MaxMessage {
			err = fmt.Errorf("%d bytes are too large for a message", len(data))
		}
		if err != nil {
			traced := eventspan.Context(ctx, e)
			r.metrics.unpublishable.Add(traced, 1)
			r.log.WarnContext(traced, "event left to be read from the database", "event", e.ID, "pos", e.Pos, "error", err)
			continue
		}
		m := jsbus.Msg{Subject: eventpb.Subject(e), ID: eventpb.MessageID(e), Data: data, Time: e.Recorded}
		if tp := r.spans.Limit(e.Traceparent, e.Pos); tp != "" {
			m.Header = map[string]string{"traceparent": tp}
			if eventspan.Sampled(tp) {
				m.Attributes = eventspan.Attributes(e)
			}
		}
		msgs, index = append(msgs, m), append(index, i)
	}
	return msgs, index
}
