package jsbus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
)

// ErrAway says that NATS cannot be asked now.
var ErrAway = errors.New("NATS is away")

// maxGathered is the number of answers Gather collects; whatever comes beyond is nobody of ours.
const maxGathered = 256

// Reply answers each request on subject with what fn returns, one after the other, from now and through reconnects
// until stop is called. Every bus that replies to a subject answers; see Gather. fn must be quick, and is not run for
// requests that name no inbox.
func (b *Bus) Reply(subject string, fn func() ([]byte, error)) (stop func(), err error) {
	return b.subscribe(subject, func(m *nats.Msg) {
		if m.Reply == "" {
			return
		}
		data, err := fn()
		if err == nil {
			err = m.Respond(data)
		}
		if err != nil {
			b.log.Debug("request not answered", "subject", subject, "error", err)
		}
	})
}

// Gather asks everyone who replies to subject and returns the answers that arrive within wait, this process's own among
// them if it replies. Nobody there is no error. Without a connection it returns ErrAway at once.
func (b *Bus) Gather(ctx context.Context, subject string, data []byte, wait time.Duration) (answers [][]byte, err error) {
	if !b.nc.IsConnected() {
		return nil, fmt.Errorf("ask %s: %w", subject, ErrAway)
	}
	inbox := b.nc.NewInbox()
	sub, err := b.nc.SubscribeSync(inbox)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", subject, err)
	}
	defer func() {
		if err := sub.Unsubscribe(); err != nil && !errors.Is(err, nats.ErrConnectionClosed) {
			b.log.Debug("NATS inbox could not be closed", "subject", subject, "error", err)
		}
	}()
	if err := b.nc.PublishRequest(subject, inbox, data); err != nil {
		return nil, fmt.Errorf("ask %s: %w", subject, err)
	}
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	for len(answers) < maxGathered {
		m, err := sub.NextMsgWithContext(waiting)
		switch {
		case err == nil:
			answers = append(answers, m.Data)
		case ctx.Err() != nil:
			return answers, fmt.Errorf("ask %s: %w", subject, ctx.Err())
		case waiting.Err() != nil, errors.Is(err, nats.ErrNoResponders):
			return answers, nil
		default:
			return answers, fmt.Errorf("ask %s: %w", subject, err)
		}
	}
	return answers, nil
}
