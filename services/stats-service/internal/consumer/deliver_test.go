package consumer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	eventsv1 "github.com/tallyboard/tallyboard/proto/gen/tallyboard/events/v1"
	"github.com/tallyboard/tallyboard/services/internal/kit/jsbus"
	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/stats"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/store/statstest"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/store/storetest"
)

// encode writes a message as the relay does.
func encode(e *stats.Event) []byte {
	m := &eventsv1.Event{
		Id: e.Pos, Pos: e.Pos, ProjectId: e.Project[:], AggregateId: e.ID[:], Seq: e.Seq, Kind: e.Kind, Actor: make([]byte, 16),
		Occurred: timestamppb.New(e.Occurred), Recorded: timestamppb.New(e.Recorded), Aggregate: eventsv1.Aggregate_AGGREGATE_TASK,
	}
	if e.Aggregate == stats.OfProject {
		m.Aggregate = eventsv1.Aggregate_AGGREGATE_PROJECT
	}
	for _, c := range e.Changes {
		m.Changes = append(m.Changes, &eventsv1.Change{Field: c.Field, Before: c.Before, After: c.After})
	}
	data, err := proto.Marshal(m)
	if err != nil {
		panic(err)
	}
	return data
}

// ledger counts how deliveries were answered.
type ledger struct{ acked, naked int }

func (l *ledger) delivery(data []byte) jsbus.Delivery {
	return jsbus.Delivery{
		Data: data, NumDelivered: 1,
		Ack: func() error { l.acked++; return nil },
		Nak: func() error { l.naked++; return nil },
	}
}

// noBus drops hints.
type noBus struct{}

func (noBus) Consume(ctx context.Context, _ string, _ func(context.Context, []jsbus.Delivery)) error {
	<-ctx.Done()
	return ctx.Err()
}
func (noBus) Notify(string, []byte) {}

// crashing is a store whose process dies before or after a commit.
type crashing struct {
	Store
	die func() (before, after bool)
}

var errCrash = errors.New("the process has died")

func (c *crashing) Apply(ctx context.Context, epoch int64, events []stats.Event) (stats.Applied, error) {
	before, after := c.die()
	if before {
		return stats.Applied{}, errCrash
	}
	out, err := c.Store.Apply(ctx, epoch, events)
	if err == nil && after {
		return stats.Applied{}, errCrash
	}
	return out, err
}

func newConsumer(t testing.TB, store Store, d *storetest.Database) *Consumer {
	t.Helper()
	c, err := New(Config{RetryPause: 20 * time.Millisecond, BatchSize: 7}, store, d.Leases, noBus{}, telemetry.Nop(), func(map[uuid.UUID]int64) {})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestAnyOrder delivers random histories in random order, with repetitions, losses, unreadable messages and crashes, to
// one applier after the other: the projections end as if all had been applied one by one.
func TestAnyOrder(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(d *storetest.Database) {
		t := d.T
		rapid.Check(t, func(r *rapid.T) {
			reset(t, d)
			w := statstest.Random(r)
			d.WriteEvents(t, w.Events, len(w.Events))
			crash := &crashing{Store: d.Store, die: func() (bool, bool) { return false, false }}
			for epoch := range int64(rapid.IntRange(1, 4).Draw(r, "appliers")) {
				a := &applier{Consumer: newConsumer(t, crash, d), epoch: epoch + 1}
				ctx, kill := context.WithCancelCause(context.Background())
				a.stop = kill
				crash.die = func() (before, after bool) {
					switch rapid.IntRange(0, 9).Draw(r, "fate") {
					case 0:
						kill(errCrash)
						return true, false
					case 1:
						kill(errCrash)
						return false, true
					}
					return false, false
				}
				for range rapid.IntRange(0, 5).Draw(r, "batches") {
					deliverSome(ctx, r, a, w)
				}
				kill(nil)
			}
			crash.die = func() (bool, bool) { return false, false }
			last := &applier{Consumer: newConsumer(t, crash, d), epoch: 9}
			if _, err := last.catchUp(context.Background(), nothingOwed); err != nil {
				r.Fatal(err)
			}
			compare(r, d, w)
		})
	})
}

