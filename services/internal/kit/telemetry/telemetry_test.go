package telemetry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

// begin starts telemetry in the given environment. Its tests are not parallel: the variables are the process's.
func begin(t *testing.T, cfg Config, environ map[string]string) *Telemetry {
	t.Helper()
	for name, value := range environ {
		t.Setenv(name, value)
	}
	tel, err := Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return tel
}

func end(t *testing.T, tel *Telemetry) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := tel.Shutdown(ctx); err != nil {
		t.Errorf("shutdown: %v", err)
	}
}

//nolint:paralleltest // see begin
func TestNothingIsExportedUnlessAsked(t *testing.T) {
	var out bytes.Buffer
	tel := begin(t, Config{ServiceName: "task-service", Instance: "a", SampleRatio: 1, LogWriter: &out}, nil)
	ctx, span := tel.Tracer.Start(t.Context(), "x")
	defer span.End()
	if !span.SpanContext().IsValid() || span.IsRecording() {
		t.Errorf("span %v, recording %v", span.SpanContext(), span.IsRecording())
	}
	tel.Logger().InfoContext(ctx, "hello", "n", 1)
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]any{
		"msg": "hello", "service": "task-service", "instance": "a", "trace_id": TraceID(ctx), "span_id": span.SpanContext().SpanID().String(), "n": 1.0,
	} {
		if line[key] != want {
			t.Errorf("%s is %v, want %v", key, line[key], want)
		}
	}
	counter, err := tel.Meter.Int64Counter("things.made")
	if err != nil {
		t.Fatal(err)
	}
	counter.Add(ctx, 3)
	rec := httptest.NewRecorder()
	tel.MetricsHandler().ServeHTTP(rec, httptest.NewRequestWithContext(ctx, http.MethodGet, "/metrics", nil))
	for _, want := range []string{"things_made_total", `service_name="task-service"`, "go_goroutine_count"} {
		if !strings.Contains(rec.Body.String(), want) {
			t.Errorf("%s is missing in /metrics", want)
		}
	}
	end(t, tel)
	end(t, tel) // harmless
}

//nolint:paralleltest // see begin
func TestTracesAndMetricsGoWhereTheVariablesSay(t *testing.T) {
	var mu sync.Mutex
	got := map[string]bool{}
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		got[r.URL.Path] = err == nil && bytes.Contains(body, []byte("task-service"))
	}))
	defer collector.Close()
	tel := begin(t, Config{ServiceName: "task-service", SampleRatio: 1, LogWriter: io.Discard}, map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT": collector.URL, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
		"OTEL_EXPORTER_OTLP_COMPRESSION": "none", "OTEL_LOGS_EXPORTER": "otlp",
	})
	ctx, span := tel.Tracer.Start(t.Context(), "work")
	tel.Logger().InfoContext(ctx, "done")
	span.End()
	end(t, tel)
	http.DefaultClient.CloseIdleConnections()
	for _, path := range []string{"/v1/traces", "/v1/metrics", "/v1/logs"} {
		if !got[path] {
			t.Errorf("nothing of the service arrived at %s: %v", path, got)
		}
	}
}

//nolint:paralleltest // see begin
func TestSamplingRatio(t *testing.T) {
	for ratio, want := range map[float64]bool{0: false, 1: true} {
		tel := begin(t, Config{SampleRatio: ratio, LogWriter: io.Discard}, map[string]string{
			"OTEL_TRACES_EXPORTER": "console", "OTEL_METRICS_EXPORTER": "none",
		})
		_, span := tel.Tracer.Start(t.Context(), "x")
		if span.SpanContext().IsSampled() != want || tel.Sampler.Ratio != ratio {
			t.Errorf("ratio %v: sampled %v", ratio, span.SpanContext().IsSampled())
		}
		if _, child := tel.Tracer.Start(ContextWithTraceparent(t.Context(), parent), "x"); !child.SpanContext().IsSampled() {
			t.Error("a sampled parent's child is not")
		}
		end(t, tel)
	}
}

