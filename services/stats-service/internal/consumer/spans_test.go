package consumer

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/tallyboard/tallyboard/services/internal/kit/jsbus"
	"github.com/tallyboard/tallyboard/services/internal/kit/lease"
	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
	"github.com/tallyboard/tallyboard/services/internal/kit/testkit"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/stats"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/store/statstest"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/store/storetest"
)

// fencedOnce is a store that another applier has fenced off, for one attempt.
type fencedOnce struct {
	Store
	at     int64 // position of the attempt
	fenced atomic.Bool
}

func (f *fencedOnce) Apply(ctx context.Context, epoch int64, events []stats.Event) (stats.Applied, error) {
	if events[0].Pos == f.at && f.fenced.CompareAndSwap(false, true) {
		return stats.Applied{}, stats.ErrFenced
	}
	return f.Store.Apply(ctx, epoch, events)
}

// TestRedeliveryIsASecondSpan loses its office in the middle of an event, which NATS brings again: the trace shows both.
func TestRedeliveryIsASecondSpan(t *testing.T) {
	t.Parallel()
	d := storetest.Open(t, testkit.Postgres(t))
	ended := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(ended))
	tel := telemetry.Nop()
	tel.Tracer = provider.Tracer("test")
	b, err := jsbus.Connect(t.Context(), jsbus.Config{URL: testkit.NATS(t), PullExpiry: 2 * time.Second}, tel, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})

	w := statstest.New()
	before := len(w.Events)
	d.WriteEvents(t, w.Events, before)
	w.Create(1, statstest.Todo, time.Now().UTC())
	event := w.Events[before:]
	store := &fencedOnce{Store: d.Store, at: event[0].Pos}
	seen := newWaiter()
	c, err := New(Config{
		PollInterval: time.Hour, RetryPause: 100 * time.Millisecond,
		Lease: lease.Config{Holder: "one", TTL: 2 * time.Second, Renew: 200 * time.Millisecond, Retry: 50 * time.Millisecond, Log: slog.New(slog.DiscardHandler)},
	}, store, d.Leases, b, tel, seen.applied)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	running := make(chan error, 1)
	go func() { running <- c.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-running; err != nil {
			t.Error(err)
		}
	}()
	seen.wait(t, int64(before))

	cause, click := tel.Tracer.Start(t.Context(), "PATCH /api/v1/tasks/{key}")
	click.End()
	d.WriteEvents(t, event, 1)
	publishFrom(cause, t, b, event)
	seen.wait(t, event[0].Pos)
	var processed []sdktrace.ReadOnlySpan
	redelivered := func() bool {
		processed = nil
		again := false
		for _, s := range ended.Ended() {
			if strings.HasPrefix(s.Name(), "process ") && s.SpanContext().TraceID() == click.SpanContext().TraceID() {
				processed = append(processed, s)
				again = again || hasEvent(s, eventRedelivered)
			}
		}
		return again
	}
	for deadline := time.Now().Add(30 * time.Second); !redelivered(); {
		if time.Now().After(deadline) {
			t.Fatalf("the redelivery has no span among %d", len(processed))
		}
		<-time.After(10 * time.Millisecond)
	}
	published := parentOf(ended, click.SpanContext())
	if first, last := processed[0], processed[len(processed)-1]; first.Status().Code != codes.Error || hasEvent(first, eventRedelivered) ||
		last.Status().Code == codes.Error || first.Parent().SpanID() != published || last.Parent().SpanID() != published {
		t.Errorf("first %v below %v, last %v below %v; published by %v", first.Status(), first.Parent().SpanID(), last.Status(), last.Parent().SpanID(), published)
	}
}

// parentOf returns the id of the span that published, below the click.
func parentOf(ended *tracetest.SpanRecorder, click trace.SpanContext) trace.SpanID {
	for _, s := range ended.Ended() {
		if strings.HasPrefix(s.Name(), "publish ") && s.Parent().SpanID() == click.SpanID() {
			return s.SpanContext().SpanID()
		}
	}
	return trace.SpanID{}
}

func hasEvent(s sdktrace.ReadOnlySpan, name string) bool {
	for _, e := range s.Events() {
		if e.Name == name {
			return true
		}
	}
	return false
}

// TestProcessSpansTellWhatHappened records gap fills, retries and parked events, and no error's text.
func TestProcessSpansTellWhatHappened(t *testing.T) {
	t.Parallel()
	d := storetest.Open(t, testkit.Postgres(t))
	ended := tracetest.NewSpanRecorder()
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(ended)).Tracer("test")
	w := line(2)
	w.Events[len(w.Events)-2].Undecodable = "garbage"
	d.WriteEvents(t, w.Events, len(w.Events))
	attempts := 0
	crash := &crashing{Store: d.Store, die: func() (bool, bool) { attempts++; return attempts == 1, false }}
	a := &applier{Consumer: newConsumer(t, crash, d), epoch: 1}
	ctx, span := tracer.Start(t.Context(), processName)
	l := &ledger{}
	a.deliver(ctx, []jsbus.Delivery{l.delivery(encode(&w.Events[len(w.Events)-1]))}) // all before it are missing
	span.End()
	want := map[string]bool{eventRetry: true, eventGapFill: true, eventParked: true}
	for _, e := range ended.Ended()[len(ended.Ended())-1].Events() {
		delete(want, e.Name)
		for _, kv := range e.Attributes {
			if strings.Contains(kv.Value.String(), errCrash.Error()) {
				t.Errorf("%s tells an error's text", e.Name)
			}
		}
	}
	if len(want) > 0 || l.acked != 1 {
		t.Errorf("%v are missing, acked %d", want, l.acked)
	}
}
