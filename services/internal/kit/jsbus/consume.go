package jsbus

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// The pause before a consumer that failed is started again: it doubles from the one to the other.
const (
	minRestartPause = 100 * time.Millisecond
	maxRestartPause = 5 * time.Second
)

// tailInactivity is when the server removes the consumer of a Tail that has gone.
const tailInactivity = 30 * time.Second

// tailName is the name of Tail in Consumers.
const tailName = "tail"

// Delivery is one message received.
type Delivery struct {
	Subject string
	Header  nats.Header
	Data    []byte
	// NumDelivered counts deliveries of this message by this consumer, from 1.
	NumDelivered uint64
	// StreamSeq is the message's number in the stream. It is no measure of progress: a stream that is made anew counts from
	// 1 again, and what is published twice has two numbers.
	StreamSeq uint64
	// Timestamp is when the stream stored the message.
	Timestamp time.Time
	// Ack says that the message is dealt with; Nak asks for it again soon. Both only queue the answer. For Tail they do
	// nothing.
	Ack, Nak func() error

	consumerSeq uint64 // counts what this consumer was sent, from 1
}

// Consume reads the stream through the durable pull consumer of that name and calls h with batches in the order of
// arrival, one at a time, until ctx is done. h acknowledges each message itself, after its transaction; what it leaves
// comes again after AckWait. h's context has the batch's span.
//
// Consume outlives everything: without NATS it waits, and a deleted stream or consumer is made again if this identity
// may. Every message still in the stream is delivered then, so h skips what it has seen. See Consumers for its state. Its
// error is always ctx's.
func (b *Bus) Consume(ctx context.Context, durable string, h func(ctx context.Context, batch []Delivery)) error {
	return b.supervise(ctx, durable, func(ctx context.Context, ready func()) error {
		consumer, err := b.durable(ctx, durable)
		if err != nil {
			return err
		}
		return b.pump(ctx, consumer, ready, func(batch []Delivery) error {
			handling, end := b.startProcess(ctx, durable, batch)
			defer end()
			h(handling, batch)
			return nil
		})
	})
}

// durable returns the durable consumer, making it if need be and if this identity may.
func (b *Bus) durable(ctx context.Context, name string) (jetstream.Consumer, error) {
	ctx, cancel := context.WithTimeout(ctx, b.cfg.RequestTimeout)
	defer cancel()
	consumer, err := b.js.Consumer(ctx, b.cfg.Stream, name)
	if err == nil || b.cfg.Provisioned {
		return consumer, err
	}
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		if err := b.EnsureStream(ctx); err != nil {
			return nil, err
		}
	} else if !errors.Is(err, jetstream.ErrConsumerNotFound) {
		return nil, err
	}
	consumer, err = b.js.CreateOrUpdateConsumer(ctx, b.cfg.Stream, b.durableConfig(name))
	if err != nil {
		return nil, fmt.Errorf("create consumer %s: %w", name, err)
	}
	return consumer, nil
}

// TailOption changes a Tail.
type TailOption func(*tailOptions)

type tailOptions struct{ subscribed func() }

// OnSubscribed has fn called each time the tail starts to receive, at first and again after an interruption. Messages
// may have passed unseen before, so fn is the place to look into the database for what was missed. It runs on h's
// goroutine.
func OnSubscribed(fn func()) TailOption { return func(o *tailOptions) { o.subscribed = fn } }

// Tail calls h with batches of the messages that arrive from now on, in order and without acknowledgement, until ctx is
// done. It is for live feeds: each caller sees every message. After an interruption it starts at "now" again; see
// OnSubscribed. Its error is always ctx's.
func (b *Bus) Tail(ctx context.Context, h func(batch []Delivery), options ...TailOption) error {
	var o tailOptions
	for _, option := range options {
		option(&o)
	}
	return b.supervise(ctx, tailName, func(ctx context.Context, ready func()) error {
		consumer, err := b.ephemeral(ctx)
		if err != nil {
			return err
		}
		defer b.forget(ctx, consumer)
		var last uint64
		return b.pump(ctx, consumer, func() {
			ready()
			if o.subscribed != nil {
				o.subscribed()
			}
		}, func(batch []Delivery) error {
			for _, d := range batch {
				if last++; d.consumerSeq != last {
					return fmt.Errorf("message %d arrived in place of %d", d.consumerSeq, last)
				}
			}
			h(batch)
			return nil
		})
	})
}

// ephemeral makes a consumer for one Tail. The client's own ordered consumer is not used, because it goes on at its old
// sequence after the stream was recreated, and would wait for numbers long gone.
func (b *Bus) ephemeral(ctx context.Context) (jetstream.Consumer, error) {
	ctx, cancel := context.WithTimeout(ctx, b.cfg.RequestTimeout)
	defer cancel()
	cfg := jetstream.ConsumerConfig{
		AckPolicy:         jetstream.AckNonePolicy,
		DeliverPolicy:     jetstream.DeliverNewPolicy,
		MaxDeliver:        1,
		MemoryStorage:     true,
		Replicas:          1,
		InactiveThreshold: tailInactivity,
	}
	consumer, err := b.js.CreateConsumer(ctx, b.cfg.Stream, cfg)
	if errors.Is(err, jetstream.ErrStreamNotFound) && !b.cfg.Provisioned {
		if err := b.EnsureStream(ctx); err != nil {
			return nil, err
		}
		consumer, err = b.js.CreateConsumer(ctx, b.cfg.Stream, cfg)
	}
	if err != nil {
		return nil, fmt.Errorf("create tail consumer: %w", err)
	}
	return consumer, nil
}

// forget removes a Tail's consumer at once; if that fails, the server does so after tailInactivity.
func (b *Bus) forget(ctx context.Context, consumer jetstream.Consumer) {
	if !b.nc.IsConnected() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if err := b.js.DeleteConsumer(ctx, b.cfg.Stream, consumer.CachedInfo().Name); err != nil {
		b.log.DebugContext(ctx, "tail consumer left to the server", "error", err)
	}
}

// supervise runs attempt again and again until ctx is done. attempt calls ready when it receives.
func (b *Bus) supervise(ctx context.Context, name string, attempt func(ctx context.Context, ready func()) error) error {
	defer b.removeStatus(name)
	b.setStatus(name, errors.New("starting"))
	wait := minRestartPause
	for {
		err := attempt(ctx, func() {
			wait = minRestartPause
			b.setStatus(name, nil)
		})
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil {
			err = errors.New("the subscription ended")
		}
		if b.setStatus(name, err) {
			b.log.WarnContext(ctx, "consumer interrupted; starting it again", "consumer", name, "error", err)
		}
		timer := time.NewTimer(wait/2 + rand.N(wait)) //nolint:gosec // jitter needs no secrecy
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
		wait = min(2*wait, maxRestartPause)
	}
}

// setStatus records a consumer's state and reports whether it went from working to failing.
func (b *Bus) setStatus(name string, err error) (failed bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	before, known := b.consumers[name]
	now := ConsumerStatus{OK: err == nil, Since: before.Since, Err: err}
	if !known || before.OK != now.OK {
		now.Since = time.Now()
	}
	b.consumers[name] = now
	return before.OK && !now.OK
}

func (b *Bus) removeStatus(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.consumers, name)
}
