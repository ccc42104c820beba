// Package live feeds browsers with what happens, as it happens: one [Hub] in every replica, one [Subscription] for every
// open stream.
//
// The hub follows the total order of events with one cursor, the position. Events reach it from JetStream, from the relay
// of its own process, and, for whatever those two leave out, from the database, which is the truth: a missing position
// is read there, and while NATS is away or silent the hub polls. So a subscriber sees each event of its project once and
// in order, whatever happens to NATS, and learns since when the feed is slower than it should be.
//
// Nothing is buffered per subscriber. Recent events of the projects somebody watches stand in one window that is bounded
// in number and bytes; a subscriber that resumes far back or reads too slowly finds its place gone from the window and
// reads that range from the database, at its own pace.
package live

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/trace"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/internal/kit/jsbus"
	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
	"github.com/tallyboard/tallyboard/services/task-service/internal/eventpb"
	"github.com/tallyboard/tallyboard/services/task-service/internal/eventspan"
	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
)

// Config bounds the hub.
type Config struct {
	// MaxSubscribers is how many streams one replica serves at once.
	MaxSubscribers int `env:"LIVE_MAX_SUBSCRIBERS" envDefault:"2000"`
	// WindowEvents is how many recent events are kept in memory for all subscribers together.
	WindowEvents int `env:"LIVE_WINDOW_EVENTS" envDefault:"4096"`
	// WindowBytes is how many bytes these may take.
	WindowBytes int `env:"LIVE_WINDOW_BYTES" envDefault:"8388608"`
	// ReadBatch is how many events one read of the database returns at most.
	ReadBatch int `env:"LIVE_READ_BATCH" envDefault:"500"`
	// MaxReads is how many subscribers may read from the database at the same time; others queue.
	MaxReads int `env:"LIVE_MAX_READS" envDefault:"2"`
	// ReadTimeout bounds one read of the database.
	ReadTimeout time.Duration `env:"LIVE_READ_TIMEOUT" envDefault:"5s"`
	// Poll is how often the database is asked for news while NATS works, as a safety net.
	Poll time.Duration `env:"LIVE_POLL" envDefault:"1s"`
	// FastPoll is how often it is asked while NATS is away.
	FastPoll time.Duration `env:"LIVE_FAST_POLL" envDefault:"250ms"`
	// SilentAfter is how long a connected NATS may owe events that the database has, before the feed counts as stale.
	SilentAfter time.Duration `env:"LIVE_SILENT_AFTER" envDefault:"5s"`
}

// Store is the history the hub reads.
type Store interface {
	// EventsAfter returns events with pos > after in order of pos; project uuid.Nil: of all projects.
	EventsAfter(ctx context.Context, project uuid.UUID, after int64, limit int) ([]history.Event, error)
	// LastPos returns the highest position given so far.
	LastPos(ctx context.Context) (int64, error)
}

// Bus is the fast path.
type Bus interface {
	// Tail delivers what is published from now on until ctx is done.
	Tail(ctx context.Context, handle func([]jsbus.Delivery), options ...jsbus.TailOption) error
	// Receiving reports whether messages can arrive, and since when it has been so.
	Receiving() (ok bool, since time.Time)
}

// ErrClosed ends a subscription when the hub closes or the history was replaced underneath it. The client reconnects and
// resumes behind the last position it has.
var ErrClosed error = &apperr.Error{
	Code: apperr.Unavailable, Message: "The live feed of this server has ended; connect again.", RetryAfter: time.Second,
}

// unknown is the cursor before the first successful read.
const unknown = -1

// Hub is safe for concurrent use. Make it with New, run it with Run, end it with Close.
type Hub struct {
	cfg     Config
	store   Store
	bus     Bus
	log     *slog.Logger
	tracer  trace.Tracer
	metrics *metrics
	kick    chan struct{} // a read of the database is wanted
	reads   chan struct{} // slots for subscribers' reads
	done    chan struct{} // closed by Close

	mu     sync.Mutex
	cursor int64 // position up to which every event has been seen; or unknown
	ahead  int64 // highest position heard of
	tail   int64 // highest position NATS has delivered
	window window
	topics map[uuid.UUID]*topic // projects somebody watches
	count  int                  // of subscriptions
	state  State
	closed bool
	budget eventspan.Budget
	open   int // deliveries, in all topics

	health health // owned by the goroutine of Run
}

