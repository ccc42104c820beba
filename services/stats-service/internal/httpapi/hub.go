package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/access"
	"github.com/tallyboard/tallyboard/services/internal/kit/fiberx"
	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/stats"
)

// ProgressReader tells how far the projections of projects are.
type ProgressReader interface {
	Progress(ctx context.Context, projects []uuid.UUID) (stats.Cursor, *time.Time, map[uuid.UUID]stats.Progress, error)
}

// Listener hears wake-ups.
type Listener interface {
	Listen(subject string, fn func([]byte)) (stop func(), err error)
}

// lookTimeout bounds one look into the database.
const lookTimeout = 5 * time.Second

// Hub tells streams when the statistics of their project have changed. It looks into the database once for all streams:
// after a wake-up, and every Config.StreamPoll besides, so that lost wake-ups only cost time. Without streams it sleeps.
type Hub struct {
	cfg     Config
	reader  ProgressReader
	bus     Listener
	subject func(uuid.UUID) string
	log     *slog.Logger
	wake    chan struct{}

	mu       sync.Mutex
	projects map[uuid.UUID]*audience
	failing  time.Time // since when the database does not answer; zero while it does
}

// audience is the streams of one project.
type audience struct {
	streams map[*subscription]struct{}
	stop    func() // ends listening
}

// feedState is what a stream knows of its project.
type feedState struct {
	Progress   stats.Progress
	Generation int64
	Stale      *time.Time
}

// subscription receives the latest state; older ones nobody has taken are dropped.
type subscription struct {
	hub     *Hub
	project uuid.UUID
	states  chan feedState
}

// NewHub returns a hub. subject names the subject on which a project's changes are announced.
func NewHub(cfg Config, reader ProgressReader, bus Listener, subject func(uuid.UUID) string, log *slog.Logger) *Hub {
	return &Hub{
		cfg: cfg.withDefaults(), reader: reader, bus: bus, subject: subject, log: log, wake: make(chan struct{}, 1),
		projects: map[uuid.UUID]*audience{},
	}
}

// Wake has the hub look now; projects may have changed.
func (h *Hub) Wake(projects map[uuid.UUID]int64) {
	h.mu.Lock()
	watched := false
	for id := range projects {
		if _, ok := h.projects[id]; ok {
			watched = true
			break
		}
	}
	h.mu.Unlock()
	if watched {
		h.look()
	}
}

func (h *Hub) look() {
	select {
	case h.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// Run looks for changes until ctx is done.
func (h *Hub) Run(ctx context.Context) error {
	ticker := time.NewTicker(h.cfg.StreamPoll)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		case <-h.wake:
		}
		h.publish(ctx)
		pause := time.NewTimer(h.cfg.StreamPause) // a burst of changes is one look
		select {
		case <-ctx.Done():
			pause.Stop()
			return nil
		case <-pause.C:
		}
	}
}

// publish reads the progress of all watched projects and hands it to their streams.
func (h *Hub) publish(ctx context.Context) {
	h.mu.Lock()
	ids := make([]uuid.UUID, 0, len(h.projects))
	for id := range h.projects {
		ids = append(ids, id)
	}
	h.mu.Unlock()
	if len(ids) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	cursor, pending, progress, err := h.reader.Progress(ctx, ids)
	now := time.Now().UTC()
	h.mu.Lock()
	defer h.mu.Unlock()
	if err != nil {
		if h.failing.IsZero() {
			h.failing = now
			h.log.WarnContext(ctx, "statistics cannot be read; streams are told that they are stale", "error", err)
		}
		h.hand(func(uuid.UUID) feedState { return feedState{Stale: &h.failing} })
		return
	}
	h.failing = time.Time{}
	staleSince := stale(pending, now, h.cfg.StaleAfter)
	h.hand(func(id uuid.UUID) feedState {
		return feedState{Progress: progress[id], Generation: cursor.Generation, Stale: staleSince}
	})
}

