package jsbus

import (
	"context"
	"testing"
	"time"

	"github.com/tallyboard/tallyboard/services/internal/kit/testkit"
)

func TestConnectWaitsForAServerThatComesLater(t *testing.T) {
	t.Parallel()
	server := testkit.NATSServer(t)
	server.Stop()
	b := connect(t, server.URL(), nil)
	before := b.Since()
	if b.Connected() {
		t.Fatal("connected to a server that is not there")
	}
	if n, err := b.Publish(t.Context(), messages(1, 3)); n != 0 || err == nil {
		t.Fatalf("published %d, %v", n, err)
	}
	var got inbox
	consume(t, b, &got)
	server.Start()
	until(t, "connected", b.Connected)
	if !b.Since().After(before) {
		t.Error("Since did not move")
	}
	publish(t, b, messages(1, 3)) // makes the stream by itself
	until(t, "messages", got.has(1, 3))
}

func TestConsumersSurviveARestartOfTheServer(t *testing.T) {
	t.Parallel()
	server := testkit.NATSServer(t)
	b := connect(t, server.URL(), nil)
	var got, live inbox
	consume(t, b, &got)
	run(t, func(ctx context.Context) error { return b.Tail(ctx, live.add) })
	until(t, "tail", func() bool { return b.Consumers()["tail"].OK })
	publish(t, b, messages(1, 50))
	until(t, "first messages", got.has(1, 50))
	until(t, "first messages live", live.has(1, 50))
	server.Restart()
	publish(t, b, messages(51, 100))
	until(t, "later messages", got.has(51, 100))
	// What passes while the tail is away is not its to deliver; from then on it is.
	n := 100
	until(t, "live messages", func() bool {
		n++
		publish(t, b, messages(n, n))
		return live.has(n, n)() || live.has(n-1, n-1)() && n > 101
	})
}

func TestConsumersSurviveTheLossOfTheStream(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(t *testing.T, s *testkit.Server, b *Bus){
		"deleted": func(t *testing.T, _ *testkit.Server, b *Bus) {
			t.Helper()
			if err := b.js.DeleteStream(t.Context(), "TASKS"); err != nil {
				t.Fatal(err)
			}
		},
		"recreated without consumers": func(t *testing.T, _ *testkit.Server, b *Bus) {
			t.Helper()
			if err := b.js.DeleteStream(t.Context(), "TASKS"); err != nil {
				t.Fatal(err)
			}
			if err := b.EnsureStream(t.Context()); err != nil {
				t.Fatal(err)
			}
		},
		"consumer deleted": func(t *testing.T, _ *testkit.Server, b *Bus) {
			t.Helper()
			if err := b.js.DeleteConsumer(t.Context(), "TASKS", "stats"); err != nil {
				t.Fatal(err)
			}
		},
		"server wiped": func(_ *testing.T, s *testkit.Server, _ *Bus) { s.Wipe() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := testkit.NATSServer(t)
			b := connect(t, server.URL(), nil)
			var got, live inbox
			subscribed := make(chan struct{}, 16)
			consume(t, b, &got)
			run(t, func(ctx context.Context) error {
				return b.Tail(ctx, live.add, OnSubscribed(func() { subscribed <- struct{}{} }))
			})
			<-subscribed
			publish(t, b, messages(1, 20))
			until(t, "first messages", got.has(1, 20))
			lose(t, server, b)
			n := 20
			until(t, "messages after the loss", func() bool {
				n++
				publish(t, b, messages(n, n))
				return live.has(n-1, n-1)() && got.has(n-1, n-1)()
			})
			if name != "consumer deleted" {
				<-subscribed // the tail said that it started afresh
			}
		})
	}
}

func TestACutLinkIsNoticed(t *testing.T) {
	t.Parallel()
	link := newLink(t, testkit.NATS(t))
	b := connect(t, link.url, nil)
	until(t, "connected", b.Connected)
	link.stall(true)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if n, err := b.Publish(ctx, messages(1, 2)); n != 0 || err == nil {
		t.Fatalf("published %d over a stalled link, %v", n, err)
	}
	until(t, "noticed", func() bool { return !b.Connected() })
	link.stall(false)
	until(t, "reconnected", b.Connected)
	publish(t, b, messages(1, 2))
}
