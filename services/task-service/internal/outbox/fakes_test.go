package outbox_test

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
	"github.com/tallyboard/tallyboard/services/internal/kit/lease"
	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
	"github.com/tallyboard/tallyboard/services/task-service/internal/eventpb"
	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
	"github.com/tallyboard/tallyboard/services/task-service/internal/outbox"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func config() outbox.Config {
	return outbox.Config{
		AssignBatch: 4, AssignPause: 2 * time.Millisecond, PublishBatch: 3, PublishTimeout: time.Second, MaxMessage: 10_000,
		Poll: time.Second, BackoffMin: 100 * time.Millisecond, BackoffMax: 5 * time.Second, WindUp: 2 * time.Second,
		BacklogEvery: 5 * time.Second, ForgetKeysAfter: 24 * time.Hour, ForgetKeysEvery: 10 * time.Minute,
		Lease: lease.Config{TTL: 5 * time.Second, Renew: time.Second, Retry: time.Second},
	}
}

var errFenced = apperr.New(apperr.Conflict, "fenced off")

// fakeStore is the events table, the relay's row, the lease and the idempotency records in memory.
type fakeStore struct {
	mu               sync.Mutex
	events           []*history.Event // in order of row id
	positioned       []*history.Event // in order of position
	published, epoch int64
	away             bool
	delay            time.Duration // of Assign and MarkPublished, so that a lost leader may still be at work
	keys             []time.Time

	holder  string
	expires time.Time
	leases  int64
}

var errAway = apperr.Wrap(errors.New("connection refused"), apperr.Unavailable, "the database is not available")

func (s *fakeStore) commit(n int, traceparent string, values ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range n {
		id := int64(len(s.events) + 1)
		e := &history.Event{
			ID: id, Aggregate: history.OfTask, AggregateID: uuid.UUID{15: 1}, ProjectID: uuid.UUID{15: 2}, Seq: id,
			Kind: history.TaskChanged, Occurred: time.Now(), Recorded: time.Now(), Traceparent: traceparent,
		}
		for _, v := range values {
			e.Changes = append(e.Changes, history.NewChange(history.FieldTitle, nil, v))
		}
		s.events = append(s.events, e)
	}
}

func (s *fakeStore) lock() error {
	s.mu.Lock()
	if s.away {
		s.mu.Unlock()
		return errAway
	}
	return nil
}

func (s *fakeStore) Fence(_ context.Context, _ int, epoch int64) error {
	if err := s.lock(); err != nil {
		return err
	}
	defer s.mu.Unlock()
	if epoch < s.epoch {
		return errFenced
	}
	s.epoch = epoch
	return nil
}

func (s *fakeStore) Assign(_ context.Context, _ int, epoch int64, limit int) (int, int64, error) {
	<-time.After(s.delay)
	if err := s.lock(); err != nil {
		return 0, 0, err
	}
	defer s.mu.Unlock()
	if epoch != s.epoch {
		return 0, 0, errFenced
	}
	n := 0
	for _, e := range s.events {
		if e.Pos == 0 && n < limit {
			n++
			e.Pos = int64(len(s.positioned) + 1)
			s.positioned = append(s.positioned, e)
		}
	}
	return n, int64(len(s.positioned)), nil
}

func (s *fakeStore) Unpublished(_ context.Context, _, limit int) (int64, []history.Event, error) {
	if err := s.lock(); err != nil {
		return 0, nil, err
	}
	defer s.mu.Unlock()
	var out []history.Event
	for _, e := range s.positioned[s.published:] {
		if len(out) < limit {
			out = append(out, *e)
		}
	}
	return s.published, out, nil
}

func (s *fakeStore) MarkPublished(_ context.Context, _ int, epoch, pos int64) error {
	<-time.After(s.delay)
	if err := s.lock(); err != nil {
		return err
	}
	defer s.mu.Unlock()
	if epoch != s.epoch {
		return errFenced
	}
	s.published = max(s.published, pos)
	return nil
}

func (s *fakeStore) Backlog(context.Context, int) (int64, time.Time, int64, int64, error) {
	if err := s.lock(); err != nil {
		return 0, time.Time{}, 0, 0, err
	}
	defer s.mu.Unlock()
	given := int64(len(s.positioned))
	return int64(len(s.events)) - given, time.Time{}, given, s.published, nil
}

func (s *fakeStore) ForgetIdempotency(_ context.Context, before time.Time, limit int) (int64, error) {
	if err := s.lock(); err != nil {
		return 0, err
	}
	defer s.mu.Unlock()
	n := int64(0)
	s.keys = slices.DeleteFunc(s.keys, func(made time.Time) bool {
		if n < int64(limit) && made.Before(before) {
			n++
			return true
		}
		return false
	})
	return n, nil
}