// hand gives each stream its state; h.mu is held.
func (h *Hub) hand(state func(uuid.UUID) feedState) {
	for id, a := range h.projects {
		st := state(id)
		if st.Stale != nil {
			since := *st.Stale // the hub's own may change
			st.Stale = &since
		}
		for s := range a.streams {
			select {
			case <-s.states: // a newer one is at hand
			default:
			}
			s.states <- st
		}
	}
}

// subscribe adds a stream; its first state comes at the hub's next look, which is at once.
func (h *Hub) subscribe(project uuid.UUID) *subscription {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := &subscription{hub: h, project: project, states: make(chan feedState, 1)}
	a := h.projects[project]
	if a == nil {
		stop, err := h.bus.Listen(h.subject(project), func([]byte) { h.look() })
		if err != nil { // the poll finds changes, too
			h.log.Warn("wake-ups cannot be heard; streams look by themselves", "error", err)
			stop = func() {}
		}
		a = &audience{streams: map[*subscription]struct{}{}, stop: stop}
		h.projects[project] = a
	}
	a.streams[s] = struct{}{}
	h.look()
	return s
}

func (s *subscription) close() {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	a := s.hub.projects[s.project]
	if delete(a.streams, s); len(a.streams) == 0 {
		a.stop()
		delete(s.hub.projects, s.project)
	}
}

// streamState is the data of each event of a stream.
type streamState struct {
	Project    string     `json:"project"`
	Pos        int64      `json:"pos"`
	Generation int64      `json:"generation"`
	StaleSince *time.Time `json:"staleSince,omitempty"`
}

// events answers with the stream of a project.
func (s *server) events(c *fiber.Ctx) error {
	ref, caller, err := s.project(c)
	if err != nil {
		return err
	}
	if err := parametersOf(c).only(); err != nil {
		return err
	}
	return fiberx.Stream(c, fiberx.StreamOptions{Streams: s.Streams, Log: s.Log}, func(w *fiberx.SSEWriter) error {
		sub := s.Hub.subscribe(ref.ID)
		defer sub.close()
		return s.follow(w, sub, ref, caller)
	})
}

// follow writes events for as long as the caller may read the project.
//
// They have no spans and carry no traceparent, unlike task-service's: an event of this stream says that figures have
// changed, once for all changes of a moment and for as many traces, and a browser that hears it asks for the figures in a
// request of its own. A trace ends with the change's application; when that was is in its process span.
func (s *server) follow(w *fiberx.SSEWriter, sub *subscription, ref stats.ProjectRef, caller access.Caller) error {
	ctx := telemetry.Mute(w.Context()) // what a stream does for hours is no part of the request that opened it
	rights := time.NewTicker(access.RoleCacheTTL)
	defer rights.Stop()
	var last *feedState
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-rights.C:
			if err := s.Guard.Check(ctx, caller, access.ReadProject, ref.ID); err != nil {
				return fmt.Errorf("no longer allowed: %w", err)
			}
		case state := <-sub.states:
			if last != nil && state.Generation == 0 { // the database is away: what we know is the last we heard
				state.Progress, state.Generation = last.Progress, last.Generation
			}
			for _, kind := range kinds(last, state) {
				if err := send(w, kind, ref, state); err != nil {
					return nil // the client is gone
				}
			}
			last = &state
		}
	}
}

// kinds says which events tell a stream how the state has changed.
func kinds(last *feedState, now feedState) []string {
	var out []string
	switch {
	case last == nil, last.Stale != nil && now.Stale == nil:
		out = append(out, "ready")
	case last.Progress != now.Progress || last.Generation != now.Generation:
		out = append(out, "stats")
	}
	if now.Stale != nil && (last == nil || last.Stale == nil) {
		out = append(out, "stale")
	}
	return out
}

func send(w *fiberx.SSEWriter, kind string, ref stats.ProjectRef, state feedState) error {
	data, err := json.Marshal(streamState{ref.Key, state.Progress.Applied, state.Generation, state.Stale})
	if err != nil {
		return fmt.Errorf("encode event: %w", err)
	}
	return w.Event(strconv.FormatInt(state.Progress.Applied, 10), kind, data)
}
