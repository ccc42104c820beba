package live_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/internal/kit/jsbus"
	"github.com/tallyboard/tallyboard/services/task-service/internal/live"
)

func setup(t *testing.T, cfg live.Config, store *fakeStore) *rig {
	t.Helper()
	r := start(t, cfg, store)
	t.Cleanup(r.stop)
	synctest.Wait()
	return r
}

func subscribe(t *testing.T, r *rig, project uuid.UUID, after int64) *reader {
	t.Helper()
	sub, err := r.Subscribe(t.Context(), project, after)
	if err != nil {
		t.Fatalf("subscribe after %d: %v", after, err)
	}
	out := read(t.Context(), sub, 0)
	synctest.Wait()
	return out
}

func expect(t *testing.T, r *reader, want ...int64) {
	t.Helper()
	synctest.Wait()
	if got := r.positions(); !slices.Equal(got, want) {
		t.Errorf("got positions %v, want %v", got, want)
	}
}

func TestDeliversOnlyTheProjectInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := setup(t, config(), &fakeStore{})
		sub := subscribe(t, r, web, live.FromNow)
		events := r.store.add(web, ops, web)
		r.bus.deliver(t, events...)
		r.bus.deliver(t, events...) // again
		expect(t, sub, 1, 3)
	})
}

func TestResumesBehindAPositionAndJoins(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &fakeStore{}
		store.add(slices.Repeat([]uuid.UUID{web, ops}, 30)...) // more than a read's limit
		r := setup(t, config(), store)
		sub := subscribe(t, r, web, 20)
		r.bus.deliver(t, store.add(web)...)
		var want []int64
		for pos := int64(21); pos < 60; pos += 2 {
			want = append(want, pos)
		}
		expect(t, sub, append(want, 61)...)
	})
}

func TestFillsAGapFromTheDatabaseAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := setup(t, config(), &fakeStore{})
		sub := subscribe(t, r, web, live.FromNow)
		events := r.store.add(web, web, web)
		r.bus.deliver(t, events[2])
		expect(t, sub, 1, 2, 3)
	})
}

func TestEventsThatArriveDuringAReadAreNotRepeated(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := setup(t, config(), &fakeStore{delay: 10 * time.Millisecond})
		time.Sleep(time.Second)
		sub, err := r.Subscribe(t.Context(), web, 0) // and nobody calls Next yet
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		events := r.store.add(web, web, web, web)
		r.bus.deliver(t, events[2]) // a gap: a read begins
		synctest.Wait()
		r.bus.deliver(t, events[:3]...)
		time.Sleep(time.Second)
		expect(t, read(t.Context(), sub, 0), 1, 2, 3, 4)
	})
}

func TestUnreadableMessageIsReadFromTheDatabase(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := setup(t, config(), &fakeStore{})
		sub := subscribe(t, r, web, live.FromNow)
		r.store.add(web)
		r.bus.handle([]jsbus.Delivery{{Subject: "tasks.x.y", Data: []byte("no protobuf")}})
		expect(t, sub, 1)
	})
}

func TestSilentBusIsPolledForAndReported(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := setup(t, config(), &fakeStore{})
		sub := subscribe(t, r, web, live.FromNow)
		var want []int64
		for i := range 8 { // one a second, none by NATS
			want = append(want, r.store.add(web)[0].Pos)
			time.Sleep(time.Second)
			if i == 0 {
				expect(t, sub, 1)
				if s := r.State(); !s.Live {
					t.Error("one event late by a second counts as stale")
				}
			}
		}
		expect(t, sub, want...)
		if s, ok := sub.lastState(); !ok || s.Live {
			t.Error("the subscriber was not told that NATS is silent")
		}
		r.bus.deliver(t, r.store.add(web)...)
		time.Sleep(time.Second)
		expect(t, sub, append(want, 9)...)
		if s, _ := sub.lastState(); !s.Live {
			t.Error("the subscriber was not told that the feed is live again")
		}
	})
}

func TestAbsentBusIsPolledForFasterAndReported(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := setup(t, config(), &fakeStore{})
		sub := subscribe(t, r, web, live.FromNow)
		time.Sleep(10 * time.Second)
		r.bus.setAway(true)
		since := time.Now()
		time.Sleep(600 * time.Millisecond)
		synctest.Wait()
		if s, ok := sub.lastState(); !ok || s.Live || !s.Since.Equal(since) {
			t.Errorf("state = %+v, want stale since %v", s, since)
		}
		r.store.add(web)
		time.Sleep(300 * time.Millisecond)
		expect(t, sub, 1)
		r.store.add(web)
		r.Announce(2) // the relay of this process: no need to wait
		expect(t, sub, 1, 2)
		r.bus.setAway(false)
		time.Sleep(300 * time.Millisecond)
		synctest.Wait()
		if s, _ := sub.lastState(); !s.Live {
			t.Error("still stale after NATS came back")
		}
	})
}

