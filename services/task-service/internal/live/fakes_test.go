package live_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/internal/kit/jsbus"
	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
	"github.com/tallyboard/tallyboard/services/task-service/internal/eventpb"
	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
	"github.com/tallyboard/tallyboard/services/task-service/internal/live"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	web = uuid.MustParse("0190a000-0000-7000-8000-000000000001")
	ops = uuid.MustParse("0190a000-0000-7000-8000-000000000002")
)

func config() live.Config {
	return live.Config{
		MaxSubscribers: 100, WindowEvents: 64, WindowBytes: 1 << 20, ReadBatch: 10, MaxReads: 2, ReadTimeout: 5 * time.Second,
		Poll: time.Second, FastPoll: 250 * time.Millisecond, SilentAfter: 5 * time.Second,
	}
}

// fakeStore is a history in memory whose reads take a while and may fail.
type fakeStore struct {
	mu     sync.Mutex
	events []history.Event // at index pos-1
	away   bool
	delay  time.Duration
	reads  int
}

func (s *fakeStore) add(projects ...uuid.UUID) []history.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := len(s.events)
	for _, p := range projects {
		pos := int64(len(s.events) + 1)
		s.events = append(s.events, history.Event{
			ID: pos, Pos: pos, ProjectID: p, Aggregate: history.OfTask, AggregateID: uuid.UUID{15: byte(pos)}, Seq: pos,
			Kind: history.TaskChanged, Occurred: time.Now(), Recorded: time.Now(),
		})
	}
	return slices.Clone(s.events[first:])
}

func (s *fakeStore) setAway(away bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.away = away
}

func (s *fakeStore) truncate(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = s.events[:n]
}

func (s *fakeStore) readCount() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reads
}

func (s *fakeStore) begin(ctx context.Context) error {
	s.mu.Lock()
	delay, away := s.delay, s.away
	s.reads++
	s.mu.Unlock()
	if delay > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(delay):
		}
	}
	if away {
		return apperr.Wrap(errors.New("connection refused"), apperr.Unavailable, "the database is not available")
	}
	return nil
}

func (s *fakeStore) EventsAfter(ctx context.Context, project uuid.UUID, after int64, limit int) ([]history.Event, error) {
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []history.Event
	for _, e := range s.events[min(after, int64(len(s.events))):] {
		if len(out) < limit && (project == uuid.Nil || e.ProjectID == project) {
			out = append(out, e)
		}
	}
	return out, nil
}

func (s *fakeStore) LastPos(ctx context.Context) (int64, error) {
	if err := s.begin(ctx); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return int64(len(s.events)), nil
}

// fakeBus delivers what a test hands it, when it says.
type fakeBus struct {
	mu     sync.Mutex
	handle func([]jsbus.Delivery)
	away   bool
	since  time.Time
}

func (b *fakeBus) Tail(ctx context.Context, handle func([]jsbus.Delivery), _ ...jsbus.TailOption) error {
	b.mu.Lock()
	b.handle = handle
	b.mu.Unlock()
	<-ctx.Done()
	return ctx.Err()
}

func (b *fakeBus) Receiving() (bool, time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.away, b.since
}

func (b *fakeBus) setAway(away bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.away, b.since = away, time.Now()
}

func (b *fakeBus) deliver(tb fataler, events ...history.Event) {
	b.mu.Lock()
	handle, away := b.handle, b.away
	b.mu.Unlock()
	if away {
		return
	}
	var batch []jsbus.Delivery
	for _, e := range events {
		data, err := eventpb.Marshal(0, e)
		if err != nil {
			tb.Fatal(err)
		}
		batch = append(batch, jsbus.Delivery{
			Subject: eventpb.Subject(e), Data: data, Header: map[string][]string{"traceparent": {e.Traceparent}},
		})
	}
	handle(batch)
}

type fataler interface{ Fatal(args ...any) }

// rig is a running hub between fakes. It is used inside a synctest bubble.
type rig struct {
	*live.Hub
	store *fakeStore
	bus   *fakeBus
	stop  func()
}

func start(tb fataler, cfg live.Config, store *fakeStore) *rig {
	return startWith(tb, cfg, store, telemetry.Nop())
}

func startWith(tb fataler, cfg live.Config, store *fakeStore, tel *telemetry.Telemetry) *rig {
	bus := &fakeBus{since: time.Now()}
	hub, err := live.New(cfg, store, bus, tel)
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- hub.Run(ctx) }()
	return &rig{Hub: hub, store: store, bus: bus, stop: func() {
		hub.Close()
		cancel()
		if err := <-ended; err != nil {
			tb.Fatal(err)
		}
	}}
}

// reader records what a subscription brings.
type reader struct {
	sub    *live.Subscription
	mu     sync.Mutex
	got    []int64
	states []live.State
	err    error
	ended  chan struct{}
}

// read follows sub until it ends, with a pause after each update.
func read(ctx context.Context, sub *live.Subscription, pause time.Duration) *reader {
	r := &reader{sub: sub, ended: make(chan struct{})}
	go func() {
		defer close(r.ended)
		defer sub.Close()
		for {
			u, err := sub.Next(ctx)
			r.mu.Lock()
			if r.err = err; err != nil {
				r.mu.Unlock()
				return
			}
			if u.State != nil {
				r.states = append(r.states, *u.State)
			}
			for _, e := range u.Events {
				r.got = append(r.got, e.Pos)
			}
			r.mu.Unlock()
			<-time.After(pause)
		}
	}()
	return r
}

func (r *reader) positions() []int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

func (r *reader) lastState() (live.State, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.states) == 0 {
		return live.State{}, false
	}
	return r.states[len(r.states)-1], true
}
