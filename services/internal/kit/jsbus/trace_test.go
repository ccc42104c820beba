package jsbus

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
	"github.com/tallyboard/tallyboard/services/internal/kit/testkit"
)

// traced returns a bus whose spans can be read, and a tracer for causes.
func traced(t *testing.T) (*Bus, *tracetest.SpanRecorder, trace.Tracer) {
	t.Helper()
	spans := tracetest.NewSpanRecorder()
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)).Tracer("test")
	tel := telemetry.Nop()
	tel.Tracer = tracer
	cfg := quick()
	cfg.URL = testkit.NATS(t)
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
	got := map[attribute.Key]string{}
	for _, kv := range published.Attributes() {
		got[kv.Key] = kv.Value.String()
	}
	for key, want := range map[attribute.Key]string{
		"messaging.system": "nats", "messaging.operation.type": "send", "messaging.destination.name": "tasks.p.1",
		"messaging.destination.template": "tasks.{project}.{task}", "messaging.message.id": "e1",
	} {
		if got[key] != want {
			t.Errorf("%s is %q, want %q", key, got[key], want)
		}
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

func TestUnsampledCausesCostNothing(t *testing.T) {
	t.Parallel()
	b, spans, _ := traced(t)
	unsampled := "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
	header := map[string][]string{headerTraceparent: {unsampled}}
	b.startPublish(t.Context(), &Msg{Header: map[string]string{"traceparent": unsampled}}, header)(nil)
	if len(spans.Ended()) != 0 || header[headerTraceparent][0] != unsampled {
		t.Errorf("%d spans, header %v", len(spans.Ended()), header)
	}
}