func TestInProcessEventsNeedNoBus(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := setup(t, config(), &fakeStore{})
		sub := subscribe(t, r, web, live.FromNow)
		reads := r.store.readCount()
		events := r.store.add(web, web)
		r.Observe(events)
		expect(t, sub, 1, 2)
		r.bus.deliver(t, events...)
		expect(t, sub, 1, 2)
		if n := r.store.readCount() - reads; n != 0 {
			t.Errorf("%d reads of the database for events that were in memory", n)
		}
	})
}

func TestSlowSubscriberFallsBackToRangeReads(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cfg := config()
		cfg.WindowEvents = 4
		r := setup(t, cfg, &fakeStore{})
		sub, err := r.Subscribe(t.Context(), web, 0)
		if err != nil {
			t.Fatal(err)
		}
		var want []int64
		for range 200 { // nobody calls Next
			events := r.store.add(web)
			r.bus.deliver(t, events...)
			want = append(want, events[0].Pos)
		}
		slow := read(t.Context(), sub, 0)
		expect(t, slow, want...)
	})
}

func TestDatabaseDownAtStartAndLater(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &fakeStore{away: true}
		r := setup(t, config(), store)
		if _, err := r.Subscribe(t.Context(), web, 0); !apperr.Is(err, apperr.Unavailable) {
			t.Fatalf("subscribing without a database: %v, want unavailable", err)
		}
		store.setAway(false)
		store.add(web)
		time.Sleep(2 * time.Second)
		sub := subscribe(t, r, web, 0)
		expect(t, sub, 1)

		store.setAway(true)
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if s, ok := sub.lastState(); !ok || s.Live {
			t.Error("the subscriber was not told that the database is away")
		}
		late := store.add(web, web)
		r.bus.deliver(t, late[1]) // a gap nobody can fill now
		time.Sleep(3 * time.Second)
		expect(t, sub, 1)
		store.setAway(false)
		time.Sleep(2 * time.Second)
		expect(t, sub, 1, 2, 3)
		if s, _ := sub.lastState(); !s.Live {
			t.Error("still stale after the database came back")
		}
	})
}

func TestWithoutSubscribersTheDatabaseIsLeftAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := setup(t, config(), &fakeStore{})
		reads := r.store.readCount()
		r.bus.setAway(true)
		time.Sleep(time.Minute)
		if n := r.store.readCount() - reads; n != 0 {
			t.Errorf("%d reads in a minute without subscribers", n)
		}
		r.store.add(web, web, web)
		sub := subscribe(t, r, web, live.FromNow) // the hub has missed three
		expect(t, sub)
		r.store.add(web)
		time.Sleep(300 * time.Millisecond)
		expect(t, sub, 4)
	})
}

func TestPositionBeyondTheHistoryIsGone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := setup(t, config(), &fakeStore{})
		if _, err := r.Subscribe(t.Context(), web, 7); !apperr.Is(err, apperr.Gone) {
			t.Errorf("subscribing behind a position that was never given: %v, want gone", err)
		}
	})
}

func TestHistoryThatGoesBackEndsItsReaders(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := setup(t, config(), &fakeStore{})
		sub := subscribe(t, r, web, live.FromNow)
		r.bus.deliver(t, r.store.add(web, web, web)...)
		expect(t, sub, 1, 2, 3)
		r.store.truncate(1) // a backup was restored
		time.Sleep(2 * time.Second)
		<-sub.ended
		if !errors.Is(sub.err, live.ErrClosed) {
			t.Errorf("reader ended with %v, want ErrClosed", sub.err)
		}
		again := subscribe(t, r, web, 1)
		r.bus.deliver(t, r.store.add(web)...)
		expect(t, again, 2)
	})
}

func TestLimitAndClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cfg := config()
		cfg.MaxSubscribers = 2
		r := setup(t, cfg, &fakeStore{})
		first, second := subscribe(t, r, web, live.FromNow), subscribe(t, r, ops, live.FromNow)
		if _, err := r.Subscribe(t.Context(), web, 0); !apperr.Is(err, apperr.Unavailable) {
			t.Errorf("third subscription: %v, want unavailable", err)
		}
		first.sub.Close()
		<-first.ended
		third := subscribe(t, r, web, live.FromNow)
		if n := r.Subscribers(); n != 2 {
			t.Errorf("%d subscribers, want 2", n)
		}
		r.Close()
		for _, sub := range []*reader{second, third} {
			<-sub.ended
			if !errors.Is(sub.err, live.ErrClosed) {
				t.Errorf("reader ended with %v, want ErrClosed", sub.err)
			}
		}
		if n := r.Subscribers(); n != 0 {
			t.Errorf("%d subscribers after Close, want 0", n)
		}
		if _, err := r.Subscribe(t.Context(), web, 0); !errors.Is(err, live.ErrClosed) {
			t.Errorf("subscribing after Close: %v, want ErrClosed", err)
		}
	})
}

func TestNextEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := setup(t, config(), &fakeStore{})
		sub, err := r.Subscribe(t.Context(), web, live.FromNow)
		if err != nil {
			t.Fatal(err)
		}
		defer sub.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := sub.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Next = %v, want the context's error", err)
		}
	})
}
