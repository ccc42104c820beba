package opstatus

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tallyboard/tallyboard/services/internal/kit/db"
	"github.com/tallyboard/tallyboard/services/internal/kit/jsbus"
	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
	"github.com/tallyboard/tallyboard/services/internal/kit/testkit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds what a test waits for; it is only used up by a test that fails.
const patience = 30 * time.Second

// wait is how long instances have to answer; enough for a server on this machine.
const wait = 200 * time.Millisecond

func connect(t *testing.T, url string) *jsbus.Bus {
	t.Helper()
	bus, err := jsbus.Connect(t.Context(), jsbus.Config{URL: url, ReconnectWait: 50 * time.Millisecond}, telemetry.Nop(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := bus.Close(ctx); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return bus
}

func answer(t *testing.T, bus *jsbus.Bus, s Status) {
	t.Helper()
	if _, err := Answer(bus, func() Status { return s }); err != nil {
		t.Fatal(err)
	}
}

// until collects until the instances are those wanted, written service/instance.
func until(t *testing.T, bus *jsbus.Bus, want string) []Status {
	t.Helper()
	deadline := time.After(patience)
	for {
		statuses, err := Collect(t.Context(), bus, wait)
		var names []string
		for _, s := range statuses {
			names = append(names, s.Service+"/"+s.Instance)
		}
		got := strings.Join(names, " ")
		if err == nil && got == want {
			return statuses
		}
		select {
		case <-deadline:
			t.Fatalf("got %q, %v, want %q", got, err, want)
		default:
		}
	}
}

func TestEveryInstanceIsCollected(t *testing.T) {
	t.Parallel()
	url := testkit.NATS(t)
	a, b, c := connect(t, url), connect(t, url), connect(t, url)
	full := Status{
		Service: "task-service", Instance: "a", Version: "1", StartedAt: time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC), Ready: true, NATS: NATSConnected,
		Pools:  []Pool{PoolOf("requests", db.PoolStats{Engine: "mysql", Max: 5, InUse: 2, Idle: 1, WaitCount: 3, WaitMillis: 4})},
		Relay:  &Relay{Leader: true, Unpositioned: new(int64(1)), OldestAgeSeconds: new(2.0), Given: new(int64(3)), Published: new(int64(4)), Takeovers: 5},
		Live:   &Live{Subscribers: 6},
		Routes: []Route{{Route: "GET /x", Count: 1, Buckets: []uint64{1}}}, Goroutines: 7, HeapBytes: 8,
	}
	answer(t, a, full)
	answer(t, b, Status{Service: "task-service", Instance: "b", Relay: &Relay{}})
	answer(t, c, Status{Service: "stats-service", Instance: "a", Consumer: &Consumer{Cursor: 12, LastVerify: &Verify{Equal: true}}})
	answer(t, c, Status{Service: "stats-service", Instance: "a"}) // twice the same
	if _, err := c.Reply(Subject, func() ([]byte, error) { return []byte("no status"), nil }); err != nil {
		t.Fatal(err)
	}
	statuses := until(t, a, "stats-service/a task-service/a task-service/b")
	got, err := json.Marshal(statuses[1])
	if err != nil {
		t.Fatal(err)
	}
	want, err := json.Marshal(full)
	if err != nil || string(got) != string(want) {
		t.Errorf("got %s, want %s", got, want)
	}
	if !strings.Contains(string(want), `"consumer":null`) || !strings.Contains(string(want), `"waitMs":4`) {
		t.Errorf("the form is %s", want)
	}
}

func TestWithoutNATSNobodyIsCollected(t *testing.T) {
	t.Parallel()
	server := testkit.NATSServer(t)
	bus := connect(t, server.URL())
	answer(t, bus, Status{Service: "task-service", Instance: "a"})
	until(t, bus, "task-service/a")
	server.Stop()
	deadline := time.After(patience)
	for {
		if _, err := Collect(t.Context(), bus, wait); errors.Is(err, ErrAway) {
			break
		}
		select {
		case <-deadline:
			t.Fatal("NATS is never away")
		default:
		}
	}
	server.Start()
	until(t, bus, "task-service/a")
}

func TestSelfIsAboutThisProcess(t *testing.T) {
	t.Parallel()
	s := Self("task-service", "a", "1", time.Now(), connect(t, testkit.NATS(t)))
	if s.Goroutines < 1 || s.HeapBytes < 1 || s.Service != "task-service" || s.Pools == nil || s.Routes == nil {
		t.Errorf("got %+v", s)
	}
}
