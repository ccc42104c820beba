package jsbus

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// Provision makes the stream and the durable consumers of these names, or brings those that are there up to the
// configuration. It is for the identity that sets a deployment up; services run with Provisioned then, and need no right
// to make anything.
func (b *Bus) Provision(ctx context.Context, durables ...string) error {
	ctx, cancel := context.WithTimeout(ctx, b.cfg.RequestTimeout)
	defer cancel()
	stream := b.streamConfig()
	delete(stream.Metadata, managedBy) // services leave it as it is
	if _, err := b.js.CreateOrUpdateStream(ctx, stream); err != nil {
		return fmt.Errorf("provision stream %s: %w", stream.Name, err)
	}
	for _, name := range durables {
		if _, err := b.js.CreateOrUpdateConsumer(ctx, stream.Name, b.durableConfig(name)); err != nil {
			return fmt.Errorf("provision consumer %s: %w", name, err)
		}
	}
	return nil
}

// Discard removes the stream with its messages and consumers; one that is not there is no error. After a restore from a
// backup it must go: it may hold positions that the restored database gives to other events.
func (b *Bus) Discard(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, b.cfg.RequestTimeout)
	defer cancel()
	if err := b.js.DeleteStream(ctx, b.cfg.Stream); err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
		return fmt.Errorf("discard stream %s: %w", b.cfg.Stream, err)
	}
	return nil
}

// durableConfig is how a durable consumer is made, by a service or at deploy.
func (b *Bus) durableConfig(name string) jetstream.ConsumerConfig {
	return jetstream.ConsumerConfig{
		Durable:       name,
		AckPolicy:     jetstream.AckExplicitPolicy,
		DeliverPolicy: jetstream.DeliverAllPolicy,
		AckWait:       b.cfg.AckWait,
		MaxAckPending: b.cfg.MaxAckPending,
		MaxDeliver:    -1, // what cannot be applied is parked by the consumer, not forgotten by the server
	}
}

// Refused reports whether err says that NATS understood and refused: waiting does not mend it.
func Refused(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && api.Code >= 400 && api.Code < 500 // 503: the cluster has no leader yet
}
