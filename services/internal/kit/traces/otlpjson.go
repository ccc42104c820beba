package traces

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
)

// decodeJSON reads traces in OTLP's JSON encoding
// (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding). It is protobuf's own JSON but for ids, which are
// hexadecimal where protobuf would have base64; so protojson cannot read it. Unknown members are ignored, as the
// specification demands. Errors say what is wrong without repeating the input.
func decodeJSON(body []byte) ([]*tracepb.ResourceSpans, error) {
	var in jsonTraces
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, fmt.Errorf("decode OTLP JSON: %w", err)
	}
	out := make([]*tracepb.ResourceSpans, 0, len(in.ResourceSpans))
	for _, r := range in.ResourceSpans {
		group := &tracepb.ResourceSpans{Resource: &resourcepb.Resource{Attributes: keyValues(r.Resource.Attributes)}}
		for _, scope := range r.ScopeSpans {
			spans := &tracepb.ScopeSpans{Spans: make([]*tracepb.Span, len(scope.Spans))}
			for i := range scope.Spans {
				spans.Spans[i] = scope.Spans[i].proto()
			}
			group.ScopeSpans = append(group.ScopeSpans, spans)
		}
		out = append(out, group)
	}
	return out, nil
}

type jsonTraces struct {
	ResourceSpans []struct {
		Resource struct {
			Attributes []jsonKeyValue `json:"attributes"`
		} `json:"resource"`
		ScopeSpans []struct {
			Spans []jsonSpan `json:"spans"`
		} `json:"scopeSpans"`
	} `json:"resourceSpans"`
}

type jsonSpan struct {
	TraceID      hexID          `json:"traceId"`
	SpanID       hexID          `json:"spanId"`
	ParentSpanID hexID          `json:"parentSpanId"`
	Name         string         `json:"name"`
	Kind         enum           `json:"kind"`
	Start        number[uint64] `json:"startTimeUnixNano"`
	End          number[uint64] `json:"endTimeUnixNano"`
	Attributes   []jsonKeyValue `json:"attributes"`
	Events       []struct {
		Name       string         `json:"name"`
		Time       number[uint64] `json:"timeUnixNano"`
		Attributes []jsonKeyValue `json:"attributes"`
	} `json:"events"`
	Links []struct {
		TraceID hexID `json:"traceId"`
		SpanID  hexID `json:"spanId"`
	} `json:"links"`
	Status struct {
		Code    enum   `json:"code"`
		Message string `json:"message"`
	} `json:"status"`
}

func (s *jsonSpan) proto() *tracepb.Span {
	out := &tracepb.Span{
		TraceId: s.TraceID, SpanId: s.SpanID, ParentSpanId: s.ParentSpanID, Name: s.Name,
		Kind: tracepb.Span_SpanKind(s.Kind), StartTimeUnixNano: s.Start.value, EndTimeUnixNano: s.End.value,
		Attributes: keyValues(s.Attributes),
		Status:     &tracepb.Status{Code: tracepb.Status_StatusCode(s.Status.Code), Message: s.Status.Message},
	}
	for _, e := range s.Events {
		out.Events = append(out.Events, &tracepb.Span_Event{Name: e.Name, TimeUnixNano: e.Time.value, Attributes: keyValues(e.Attributes)})
	}
	for _, l := range s.Links {
		out.Links = append(out.Links, &tracepb.Span_Link{TraceId: l.TraceID, SpanId: l.SpanID})
	}
	return out
}

type jsonKeyValue struct {
	Key   string    `json:"key"`
	Value jsonValue `json:"value"`
}

// jsonValue has at most one member set.
type jsonValue struct {
	String *string          `json:"stringValue"`
	Bool   *bool            `json:"boolValue"`
	Int    *number[int64]   `json:"intValue"`
	Double *number[float64] `json:"doubleValue"`
	Array  *struct {
		Values []jsonValue `json:"values"`
	} `json:"arrayValue"`
}

func keyValues(in []jsonKeyValue) []*commonpb.KeyValue {
	out := make([]*commonpb.KeyValue, len(in))
	for i := range in {
		out[i] = &commonpb.KeyValue{Key: in[i].Key, Value: in[i].Value.proto(0)}
	}
	return out
}

func (v *jsonValue) proto(depth int) *commonpb.AnyValue {
	switch {
	case v.String != nil:
		return &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: *v.String}}
	case v.Bool != nil:
		return &commonpb.AnyValue{Value: &commonpb.AnyValue_BoolValue{BoolValue: *v.Bool}}
	case v.Int != nil:
		return &commonpb.AnyValue{Value: &commonpb.AnyValue_IntValue{IntValue: v.Int.value}}
	case v.Double != nil:
		return &commonpb.AnyValue{Value: &commonpb.AnyValue_DoubleValue{DoubleValue: v.Double.value}}
	case v.Array != nil && depth < maxValueDepth:
		list := &commonpb.ArrayValue{Values: make([]*commonpb.AnyValue, len(v.Array.Values))}
		for i := range v.Array.Values {
			list.Values[i] = v.Array.Values[i].proto(depth + 1)
		}
		return &commonpb.AnyValue{Value: &commonpb.AnyValue_ArrayValue{ArrayValue: list}}
	}
	return nil
}

// hexID is bytes written in hexadecimal digits of either case.
type hexID []byte

// UnmarshalText implements encoding.TextUnmarshaler.
func (h *hexID) UnmarshalText(text []byte) error {
	if len(text) > 2*traceIDBytes {
		return fmt.Errorf("an id has at most %d digits", 2*traceIDBytes)
	}
	id, err := hex.DecodeString(string(text))
	if err != nil {
		return fmt.Errorf("an id must be hexadecimal")
	}
	*h = id
	return nil
}

// number is a JSON number, or one in quotes, as protobuf writes 64-bit integers.
type number[T uint64 | int64 | float64] struct{ value T }

// UnmarshalJSON implements json.Unmarshaler.
func (n *number[T]) UnmarshalJSON(text []byte) error {
	digits := strings.Trim(string(text), `"`)
	if digits == "null" {
		return nil
	}
	var err error
	switch value := any(&n.value).(type) {
	case *uint64:
		*value, err = strconv.ParseUint(digits, 10, 64)
	case *int64:
		*value, err = strconv.ParseInt(digits, 10, 64)
	case *float64:
		*value, err = strconv.ParseFloat(digits, 64)
	}
	if err != nil {
		return fmt.Errorf("%.20q is not a number of its kind", digits)
	}
	return nil
}

// enum is the number of an enumeration's value. Names, which protobuf allows and OTLP forbids, mean 0: unspecified.
type enum int32

// UnmarshalJSON implements json.Unmarshaler.
func (e *enum) UnmarshalJSON(text []byte) error {
	if v, err := strconv.ParseInt(string(text), 10, 32); err == nil {
		*e = enum(v)
	}
	return nil
}
