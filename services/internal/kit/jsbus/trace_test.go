package jsbus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
	"github.com/tallyboard/tallyboard/services/internal/kit/testkit"
)

// traced returns a bus whose spans can be read, and a tracer for causes.
func traced(t *testing.T) (*Bus, *tracetest.SpanRecorder, trace.Tracer) {
	t.Helper()
	return tracedOn(t, testkit.NATS(t))
}

func tracedOn(t *testing.T, url string) (*Bus, *tracetest.SpanRecorder, trace.Tracer) {
	t.Helper()
	spans := tracetest.NewSpanRecorder()
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)).Tracer("test")
	tel := telemetry.Nop()
	tel.Tracer = tracer
	cfg := quick()
	cfg.URL = url
	b, err := Connect(t.Context(), cfg, tel, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return b, spans, tracer
}

func find(spans []sdktrace.ReadOnlySpan, name string) (found []sdktrace.ReadOnlySpan) {
	for _, s := range spans {
		if s.Name() == name {
			found = append(found, s)
		}
	}
	return found
}

const (
	publishName = "publish tasks.{project}.{task}"
	processName = "process tasks.{project}.{task}"
)

func TestOneTraceLeadsFromTheCauseToTheConsumer(t *testing.T) {
	t.Parallel()
	b, spans, tracer := traced(t)
	handled := make(chan string, 8)
	run(t, func(ctx context.Context) error {
		return b.Consume(ctx, "stats", func(ctx context.Context, batch []Delivery) {
			_, span := tracer.Start(ctx, "UPDATE stats_tasks")
			span.End()
			if err := batch[0].Ack(); err != nil {
				t.Error(err)
			}
			handled <- telemetry.TraceID(ctx)
		})
	})
	ctx, cause := tracer.Start(t.Context(), "POST /api/v1/tasks")
	publish(t, b, []Msg{{Subject: "tasks.p.1", ID: "e1", Data: []byte("x"), Header: map[string]string{"traceparent": telemetry.Traceparent(ctx)}}})
	cause.End()
	if got := <-handled; got != telemetry.TraceID(ctx) {
		t.Errorf("the consumer worked in trace %s, the cause was %s", got, telemetry.TraceID(ctx))
	}
	until(t, "process span", func() bool { return len(find(spans.Ended(), processName)) > 0 })
	published, processed := find(spans.Ended(), publishName)[0], find(spans.Ended(), processName)[0]
	if published.SpanKind() != trace.SpanKindProducer || published.Parent().SpanID() != cause.SpanContext().SpanID() {
		t.Errorf("publish is %v below %v", published.SpanKind(), published.Parent().SpanID())
	}
	if processed.SpanKind() != trace.SpanKindConsumer || processed.Parent().SpanID() != published.SpanContext().SpanID() ||
		len(processed.Links()) != 1 || processed.Links()[0].SpanContext.SpanID() != published.SpanContext().SpanID() {
		t.Errorf("process is %v below %v with %v", processed.SpanKind(), processed.Parent().SpanID(), processed.Links())
	}
	for name, c := range map[string]struct {
		span sdktrace.ReadOnlySpan
		want map[attribute.Key]string
	}{
		"publish": {published, map[attribute.Key]string{"messaging.operation.type": "send", "messaging.operation.name": "publish"}},
		"process": {processed, map[attribute.Key]string{
			"messaging.operation.type": "process", "messaging.operation.name": "process", "messaging.consumer.group.name": "stats", AttrDeliveryCount: "1",
		}},
	} {
		got := attributesOf(c.span)
		maps.Copy(c.want, map[attribute.Key]string{
			"messaging.system": "nats", "messaging.destination.name": "tasks.p.1", "messaging.destination.template": "tasks.{project}.{task}",
			"messaging.message.id": "e1", "messaging.message.body.size": "1", "server.address": "127.0.0.1",
		})
		for key, want := range c.want {
			if got[key] != want {
				t.Errorf("%s: %s is %q, want %q", name, key, got[key], want)
			}
		}
		if _, ok := got["messaging.batch.message_count"]; ok || got["server.port"] == "" {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func attributesOf(s sdktrace.ReadOnlySpan) map[attribute.Key]string {
	got := map[attribute.Key]string{}
	for _, kv := range s.Attributes() {
		got[kv.Key] = kv.Value.String()
	}
	return got
}

func TestARedeliveredMessageIsASecondConsumerSpan(t *testing.T) {
	t.Parallel()
	b, spans, tracer := traced(t)
	run(t, func(ctx context.Context) error {
		return b.Consume(ctx, "stats", func(_ context.Context, batch []Delivery) {
			answer := batch[0].Nak
			if batch[0].NumDelivered > 1 {
				answer = batch[0].Ack
			}
			if err := answer(); err != nil {
				t.Error(err)
			}
		})
	})
	ctx, cause := tracer.Start(t.Context(), "POST /api/v1/tasks")
	publish(t, b, []Msg{{Subject: "tasks.p.1", ID: "e1", Header: map[string]string{"traceparent": telemetry.Traceparent(ctx)}}})
	cause.End()
	until(t, "two process spans", func() bool { return len(find(spans.Ended(), processName)) == 2 })
	published := find(spans.Ended(), publishName)[0]
	for i, s := range find(spans.Ended(), processName) {
		if s.Parent().SpanID() != published.SpanContext().SpanID() || s.SpanContext().TraceID() != cause.SpanContext().TraceID() {
			t.Errorf("delivery %d is below %v", i+1, s.Parent())
		}
		if got := attributesOf(s)[AttrDeliveryCount]; got != strconv.Itoa(i+1) {
			t.Errorf("delivery %d counts %q", i+1, got)
		}
	}
}

func TestATraceOutlivesTheAbsenceOfNATS(t *testing.T) {
	t.Parallel()
	server := testkit.NATSServer(t)
	b, spans, tracer := tracedOn(t, server.URL())
	handled := make(chan string, 8)
	run(t, func(ctx context.Context) error {
		return b.Consume(ctx, "stats", func(ctx context.Context, batch []Delivery) {
			for _, d := range batch {
				if err := d.Ack(); err != nil {
					t.Logf("ack: %v", err)
				}
			}
			handled <- telemetry.TraceID(ctx)
		})
	})
	until(t, "consumer", func() bool { return b.Consumers()["stats"].OK })
	server.Stop()
	until(t, "disconnected", func() bool { return !b.Connected() })
	ctx, cause := tracer.Start(t.Context(), "POST /api/v1/tasks")
	msgs := []Msg{{Subject: "tasks.p.1", ID: "e1", Time: time.Now(), Header: map[string]string{"traceparent": telemetry.Traceparent(ctx)}}}
	if n, err := b.Publish(t.Context(), msgs); n != 0 || err == nil {
		t.Fatalf("published %d, %v", n, err)
	}
	cause.End()
	server.Start()
	until(t, "connected", b.Connected)
	publish(t, b, msgs)
	if got := <-handled; got != telemetry.TraceID(ctx) {
		t.Errorf("the consumer worked in trace %s, the cause was %s", got, telemetry.TraceID(ctx))
	}
	for _, s := range find(spans.Ended(), publishName) {
		if s.SpanContext().TraceID() != cause.SpanContext().TraceID() {
			t.Errorf("published in trace %s", s.SpanContext().TraceID())
		}
	}
}

func TestFailedPublishingSaysWhy(t *testing.T) {
	t.Parallel()
	b, spans, tracer := traced(t)
	ctx, cause := tracer.Start(t.Context(), "cause")
	cause.End()
	end := b.startPublish(t.Context(), &Msg{
		Header: map[string]string{"traceparent": telemetry.Traceparent(ctx)}, Attributes: []attribute.KeyValue{attribute.Int("pos", 7)},
	}, map[string][]string{})
	end(fmt.Errorf("publish: %w", jetstream.ErrAsyncPublishTimeout))
	got := find(spans.Ended(), publishName)[0]
	if attributesOf(got)["error.type"] != "timeout" || got.Status().Code != codes.Error || attributesOf(got)["pos"] != "7" {
		t.Errorf("%v, %v", got.Status(), got.Attributes())
	}
	if errorType(errors.New("else")) != "_OTHER" {
		t.Error("an unknown error has a type")
	}
}

func TestLateEventsStartTracesOfTheirOwn(t *testing.T) {
	t.Parallel()
	b, spans, tracer := traced(t)
	ctx, cause := tracer.Start(t.Context(), "yesterday")
	cause.End()
	publish(t, b, []Msg{{
		Subject: "tasks.p.1", ID: "e1", Time: time.Now().Add(-time.Hour),
		Header: map[string]string{"traceparent": telemetry.Traceparent(ctx)},
	}})
	published := find(spans.Ended(), publishName)[0]
	if published.Parent().IsValid() || published.SpanContext().TraceID() == cause.SpanContext().TraceID() ||
		len(published.Links()) != 1 || published.Links()[0].SpanContext.SpanID() != cause.SpanContext().SpanID() {
		t.Errorf("parent %v, links %v", published.Parent(), published.Links())
	}
}

func TestBatchesLinkToEachCauseAndEachCauseToItsBatch(t *testing.T) {
	t.Parallel()
	b, spans, tracer := traced(t)
	var batch []Delivery
	causes := map[trace.TraceID]bool{}
	for range 3 {
		ctx, span := tracer.Start(t.Context(), "cause")
		batch = append(batch, Delivery{Header: map[string][]string{headerTraceparent: {telemetry.Traceparent(ctx)}}, Timestamp: time.Now()})
		causes[span.SpanContext().TraceID()] = true
	}
	batch = append(batch, Delivery{}, batch[0])
	batch[4].Timestamp = time.Now().Add(-time.Hour) // a replay
	ctx, end := b.startProcess(t.Context(), "stats", batch)
	end()
	processed := find(spans.Ended(), processName)
	if len(processed) != 4 {
		t.Fatalf("%d spans, want the batch's and three in their own traces", len(processed))
	}
	root := processed[0]
	if root.Parent().IsValid() || len(root.Links()) != 4 || root.SpanContext().TraceID() != trace.SpanContextFromContext(ctx).TraceID() {
		t.Errorf("batch: parent %v, %d links", root.Parent(), len(root.Links()))
	}
	for _, s := range processed[1:] {
		if !causes[s.SpanContext().TraceID()] || s.Links()[0].SpanContext.SpanID() != root.SpanContext().SpanID() {
			t.Errorf("span in trace %v links to %v", s.SpanContext().TraceID(), s.Links())
		}
		delete(causes, s.SpanContext().TraceID())
	}
}

const unsampled = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"

func TestUnsampledCausesLeaveNoSpan(t *testing.T) {
	t.Parallel()
	b, spans, _ := traced(t)
	header := map[string][]string{headerTraceparent: {unsampled}}
	b.startPublish(t.Context(), &Msg{Header: map[string]string{"traceparent": unsampled}}, header)(nil)
	if len(spans.Ended()) != 0 || header[headerTraceparent][0] != unsampled {
		t.Errorf("%d spans, header %v", len(spans.Ended()), header)
	}
	fresh, late := Delivery{Header: header, Timestamp: time.Now()}, Delivery{Header: header, Timestamp: time.Now().Add(-time.Hour)}
	for _, batch := range [][]Delivery{{fresh}, {late}, {fresh, late}, {fresh, {}}} {
		ctx, end := b.startProcess(t.Context(), "stats", batch)
		_, below := b.tel.Tracer.Start(ctx, "UPDATE stats_tasks")
		below.End()
		end()
		if n := len(spans.Ended()); n != 0 {
			t.Errorf("%d messages: %d spans", len(batch), n)
		}
		if got := telemetry.TraceID(ctx); got != unsampled[3:35] {
			t.Errorf("%d messages: logs have trace %q", len(batch), got)
		}
	}
}

func TestARecordedCauseInABatchIsRecorded(t *testing.T) {
	t.Parallel()
	b, spans, tracer := traced(t)
	ctx, cause := tracer.Start(t.Context(), "cause")
	batch := []Delivery{
		{Header: map[string][]string{headerTraceparent: {unsampled}}, Timestamp: time.Now()},
		{Header: map[string][]string{headerTraceparent: {telemetry.Traceparent(ctx)}}, Timestamp: time.Now(), NumDelivered: 3},
	}
	_, end := b.startProcess(t.Context(), "stats", batch)
	end()
	cause.End()
	processed := find(spans.Ended(), processName)
	if len(processed) != 2 {
		t.Fatalf("%d spans", len(processed))
	}
	root, own := processed[0], processed[1]
	if attributesOf(root)["messaging.batch.message_count"] != "2" || len(root.Links()) != 1 {
		t.Errorf("batch: %v, %v", root.Attributes(), root.Links())
	}
	if own.SpanContext().TraceID() != cause.SpanContext().TraceID() || attributesOf(own)[AttrDeliveryCount] != "3" {
		t.Errorf("message: %v, %v", own.SpanContext(), own.Attributes())
	}
}

func BenchmarkProcess(b *testing.B) {
	for name, tp := range map[string]string{"unsampled": unsampled, "sampled": unsampled[:len(unsampled)-1] + "1"} {
		b.Run(name, func(b *testing.B) {
			tel := telemetry.Nop()
			tel.Tracer = sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(discard{})).Tracer("test")
			bus := newBus(Config{SubjectTemplate: "tasks.{project}.{task}"}, tel, slog.New(slog.DiscardHandler))
			bus.nc = &nats.Conn{}
			batch := []Delivery{{Subject: "tasks.p.1", Header: map[string][]string{headerTraceparent: {tp}}, Timestamp: time.Now()}}
			msg := Msg{Subject: "tasks.p.1", ID: "e1", Header: map[string]string{"traceparent": tp}}
			header := nats.Header{}
			b.ReportAllocs()
			for b.Loop() {
				bus.startPublish(b.Context(), &msg, header)(nil)
				_, end := bus.startProcess(b.Context(), "stats", batch)
				end()
			}
		})
	}
}

// discard is a processor for which spans are recorded and that keeps none.
type discard struct{}

func (discard) OnStart(context.Context, sdktrace.ReadWriteSpan) {}
func (discard) OnEnd(sdktrace.ReadOnlySpan)                     {}
func (discard) Shutdown(context.Context) error                  { return nil }
func (discard) ForceFlush(context.Context) error                { return nil }

func TestMessagesOfOneTraceContinueItTogether(t *testing.T) {
	t.Parallel()
	for name, count := range map[string]struct{ recorded, others, links int }{
		"what one click made":            {3, 0, 3},
		"a bulk change beyond its spans": {32, 8, 32},
		"more than there are links":      {maxBatchLinks + 6, 0, maxBatchLinks},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, spans, tracer := traced(t)
			ctx, cause := tracer.Start(t.Context(), "PATCH /api/v1/tasks/{key}")
			var batch []Delivery
			for i := range count.recorded + count.others {
				_, published := tracer.Start(ctx, publishName)
				traceparent := telemetry.Traceparent(trace.ContextWithSpan(ctx, published))
				if i >= count.recorded {
					traceparent = traceparent[:len(traceparent)-2] + "00"
				}
				batch = append(batch, Delivery{Header: map[string][]string{headerTraceparent: {traceparent}}, Timestamp: time.Now()})
			}
			handling, end := b.startProcess(t.Context(), "stats", batch)
			end()
			processed := find(spans.Ended(), processName)
			if len(processed) != 1 {
				t.Fatalf("%d spans, want one", len(processed))
			}
			if s := processed[0]; s.SpanContext().TraceID() != cause.SpanContext().TraceID() || !s.Parent().IsValid() || len(s.Links()) != count.links ||
				telemetry.TraceID(handling) != cause.SpanContext().TraceID().String() {
				t.Errorf("in trace %v below %v with %d links", s.SpanContext().TraceID(), s.Parent(), len(s.Links()))
			}
		})
	}
}
