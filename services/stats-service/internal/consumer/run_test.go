package consumer

import (
	"context"
	"log/slog"
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/internal/kit/jsbus"
	"github.com/tallyboard/tallyboard/services/internal/kit/lease"
	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
	"github.com/tallyboard/tallyboard/services/internal/kit/testkit"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/stats"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/store/statstest"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/store/storetest"
)

// line is n tasks that go from todo to done.
func line(n int) *statstest.World {
	w := statstest.New()
	at := statstest.At("2026-03-01T00:00:00Z")
	for i := range n {
		task := w.Create(i, statstest.Todo, at.Add(time.Duration(i)*time.Minute))
		w.Move(task, statstest.Todo, statstest.Doing, at.Add(time.Duration(i)*time.Minute))
		w.Move(task, statstest.Doing, statstest.Done, at.Add(time.Duration(i+1)*time.Hour))
	}
	return w
}

func bus(t *testing.T, url string) *jsbus.Bus {
	t.Helper()
	b, err := jsbus.Connect(t.Context(), jsbus.Config{URL: url, ReconnectWait: 100 * time.Millisecond, PullExpiry: 2 * time.Second}, telemetry.Nop(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := b.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return b
}

// run runs a consumer until the test ends or stop is called.
func run(t *testing.T, d *storetest.Database, b Bus, holder string) (c *Consumer, w *waiter, stop func()) {
	t.Helper()
	w = newWaiter()
	cfg := Config{
		PollInterval: 50 * time.Millisecond, RetryPause: 100 * time.Millisecond,
		Lease: lease.Config{Holder: holder, TTL: 2 * time.Second, Renew: 200 * time.Millisecond, Retry: 50 * time.Millisecond, Log: slog.New(slog.DiscardHandler)},
	}
	c, err := New(cfg, d.Store, d.Leases, b, telemetry.Nop(), w.applied)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(stop)
	return c, w, stop
}

func publish(t *testing.T, b *jsbus.Bus, events []stats.Event) {
	t.Helper()
	publishFrom(t.Context(), t, b, events)
}

// publishFrom publishes events that the span in cause made.
func publishFrom(cause context.Context, t *testing.T, b *jsbus.Bus, events []stats.Event) {
	t.Helper()
	msgs := make([]jsbus.Msg, len(events))
	for i := range events {
		e := &events[i]
		msgs[i] = jsbus.Msg{Subject: "tasks." + e.Project.String() + "." + e.ID.String(), ID: strconv.FormatInt(e.Pos, 10), Data: encode(e)}
		if tp := telemetry.Traceparent(cause); tp != "" {
			msgs[i].Header = map[string]string{"traceparent": tp}
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for len(msgs) > 0 {
		n, err := b.Publish(ctx, msgs)
		if ctx.Err() != nil {
			t.Fatal(err)
		}
		msgs = msgs[n:]
	}
}

// TestThroughOutages follows NATS, reads on from the database while NATS is away, and goes back to NATS; a wiped stream
// and a deleted one change nothing.
func TestThroughOutages(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(d *storetest.Database) {
		t := d.T
		server := testkit.NATSServer(t)
		b := bus(t, server.URL())
		w := line(50) // 151 events
		if err := b.EnsureStream(t.Context()); err != nil {
			t.Fatal(err)
		}
		_, wait, _ := run(t, d, b, "one")
		step := func(from, to int, published bool) {
			t.Helper()
			d.WriteEvents(t, w.Events[from:to], to-from)
			if published {
				publish(t, b, w.Events[from:to])
			}
			wait.wait(t, int64(to))
		}
		step(0, 30, true)
		server.Stop()
		step(30, 60, false)
		server.Start()
		publish(t, b, w.Events[30:60]) // the relay's late ones: all seen before
		step(60, 90, true)
		server.Wipe()
		step(90, 120, true)
		deleteStream(t, server.URL())
		step(120, 151, true)
		d.WriteRows(t, w)
		compare(t, d, w)
		if v, err := d.Store.Verify(t.Context(), 10); err != nil || !v.Equal {
			t.Errorf("verification %+v %v", v, err)
		}
	})
}

func deleteStream(t *testing.T, url string) {
	t.Helper()
	nc, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	if err := js.DeleteStream(t.Context(), "TASKS"); err != nil {
		t.Fatal(err)
	}
}

// TestStandby takes over from an applier that ends, and announces what it applies.
func TestStandby(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(d *storetest.Database) {
		t := d.T
		b := bus(t, testkit.NATS(t))
		w := line(20)
		heard := make(chan string, 100)
		stopListening, err := b.Listen(WakeSubject(w.Project), func(data []byte) { heard <- string(data) })
		if err != nil {
			t.Fatal(err)
		}
		defer stopListening()
		first, wait, stop := run(t, d, b, "first")
		d.WriteEvents(t, w.Events[:20], 20)
		wait.wait(t, 20)
		if !first.Leading() {
			t.Error("who applies does not know it")
		}
		second, wait, _ := run(t, d, b, "second")
		stop()
		if first.Leading() || first.Source() != SourceNone {
			t.Error("who has ended still leads")
		}
		d.WriteEvents(t, w.Events[20:], len(w.Events)-20)
		wait.wait(t, int64(len(w.Events)))
		if !second.Leading() || second.Source() == SourceNone {
			t.Error("the standby did not take over")
		}
		compare(t, d, w)
		for pos := range heard {
			if pos == strconv.Itoa(len(w.Events)) {
				break
			}
		}
	})
}

// TestRebuildWhileApplying rebuilds while events arrive: the outcome is the incremental one.
func TestRebuildWhileApplying(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(d *storetest.Database) {
		t := d.T
		w := line(100)
		d.WriteEvents(t, w.Events[:200], 200)
		_, wait, _ := run(t, d, noBus{}, "one")
		wait.wait(t, 200)
		d.Exec(t, "UPDATE stats_tasks SET priority = 3, started = NULL")
		d.WriteEvents(t, w.Events[200:], len(w.Events)-200)
		out, err := Rebuild(t.Context(), d.Store, d.Leases, "rebuilder", false, slog.New(slog.DiscardHandler))
		if err != nil || out.Generation != 2 || out.Parked != 0 {
			t.Fatalf("rebuild %+v %v", out, err)
		}
		w.Add(w.Events[1].ID, stats.OfTask, "task.changed", statstest.At("2026-04-01T00:00:00Z"), statstest.Change("priority", nil, 1))
		d.WriteEvents(t, w.Events[len(w.Events)-1:], 1)
		wait.wait(t, int64(len(w.Events)))
		compare(t, d, w)
		d.WriteRows(t, w)
		if v, err := d.Store.Verify(t.Context(), 10); err != nil || !v.Equal || v.Generation != 2 {
			t.Errorf("verification %+v %v", v, err)
		}
	})
}

// TestRetryAnnounces retries what is parked and says whose statistics changed.
func TestRetryAnnounces(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(d *storetest.Database) {
		t := d.T
		w := line(3)
		sick := w.Events[1].ID
		spoilt := append([]stats.Event{}, w.Events...)
		spoilt[2].Undecodable = "spoilt"
		d.WriteEvents(t, spoilt, len(spoilt))
		_, wait, _ := run(t, d, noBus{}, "one")
		wait.wait(t, int64(len(w.Events)))
		d.Exec(t, `UPDATE events SET changes = '[{"field":"state","after":"`+w.States[statstest.Doing].ID.String()+`"}]' WHERE pos = 3`)
		n := &notes{}
		out, err := Retry(t.Context(), d.Store, n, sick)
		if err != nil || out.Applied != 2 || out.Remaining != 0 || len(n.subjects) != 1 || n.subjects[0] != WakeSubject(w.Project) {
			t.Errorf("retry %+v %v, notes %v", out, err, n.subjects)
		}
		compare(t, d, w)
		if _, err := Retry(t.Context(), d.Store, n, sick); apperr.CodeOf(err) != apperr.NotFound {
			t.Errorf("nothing is parked any more: %v", err)
		}
	})
}

type notes struct{ subjects []string }

func (n *notes) Notify(subject string, _ []byte) { n.subjects = append(n.subjects, subject) }

// BenchmarkCatchUp measures how many events a second are applied from the database.
func BenchmarkCatchUp(b *testing.B) {
	for _, engine := range testkit.Engines() {
		b.Run(engine.Name, func(b *testing.B) {
			d := storetest.Open(b, engine.Open(b))
			w := line(5000)
			d.WriteEvents(b, w.Events, len(w.Events))
			b.ResetTimer()
			for range b.N {
				d.Exec(b, "UPDATE stats_cursor SET pos = 0, epoch = 0")
				for _, table := range []string{"stats_tasks", "stats_transitions", "stats_states", "stats_projects"} {
					d.Exec(b, "DELETE FROM "+table)
				}
				c := newConsumer(b, d.Store, d)
				c.cfg.BatchSize = 500
				a := &applier{Consumer: c, epoch: 1}
				if _, err := a.catchUp(context.Background(), nothingOwed); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(w.Events)*b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
