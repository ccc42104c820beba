package lease

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeStore is a Store on a clock, which can be made to fail.
type fakeStore struct {
	mu      sync.Mutex
	holder  string
	epoch   int64
	expires time.Time
	err     error
	hang    bool // until the caller's context ends
}

func (s *fakeStore) enter(ctx context.Context) (unlock func(), err error) {
	s.mu.Lock()
	hang, err := s.hang, s.err
	if hang {
		s.mu.Unlock()
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if err != nil {
		s.mu.Unlock()
		return nil, err
	}
	return s.mu.Unlock, nil
}

func (s *fakeStore) Acquire(ctx context.Context, _, holder string, ttl time.Duration) (int64, bool, error) {
	unlock, err := s.enter(ctx)
	if err != nil {
		return 0, false, err
	}
	defer unlock()
	if s.holder != holder && time.Now().Before(s.expires) {
		return 0, false, nil
	}
	s.holder, s.expires = holder, time.Now().Add(ttl)
	s.epoch++
	return s.epoch, true, nil
}

func (s *fakeStore) Renew(ctx context.Context, _, holder string, epoch int64, ttl time.Duration) (bool, error) {
	unlock, err := s.enter(ctx)
	if err != nil {
		return false, err
	}
	defer unlock()
	if s.holder != holder || s.epoch != epoch || !time.Now().Before(s.expires) {
		return false, nil
	}
	s.expires = time.Now().Add(ttl)
	return true, nil
}

func (s *fakeStore) Release(ctx context.Context, _, holder string, epoch int64) error {
	unlock, err := s.enter(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if s.holder == holder && s.epoch == epoch {
		s.holder, s.expires = "", time.Time{}
	}
	return nil
}

func (s *fakeStore) set(change func(*fakeStore)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}

func config(holder string) Config {
	return Config{Name: "relay", Holder: holder, TTL: 5 * time.Second, Renew: time.Second, Retry: time.Second,
		Log: slog.New(slog.DiscardHandler)}
}

// candidate competes in the background and records its leadership.
type candidate struct {
	mu     sync.Mutex
	epochs []int64
	active bool
	cause  error
	ended  time.Time
	stop   context.CancelFunc
	done   chan error
}

func start(t *testing.T, s Store, cfg Config) *candidate {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	c := &candidate{stop: cancel, done: make(chan error, 1)}
	go func() {
		c.done <- Run(ctx, s, cfg, func(ctx context.Context, epoch int64) error {
			c.mu.Lock()
			c.epochs, c.active = append(c.epochs, epoch), true
			c.mu.Unlock()
			<-ctx.Done()
			c.mu.Lock()
			defer c.mu.Unlock()
			c.active, c.cause, c.ended = false, context.Cause(ctx), time.Now()
			return nil
		})
	}()
	return c
}

func (c *candidate) leads() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.active
}

func (c *candidate) end(t *testing.T) {
	t.Helper()
	c.stop()
	if err := <-c.done; err != nil {
		t.Error(err)
	}
}

func TestOneLeadsAndTheOtherTakesOverAtOnceWhenItStops(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &fakeStore{}
		a := start(t, s, config("a"))
		time.Sleep(10 * time.Millisecond)
		b := start(t, s, config("b"))
		time.Sleep(time.Minute)
		if !a.leads() || b.leads() {
			t.Fatalf("a leads %v, b leads %v", a.leads(), b.leads())
		}
		a.end(t)
		time.Sleep(1500 * time.Millisecond) // the longest pause between two attempts
		if !b.leads() || b.epochs[0] <= a.epochs[0] {
			t.Errorf("b leads %v with %v after %v", b.leads(), b.epochs, a.epochs)
		}
		b.end(t)
		if s.holder != "" {
			t.Errorf("the lease is still held by %q", s.holder)
		}
	})
}

