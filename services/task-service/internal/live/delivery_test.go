package live_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
	"github.com/tallyboard/tallyboard/services/task-service/internal/live"
)

// observed is a hub whose spans and measurements can be read.
type observed struct {
	*rig
	spans  *tracetest.SpanRecorder
	reader *sdkmetric.ManualReader
}

func observe(t *testing.T, store *fakeStore) *observed {
	t.Helper()
	return observeWith(t, config(), store)
}

func observeWith(t *testing.T, cfg live.Config, store *fakeStore) *observed {
	t.Helper()
	o := &observed{spans: tracetest.NewSpanRecorder(), reader: sdkmetric.NewManualReader()}
	tel := telemetry.Nop()
	tel.Tracer = sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(o.spans)).Tracer("test")
	tel.Meter = sdkmetric.NewMeterProvider(sdkmetric.WithReader(o.reader)).Meter("test")
	o.rig = startWith(t, cfg, store, tel)
	t.Cleanup(o.stop)
	synctest.Wait()
	return o
}

// traced adds an event with a recorded trace of its own.
func (s *fakeStore) traced(project uuid.UUID) history.Event {
	e := s.add(project)[0]
	s.mu.Lock()
	defer s.mu.Unlock()
	e.Traceparent = fmt.Sprintf("00-%032x-b7ad6b7169203331-01", e.Pos)
	s.events[e.Pos-1].Traceparent = e.Traceparent
	return e
}

// open subscribes and leaves it to the test when to read.
func (o *observed) open(t *testing.T, after int64) *live.Subscription {
	t.Helper()
	sub, err := o.Subscribe(t.Context(), web, after)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sub.Close)
	return sub
}

// take reads the next update, which has one event, and reports its span's id.
func take(t *testing.T, sub *live.Subscription) (spanID string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	u, err := sub.Next(ctx)
	if err != nil || len(u.Events) != 1 {
		t.Fatalf("%d events, %v", len(u.Events), err)
	}
	if u.Spans != nil && u.Spans[0] != nil {
		spanID = u.Spans[0].SpanContext().SpanID().String()
	}
	return spanID
}

// wrote says that what was taken has been written, and that nothing else is wanted.
func wrote(t *testing.T, subs ...*live.Subscription) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, sub := range subs {
		if u, err := sub.Next(ctx); err == nil {
			t.Fatalf("unexpected update %+v", u)
		}
	}
}

// delivered returns how many subscribers each ended delivery counts.
func (o *observed) delivered() (counts []int64) {
	for _, s := range o.spans.Ended() {
		for _, e := range s.Events() {
			if e.Name == "sse.deliver" {
				counts = append(counts, e.Attributes[0].Value.AsInt64())
			}
		}
	}
	return counts
}

func TestDeliverySpanEndsWhenAllHaveWritten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := observe(t, &fakeStore{})
		one, two := o.open(t, live.FromNow), o.open(t, live.FromNow)
		o.bus.deliver(t, o.store.traced(web))
		first := take(t, one)
		second := take(t, two)
		if first == "" || first != second {
			t.Errorf("spans %q and %q, want one", first, second)
		}
		wrote(t, one)
		if n := len(o.spans.Ended()); n != 0 {
			t.Fatalf("%d spans have ended while one reader writes", n)
		}
		time.Sleep(100 * time.Millisecond)
		wrote(t, two)
		if got := o.delivered(); !slices.Equal(got, []int64{2}) {
			t.Errorf("delivered to %v", got)
		}
		s := o.spans.Ended()[0]
		if d := s.EndTime().Sub(s.StartTime()); d != 100*time.Millisecond || s.Parent().TraceID().String()[31:] != "1" {
			t.Errorf("took %v, in trace %v", d, s.Parent().TraceID())
		}
	})
}

func TestDeliveryWaitsNotForSlowReaders(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := observe(t, &fakeStore{})
		quick, slow := o.open(t, live.FromNow), o.open(t, live.FromNow)
		o.bus.deliver(t, o.store.traced(web))
		take(t, quick)
		wrote(t, quick)
		time.Sleep(2 * time.Second)
		if got := o.delivered(); !slices.Equal(got, []int64{1}) {
			t.Errorf("delivered to %v", got)
		}
		if s := o.spans.Ended()[0]; s.EndTime() != s.StartTime() {
			t.Errorf("the span lasted %v, the writing nothing", s.EndTime().Sub(s.StartTime()))
		}
		if span := take(t, slow); span != "" {
			t.Errorf("a late reader continues %s, which has ended", span)
		}
	})
}

// TestDeliveryWaitsNotForAFullSocket even if its reader has taken the event; a write that ends after the span is harmless.
func TestDeliveryWaitsNotForAFullSocket(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := observe(t, &fakeStore{})
		quick, stuck := o.open(t, live.FromNow), o.open(t, live.FromNow)
		o.bus.deliver(t, o.store.traced(web))
		take(t, quick)
		take(t, stuck)
		wrote(t, quick)
		time.Sleep(2 * time.Second)
		if got := o.delivered(); !slices.Equal(got, []int64{1}) {
			t.Errorf("delivered to %v while one reader writes", got)
		}
		wrote(t, stuck)
		o.bus.deliver(t, o.store.traced(web))
		take(t, stuck)
		time.Sleep(2 * time.Second)
		if n := len(o.spans.Ended()); n != 2 {
			t.Errorf("%d spans have ended, want also the one that nobody could write", n)
		}
		stuck.Close()
		quick.Close()
		if got := o.delivered(); !slices.Equal(got, []int64{1}) || len(o.spans.Ended()) != 2 {
			t.Errorf("delivered to %v in %d spans", got, len(o.spans.Ended()))
		}
	})
}

