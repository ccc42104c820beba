package telemetry

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// inProcessSchedule is how long ended spans wait for company on their way to Config.Spans: there is no network to spare,
// and people look at the trace they have just made.
const inProcessSchedule = 200 * time.Millisecond

// The exporters by which spans are counted.
const (
	exporterOTLP      = "otlp"       // what the OTEL_* variables configure
	exporterInProcess = "in_process" // Config.Spans
)

// spanCounter counts what became of ended spans. The SDK can do so as well (OTEL_GO_X_OBSERVABILITY), but only
// experimentally and into the global meter provider, of which a process with two services has one too few.
type spanCounter struct {
	spans metric.Int64Counter
}

func newSpanCounter(meter metric.Meter) (*spanCounter, error) {
	spans, err := meter.Int64Counter("tallyboard.telemetry.spans", metric.WithUnit("{span}"), metric.WithDescription(
		"Recorded spans by what became of them: exported, dropped (the queue was full) or failed (the exporter gave up)."))
	if err != nil {
		return nil, fmt.Errorf("span counter: %w", err)
	}
	return &spanCounter{spans}, nil
}

// batcher returns a batch processor in front of exporter that counts under the exporter's name.
func (c *spanCounter) batcher(
	ctx context.Context, name string, exporter sdktrace.SpanExporter, options ...sdktrace.BatchSpanProcessorOption,
) sdktrace.SpanProcessor {
	outcome := func(what string) metric.MeasurementOption {
		set := metric.WithAttributeSet(attribute.NewSet(attribute.String("outcome", what), attribute.String("exporter", name)))
		c.spans.Add(ctx, 0, set) // a rate needs a beginning
		return set
	}
	b := &countingBatcher{
		counter: c.spans, capacity: queueSize(), dropped: outcome("dropped"), exported: outcome("exported"), failed: outcome("failed"),
	}
	b.SpanProcessor = sdktrace.NewBatchSpanProcessor(countingExporter{exporter, b}, options...)
	return b
}

// queueSize is the number of ended spans the SDK's processor holds at most.
func queueSize() int64 {
	if n, err := strconv.ParseInt(os.Getenv("OTEL_BSP_MAX_QUEUE_SIZE"), 10, 64); err == nil && n > 0 {
		return n
	}
	return sdktrace.DefaultMaxQueueSize
}

// countingBatcher lets no more spans into the SDK's processor than fit into its queue, so that it drops none itself,
// which it would do in silence.
type countingBatcher struct {
	sdktrace.SpanProcessor

	counter                   metric.Int64Counter
	capacity                  int64
	held                      atomic.Int64
	dropped, exported, failed metric.MeasurementOption
}

func (b *countingBatcher) OnEnd(s sdktrace.ReadOnlySpan) {
	if !s.SpanContext().IsSampled() {
		return
	}
	if b.held.Add(1) > b.capacity {
		b.held.Add(-1)
		b.counter.Add(context.Background(), 1, b.dropped)
		return
	}
	b.SpanProcessor.OnEnd(s)
}

// countingExporter tells its batcher what left.
type countingExporter struct {
	sdktrace.SpanExporter

	batcher *countingBatcher
}

func (e countingExporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	err := e.SpanExporter.ExportSpans(ctx, spans)
	n := int64(len(spans))
	e.batcher.held.Add(-n)
	if err != nil {
		e.batcher.counter.Add(ctx, n, e.batcher.failed)
		return err
	}
	e.batcher.counter.Add(ctx, n, e.batcher.exported)
	return nil
}
