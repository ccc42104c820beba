package telemetry

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
)

// receiver is a span receiver in the process.
type receiver struct {
	mu      sync.Mutex
	names   []string
	started bool
	stopped bool
}

func (r *receiver) Start(context.Context) error { r.started = true; return nil }
func (r *receiver) Stop(context.Context) error  { r.stopped = true; return nil }

func (r *receiver) UploadTraces(_ context.Context, resources []*tracepb.ResourceSpans) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, rs := range resources {
		for _, ss := range rs.GetScopeSpans() {
			for _, s := range ss.GetSpans() {
				r.names = append(r.names, s.GetName())
			}
		}
	}
	return nil
}

func (r *receiver) got() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.names...)
}

// scrape returns the service's metrics as OpenMetrics.
func scrape(t *testing.T, tel *Telemetry) string {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil)
	req.Header.Set("Accept", "application/openmetrics-text;version=1.0.0")
	rec := httptest.NewRecorder()
	tel.MetricsHandler().ServeHTTP(rec, req)
	return rec.Body.String()
}

// series returns the line of the series whose name and labels have all the parts.
func series(text string, parts ...string) string {
	for line := range strings.Lines(text) {
		found := true
		for _, part := range parts {
			found = found && strings.Contains(line, part)
		}
		if found && !strings.HasPrefix(line, "#") {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

//nolint:paralleltest // see begin
func TestSpansReachAReceiverInTheProcess(t *testing.T) {
	r := &receiver{}
	tel := begin(t, Config{ServiceName: "task-service", SampleRatio: 1, LogWriter: io.Discard, Spans: r}, nil)
	for _, outcome := range []string{"exported", "dropped", "failed"} {
		if line := series(scrape(t, tel), "tallyboard_telemetry_spans_total{", `outcome="`+outcome+`"`, `exporter="in_process"`); !strings.Contains(line, "} 0") {
			t.Errorf("%s begins at %q", outcome, line)
		}
	}
	_, span := tel.Tracer.Start(t.Context(), "work")
	if !span.IsRecording() {
		t.Error("the receiver does not count as an exporter")
	}
	span.End()
	deadline := time.After(20 * time.Second)
	for len(r.got()) == 0 { // without a flush, within the schedule
		select {
		case <-deadline:
			t.Fatal("nothing arrived")
		case <-time.After(5 * time.Millisecond):
		}
	}
	if line := series(scrape(t, tel), "tallyboard_telemetry_spans_total{", `outcome="exported"`); !strings.Contains(line, "} 1") {
		t.Errorf("counted %q", line)
	}
	_, last := tel.Tracer.Start(t.Context(), "last")
	last.End()
	end(t, tel)
	if got := r.got(); len(got) != 2 || got[1] != "last" || !r.started || !r.stopped {
		t.Errorf("got %v, started %v, stopped %v", got, r.started, r.stopped)
	}
}

//nolint:paralleltest // see begin
func TestADisabledSDKHandsOverNothing(t *testing.T) {
	tel := begin(t, Config{SampleRatio: 1, LogWriter: io.Discard, Spans: &receiver{}}, map[string]string{"OTEL_SDK_DISABLED": "true"})
	if _, span := tel.Tracer.Start(t.Context(), "work"); span.IsRecording() {
		t.Error("the span is recorded")
	}
	end(t, tel)
}

// stuck is an exporter that holds each batch until it is let go, and then fails.
type stuck struct {
	sdktrace.SpanExporter

	arrived chan int
	release chan error
}

func (s stuck) ExportSpans(_ context.Context, spans []sdktrace.ReadOnlySpan) error {
	s.arrived <- len(spans)
	return <-s.release
}

func (s stuck) Shutdown(context.Context) error { return nil }

//nolint:paralleltest // see begin
func TestLostSpansAreCounted(t *testing.T) {
	tel := begin(t, Config{LogWriter: io.Discard}, map[string]string{"OTEL_BSP_MAX_QUEUE_SIZE": "10", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "4"})
	defer end(t, tel)
	counter, err := newSpanCounter(tel.Meter)
	if err != nil {
		t.Fatal(err)
	}
	s := stuck{arrived: make(chan int), release: make(chan error)}
	processor := counter.batcher(t.Context(), "test", s)
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(processor)).Tracer("test")
	for range 25 {
		_, span := tracer.Start(t.Context(), "x")
		span.End()
	}
	held := 0
	answers := []error{errors.New("the collector is away"), nil, nil}
	done := make(chan error, 1)
	go func() { done <- processor.Shutdown(context.WithoutCancel(t.Context())) }()
	for held < 10 {
		held += <-s.arrived
		s.release <- answers[0]
		answers = answers[1:]
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	text := scrape(t, tel)
	for outcome, want := range map[string]string{"dropped": "15", "failed": "4", "exported": "6"} {
		if line := series(text, "tallyboard_telemetry_spans_total{", `exporter="test"`, `outcome="`+outcome+`"`); !strings.Contains(line, "} "+want) {
			t.Errorf("%s: %q, want %s", outcome, line, want)
		}
	}
}

//nolint:paralleltest // see begin
func TestHistogramsHaveExemplarsOfRecordedTraces(t *testing.T) {
	tel := begin(t, Config{SampleRatio: 1, LogWriter: io.Discard, Spans: &receiver{}}, nil)
	defer end(t, tel)
	histogram, err := tel.Meter.Float64Histogram("work.duration")
	if err != nil {
		t.Fatal(err)
	}
	ctx, span := tel.Tracer.Start(t.Context(), "work")
	histogram.Record(ctx, 3)
	span.End()
	histogram.Record(ContextWithTraceparent(t.Context(), strings.TrimSuffix(parent, "01")+"00"), 30)
	text := scrape(t, tel)
	if line := series(text, "work_duration_bucket", `le="5.0"`); !strings.Contains(line, `# {`) || !strings.Contains(line, `trace_id="`+TraceID(ctx)+`"`) {
		t.Errorf("no exemplar of the trace in %q", line)
	}
	if line := series(text, "work_duration_bucket", `le="50.0"`); strings.Contains(line, "trace_id") {
		t.Errorf("an exemplar of what was not recorded in %q", line)
	}
	if !strings.HasSuffix(text, "# EOF\n") {
		t.Error("this is not OpenMetrics")
	}
}

//nolint:paralleltest // see begin
func TestOneInstrumentCannotMakeSeriesWithoutEnd(t *testing.T) {
	tel := begin(t, Config{LogWriter: io.Discard}, nil)
	defer end(t, tel)
	counter, err := tel.Meter.Int64Counter("careless")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 * maxSeries {
		counter.Add(t.Context(), 1, metric.WithAttributes(attribute.Int("task", i)))
	}
	text := scrape(t, tel)
	if n := strings.Count(text, "\ncareless_total{"); n > maxSeries {
		t.Errorf("%d series", n)
	}
	if line := series(text, "careless_total{", `otel_metric_overflow="true"`); line == "" {
		t.Error("the rest is not counted")
	}
}
