package jsbus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"

	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
	"github.com/tallyboard/tallyboard/services/internal/kit/testkit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds what a test waits for; it is only used up by a test that fails.
const patience = 30 * time.Second

func quick() Config {
	return Config{
		ReconnectWait: 50 * time.Millisecond, PingInterval: 200 * time.Millisecond, RequestTimeout: 2 * time.Second,
		PublishTimeout: 2 * time.Second, PullExpiry: 1500 * time.Millisecond, AckWait: time.Second,
	}
}

func connect(t *testing.T, url string, change func(*Config)) *Bus {
	t.Helper()
	cfg := quick()
	cfg.URL = url
	if change != nil {
		change(&cfg)
	}
	b, err := Connect(t.Context(), cfg, telemetry.Nop(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	closing(t, b)
	return b
}

// closing closes a bus at the test's end.
func closing(t *testing.T, b *Bus) {
	t.Helper()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := b.Close(ctx); err != nil {
			t.Errorf("close: %v", err)
		}
	})
}

// until polls a condition that another goroutine or server brings about.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("never happened: %s", what)
		case <-tick.C:
		}
	}
}

func messages(from, to int) []Msg {
	var msgs []Msg
	for i := from; i <= to; i++ {
		msgs = append(msgs, Msg{Subject: fmt.Sprintf("tasks.p.%d", i), ID: fmt.Sprintf("id-%d", i), Data: fmt.Appendf(nil, "%d", i)})
	}
	return msgs
}

// inbox collects what a consumer got.
type inbox struct {
	mu   sync.Mutex
	data []string
	seen map[string]int
}

func (i *inbox) add(batch []Delivery) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.seen == nil {
		i.seen = map[string]int{}
	}
	for _, d := range batch {
		i.data = append(i.data, string(d.Data))
		i.seen[string(d.Data)]++
	}
}

func (i *inbox) has(from, to int) func() bool {
	return func() bool {
		i.mu.Lock()
		defer i.mu.Unlock()
		for n := from; n <= to; n++ {
			if i.seen[fmt.Sprint(n)] == 0 {
				return false
			}
		}
		return true
	}
}

func (i *inbox) list() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return append([]string(nil), i.data...)
}

// run starts a blocking consumer and stops it at the end of the test.
func run(t *testing.T, fn func(ctx context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- fn(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-done:
			if !errors.Is(err, context.Canceled) {
				t.Errorf("consumer ended with %v", err)
			}
		case <-time.After(patience):
			t.Error("consumer did not end")
		}
	})
}

func consume(t *testing.T, b *Bus, got *inbox) {
	t.Helper()
	run(t, func(ctx context.Context) error {
		return b.Consume(ctx, "stats", func(_ context.Context, batch []Delivery) {
			got.add(batch)
			for _, d := range batch {
				if err := d.Ack(); err != nil && b.Connected() {
					t.Logf("ack: %v", err)
				}
			}
		})
	})
}

func publish(t *testing.T, b *Bus, msgs []Msg) {
	t.Helper()
	until(t, "published", func() bool {
		n, err := b.Publish(t.Context(), msgs)
		if err != nil && n == len(msgs) {
			t.Fatalf("all published, yet %v", err)
		}
		msgs = msgs[n:]
		return len(msgs) == 0
	})
}

func TestPublishedMessagesArriveInOrderAndOnce(t *testing.T) {
	t.Parallel()
	b := connect(t, testkit.NATS(t), func(c *Config) { c.PublishWindow = 16 })
	if err := b.EnsureStream(t.Context()); err != nil {
		t.Fatal(err)
	}
	var got inbox
	consume(t, b, &got)
	publish(t, b, messages(1, 500))
	publish(t, b, messages(400, 600)) // 400 to 500 are repetitions
	until(t, "600 messages", got.has(1, 600))
	list := got.list()
	if len(list) != 600 {
		t.Fatalf("%d deliveries, want 600", len(list))
	}
	for i, s := range list {
		if s != fmt.Sprint(i+1) {
			t.Fatalf("delivery %d is %s", i+1, s)
		}
	}
	if status := b.Consumers()["stats"]; !status.OK {
		t.Errorf("consumer reports %v", status.Err)
	}
}

