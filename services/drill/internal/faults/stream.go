package faults

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// streamName is where the services keep events.
const streamName = "TASKS"

// duplicateHeader is by what JetStream recognises a repeated message; one that comes again gets another id.
const duplicateHeader = "Nats-Msg-Id"

// jetStream calls fn with a connection of its own, again until it works: servers may have just been started, and a cluster
// elects its leaders first.
func (i *Injector) jetStream(ctx context.Context, fn func(context.Context, jetstream.JetStream) error) error {
	const pause = 100 * time.Millisecond
	for {
		err := i.onJetStream(ctx, fn)
		if err == nil {
			return nil
		}
		if waited := rest(ctx, pause); waited != nil {
			return errors.Join(waited, err)
		}
	}
}

func (i *Injector) onJetStream(ctx context.Context, fn func(context.Context, jetstream.JetStream) error) error {
	const timeout = 5 * time.Second
	nc, err := i.Cluster.NATS[0].Connect()
	if err != nil {
		return err
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return fn(ctx, js)
}

// deleteStream removes the stream with all messages and consumers.
func (i *Injector) deleteStream(ctx context.Context) (detail string, err error) {
	err = i.jetStream(ctx, func(ctx context.Context, js jetstream.JetStream) error {
		stream, err := js.Stream(ctx, streamName)
		if err != nil {
			return err
		}
		detail = fmt.Sprintf("%d messages", stream.CachedInfo().State.Msgs)
		return js.DeleteStream(ctx, streamName)
	})
	return detail, err
}

// redeliver publishes the stream's last messages once more: shuffled, and under ids that the stream does not know.
func (i *Injector) redeliver(ctx context.Context, count int) (detail string, err error) {
	err = i.jetStream(ctx, func(ctx context.Context, js jetstream.JetStream) error {
		stream, err := js.Stream(ctx, streamName)
		if err != nil {
			return err
		}
		last, first := stream.CachedInfo().State.LastSeq, stream.CachedInfo().State.FirstSeq
		var messages []*nats.Msg
		for seq := last; seq >= first && seq > 0 && len(messages) < count; seq-- {
			m, err := stream.GetMsg(ctx, seq)
			if errors.Is(err, jetstream.ErrMsgNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			m.Header.Set(duplicateHeader, fmt.Sprintf("again-%d-%d", seq, i.Random.Uint64()))
			messages = append(messages, &nats.Msg{Subject: m.Subject, Header: m.Header, Data: m.Data})
		}
		i.Random.Shuffle(len(messages), func(a, b int) { messages[a], messages[b] = messages[b], messages[a] })
		for _, m := range messages {
			if _, err := js.PublishMsg(ctx, m); err != nil {
				return err
			}
		}
		detail = fmt.Sprintf("%d messages", len(messages))
		return nil
	})
	return detail, err
}
