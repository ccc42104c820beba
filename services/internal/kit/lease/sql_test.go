package lease

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/tallyboard/tallyboard/services/internal/kit/db"
	"github.com/tallyboard/tallyboard/services/internal/kit/testkit"
)

// newStore returns a store on a fresh database, and what sets its rows' expiry into the past.
func newStore(t *testing.T, url string) (s Store, expire func()) {
	t.Helper()
	engine, err := db.EngineOf(url)
	if err != nil {
		t.Fatal(err)
	}
	const ddl = "CREATE TABLE test_leases (name VARCHAR(64) PRIMARY KEY, holder VARCHAR(128) NOT NULL, epoch BIGINT NOT NULL, expires_at "
	if engine == db.Postgres {
		pool, err := db.OpenPostgres(context.Background(), db.Config{URL: url}, db.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(pool.Close)
		exec := func(statement string) {
			if _, err := pool.Exec(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
		exec(ddl + "timestamptz NOT NULL)")
		return NewPostgres(pool, "test_leases"), func() { exec("UPDATE test_leases SET expires_at = clock_timestamp()") }
	}
	pool, err := db.OpenMySQL(t.Context(), db.Config{URL: url}, db.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
	})
	exec := func(statement string) {
		if _, err := pool.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	exec(ddl + "DATETIME(6) NOT NULL)")
	return NewMySQL(pool, "test_leases"), func() { exec("UPDATE test_leases SET expires_at = UTC_TIMESTAMP(6)") }
}

func eachStore(t *testing.T, fn func(t *testing.T, s Store, expire func())) {
	t.Helper()
	for _, engine := range testkit.Engines() {
		t.Run(engine.Name, func(t *testing.T) {
			t.Parallel()
			s, expire := newStore(t, engine.Open(t))
			fn(t, s, expire)
		})
	}
}

const ttl = time.Minute

func acquire(t *testing.T, s Store, holder string) (int64, bool) {
	t.Helper()
	epoch, ok, err := s.Acquire(t.Context(), "relay", holder, ttl)
	if err != nil {
		t.Fatal(err)
	}
	return epoch, ok
}

func renew1(t *testing.T, s Store, holder string, epoch int64) bool {
	t.Helper()
	ok, err := s.Renew(t.Context(), "relay", holder, epoch, ttl)
	if err != nil {
		t.Fatal(err)
	}
	return ok
}

func TestStoresHandTheLeaseOn(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s Store, expire func()) {
		t.Helper()
		first, ok := acquire(t, s, "a")
		if !ok || first != 1 {
			t.Fatalf("first: epoch %d, %v", first, ok)
		}
		if _, ok := acquire(t, s, "b"); ok {
			t.Fatal("two hold it")
		}
		if !renew1(t, s, "a", first) || renew1(t, s, "b", first) || renew1(t, s, "a", first+1) {
			t.Error("renewal is not the holder's alone")
		}
		again, ok := acquire(t, s, "a") // a restarted instance fences what its predecessor still sends
		if !ok || again != first+1 || renew1(t, s, "a", first) {
			t.Errorf("same holder again: epoch %d, %v", again, ok)
		}
		expire()
		if renew1(t, s, "a", again) {
			t.Error("an expired lease was renewed")
		}
		taken, ok := acquire(t, s, "b")
		if !ok || taken != again+1 {
			t.Errorf("after expiry: epoch %d, %v", taken, ok)
		}
		if err := s.Release(t.Context(), "relay", "a", again); err != nil {
			t.Fatal(err)
		}
		if !renew1(t, s, "b", taken) {
			t.Error("the former holder released its successor's lease")
		}
		if err := s.Release(t.Context(), "relay", "b", taken); err != nil {
			t.Fatal(err)
		}
		if epoch, ok := acquire(t, s, "a"); !ok || epoch != taken+1 {
			t.Errorf("after the release: epoch %d, %v", epoch, ok)
		}
		if epoch, ok, err := s.Acquire(t.Context(), "other", "b", ttl); err != nil || !ok || epoch != 1 {
			t.Errorf("another lease: epoch %d, %v, %v", epoch, ok, err)
		}
	})
}

func TestStoresLetOneOfManyWin(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s Store, _ func()) {
		t.Helper()
		var all sync.WaitGroup
		won := make(chan int64, 16)
		for i := range 16 {
			all.Go(func() {
				epoch, ok, err := s.Acquire(t.Context(), "relay", string(rune('a'+i)), ttl)
				if err != nil {
					t.Error(err)
				}
				if ok {
					won <- epoch
				}
			})
		}
		all.Wait()
		if close(won); len(won) != 1 {
			t.Errorf("%d won", len(won))
		}
	})
}

func TestTakeoverOnARealDatabase(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s Store, expire func()) {
		t.Helper()
		cfg := config("a")
		cfg.TTL, cfg.Renew, cfg.Retry = 30*time.Second, 20*time.Millisecond, 20*time.Millisecond
		a := start(t, s, cfg)
		wait := func(what string, ok func() bool) {
			t.Helper()
			deadline := time.Now().Add(30 * time.Second)
			tick := time.NewTicker(5 * time.Millisecond)
			defer tick.Stop()
			for !ok() {
				if <-tick.C; time.Now().After(deadline) {
					t.Fatalf("never happened: %s", what)
				}
			}
		}
		wait("a leads", a.leads)
		cfg.Holder = "b"
		b := start(t, s, cfg)
		a.end(t)
		wait("b leads", b.leads)
		expire() // as if b had been paused
		wait("b or a successor leads anew", func() bool {
			b.mu.Lock()
			defer b.mu.Unlock()
			return len(b.epochs) == 2 && b.active
		})
		b.end(t)
		if b.epochs[0] <= a.epochs[0] || b.epochs[1] <= b.epochs[0] {
			t.Errorf("epochs %v then %v", a.epochs, b.epochs)
		}
	})
}

func TestTableNamesAreChecked(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("accepted")
		}
	}()
	NewMySQL(nil, "leases; DROP TABLE tasks")
}