func TestStreamHasTheConfiguredLimits(t *testing.T) {
	t.Parallel()
	url := testkit.NATS(t)
	b := connect(t, url, func(c *Config) { c.MaxAge = time.Hour })
	if err := b.EnsureStream(t.Context()); err != nil {
		t.Fatal(err)
	}
	later := connect(t, url, nil)
	if err := later.EnsureStream(t.Context()); err != nil {
		t.Fatal(err)
	}
	s, err := later.js.Stream(t.Context(), "TASKS")
	if err != nil {
		t.Fatal(err)
	}
	cfg := s.CachedInfo().Config
	if cfg.MaxAge != 7*24*time.Hour || cfg.Duplicates != 2*time.Minute || cfg.Storage != jetstream.FileStorage ||
		cfg.Replicas != 1 || len(cfg.Subjects) != 1 || cfg.Subjects[0] != "tasks.>" {
		t.Errorf("stream is %+v", cfg)
	}
}

func TestAStreamMadeAtDeployKeepsItsLimits(t *testing.T) {
	t.Parallel()
	b := connect(t, testkit.NATS(t), nil)
	cfg := b.streamConfig()
	cfg.Metadata, cfg.MaxAge = nil, 3*time.Hour
	if _, err := b.js.CreateStream(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	if err := b.EnsureStream(t.Context()); err != nil {
		t.Fatal(err)
	}
	s, err := b.js.Stream(t.Context(), "TASKS")
	if err != nil {
		t.Fatal(err)
	}
	if got := s.CachedInfo().Config.MaxAge; got != 3*time.Hour {
		t.Errorf("max age became %s", got)
	}
}

func TestWithoutRightsTheStreamIsNotMade(t *testing.T) {
	t.Parallel()
	b := connect(t, testkit.NATS(t), func(c *Config) { c.Provisioned = true })
	if err := b.EnsureStream(t.Context()); !errors.Is(err, jetstream.ErrStreamNotFound) {
		t.Errorf("got %v", err)
	}
}

func TestUnacknowledgedMessagesComeAgain(t *testing.T) {
	t.Parallel()
	b := connect(t, testkit.NATS(t), nil)
	deliveries := make(chan Delivery, 16)
	run(t, func(ctx context.Context) error {
		return b.Consume(ctx, "stats", func(_ context.Context, batch []Delivery) {
			for _, d := range batch {
				deliveries <- d
			}
		})
	})
	publish(t, b, messages(1, 1))
	first, second := <-deliveries, <-deliveries
	if first.NumDelivered != 1 || second.NumDelivered != 2 || second.Subject != "tasks.p.1" {
		t.Errorf("got %d and %d", first.NumDelivered, second.NumDelivered)
	}
	if err := second.Ack(); err != nil {
		t.Error(err)
	}
}

func TestNotifyReachesListeners(t *testing.T) {
	t.Parallel()
	server := testkit.NATSServer(t)
	b := connect(t, server.URL(), nil)
	until(t, "connected", b.Connected)
	woken := make(chan string, 64)
	stop, err := b.Listen("wake.relay", func(data []byte) { woken <- string(data) })
	if err != nil {
		t.Fatal(err)
	}
	until(t, "a hint", func() bool { b.Notify("wake.relay", []byte("x")); return len(woken) > 0 })
	server.Restart()
	for len(woken) > 0 {
		<-woken
	}
	until(t, "a hint after the restart", func() bool { b.Notify("wake.relay", []byte("y")); return len(woken) > 0 })
	stop()
	stop() // harmless
}

func TestWrapUsesAConnectionThatExists(t *testing.T) {
	t.Parallel()
	nc, err := nats.Connect(testkit.NATS(t), nats.MaxReconnects(-1))
	if err != nil {
		t.Fatal(err)
	}
	b, err := Wrap(nc, quick(), telemetry.Nop(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if !b.Connected() {
		t.Error("not connected")
	}
	publish(t, b, messages(1, 3))
	if err := b.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if b.Connected() || !nc.IsClosed() {
		t.Error("still open after Close")
	}
}

func TestConnectNamesABadCredentialsFile(t *testing.T) {
	t.Parallel()
	_, err := Connect(t.Context(), Config{NKeySeedFile: "/nonexistent"}, telemetry.Nop(), slog.New(slog.DiscardHandler))
	if err == nil {
		t.Fatal("no error")
	}
}