func TestALeaderThatCannotRenewStopsBeforeAnotherStarts(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(*fakeStore){
		"errors": func(s *fakeStore) { s.err = errors.New("away") },
		"hangs":  func(s *fakeStore) { s.hang = true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &fakeStore{}
				a := start(t, s, config("a"))
				time.Sleep(2500 * time.Millisecond)
				var expires time.Time
				s.set(func(s *fakeStore) { fail(s); expires = s.expires })
				time.Sleep(10 * time.Second)
				if a.leads() || !errors.Is(a.cause, ErrLost) || !a.ended.Before(expires) {
					t.Errorf("leads %v, cause %v, ended %s before expiry", a.leads(), a.cause, expires.Sub(a.ended))
				}
				s.set(func(s *fakeStore) { s.err, s.hang = nil, false })
				time.Sleep(7 * time.Second)
				if !a.leads() || len(a.epochs) != 2 || a.epochs[1] <= a.epochs[0] {
					t.Errorf("after the outage: leads %v, epochs %v", a.leads(), a.epochs)
				}
				a.end(t)
			})
		})
	}
}

func TestAShortOutageOfTheStoreCostsNoLeadership(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &fakeStore{}
		a := start(t, s, config("a"))
		for range 5 {
			time.Sleep(3 * time.Second)
			s.set(func(s *fakeStore) { s.err = errors.New("away") })
			time.Sleep(2 * time.Second)
			s.set(func(s *fakeStore) { s.err = nil })
		}
		if !a.leads() || len(a.epochs) != 1 {
			t.Errorf("leads %v, epochs %v", a.leads(), a.epochs)
		}
		a.end(t)
	})
}

func TestALeaderLearnsThatItWasReplaced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &fakeStore{}
		a := start(t, s, config("a"))
		time.Sleep(1500 * time.Millisecond)
		s.set(func(s *fakeStore) { s.holder, s.epoch, s.expires = "b", s.epoch+1, time.Now().Add(time.Hour) })
		time.Sleep(time.Second)
		if a.leads() || !errors.Is(a.cause, ErrLost) {
			t.Errorf("leads %v, cause %v", a.leads(), a.cause)
		}
		a.end(t)
		if s.holder != "b" {
			t.Errorf("holder %q: somebody else's lease was released", s.holder)
		}
	})
}

func TestALeaderThatReturnsOrPanicsLeadsAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &fakeStore{}
		ctx, cancel := context.WithCancel(t.Context())
		turns := 0
		err := Run(ctx, s, config("a"), func(context.Context, int64) error {
			switch turns++; turns {
			case 1:
				return errors.New("no")
			case 2:
				panic("boom")
			}
			cancel()
			return nil
		})
		if err != nil || turns != 3 || s.holder != "" {
			t.Errorf("%v, %d turns, holder %q", err, turns, s.holder)
		}
	})
}

func TestALeaderWindingUpKeepsItsLease(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &fakeStore{}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			done <- Run(ctx, s, config("a"), func(ctx context.Context, _ int64) error {
				<-ctx.Done()
				time.Sleep(20 * time.Second) // four leases long
				return nil
			})
		}()
		time.Sleep(time.Second)
		cancel()
		time.Sleep(15 * time.Second)
		if _, ok, _ := s.Acquire(t.Context(), "relay", "b", time.Second); ok {
			t.Error("another took over while the leader was still at work")
		}
		if err := <-done; err != nil || s.holder != "" {
			t.Errorf("%v, holder %q", err, s.holder)
		}
	})
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	for _, cfg := range []Config{
		{Holder: "a"}, {Name: "relay"}, {Name: strings.Repeat("n", 65), Holder: "a"}, {Name: "relay", Holder: strings.Repeat("h", 129)},
		{Name: "relay", Holder: "a", TTL: time.Second, Renew: 500 * time.Millisecond},
	} {
		if err := Run(t.Context(), &fakeStore{}, cfg, nil); err == nil {
			t.Errorf("%+v was accepted", cfg)
		}
	}
}
