package edge

import (
	"encoding/hex"
	"time"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/tallyboard/tallyboard/services/internal/kit/traces"
)

// browserSpans writes spans of a browser as OTLP.
func browserSpans(byTrace map[string][]traces.Span) []*tracepb.ResourceSpans {
	scope := &tracepb.ScopeSpans{Scope: &commonpb.InstrumentationScope{Name: traces.BrowserService}}
	for id, spans := range byTrace {
		for i := range spans {
			scope.Spans = append(scope.Spans, browserSpan(id, &spans[i]))
		}
	}
	resource := &resourcepb.Resource{Attributes: attributes(map[string]any{"service.name": traces.BrowserService})}
	return []*tracepb.ResourceSpans{{Resource: resource, ScopeSpans: []*tracepb.ScopeSpans{scope}}}
}

func browserSpan(traceID string, s *traces.Span) *tracepb.Span {
	kind := tracepb.Span_SPAN_KIND_INTERNAL
	switch s.Kind {
	case traces.Client:
		kind = tracepb.Span_SPAN_KIND_CLIENT
	case traces.Consumer:
		kind = tracepb.Span_SPAN_KIND_CONSUMER
	case traces.Internal, traces.Server, traces.Producer: // the latter two are not a browser's
	}
	span := &tracepb.Span{
		TraceId: unhex(traceID), SpanId: unhex(s.SpanID), ParentSpanId: unhex(s.ParentID), Name: s.Name, Kind: kind,
		StartTimeUnixNano: nanos(s.Start), EndTimeUnixNano: nanos(s.End()), Attributes: attributes(s.Attributes),
	}
	if s.Error {
		span.Status = &tracepb.Status{Code: tracepb.Status_STATUS_CODE_ERROR}
	}
	return span
}

// attributes writes values of the types that browsers' attributes have.
func attributes(in map[string]any) []*commonpb.KeyValue {
	out := make([]*commonpb.KeyValue, 0, len(in))
	for key, v := range in {
		value := &commonpb.AnyValue{}
		switch v := v.(type) {
		case string:
			value.Value = &commonpb.AnyValue_StringValue{StringValue: v}
		case bool:
			value.Value = &commonpb.AnyValue_BoolValue{BoolValue: v}
		case int64:
			value.Value = &commonpb.AnyValue_IntValue{IntValue: v}
		case float64:
			value.Value = &commonpb.AnyValue_DoubleValue{DoubleValue: v}
		default:
			continue
		}
		out = append(out, &commonpb.KeyValue{Key: key, Value: value})
	}
	return out
}

// unhex returns the bytes of an id; "" is none.
func unhex(id string) []byte {
	raw, err := hex.DecodeString(id)
	if err != nil {
		return nil
	}
	return raw
}

func nanos(t time.Time) uint64 { return uint64(max(t.UnixNano(), 0)) }