// deliverSome delivers a random selection of events, some of it spoilt.
func deliverSome(ctx context.Context, r *rapid.T, a *applier, w *statstest.World) {
	l := &ledger{}
	var batch []jsbus.Delivery
	for range rapid.IntRange(1, 12).Draw(r, "messages") {
		e := rapid.SampledFrom(w.Events).Draw(r, "event")
		data := encode(&e)
		if rapid.IntRange(0, 15).Draw(r, "spoil") == 0 {
			data = []byte("not a message")
		}
		batch = append(batch, l.delivery(data))
	}
	a.deliver(ctx, batch)
	if l.acked+l.naked != len(batch) || l.acked > 0 && l.naked > 0 {
		r.Fatalf("%d messages: %d acknowledged, %d given back", len(batch), l.acked, l.naked)
	}
	if ctx.Err() == nil && l.naked > 0 {
		r.Fatal("given back although nothing has ended")
	}
}

func reset(t testing.TB, d *storetest.Database) {
	t.Helper()
	for _, table := range []string{"events", "stats_tasks", "stats_transitions", "stats_states", "stats_projects", "stats_parked", "stats_parked_events"} {
		d.Exec(t, "DELETE FROM "+table)
	}
	d.Exec(t, "UPDATE stats_cursor SET pos = 0, epoch = 0")
}

// compare compares the store with a fold in memory.
func compare(r interface {
	Fatal(...any)
	Fatalf(string, ...any)
}, d *storetest.Database, w *statstest.World,
) {
	want := w.Fold().Work
	v := stats.NewVerification(5)
	var transitions []stats.Transition
	tasks := 0
	ctx := context.Background()
	err := d.Store.View(ctx, w.Project, func(view stats.View) error {
		return errors.Join(
			view.Tasks(ctx, func(k *stats.Task) error { tasks++; v.CompareTask(want.Tasks[k.ID], k); return nil }),
			view.Transitions(ctx, func(k *stats.Transition) error { transitions = append(transitions, *k); return nil }))
	})
	if err != nil {
		r.Fatal(err)
	}
	order := func(a, b stats.Transition) int {
		return slices.Compare(append(a.Task[:], byte(a.Seq)), append(b.Task[:], byte(b.Seq)))
	}
	slices.SortFunc(transitions, order)
	slices.SortFunc(want.Transitions, order)
	if v.Count > 0 || tasks != len(want.Tasks) || fmt.Sprint(transitions) != fmt.Sprint(want.Transitions) {
		r.Fatalf("%d tasks, want %d; differences %+v; transitions\n%v, want\n%v", tasks, len(want.Tasks), v.Differences, transitions, want.Transitions)
	}
}

// TestGhosts ignores messages beyond what the database has: they belong to another one.
func TestGhosts(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(d *storetest.Database) {
		t := d.T
		w := statstest.New()
		w.Create(1, statstest.Todo, statstest.At("2026-03-01T00:00:00Z"))
		d.WriteEvents(t, w.Events, len(w.Events))
		a := &applier{Consumer: newConsumer(t, d.Store, d), epoch: 1}
		ghost := w.Events[1]
		ghost.Pos = 70
		l := &ledger{}
		a.deliver(t.Context(), []jsbus.Delivery{l.delivery(encode(&ghost))})
		if l.acked != 1 {
			t.Error("not acknowledged")
		}
		compare(t, d, w)
	})
}

// TestGapIsFilled delivers the last event only: those before it come from the database at once, and are announced.
func TestGapIsFilled(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(d *storetest.Database) {
		t := d.T
		w := line(20)
		d.WriteEvents(t, w.Events, len(w.Events))
		a := &applier{Consumer: newConsumer(t, d.Store, d), epoch: 1}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		l := &ledger{}
		a.deliver(ctx, []jsbus.Delivery{l.delivery(encode(&w.Events[len(w.Events)-1]))})
		if l.acked != 1 || a.cursor != int64(len(w.Events)) || a.Source() != SourceNATS {
			t.Errorf("acked %d, cursor %d, source %s", l.acked, a.cursor, a.Source())
		}
		compare(t, d, w)
	})
}