// New returns a hub that has not started.
func New(cfg Config, store Store, bus Bus, tel *telemetry.Telemetry) (*Hub, error) {
	h := &Hub{
		cfg: cfg, store: store, bus: bus, log: tel.Logger(), tracer: tel.Tracer, cursor: unknown,
		kick: make(chan struct{}, 1), reads: make(chan struct{}, max(cfg.MaxReads, 1)), done: make(chan struct{}),
		window: window{maxEvents: cfg.WindowEvents, maxBytes: cfg.WindowBytes}, topics: map[uuid.UUID]*topic{},
		state: State{Live: true, Since: time.Now()},
	}
	var err error
	if h.metrics, err = newMetrics(tel.Meter, h); err != nil {
		return nil, fmt.Errorf("live metrics: %w", err)
	}
	return h, nil
}

// Run follows the history until ctx is done. It needs neither database nor NATS to start.
func (h *Hub) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	tailed := make(chan error, 1)
	go func() { tailed <- h.bus.Tail(ctx, h.deliver, jsbus.OnSubscribed(h.subscribed)) }()
	h.follow(ctx)
	cancel()
	if err := <-tailed; err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("live feed: %w", err)
	}
	return nil
}

// Close ends all subscriptions and refuses new ones. It is called before the HTTP server shuts down, which waits for
// open streams.
func (h *Hub) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.closed {
		h.closed = true
		close(h.done)
	}
}

// Subscribers returns how many streams are open.
func (h *Hub) Subscribers() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.count
}

// State returns whether the feed is live, and since when.
func (h *Hub) State() State {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.state
}

// Observe takes events from the relay of this process, in order of position, milliseconds before NATS brings them.
func (h *Hub) Observe(events []history.Event) {
	arrived := make([]arrival, len(events))
	for i, e := range events {
		arrived[i] = arrival{e, e.Traceparent, sourceRelay}
	}
	h.offer(arrived)
}

// Announce tells that positions up to pos have been given. While NATS is away this spares subscribers the wait for the
// next poll.
func (h *Hub) Announce(pos int64) {
	h.mu.Lock()
	h.ahead = max(h.ahead, pos)
	missing := h.count > 0 && h.ahead > h.cursor
	h.mu.Unlock()
	if receiving, _ := h.bus.Receiving(); missing && !receiving {
		h.wantRead()
	}
}

// subscribed is called when messages begin to arrive, at first and after each interruption. What was published before
// will not: it is read from the database.
func (h *Hub) subscribed() {
	h.mu.Lock()
	h.tail = max(h.tail, h.cursor)
	h.mu.Unlock()
	h.wantRead()
}

func (h *Hub) deliver(batch []jsbus.Delivery) {
	arrived := make([]arrival, 0, len(batch))
	for _, d := range batch {
		cause := d.Header.Get(headerTraceparent)
		_, e, err := eventpb.Unmarshal(d.Data)
		if err != nil { // its position is missing then, and is read from the database
			h.log.WarnContext(telemetry.ContextWithTraceparent(context.Background(), cause), "live feed: message cannot be read",
				"subject", d.Subject, "error", err)
			h.wantRead()
			continue
		}
		arrived = append(arrived, arrival{e, cause, sourceNATS})
	}
	h.offer(arrived)
}

// arrival is an event on its way in.
type arrival struct {
	history.Event

	cause  string // traceparent of the span that sent it here
	source string
}

// offer takes events that came without a promise of completeness: known ones are skipped, and a gap is left to be
// filled from the database.
func (h *Hub) offer(arrived []arrival) {
	h.mu.Lock()
	gap := false
	for _, e := range arrived {
		h.ahead = max(h.ahead, e.Pos)
		if e.source == sourceNATS {
			h.tail = max(h.tail, e.Pos)
		}
		switch {
		case h.cursor == unknown || e.Pos <= h.cursor:
		case e.Pos == h.cursor+1:
			h.push(e)
		case h.count == 0: // nobody misses what lies between
			h.cursor = e.Pos
		default:
			gap = true
		}
	}
	h.mu.Unlock()
	if gap {
		h.metrics.gaps.Add(context.Background(), 1)
		h.wantRead()
	}
}

// push appends the next event. The caller holds mu.
func (h *Hub) push(e arrival) {
	h.cursor = e.Pos
	if t := h.topics[e.ProjectID]; t != nil {
		h.window.add(t, e.Event)
		h.begins(t, e)
		t.wake()
	}
}

func (h *Hub) wantRead() {
	select {
	case h.kick <- struct{}{}:
	default: // one is wanted already
	}
}
