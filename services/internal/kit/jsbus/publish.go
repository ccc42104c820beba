package jsbus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.opentelemetry.io/otel/attribute"
)

// stallWait is how long one message waits for room in the publish window before the wait is looked at again.
const stallWait = 500 * time.Millisecond

// Msg is one message to publish.
type Msg struct {
	// Subject is where it goes, such as tasks.<project>.<task>.
	Subject string
	// ID is the event's id; the stream drops a repetition within its duplicate window.
	ID string
	// Header has further headers. "traceparent" names the span that caused the event; it is replaced by that of the
	// publish span, which becomes its child.
	Header map[string]string
	// Data is the encoded event.
	Data []byte
	// Attributes are further attributes of the publish span.
	Attributes []attribute.KeyValue
	// Time is when the event happened. Publishing one from long ago starts a trace of its own that links to the old one.
	// Zero means now.
	Time time.Time
}

// Publish sends msgs in order, a window of them at once, and waits for the acknowledgements. published is the length of
// the acknowledged prefix; with an error, the caller sends the rest again, later and in the same order. Messages behind
// the first failed one may have been stored as well: consumers meet them again and skip them.
func (b *Bus) Publish(ctx context.Context, msgs []Msg) (published int, err error) {
	if !b.nc.IsConnected() {
		return 0, fmt.Errorf("publish: %w", nats.ErrDisconnected)
	}
	sent := make([]sentMsg, 0, len(msgs))
	var sendErr error
	for i := range msgs {
		var s sentMsg
		if s, sendErr = b.send(ctx, &msgs[i]); sendErr != nil {
			break
		}
		sent = append(sent, s)
	}
	var ackErr error
	for i, s := range sent {
		switch err := s.wait(ctx); {
		case published < i: // behind the first failure: waited for, not counted
		case err == nil:
			published++
		default:
			ackErr = err
		}
	}
	if ackErr != nil { // it came before whatever kept the rest from being sent
		sendErr = ackErr
	}
	if sendErr == nil {
		return published, nil
	}
	if errors.Is(sendErr, jetstream.ErrNoStreamResponse) { // the stream is gone: bring it back for the next attempt
		if err := b.EnsureStream(ctx); err != nil {
			sendErr = errors.Join(sendErr, err)
		}
	}
	return published, fmt.Errorf("publish: %d of %d acknowledged: %w", published, len(msgs), sendErr)
}

// sentMsg is a message on its way.
type sentMsg struct {
	future jetstream.PubAckFuture
	end    func(error)
}

// wait returns when the message is acknowledged or failed.
func (s sentMsg) wait(ctx context.Context) (err error) {
	defer func() { s.end(err) }()
	select {
	case <-s.future.Ok():
		return nil
	case err := <-s.future.Err():
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// send hands one message to the connection, waiting while the window is full.
func (b *Bus) send(ctx context.Context, m *Msg) (sentMsg, error) {
	header := make(nats.Header, len(m.Header)+1)
	for k, v := range m.Header {
		header[k] = []string{v}
	}
	end := b.startPublish(ctx, m, header)
	msg := &nats.Msg{Subject: m.Subject, Header: header, Data: m.Data}
	for {
		future, err := b.js.PublishMsgAsync(msg, jetstream.WithMsgID(m.ID), jetstream.WithExpectStream(b.cfg.Stream),
			jetstream.WithStallWait(stallWait))
		if err == nil {
			return sentMsg{future, end}, nil
		}
		if !errors.Is(err, jetstream.ErrTooManyStalledMsgs) {
			end(err)
			return sentMsg{}, err
		}
		if err := ctx.Err(); err != nil {
			end(err)
			return sentMsg{}, err
		}
	}
}
