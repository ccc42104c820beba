package traces

import (
	"encoding/hex"
	"strings"
	"testing"
	"time"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// origin is when the traces of these tests begin.
var origin = time.Date(2026, 11, 2, 8, 15, 0, 0, time.UTC)

// ms is a number of milliseconds.
func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }

// sp is a span in short: who, what, and from when to when in milliseconds after origin.
type sp struct {
	trace, id, parent, service, name string
	kind                             Kind
	from, to                         int
	failed                           bool
	attributes                       map[string]any
	links                            [][2]string
	events                           []string
}

// traceID and spanID fill short names up, so that tests can call them a, b, c.
func traceID(name string) string { return hexOf(name, traceIDBytes) }
func spanID(name string) string  { return hexOf(name, spanIDBytes) }

func hexOf(name string, size int) string {
	if name == "" {
		return ""
	}
	digits := hex.EncodeToString([]byte(name))
	return strings.Repeat("0", 2*size-len(digits)) + digits
}

func rawID(t testing.TB, name string, size int) []byte {
	t.Helper()
	id, err := hex.DecodeString(hexOf(name, size))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// otlp makes OTLP of spans, one resource for each.
func otlp(t testing.TB, spans ...sp) []*tracepb.ResourceSpans {
	t.Helper()
	kinds := map[Kind]tracepb.Span_SpanKind{
		"": tracepb.Span_SPAN_KIND_INTERNAL, Internal: tracepb.Span_SPAN_KIND_INTERNAL, Server: tracepb.Span_SPAN_KIND_SERVER,
		Client: tracepb.Span_SPAN_KIND_CLIENT, Producer: tracepb.Span_SPAN_KIND_PRODUCER, Consumer: tracepb.Span_SPAN_KIND_CONSUMER,
	}
	out := make([]*tracepb.ResourceSpans, 0, len(spans))
	for _, s := range spans {
		span := &tracepb.Span{
			TraceId: rawID(t, s.trace, traceIDBytes), SpanId: rawID(t, s.id, spanIDBytes), ParentSpanId: rawID(t, s.parent, spanIDBytes),
			Name: s.name, Kind: kinds[s.kind], StartTimeUnixNano: uint64(origin.Add(ms(s.from)).UnixNano()),
			EndTimeUnixNano: uint64(origin.Add(ms(s.to)).UnixNano()), Attributes: pairs(s.attributes), Status: &tracepb.Status{},
		}
		if s.failed {
			span.Status = &tracepb.Status{Code: tracepb.Status_STATUS_CODE_ERROR, Message: "internal"}
		}
		for _, l := range s.links {
			span.Links = append(span.Links, &tracepb.Span_Link{TraceId: rawID(t, l[0], traceIDBytes), SpanId: rawID(t, l[1], spanIDBytes)})
		}
		for _, name := range s.events {
			span.Events = append(span.Events, &tracepb.Span_Event{
				Name: name, TimeUnixNano: span.GetEndTimeUnixNano(), Attributes: pairs(map[string]any{"subscribers": int64(2)}),
			})
		}
		out = append(out, &tracepb.ResourceSpans{
			Resource:   &resourcepb.Resource{Attributes: pairs(map[string]any{"service.name": s.service, "service.instance.id": s.service + "-1"})},
			ScopeSpans: []*tracepb.ScopeSpans{{Spans: []*tracepb.Span{span}}},
		})
	}
	return out
}

func pairs(attributes map[string]any) []*commonpb.KeyValue {
	var out []*commonpb.KeyValue
	for key, v := range attributes {
		value := &commonpb.AnyValue{}
		switch v := v.(type) {
		case string:
			value.Value = &commonpb.AnyValue_StringValue{StringValue: v}
		case int64:
			value.Value = &commonpb.AnyValue_IntValue{IntValue: v}
		case bool:
			value.Value = &commonpb.AnyValue_BoolValue{BoolValue: v}
		case float64:
			value.Value = &commonpb.AnyValue_DoubleValue{DoubleValue: v}
		}
		out = append(out, &commonpb.KeyValue{Key: key, Value: value})
	}
	return out
}

// spansOf turns spans in short into those of the model.
func spansOf(t testing.TB, spans ...sp) []Span {
	t.Helper()
	var out []Span
	for _, r := range convert(otlp(t, spans...)) {
		out = append(out, r.span)
	}
	return out
}

// request is the attributes of a server span.
func request(method, route string, status int64) map[string]any {
	return map[string]any{"http.request.method": method, "http.route": route, "http.response.status_code": status}
}

// with adds an attribute.
func with(attributes map[string]any, key string, v any) map[string]any {
	attributes[key] = v
	return attributes
}

func sql(collection string) map[string]any {
	return map[string]any{"db.system.name": "mysql", "db.collection.name": collection}
}

// The traces that every source is tried with: a click that goes through everything, a request that failed, and a batch
// that goes back to both.
func oneClick() []sp {
	return []sp{
		{trace: "click", id: "ui", service: "browser", name: "move task", from: 0, to: 60, attributes: map[string]any{"ui.action": "move task"}},
		{trace: "click", id: "fetch", parent: "ui", service: "browser", name: "PATCH", kind: Client, from: 2, to: 58},
		{trace: "click", id: "edge", parent: "fetch", service: "edge", name: "PATCH", kind: Server, from: 6, to: 52},
		{
			trace: "click", id: "serve", parent: "edge", service: "task-service", name: "PATCH /api/v1/tasks/{ref}", kind: Server, from: 8, to: 50,
			attributes: with(request("PATCH", "/api/v1/tasks/{ref}", 200), AttrTaskKey, "WEB-42"),
		},
		{trace: "click", id: "select", parent: "serve", service: "task-service", name: "SELECT tasks", kind: Client, from: 10, to: 20, attributes: sql("tasks")},
		{trace: "click", id: "update", parent: "serve", service: "task-service", name: "UPDATE tasks", kind: Client, from: 22, to: 45, attributes: sql("tasks")},
		{trace: "click", id: "publish", parent: "serve", service: "task-service", name: "publish tasks.WEB", kind: Producer, from: 70, to: 74},
		{
			trace: "click", id: "process", parent: "publish", service: "stats-service", name: "process tasks.WEB", kind: Consumer, from: 76, to: 100,
			links: [][2]string{{"click", "publish"}},
		},
		{trace: "click", id: "insert", parent: "process", service: "stats-service", name: "INSERT stats", kind: Client, from: 80, to: 96, attributes: sql("stats")},
		{
			trace: "click", id: "deliver", parent: "publish", service: "task-service", name: "deliver tasks.WEB", kind: Consumer, from: 75, to: 78,
			events: []string{"sse.deliver"},
		},
		{trace: "click", id: "shown", parent: "deliver", service: "browser", name: "live update", kind: Consumer, from: 79, to: 85},
	}
}

func failedRequest() []sp {
	return []sp{
		{trace: "fail", id: "edge", service: "edge", name: "GET", kind: Server, from: 1000, to: 1030},
		{
			trace: "fail", id: "serve", parent: "edge", service: "task-service", name: "GET /api/v1/tasks", kind: Server, from: 1002, to: 1029, failed: true,
			attributes: request("GET", "/api/v1/tasks", 500),
		},
		{
			trace: "fail", id: "select", parent: "serve", service: "task-service", name: "SELECT tasks", kind: Client, from: 1003, to: 1028, failed: true,
			attributes: sql("tasks"),
		},
	}
}

func batch() []sp {
	return []sp{{
		trace: "batch", id: "process", service: "stats-service", name: "process tasks.WEB", kind: Consumer, from: 5000, to: 5400,
		links: [][2]string{{"click", "publish"}, {"fail", "serve"}},
	}}
}
