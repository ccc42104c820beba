package live

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
)

// health is what the goroutine of Run knows about the two sources.
type health struct {
	lastRead time.Time // of the database, failed or not
	failing  time.Time // since when reads fail; zero while they do not
	cursor   int64     // as of the last look
	moved    time.Time // when it last changed
	owed     int64     // a position NATS owes us; 0 if none
	owing    time.Time // since when
}

// follow keeps the cursor moving with what the bus leaves out, and the state true.
func (h *Hub) follow(ctx context.Context) {
	tick := time.NewTicker(h.cfg.FastPoll)
	defer tick.Stop()
	for asked := true; ; {
		h.step(ctx, asked)
		select {
		case <-ctx.Done():
			return
		case <-h.kick:
			asked = true
		case <-tick.C:
			asked = false
		}
	}
}

func (h *Hub) step(ctx context.Context, asked bool) {
	now := time.Now()
	receiving, since := h.bus.Receiving()
	h.mu.Lock()
	if h.count == 0 && h.cursor != unknown {
		h.cursor = max(h.cursor, h.ahead) // nobody misses what lies between
	}
	needed := h.count > 0 || h.cursor == unknown
	h.expire(now)
	h.mu.Unlock()
	if !needed {
		h.health.failing = time.Time{} // not known, and nobody asks
	} else if now.Sub(h.health.lastRead) >= h.pause(asked, receiving) {
		h.health.lastRead = now
		switch err := h.catchUp(ctx); {
		case err == nil:
			h.health.failing = time.Time{}
		case ctx.Err() == nil && h.health.failing.IsZero():
			h.health.failing = now
			h.log.Warn("live feed: the history cannot be read; going on as soon as it can", "error", err)
		}
	}
	h.setState(h.judge(now, receiving, since))
}

// pause returns how long ago the last read must be for another one.
func (h *Hub) pause(asked, receiving bool) time.Duration {
	switch {
	case asked && h.health.failing.IsZero():
		return 0
	case asked || !receiving:
		return h.cfg.FastPoll
	}
	return h.cfg.Poll
}

// catchUp reads from the database what lies behind the cursor.
func (h *Hub) catchUp(ctx context.Context) error {
	cursor := h.place()
	last, err := h.lastPos(ctx)
	if err != nil {
		return fmt.Errorf("last position: %w", err)
	}
	if cursor == unknown || last < cursor {
		h.begin(cursor, last)
		return nil
	}
	for cursor < last {
		events, err := h.eventsAfter(ctx, uuid.Nil, cursor)
		if err != nil {
			return fmt.Errorf("events after %d: %w", cursor, err)
		}
		if len(events) == 0 {
			return fmt.Errorf("events after %d: none, though position %d was given", cursor, last)
		}
		h.mu.Lock()
		for _, e := range events {
			if e.Pos > h.cursor { // the database is the truth: no question of gaps here
				h.push(arrival{e, e.Traceparent, sourceDatabase})
			}
		}
		cursor = h.cursor
		h.mu.Unlock()
	}
	return nil
}

func (h *Hub) place() int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.cursor
}

// begin sets the cursor to the end of the history, at the start or when the history ends before what had been seen of
// it: then it is another one, a backup was restored, and its readers start over.
func (h *Hub) begin(from, last int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if from != unknown {
		h.log.Warn("live feed: the history has gone back; its readers start over", "from", from, "to", last)
	}
	for _, t := range h.topics {
		for s := range t.subs {
			h.remove(s)
		}
	}
	h.cursor, h.ahead, h.tail = last, last, last
}

func (h *Hub) lastPos(ctx context.Context) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, h.cfg.ReadTimeout)
	defer cancel()
	return h.store.LastPos(ctx)
}

func (h *Hub) eventsAfter(ctx context.Context, project uuid.UUID, after int64) ([]history.Event, error) {
	ctx, cancel := context.WithTimeout(ctx, h.cfg.ReadTimeout)
	defer cancel()
	return h.store.EventsAfter(ctx, project, after, h.cfg.ReadBatch)
}

// judge works out whether the feed is live. It is stale while NATS is away for more than a moment, while it delivers
// nothing though positions move on, and while the database cannot be read.
func (h *Hub) judge(now time.Time, receiving bool, busSince time.Time) State {
	var since time.Time
	note := func(t time.Time) {
		if since.IsZero() || t.Before(since) {
			since = t
		}
	}
	if !receiving && now.Sub(busSince) >= h.cfg.FastPoll {
		note(busSince)
	}
	if !h.health.failing.IsZero() {
		note(h.health.failing)
	}
	if owing, silent := h.silent(now); silent && receiving {
		note(owing)
	}
	if since.IsZero() {
		return State{Live: true, Since: now}
	}
	return State{Since: since}
}

// silent reports whether NATS has long owed what the database has given. A debt that nothing follows is forgiven: it
// was read from the database, and nothing is late any more.
func (h *Hub) silent(now time.Time) (since time.Time, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	w := &h.health
	if w.cursor != h.cursor {
		w.cursor, w.moved = h.cursor, now
	}
	if h.count == 0 || now.Sub(w.moved) >= h.cfg.SilentAfter {
		h.tail = max(h.tail, h.cursor)
	}
	switch {
	case h.tail >= h.cursor:
		w.owed = 0
	case w.owed == 0 || h.tail >= w.owed:
		w.owed, w.owing = h.cursor, now
	}
	return w.owing, w.owed > 0 && now.Sub(w.owing) >= h.cfg.SilentAfter
}

func (h *Hub) setState(s State) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.state.Live == s.Live {
		return
	}
	h.state = s
	for _, t := range h.topics {
		t.wake()
	}
	if s.Live {
		h.log.Info("live feed: live again")
	} else {
		h.log.Warn("live feed: stale, events come late", "since", s.Since)
	}
}
