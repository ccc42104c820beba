package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/gofiber/fiber/v2"
	"go.opentelemetry.io/otel/trace"

	"github.com/tallyboard/tallyboard/services/internal/access"
	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/internal/kit/fiberx"
	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
	"github.com/tallyboard/tallyboard/services/task-service/internal/httpapi/wire"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// Names of the events in a live stream that are no events of the project.
const (
	streamReady = "ready"
	streamStale = "stale"
	streamReset = "reset"
)

// ProjectHistory answers with events in their total order.
func (s *server) ProjectHistory(c *fiber.Ctx, key wire.Key, params wire.ProjectHistoryParams) error {
	ctx := c.UserContext()
	p, err := s.project(ctx, key, access.ReadProject)
	if err != nil {
		return err
	}
	head, err := s.heads.pos(ctx) // before the events, so that whoever continues behind it misses nothing
	if err != nil {
		return err
	}
	limit := or(params.Limit, task.DefaultPage)
	events, err := s.Tasks.Events(ctx, p.ID, or(params.After, 0), limit)
	if err != nil {
		return err
	}
	b := appendEvents([]byte(`{"events":`), events, p.Key)
	b = append(b, `,"next":`...)
	if len(events) == limit {
		b = appendInt(b, events[limit-1].Pos)
		head = max(head, events[limit-1].Pos)
	} else {
		b = append(b, "null"...)
	}
	b = append(b, `,"head":`...)
	return sendJSON(c, append(appendInt(b, head), '}'))
}

// TaskHistory answers with what happened to a task, newest first.
func (s *server) TaskHistory(c *fiber.Ctx, text wire.Ref, params wire.TaskHistoryParams) error {
	ctx := c.UserContext()
	t, err := s.task(ctx, text, access.ReadProject)
	if err != nil {
		return err
	}
	limit := or(params.Limit, task.DefaultPage)
	events, err := s.Tasks.History(ctx, task.Ref{ID: t.ID}, or(params.Before, 0), limit)
	if err != nil {
		return err
	}
	b := appendEvents([]byte(`{"events":`), events, t.ProjectKey)
	b = append(b, `,"next":`...)
	if len(events) == limit && events[limit-1].Seq > 1 {
		b = appendInt(b, events[limit-1].Seq)
	} else {
		b = append(b, "null"...)
	}
	return sendJSON(c, append(b, '}'))
}

// StreamEvents opens the live stream of a project.
func (s *server) StreamEvents(c *fiber.Ctx, key wire.Key, params wire.StreamEventsParams) error {
	ctx := c.UserContext()
	p, err := s.project(ctx, key, access.ReadProject)
	if err != nil {
		return err
	}
	after, err := resumeFrom(params)
	if err != nil {
		return err
	}
	sub, reset, err := s.subscribe(ctx, p, after)
	if err != nil {
		return err
	}
	stream := &liveStream{server: s, project: p, sub: sub, reset: reset, who: caller(ctx)}
	if err := fiberx.Stream(c, fiberx.StreamOptions{Streams: s.Streams, Log: s.Log}, stream.run); err != nil {
		sub.Close()
		return err
	}
	return nil
}

// resumeFrom returns the position to continue behind; what the browser remembers wins over the address.
func resumeFrom(params wire.StreamEventsParams) (int64, error) {
	if id := or(params.LastEventID, ""); id != "" {
		pos, err := strconv.ParseInt(id, 10, 64)
		if err != nil || pos < 0 {
			return 0, apperr.InvalidField("Last-Event-ID", "must be the id of an event of this stream")
		}
		return pos, nil
	}
	return or(params.After, FromNow), nil
}

// subscribe opens a subscription. A position this history has never reached (the client has seen another one, before a
// backup was restored) starts over from now, with reset.
func (s *server) subscribe(ctx context.Context, p *project.Project, after int64) (sub Subscription, reset bool, err error) {
	sub, err = s.Feed.Subscribe(ctx, p.ID, after)
	if apperr.Is(err, apperr.Gone) {
		sub, err = s.Feed.Subscribe(ctx, p.ID, FromNow)
		return sub, true, err
	}
	return sub, false, err
}

// liveStream writes one subscription to one client.
type liveStream struct {
	server  *server
	project *project.Project
	sub     Subscription
	reset   bool
	who     access.Caller
	pos     int64 // of what was sent last
}

func (l *liveStream) run(w *fiberx.SSEWriter) error {
	defer l.sub.Close()
	ctx := telemetry.Mute(w.Context()) // what a stream does for hours is no part of the request that opened it
	l.pos = l.sub.Start()
	if l.reset {
		if err := w.Event("", streamReset, appendPos(nil, l.pos)); err != nil {
			return err
		}
	}
	if err := l.ready(w); err != nil {
		return err
	}
	for {
		update, err := l.sub.Next(ctx)
		switch {
		case ctx.Err() != nil || apperr.Is(err, apperr.Unavailable): // the feed has ended; the client connects again
			return nil
		case err != nil:
			return fmt.Errorf("live stream: %w", err)
		}
		if err := l.send(ctx, w, update); err != nil {
			return err
		}
	}
}

func (l *liveStream) ready(w *fiberx.SSEWriter) error {
	return w.Event(posText(l.pos), streamReady, append(append(appendInt([]byte(`{"pos":`), l.pos), `,"live":true`...), '}'))
}

func (l *liveStream) send(ctx context.Context, w *fiberx.SSEWriter, update Update) error {
	if update.State != nil {
		if update.State.Live {
			return l.ready(w)
		}
		since := append(appendTime([]byte(`{"since":`), &update.State.Since), '}')
		return w.Event("", streamStale, since)
	}
	if len(update.Events) == 0 {
		return nil
	}
	// Roles may have changed since the stream was opened.
	if err := l.server.Guard.Check(ctx, l.who, access.ReadProject, l.project.ID); err != nil {
		if errors.Is(err, context.Canceled) {
			return nil
		}
		return fmt.Errorf("live stream: check access: %w", err)
	}
	for i, e := range update.Events {
		delivering, traceparent := ctx, ""
		if update.Spans != nil && update.Spans[i] != nil {
			delivering = trace.ContextWithSpan(ctx, update.Spans[i])
			traceparent = telemetry.Traceparent(delivering)
		}
		data, err := l.server.snapshots.event(delivering, l.project.Key, e, traceparent)
		if err != nil {
			return fmt.Errorf("live stream: %w", err)
		}
		if err := w.Event(posText(e.Pos), string(e.Kind), data); err != nil {
			return err
		}
		l.pos = e.Pos
	}
	return nil
}

func posText(pos int64) string { return strconv.FormatInt(pos, 10) }

func appendPos(b []byte, pos int64) []byte {
	return append(appendInt(append(b, `{"pos":`...), pos), '}')
}

// encodeSettings encodes a project for the events that change it.
func encodeSettings(p *project.Project) ([]byte, error) {
	b, err := json.Marshal(projectJSON(p))
	if err != nil {
		return nil, fmt.Errorf("encode project: %w", err)
	}
	return b, nil
}