func (s *fakeStore) Acquire(_ context.Context, _, holder string, ttl time.Duration) (int64, bool, error) {
	if err := s.lock(); err != nil {
		return 0, false, err
	}
	defer s.mu.Unlock()
	if s.holder != "" && s.holder != holder && time.Now().Before(s.expires) {
		return 0, false, nil
	}
	s.holder, s.expires = holder, time.Now().Add(ttl)
	s.leases++
	return s.leases, true, nil
}

func (s *fakeStore) Renew(_ context.Context, _, holder string, epoch int64, ttl time.Duration) (bool, error) {
	if err := s.lock(); err != nil {
		return false, err
	}
	defer s.mu.Unlock()
	if s.holder != holder || s.leases != epoch {
		return false, nil
	}
	s.expires = time.Now().Add(ttl)
	return true, nil
}

func (s *fakeStore) Release(_ context.Context, _, holder string, epoch int64) error {
	if err := s.lock(); err != nil {
		return err
	}
	defer s.mu.Unlock()
	if s.holder == holder && s.leases == epoch {
		s.holder = ""
	}
	return nil
}

// steal lets another take the lease although it has not expired, as after a long pause of its holder.
func (s *fakeStore) steal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.holder = ""
}

func (s *fakeStore) state() (unpositioned int, published int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.events) - len(s.positioned), s.published
}

func (s *fakeStore) first() history.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return *s.events[0]
}

func (s *fakeStore) keysLeft() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.keys)
}

func (s *fakeStore) committed() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return int64(len(s.events))
}

func (s *fakeStore) setAway(away bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.away = away
}

// fakeBus is NATS as all replicas see it.
type fakeBus struct {
	mu        sync.Mutex
	got       []jsbus.Msg
	away      bool
	refuse    bool // reachable, but acknowledges only the first few of each attempt, or none
	attempts  int
	listeners map[int]func([]byte)
	next      int
}

func (b *fakeBus) Publish(_ context.Context, msgs []jsbus.Msg) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.attempts++
	switch {
	case b.away:
		return 0, errors.New("no connection")
	case b.refuse:
		n := min(b.attempts%3, len(msgs))
		b.got = append(b.got, msgs[:n]...)
		return n, errors.New("no space left")
	}
	b.got = append(b.got, msgs...)
	return len(msgs), nil
}

func (b *fakeBus) Connected() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.away
}

func (b *fakeBus) Notify(string, []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.away {
		return
	}
	for _, fn := range b.listeners {
		fn(nil)
	}
}

func (b *fakeBus) Listen(_ string, fn func([]byte)) (func(), error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.listeners == nil {
		b.listeners = map[int]func([]byte){}
	}
	b.next++
	id := b.next
	b.listeners[id] = fn
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.listeners, id)
	}, nil
}

func (b *fakeBus) tried() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.attempts
}

func (b *fakeBus) set(away, refuse bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.away, b.refuse = away, refuse
}

// positions returns those of the messages so far.
func (b *fakeBus) positions(t fataler) []int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []int64
	for _, m := range b.got {
		_, e, err := eventpb.Unmarshal(m.Data)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, e.Pos)
	}
	return out
}

func (b *fakeBus) messages() []jsbus.Msg {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.got)
}

type fataler interface{ Fatal(args ...any) }

// fakeFeed is the live hub.
type fakeFeed struct {
	mu        sync.Mutex
	announced int64
	observed  []int64
}

func (f *fakeFeed) Announce(pos int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.announced = max(f.announced, pos)
}

func (f *fakeFeed) Observe(events []history.Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range events {
		f.observed = append(f.observed, e.Pos)
	}
}

func (f *fakeFeed) seen() (announced int64, observed []int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.announced, slices.Clone(f.observed)
}

// replica is a running relay. It is used inside a synctest bubble.
type replica struct {
	*outbox.Relay
	feed *fakeFeed
	stop func()
}

func start(t fataler, name string, cfg outbox.Config, store *fakeStore, bus *fakeBus) *replica {
	return startWith(t, name, cfg, store, bus, telemetry.Nop())
}

func startWith(t fataler, name string, cfg outbox.Config, store *fakeStore, bus *fakeBus, tel *telemetry.Telemetry) *replica {
	feed := &fakeFeed{}
	cfg.Lease.Holder = name
	relay, err := outbox.New(cfg, outbox.Deps{
		Store: store, Keys: store, Bus: bus, Leases: store, Feed: feed, Telemetry: tel,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- relay.Run(ctx) }()
	return &replica{Relay: relay, feed: feed, stop: sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
	})}
}