func TestBadConfigurationIsExplained(t *testing.T) {
	t.Parallel()
	for want, cfg := range map[string]Config{
		"TRACE_SAMPLE_RATIO": {SampleRatio: 2}, "LOG_LEVEL": {LogLevel: "loud"}, "LOG_FORMAT": {LogFormat: "xml"},
	} {
		if _, err := Start(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestTraceparentRoundTrip(t *testing.T) {
	t.Parallel()
	ctx := ContextWithTraceparent(t.Context(), parent)
	if Traceparent(ctx) != parent || TraceID(ctx) != "0af7651916cd43dd8448eb211c80319c" || !trace.SpanContextFromContext(ctx).IsRemote() {
		t.Errorf("got %q", Traceparent(ctx))
	}
	for _, bad := range []string{"", "x", "00-0-0-00", "00-00000000000000000000000000000000-b7ad6b7169203331-01"} {
		if got := Traceparent(ContextWithTraceparent(t.Context(), bad)); got != "" {
			t.Errorf("%q became %q", bad, got)
		}
		if _, ok := LinkTo(bad); ok {
			t.Errorf("%q is a link", bad)
		}
	}
	if link, ok := LinkTo(parent); !ok || !link.SpanContext.IsSampled() {
		t.Errorf("link %v", link)
	}
	if TraceID(t.Context()) != "" || Traceparent(t.Context()) != "" {
		t.Error("nothing has a trace")
	}
}

func TestTraceparentsAreReadAsThePropagatorReadsThem(t *testing.T) {
	t.Parallel()
	values := []string{
		"", "00", parent, strings.TrimSuffix(parent, "1") + "0", strings.TrimSuffix(parent, "01") + "03", strings.TrimSuffix(parent, "01") + "04",
		strings.TrimSuffix(parent, "01") + "ff", strings.ToUpper(parent), parent + "-extra", "01" + parent[2:] + "-extra", "01" + parent[2:], "ff" + parent[2:],
		"00-00000000000000000000000000000000-b7ad6b7169203331-01", "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
	}
	for i := range parent { // each place spoilt
		values = append(values, parent[:i]+"x"+parent[i+1:], parent[:i]+"-"+parent[i+1:], parent[:i]+parent[i+1:])
	}
	for _, tp := range values {
		want := trace.SpanContextFromContext(Propagator.Extract(t.Context(), propagation.MapCarrier{"traceparent": tp}))
		if got := ParseTraceparent(tp); !got.Equal(want) {
			t.Errorf("%q: %+v, want %+v", tp, got, want)
		}
		if got := ParseTraceparent([]byte(tp)); !got.Equal(want) {
			t.Errorf("bytes of %q: %+v, want %+v", tp, got, want)
		}
		written := Traceparent(trace.ContextWithSpanContext(t.Context(), want))
		carrier := propagation.MapCarrier{}
		Propagator.Inject(trace.ContextWithSpanContext(t.Context(), want), carrier)
		if written != carrier["traceparent"] {
			t.Errorf("%q is written %q, the propagator writes %q", tp, written, carrier["traceparent"])
		}
	}
}

func TestTraceresponseSaysOnlyWhetherTheTraceIsRecorded(t *testing.T) {
	t.Parallel()
	sc := ParseTraceparent(parent)
	for flags, want := range map[trace.TraceFlags]string{0: "00", 1: "01", 2: "00", 3: "01"} {
		if got := Traceresponse(sc.WithTraceFlags(flags)); got != strings.TrimSuffix(parent, "01")+want {
			t.Errorf("flags %v: %q", flags, got)
		}
	}
	if got := Traceresponse(trace.SpanContext{}); got != "" {
		t.Errorf("nothing is %q", got)
	}
}

func TestNopMakesIds(t *testing.T) {
	t.Parallel()
	tel := Nop()
	ctx, span := tel.Tracer.Start(t.Context(), "x")
	if len(TraceID(ctx)) != 32 || span.IsRecording() {
		t.Errorf("trace %q, recording %v", TraceID(ctx), span.IsRecording())
	}
	tel.Logger().Info("nowhere")
	end(t, tel)
}

func TestExportErrorsAreLoggedRarely(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	handler := limitedErrorHandler(slog.New(slog.NewTextHandler(&out, nil)))
	for range 10 {
		handler.Handle(errors.New("collector away"))
	}
	if n := strings.Count(out.String(), "collector away"); n != 1 {
		t.Errorf("%d lines", n)
	}
}

func TestFanoutKeepsGroupsAndLevels(t *testing.T) {
	t.Parallel()
	var loud, silent bytes.Buffer
	log := slog.New(fanout{
		slog.NewTextHandler(&loud, &slog.HandlerOptions{Level: slog.LevelDebug}),
		slog.NewTextHandler(&silent, &slog.HandlerOptions{Level: slog.LevelError}),
	}).With("a", 1).WithGroup("g")
	log.Debug("quietly", "b", 2)
	log.Error("loudly", "b", 3)
	if got := loud.String(); !strings.Contains(got, "a=1 g.b=2") || !strings.Contains(got, "a=1 g.b=3") {
		t.Errorf("loud: %s", got)
	}
	if got := silent.String(); strings.Contains(got, "quietly") || !strings.Contains(got, "a=1 g.b=3") {
		t.Errorf("silent: %s", got)
	}
}
