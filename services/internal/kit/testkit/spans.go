package testkit

import (
	"context"
	"encoding/hex"
	"maps"
	"slices"
	"sync"
	"time"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
)

// Span is an exported span as tests look at it. Ids are hexadecimal; ParentID is "" for a root.
type Span struct {
	TraceID, SpanID, ParentID string
	Name                      string
	Kind                      string // such as "SERVER"
	Service, Instance         string
	Start, End                time.Time
	Failed                    bool
	Attributes                map[string]any
	Events                    []SpanEvent
	Links                     []string // span ids
}

// SpanEvent is an event of a span.
type SpanEvent struct {
	Name       string
	Attributes map[string]any
}

// Traceparent returns the span's W3C traceparent.
func (s Span) Traceparent() string { return "00-" + s.TraceID + "-" + s.SpanID + "-01" }

// Event returns the span's first event of that name.
func (s Span) Event(name string) (SpanEvent, bool) {
	i := slices.IndexFunc(s.Events, func(e SpanEvent) bool { return e.Name == name })
	if i < 0 {
		return SpanEvent{}, false
	}
	return s.Events[i], true
}

// Spans collects the spans that services export. It is an otlptrace.Client (telemetry.Config.Spans) and may serve several
// services at once; the zero value is ready.
type Spans struct {
	mu  sync.Mutex
	all []Span
}

// Start implements otlptrace.Client.
func (*Spans) Start(context.Context) error { return nil }

// Stop implements otlptrace.Client.
func (*Spans) Stop(context.Context) error { return nil }

// UploadTraces implements otlptrace.Client.
func (c *Spans) UploadTraces(_ context.Context, resources []*tracepb.ResourceSpans) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range resources {
		of := valuesOf(r.GetResource().GetAttributes())
		service, _ := of["service.name"].(string)
		instance, _ := of["service.instance.id"].(string)
		for _, scope := range r.GetScopeSpans() {
			for _, s := range scope.GetSpans() {
				span := spanOf(s)
				span.Service, span.Instance = service, instance
				c.all = append(c.all, span)
			}
		}
	}
	return nil
}

// All returns what has arrived so far, in the order of ending.
func (c *Spans) All() []Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.all)
}

// Of returns the spans of a trace that have arrived so far.
func (c *Spans) Of(traceID string) []Span {
	return slices.DeleteFunc(c.All(), func(s Span) bool { return s.TraceID != traceID })
}

// Named returns the spans of a trace with that name.
func (c *Spans) Named(traceID, name string) []Span {
	return slices.DeleteFunc(c.Of(traceID), func(s Span) bool { return s.Name != name })
}

func spanOf(s *tracepb.Span) Span {
	out := Span{
		TraceID: hex.EncodeToString(s.GetTraceId()), SpanID: hex.EncodeToString(s.GetSpanId()), ParentID: hex.EncodeToString(s.GetParentSpanId()),
		Name: s.GetName(), Kind: s.GetKind().String()[len("SPAN_KIND_"):], Attributes: valuesOf(s.GetAttributes()),
		Start: at(s.GetStartTimeUnixNano()), End: at(s.GetEndTimeUnixNano()),
		Failed: s.GetStatus().GetCode() == tracepb.Status_STATUS_CODE_ERROR,
	}
	for _, e := range s.GetEvents() {
		out.Events = append(out.Events, SpanEvent{e.GetName(), valuesOf(e.GetAttributes())})
	}
	for _, l := range s.GetLinks() {
		out.Links = append(out.Links, hex.EncodeToString(l.GetSpanId()))
	}
	return out
}

func at(nanoseconds uint64) time.Time { return time.Unix(0, int64(nanoseconds)) }

// valuesOf returns attributes as strings, int64s, float64s and bools; what is none of these as its text.
func valuesOf(attrs []*commonpb.KeyValue) map[string]any {
	out := make(map[string]any, len(attrs))
	for _, kv := range attrs {
		switch v := kv.GetValue().GetValue().(type) {
		case *commonpb.AnyValue_StringValue:
			out[kv.GetKey()] = v.StringValue
		case *commonpb.AnyValue_IntValue:
			out[kv.GetKey()] = v.IntValue
		case *commonpb.AnyValue_DoubleValue:
			out[kv.GetKey()] = v.DoubleValue
		case *commonpb.AnyValue_BoolValue:
			out[kv.GetKey()] = v.BoolValue
		default:
			out[kv.GetKey()] = kv.GetValue().String()
		}
	}
	return out
}

// Texts returns every text of a span that people can read: its name, and the keys and values of its attributes and those
// of its events.
func (s Span) Texts() []string {
	out := []string{s.Name}
	add := func(attrs map[string]any) {
		for _, k := range slices.Sorted(maps.Keys(attrs)) {
			out = append(out, k)
			if text, ok := attrs[k].(string); ok {
				out = append(out, text)
			}
		}
	}
	add(s.Attributes)
	for _, e := range s.Events {
		out = append(out, e.Name)
		add(e.Attributes)
	}
	return out
}