// TestWhatNATSIsAboutToBringIsLeftToIt looks into the database while a message is on its way: the first look leaves the
// event to NATS, the second one reads it, and as long as NATS is silent none waits any more.
func TestWhatNATSIsAboutToBringIsLeftToIt(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(d *storetest.Database) {
		t := d.T
		w := line(4)
		last := len(w.Events) - 1
		d.WriteEvents(t, w.Events, len(w.Events))
		a := &applier{Consumer: newConsumer(t, d.Store, d), epoch: 1}
		if err := a.advance(t.Context(), w.Events[:last-1]); err != nil {
			t.Fatal(err)
		}
		at := w.Events[last-2].Pos
		look := func(owed, wantOwed, wantCursor int64) {
			t.Helper()
			got, err := a.catchUp(t.Context(), owed)
			if err != nil || got != wantOwed || a.cursor != wantCursor {
				t.Errorf("owed %d, cursor %d, %v; want %d, %d", got, a.cursor, err, wantOwed, wantCursor)
			}
		}
		look(nothingOwed, at, at)
		if err := a.advance(t.Context(), w.Events[last-1:last]); err != nil { // there it is
			t.Fatal(err)
		}
		look(at, at+1, at+1)
		look(at+1, nothingOwed, at+2)
		look(nothingOwed, nothingOwed, at+2)
		compare(t, d, w)
	})
}

// TestHoleInHistory stops in front of a position that no event has, and says so, instead of skipping it.
func TestHoleInHistory(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(d *storetest.Database) {
		t := d.T
		w := line(3)
		d.WriteEvents(t, w.Events, len(w.Events))
		d.Exec(t, "UPDATE events SET pos = NULL WHERE pos = 4")
		a := &applier{Consumer: newConsumer(t, d.Store, d), epoch: 1}
		if _, err := a.catchUp(t.Context(), nothingOwed); !errors.Is(err, stats.ErrGap) || a.cursor != 0 {
			t.Errorf("cursor %d: %v", a.cursor, err)
		}
		d.Exec(t, "UPDATE events SET pos = 4 WHERE pos IS NULL")
		if _, err := a.catchUp(t.Context(), nothingOwed); err != nil {
			t.Error(err)
		}
		compare(t, d, w)
	})
}

// TestFencedDelivery ends the office of an applier whose successor has written.
func TestFencedDelivery(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(d *storetest.Database) {
		t := d.T
		w := statstest.New()
		w.Create(1, statstest.Todo, statstest.At("2026-03-01T00:00:00Z"))
		d.WriteEvents(t, w.Events, len(w.Events))
		if _, err := d.Store.Apply(t.Context(), 2, w.Events[:1]); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		a := &applier{Consumer: newConsumer(t, d.Store, d), epoch: 1, stop: cancel}
		l := &ledger{}
		a.deliver(ctx, []jsbus.Delivery{l.delivery(encode(&w.Events[1]))})
		if l.naked != 1 || !errors.Is(context.Cause(ctx), stats.ErrFenced) {
			t.Errorf("acked %d, naked %d, cause %v", l.acked, l.naked, context.Cause(ctx))
		}
	})
}

// waiter tells when projections have come to a position.
type waiter struct {
	mu   sync.Mutex
	pos  int64
	more chan struct{}
}

func newWaiter() *waiter { return &waiter{more: make(chan struct{}, 1)} }

func (w *waiter) applied(projects map[uuid.UUID]int64) {
	w.mu.Lock()
	for _, pos := range projects {
		w.pos = max(w.pos, pos)
	}
	w.mu.Unlock()
	select {
	case w.more <- struct{}{}:
	default:
	}
}

func (w *waiter) wait(t *testing.T, pos int64) {
	t.Helper()
	timeout := time.NewTimer(30 * time.Second)
	defer timeout.Stop()
	for {
		w.mu.Lock()
		have := w.pos
		w.mu.Unlock()
		if have >= pos {
			return
		}
		select {
		case <-w.more:
		case <-timeout.C:
			t.Fatalf("applied up to %d after 30 s, want %d", have, pos)
		}
	}
}
