package app

import (
	"context"
	"time"

	"github.com/tallyboard/tallyboard/services/internal/kit/jsbus"
	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
	"github.com/tallyboard/tallyboard/services/task-service/internal/eventpb"
	"github.com/tallyboard/tallyboard/services/task-service/internal/httpapi"
	"github.com/tallyboard/tallyboard/services/task-service/internal/live"

	"github.com/google/uuid"
)

// connectNATS returns the bus, on the connection handed in or on one of its own that comes up whenever NATS is there.
func connectNATS(ctx context.Context, cfg Config, deps Deps, tel *telemetry.Telemetry) (*jsbus.Bus, error) {
	cfg.NATS.Name = ServiceName
	cfg.NATS.SubjectTemplate = eventpb.SubjectTemplate
	if deps.NATS != nil {
		return jsbus.Wrap(deps.NATS, cfg.NATS, tel, tel.Logger())
	}
	return jsbus.Connect(ctx, cfg.NATS, tel, tel.Logger())
}

// feedBus is the bus as the live hub sees it.
type feedBus struct{ *jsbus.Bus }

// Receiving reports whether messages can arrive: NATS is connected and the subscription stands.
func (b feedBus) Receiving() (ok bool, since time.Time) {
	connected, since := b.Connected(), b.Since()
	tail, known := b.Consumers()["tail"]
	if !connected || !known {
		return false, since
	}
	if tail.Since.After(since) {
		since = tail.Since
	}
	return tail.OK, since
}

// feed is the live hub as httpapi sees it.
type feed struct{ hub *live.Hub }

// Subscribe implements httpapi.Feed.
func (f feed) Subscribe(ctx context.Context, project uuid.UUID, after int64) (httpapi.Subscription, error) {
	s, err := f.hub.Subscribe(ctx, project, after)
	if err != nil {
		return nil, err
	}
	return subscription{s}, nil
}

type subscription struct{ *live.Subscription }

// Next implements httpapi.Subscription.
func (s subscription) Next(ctx context.Context) (httpapi.Update, error) {
	u, err := s.Subscription.Next(ctx)
	out := httpapi.Update{Events: u.Events, Spans: u.Spans}
	if u.State != nil {
		out.State = &httpapi.FeedState{Live: u.State.Live, Since: u.State.Since}
	}
	return out, err
}