// TestDeliveryGoesOnWithoutAReaderOfTheDatabase who gets the event there, without its trace.
func TestDeliveryGoesOnWithoutAReaderOfTheDatabase(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cfg := config()
		cfg.WindowEvents = 1
		o := observeWith(t, cfg, &fakeStore{})
		quick, slow := o.open(t, live.FromNow), o.open(t, live.FromNow)
		o.bus.deliver(t, o.store.traced(web))
		take(t, quick)
		wrote(t, quick)
		o.bus.deliver(t, o.store.traced(web)) // takes the first one's place in the window
		u, err := slow.Next(t.Context())
		if err != nil || len(u.Events) != 2 || u.Spans != nil {
			t.Fatalf("%d events, spans %v, %v", len(u.Events), u.Spans, err)
		}
		if got := o.delivered(); !slices.Equal(got, []int64{1}) {
			t.Errorf("delivered to %v, want the first event to one", got)
		}
		take(t, quick)
		wrote(t, quick)
		if got := o.delivered(); !slices.Equal(got, []int64{1, 1}) {
			t.Errorf("delivered to %v, want each event to one", got)
		}
	})
}

// TestOpenDeliveriesAreCountedRight when the last reader goes: else the hub would at last begin none.
func TestOpenDeliveriesAreCountedRight(t *testing.T) {
	t.Parallel()
	const many = 1100 // more than a hub has open at once
	for name, read := range map[string]bool{"from the database": true, "not at all": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				cfg := config()
				cfg.ReadBatch = many
				o := observeWith(t, cfg, &fakeStore{})
				sub := o.open(t, live.FromNow)
				for range many {
					o.bus.deliver(t, o.store.traced(web))
				}
				if read {
					if u, err := sub.Next(t.Context()); err != nil || len(u.Events) != many {
						t.Fatalf("%d events, %v", len(u.Events), err)
					}
				}
				sub.Close()
				next := o.open(t, live.FromNow)
				o.bus.deliver(t, o.store.traced(web))
				if take(t, next) == "" {
					t.Error("an event is delivered without a span although no other delivery is open")
				}
			})
		})
	}
}

func TestDeliveryThatNobodyTakesIsNotExported(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := observe(t, &fakeStore{})
		o.bus.deliver(t, o.store.traced(web)) // nobody watches
		gone := o.open(t, live.FromNow)
		o.bus.deliver(t, o.store.traced(web))
		gone.Close()
		time.Sleep(2 * time.Second)
		if n := len(o.spans.Ended()); n != 0 {
			t.Errorf("%d spans of nothing", n)
		}
	})
}

// TestDeliveryToABrokenConnectionEnds because of what was read for it.
func TestDeliveryToABrokenConnectionEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := observe(t, &fakeStore{})
		sub := o.open(t, live.FromNow)
		o.bus.deliver(t, o.store.traced(web))
		take(t, sub)
		sub.Close()
		if n := len(o.spans.Ended()); n != 1 || len(o.delivered()) != 0 {
			t.Errorf("%d spans, delivered to %v", n, o.delivered())
		}
	})
}

func TestResumedLateAndUnsampledEventsHaveNoSpan(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &fakeStore{}
		before := store.traced(web)
		o := observe(t, store)
		sub := o.open(t, live.FromNow)
		late := store.traced(web)
		time.Sleep(time.Minute + time.Second)
		if span := take(t, sub); span != "" {
			t.Errorf("an event of a minute ago is delivered in %s", span)
		}
		o.bus.deliver(t, late) // again
		unsampled := store.add(web)[0]
		unsampled.Traceparent = before.Traceparent[:53] + "00"
		o.bus.deliver(t, unsampled)
		if span := take(t, sub); span != "" {
			t.Errorf("an unsampled event is delivered in %s", span)
		}
		resumed := o.open(t, 0)
		u, err := resumed.Next(t.Context())
		if err != nil || len(u.Events) != 3 || u.Spans != nil {
			t.Errorf("resumed: %d events, spans %v, %v", len(u.Events), u.Spans, err)
		}
		wrote(t, resumed)
		if n := len(o.spans.Ended()); n != 0 {
			t.Errorf("%d spans", n)
		}
	})
}

func TestDeliveryDelayIsMeasuredForWhatHappensWhileWatching(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &fakeStore{}
		store.add(web, web)
		time.Sleep(time.Hour)
		o := observe(t, store)
		sub := o.open(t, 0) // resumes: that is no delay of ours
		if u, err := sub.Next(t.Context()); err != nil || len(u.Events) != 2 {
			t.Fatal(u, err)
		}
		e := store.add(web)[0]
		time.Sleep(30 * time.Millisecond)
		o.Observe([]history.Event{e})
		take(t, sub)
		time.Sleep(20 * time.Millisecond)
		wrote(t, sub)
		var rm metricdata.ResourceMetrics
		if err := o.reader.Collect(t.Context(), &rm); err != nil {
			t.Fatal(err)
		}
		sums := map[string]float64{}
		for _, m := range rm.ScopeMetrics[0].Metrics {
			switch data := m.Data.(type) {
			case metricdata.Histogram[float64]:
				sums[m.Name] = data.DataPoints[0].Sum
				if data.DataPoints[0].Count != 1 {
					t.Errorf("%d measurements", data.DataPoints[0].Count)
				}
			case metricdata.Sum[int64]:
				sums[m.Name] = float64(data.DataPoints[0].Value)
			}
		}
		if got := sums["tallyboard.live.delivery.delay"]; got < 0.049 || got > 0.051 {
			t.Errorf("delay %v s, want 0.05", got)
		}
		if n, begun := sums["tallyboard.live.gaps"]; !begun || n != 0 {
			t.Errorf("gaps begin at %v (%t)", n, begun)
		}
	})
}
