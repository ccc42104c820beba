package jsbus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// pump pulls messages and hands them on in batches: it waits for the first and takes what else has arrived by then, so a
// lone message is not delayed and a flood comes in full batches. It returns when ctx is done or the subscription failed.
func (b *Bus) pump(ctx context.Context, consumer jetstream.Consumer, ready func(), h func([]Delivery) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	queue := make(chan jetstream.Msg, b.cfg.BatchSize)
	subscription, err := consumer.Consume(func(m jetstream.Msg) {
		select {
		case queue <- m:
		case <-ctx.Done():
			b.giveBack(m)
		}
	},
		jetstream.PullMaxMessages(b.cfg.BatchSize),
		jetstream.PullExpiry(b.cfg.PullExpiry),
		jetstream.PullHeartbeat(b.cfg.PullExpiry/3),
		jetstream.ConsumeErrHandler(func(_ jetstream.ConsumeContext, err error) {
			if fatal(err) {
				cancel(err)
			}
		}))
	if err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	defer func() {
		cancel(nil)
		subscription.Stop()
		<-subscription.Closed()
		for {
			select {
			case m := <-queue:
				b.giveBack(m)
			default:
				return
			}
		}
	}()
	ready()
	batch := make([]Delivery, 0, b.cfg.BatchSize)
	for {
		batch = batch[:0]
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case m := <-queue:
			batch = append(batch, delivery(m))
		}
	more:
		for len(batch) < b.cfg.BatchSize {
			select {
			case m := <-queue:
				batch = append(batch, delivery(m))
			default:
				break more
			}
		}
		if err := h(batch); err != nil {
			return err
		}
	}
}

// fatal tells errors after which the subscription is worth nothing from those the client deals with itself.
func fatal(err error) bool {
	for _, target := range []error{
		jetstream.ErrConsumerDeleted, jetstream.ErrConsumerNotFound, jetstream.ErrConsumerDoesNotExist, jetstream.ErrStreamNotFound,
		jetstream.ErrNoHeartbeat, jetstream.ErrConnectionClosed, jetstream.ErrServerShutdown, jetstream.ErrBadRequest,
		nats.ErrNoResponders, nats.ErrConnectionClosed, nats.ErrPermissionViolation, nats.ErrBadSubscription,
	} {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}

// giveBack returns a message that was fetched and not handled, so that another replica need not wait for AckWait.
func (b *Bus) giveBack(m jetstream.Msg) {
	if err := m.Nak(); err != nil && !errors.Is(err, nats.ErrMsgNoReply) {
		b.log.Debug("message could not be given back", "error", err)
	}
}

func delivery(m jetstream.Msg) Delivery {
	d := Delivery{Subject: m.Subject(), Header: m.Headers(), Data: m.Data(), NumDelivered: 1, Ack: m.Ack, Nak: m.Nak}
	if meta, err := m.Metadata(); err == nil {
		d.NumDelivered, d.Timestamp = meta.NumDelivered, meta.Timestamp
		d.StreamSeq, d.consumerSeq = meta.Sequence.Stream, meta.Sequence.Consumer
	}
	if d.Timestamp.IsZero() {
		d.Timestamp = time.Now()
	}
	return d
}
