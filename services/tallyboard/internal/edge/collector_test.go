package edge

import (
	"encoding/hex"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/tallyboard/tallyboard/services/internal/kit/traces"
)

// endpoint is an OTLP receiver that keeps the last body of each path.
type endpoint struct {
	mu     sync.Mutex
	bodies map[string][]byte
}

func (e *endpoint) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	e.mu.Lock()
	defer e.mu.Unlock()
	if err == nil {
		e.bodies[r.URL.Path] = body
	}
}

// begin starts a Collector in an environment. Its tests are not parallel: the variables are the process's.
func begin(t *testing.T, environ map[string]string) *Collector {
	t.Helper()
	for name, value := range environ {
		t.Setenv(name, value)
	}
	c, err := StartCollector(t.Context(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

//nolint:paralleltest // see begin
func TestSignalsOfBrowsersGoWhereTheVariablesSay(t *testing.T) {
	received := &endpoint{bodies: map[string][]byte{}}
	server := httptest.NewServer(received)
	defer server.Close()
	c := begin(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": server.URL, "OTEL_EXPORTER_OTLP_COMPRESSION": "none"})
	start := time.Unix(1700000000, 5)
	c.Spans(map[string][]traces.Span{callerTrace: {{
		SpanID: callerSpan, ParentID: "00f067aa0ba902b7", Service: "browser", Name: "PATCH", Kind: traces.Client, Start: start, Duration: time.Second,
		Error: true, Attributes: map[string]any{"ui.view": "board", "http.response.status_code": int64(503), "ui.first": true, "network.rtt": 0.5},
	}}})
	vitals, err := readVitals([]byte(vitalsBody))
	if err != nil {
		t.Fatal(err)
	}
	c.Vitals(vitals)
	if err := c.Stop(t.Context()); err != nil { // sends what waits
		t.Fatal(err)
	}
	var sent tracepb.TracesData
	if err := proto.Unmarshal(received.bodies["/v1/traces"], &sent); err != nil || len(sent.GetResourceSpans()) != 1 {
		t.Fatalf("%v, %v", &sent, err)
	}
	if name := textOf(sent.GetResourceSpans()[0].GetResource().GetAttributes(), "service.name"); name != "browser" {
		t.Errorf("service %q", name)
	}
	span := sent.GetResourceSpans()[0].GetScopeSpans()[0].GetSpans()[0]
	if hex.EncodeToString(span.GetTraceId()) != callerTrace || hex.EncodeToString(span.GetSpanId()) != callerSpan ||
		hex.EncodeToString(span.GetParentSpanId()) != "00f067aa0ba902b7" || span.GetKind() != tracepb.Span_SPAN_KIND_CLIENT ||
		span.GetStartTimeUnixNano() != uint64(start.UnixNano()) || span.GetEndTimeUnixNano()-span.GetStartTimeUnixNano() != 1e9 ||
		span.GetStatus().GetCode() != tracepb.Status_STATUS_CODE_ERROR || len(span.GetAttributes()) != 4 || textOf(span.GetAttributes(), "ui.view") != "board" {
		t.Errorf("span %v", span)
	}
	var measured metricspb.MetricsData
	if err := proto.Unmarshal(received.bodies["/v1/metrics"], &measured); err != nil || len(measured.GetResourceMetrics()) != 1 {
		t.Fatalf("%v, %v", &measured, err)
	}
	if name := textOf(measured.GetResourceMetrics()[0].GetResource().GetAttributes(), "service.name"); name != "browser" {
		t.Errorf("service %q", name)
	}
	if text := string(received.bodies["/v1/metrics"]); strings.Contains(text, "Ada") || !strings.Contains(text, "browser.web_vital.duration") {
		t.Errorf("metrics %q", text)
	}
}

func textOf(attrs []*commonpb.KeyValue, key string) string {
	for _, kv := range attrs {
		if kv.GetKey() == key {
			return kv.GetValue().GetStringValue()
		}
	}
	return ""
}

//nolint:paralleltest // see begin
func TestNothingIsPassedOnUnlessAsked(t *testing.T) {
	for _, environ := range []map[string]string{
		{},
		{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_SDK_DISABLED": "true"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_SDK_DISABLED": "", "OTEL_TRACES_EXPORTER": "console", "OTEL_METRICS_EXPORTER": "none"},
	} {
		c := begin(t, environ)
		if c != nil {
			t.Errorf("%v: there is one", environ)
		}
		c.Spans(nil)
		c.Vitals(nil)
		if err := c.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

//nolint:paralleltest // see begin
func TestBrowsersDoNotWaitForACollectorThatIsAway(t *testing.T) {
	for _, protocol := range []string{"http/protobuf", "grpc"} {
		c := begin(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_EXPORTER_OTLP_PROTOCOL": protocol})
		for range 3 * collectorQueue { // more than fit
			c.Spans(map[string][]traces.Span{callerTrace: {{SpanID: callerSpan}}})
		}
		if err := c.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
