package live

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/trace"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
)

// retryBusy is what a client is told when the replica has no room for another stream.
const retryBusy = 5 * time.Second

// retryRead is the pause after a read of the database that failed.
const retryRead = time.Second

// FromNow as the position to subscribe from means: only what happens from now on.
const FromNow int64 = -1

// State says whether events arrive as they happen.
type State struct {
	Live  bool      // false: NATS or the database is away; events come late, none is lost
	Since time.Time // since when it has been so
}

// Update is what Next returns: a changed state, or events of the project in order of position.
type Update struct {
	State  *State
	Events []history.Event
	// Spans are those of the deliveries of Events, by index, so that whoever receives an event can continue its trace; nil
	// for an event without one, and instead of the slice where none has one. An event has one if its trace is recorded and
	// it came as it happened: not for a reader who resumes. They are ended by the hub.
	Spans []trace.Span
}

// Subscription is one reader's place in the history of one project. Only one goroutine may use it.
type Subscription struct {
	hub     *Hub
	project uuid.UUID
	topic   *topic
	woken   chan struct{}
	start   int64
	cursor  int64 // position up to which this reader has everything; written under the hub's mu
	told    bool  // the state last reported: live

	joined time.Time       // what was written before is not late, the reader was
	from   int64           // the hub's cursor then
	sent   []history.Event // of the last update
	holds  []*delivery     // of the last update, each once; guarded by the hub's mu
}

// Subscribe opens a subscription to one project's events behind a position, usually the last one the client has seen, or
// FromNow. The caller closes it. It fails with apperr.Unavailable if the replica is full, closing, or has not reached the
// database yet, and with apperr.Gone for a position that the history has not reached: the client has seen another
// history (a backup was restored) and must load afresh.
func (h *Hub) Subscribe(ctx context.Context, project uuid.UUID, after int64) (*Subscription, error) {
	var last int64
	if after < 0 || after > h.place() {
		var err error
		if last, err = h.lastPos(ctx); err != nil {
			return nil, fmt.Errorf("subscribe: %w", err)
		}
		if after > last {
			return nil, apperr.New(apperr.Gone, "This history has no position %d; load the project again.", after)
		}
		if after < 0 {
			after = last
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.closed:
		return nil, ErrClosed
	case h.count >= h.cfg.MaxSubscribers:
		return nil, apperr.New(apperr.Unavailable, "This server has no room for another live feed.").WithRetryAfter(retryBusy)
	case h.cursor == unknown:
		h.wantRead()
		return nil, apperr.New(apperr.Unavailable, "The live feed is not ready yet.").WithRetryAfter(time.Second)
	}
	t := h.topics[project]
	if t == nil {
		t = &topic{base: h.cursor, subs: map[*Subscription]struct{}{}}
		h.topics[project] = t
	}
	s := &Subscription{
		hub: h, project: project, topic: t, woken: make(chan struct{}, 1), start: after, cursor: after, told: true,
		joined: time.Now(), from: h.cursor,
	}
	t.subs[s] = struct{}{}
	h.count++
	h.ahead = max(h.ahead, last)
	if h.count == 1 || h.ahead > h.cursor { // what nobody missed so far
		h.wantRead()
	}
	return s, nil
}

// Start returns the position behind which the subscription began.
func (s *Subscription) Start() int64 { return s.start }

// Next waits for the next update. Calling it says that what it returned before has been written to the reader. It fails with ctx's error, with ErrClosed, or with a failure of the database that
// waiting does not mend; while the database is away it reports that as a state and goes on.
func (s *Subscription) Next(ctx context.Context) (Update, error) {
	s.written(ctx)
	u, err := s.next(ctx)
	s.sent = u.Events
	return u, err
}

func (s *Subscription) next(ctx context.Context) (Update, error) {
	for {
		u, behind, err := s.take()
		if err != nil || u.State != nil || len(u.Events) > 0 {
			return u, err
		}
		var retry <-chan time.Time
		if behind {
			events, err := s.read(ctx)
			if len(events) > 0 {
				return Update{Events: events}, nil
			}
			if err == nil {
				continue
			}
			if code := apperr.CodeOf(err); ctx.Err() == nil && code != apperr.Unavailable && code != apperr.Timeout {
				return Update{}, err
			}
			retry = time.After(retryRead)
		}
		select {
		case <-ctx.Done():
			return Update{}, ctx.Err()
		case <-s.hub.done:
			return Update{}, ErrClosed
		case <-retry:
		case <-s.woken:
		}
	}
}

// take returns what is in memory for this reader. behind says that its place has left the window.
func (s *Subscription) take() (u Update, behind bool, err error) {
	h := s.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, open := s.topic.subs[s]; h.closed || !open {
		return Update{}, false, ErrClosed
	}
	if h.state.Live != s.told {
		s.told = h.state.Live
		state := h.state
		return Update{State: &state}, false, nil
	}
	if s.cursor < s.topic.base {
		return Update{}, true, nil
	}
	events := s.topic.after(s.cursor, h.cfg.ReadBatch)
	if len(events) == h.cfg.ReadBatch {
		s.cursor = events[len(events)-1].Pos
	} else {
		s.cursor = max(s.cursor, h.cursor)
	}
	return Update{Events: events, Spans: s.hand(events)}, false, nil
}

// read takes the next events from the database. A short answer means that nothing else of this project stands before
// what the hub had seen when the read began.
func (s *Subscription) read(ctx context.Context) ([]history.Event, error) {
	h := s.hub
	select {
	case h.reads <- struct{}{}:
		defer func() { <-h.reads }()
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-h.done:
		return nil, ErrClosed
	}
	seen := h.place()
	h.metrics.rangeReads.Add(ctx, 1)
	events, err := h.eventsAfter(ctx, s.project, s.cursor)
	if err != nil {
		return nil, fmt.Errorf("read events after %d: %w", s.cursor, err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	cursor := s.cursor
	if n := len(events); n > 0 {
		cursor = events[n-1].Pos
	}
	if len(events) < h.cfg.ReadBatch {
		cursor = max(cursor, seen)
	}
	s.skip(cursor)
	s.cursor = cursor
	return events, nil
}

// Close ends the subscription. It may be called more than once.
func (s *Subscription) Close() {
	h := s.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	h.remove(s)
}

// remove takes a subscription out of the hub. The caller holds mu.
func (h *Hub) remove(s *Subscription) {
	t := s.topic
	if _, open := t.subs[s]; !open {
		return
	}
	delete(t.subs, s)
	h.count--
	h.leaves(s)
	s.wake()
	if len(t.subs) == 0 {
		h.abandon(t)
		h.window.drop(t)
		delete(h.topics, s.project)
	}
}

func (s *Subscription) wake() {
	select {
	case s.woken <- struct{}{}:
	default: // it has not yet looked
	}
}
