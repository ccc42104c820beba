package traces

import (
	"encoding/hex"
	"strings"
	"time"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
)

// Limits of one span; what exceeds them is cut off. The SDKs have the same or lower ones by default.
const (
	maxAttributes  = 128  // per span, event or resource
	maxEvents      = 128  // per span
	maxLinks       = 128  // per span
	maxText        = 4096 // bytes of a name or a value
	maxListItems   = 128  // of a value that is a list
	maxValueDepth  = 4    // of lists in lists
	traceIDBytes   = 16
	spanIDBytes    = 8
	unknownService = "unknown"
)

// received is a span on its way into a trace.
type received struct {
	traceID string
	span    Span
}

// convert turns OTLP spans into those of the model. Spans without valid ids are left out.
func convert(groups []*tracepb.ResourceSpans) []received {
	out := make([]received, 0, count(groups))
	for _, group := range groups {
		resource := attributes(group.GetResource().GetAttributes())
		service, _ := resource["service.name"].(string)
		if service == "" {
			service = unknownService
		}
		instance, _ := resource["service.instance.id"].(string)
		for _, scope := range group.GetScopeSpans() {
			for _, s := range scope.GetSpans() {
				if r, ok := convertSpan(s); ok {
					r.span.Service, r.span.Instance = service, instance
					out = append(out, r)
				}
			}
		}
	}
	return out
}

// count is the number of spans in all groups.
func count(groups []*tracepb.ResourceSpans) int {
	n := 0
	for _, group := range groups {
		for _, scope := range group.GetScopeSpans() {
			n += len(scope.GetSpans())
		}
	}
	return n
}

func convertSpan(s *tracepb.Span) (received, bool) {
	if !validID(s.GetTraceId(), traceIDBytes) || !validID(s.GetSpanId(), spanIDBytes) {
		return received{}, false
	}
	start := nanos(s.GetStartTimeUnixNano())
	r := received{traceID: hex.EncodeToString(s.GetTraceId()), span: Span{
		SpanID: hex.EncodeToString(s.GetSpanId()), Name: cut(s.GetName()), Kind: kindOf(s.GetKind()),
		Start: start, Duration: max(nanos(s.GetEndTimeUnixNano()).Sub(start), 0),
		Error:         s.GetStatus().GetCode() == tracepb.Status_STATUS_CODE_ERROR,
		StatusMessage: cut(s.GetStatus().GetMessage()), Attributes: attributes(s.GetAttributes()),
	}}
	if validID(s.GetParentSpanId(), spanIDBytes) && !madeUp(r.traceID, hex.EncodeToString(s.GetParentSpanId())) {
		r.span.ParentID = hex.EncodeToString(s.GetParentSpanId())
	}
	for _, e := range s.GetEvents()[:min(len(s.GetEvents()), maxEvents)] {
		r.span.Events = append(r.span.Events, Event{
			Name: cut(e.GetName()), Time: nanos(e.GetTimeUnixNano()), Attributes: attributes(e.GetAttributes()),
		})
	}
	for _, l := range s.GetLinks()[:min(len(s.GetLinks()), maxLinks)] {
		if validID(l.GetTraceId(), traceIDBytes) && validID(l.GetSpanId(), spanIDBytes) {
			r.span.Links = append(r.span.Links, Link{TraceID: hex.EncodeToString(l.GetTraceId()), SpanID: hex.EncodeToString(l.GetSpanId())})
		}
	}
	return r, true
}

// madeUp reports whether a parent is none: an nginx without its OpenTelemetry module has no span, and gives a request that
// brings no trace the second half of the trace's id for a parent (deploy/nginx/trace-plain.conf), since a traceparent
// must name one.
func madeUp(traceID, parentID string) bool {
	return parentID != "" && strings.HasSuffix(traceID, parentID)
}

// validID reports whether an id has its length and is not all zero.
func validID(id []byte, length int) bool {
	if len(id) != length {
		return false
	}
	for _, b := range id {
		if b != 0 {
			return true
		}
	}
	return false
}

// nanos is a moment in nanoseconds since 1970. Moments beyond the year 2262, which int64 cannot hold, are put there.
func nanos(n uint64) time.Time { return time.Unix(0, int64(min(n, 1<<63-1))).UTC() }

func kindOf(k tracepb.Span_SpanKind) Kind {
	switch k {
	case tracepb.Span_SPAN_KIND_SERVER:
		return Server
	case tracepb.Span_SPAN_KIND_CLIENT:
		return Client
	case tracepb.Span_SPAN_KIND_PRODUCER:
		return Producer
	case tracepb.Span_SPAN_KIND_CONSUMER:
		return Consumer
	}
	return Internal
}

func attributes(in []*commonpb.KeyValue) map[string]any {
	if len(in) == 0 {
		return nil
	}
	out := make(map[string]any, min(len(in), maxAttributes))
	for _, kv := range in {
		if len(out) >= maxAttributes {
			break
		}
		if v := value(kv.GetValue(), 0); v != nil && kv.GetKey() != "" {
			out[cut(kv.GetKey())] = v
		}
	}
	return out
}

// value is an attribute's value as string, bool, int64, float64 or []any; nil for what is empty or of another shape.
func value(v *commonpb.AnyValue, depth int) any {
	switch v := v.GetValue().(type) {
	case *commonpb.AnyValue_StringValue:
		return cut(v.StringValue)
	case *commonpb.AnyValue_BoolValue:
		return v.BoolValue
	case *commonpb.AnyValue_IntValue:
		return v.IntValue
	case *commonpb.AnyValue_DoubleValue:
		if v.DoubleValue-v.DoubleValue != 0 { // NaN and the infinities have no JSON
			return nil
		}
		return v.DoubleValue
	case *commonpb.AnyValue_ArrayValue:
		if depth >= maxValueDepth {
			return nil
		}
		items := v.ArrayValue.GetValues()
		list := make([]any, 0, min(len(items), maxListItems))
		for _, item := range items[:min(len(items), maxListItems)] {
			if v := value(item, depth+1); v != nil {
				list = append(list, v)
			}
		}
		return list
	}
	return nil
}
