package traces

import (
	"encoding/json"
	"strings"
	"time"
)

// jaegerAnswer is what /api/traces answers with. Jaeger writes traceID, spanID and processID; reading JSON, case is ignored.
type jaegerAnswer struct {
	Data []struct {
		TraceID   string       `json:"traceId"`
		Spans     []jaegerSpan `json:"spans"`
		Processes map[string]struct {
			Service string      `json:"serviceName"`
			Tags    []jaegerTag `json:"tags"`
		} `json:"processes"`
	} `json:"data"`
}

// jaegerSpan has times in microseconds, and what OTLP has fields for in tags.
type jaegerSpan struct {
	SpanID     string            `json:"spanId"`
	Name       string            `json:"operationName"`
	References []jaegerReference `json:"references"`
	Start      int64             `json:"startTime"`
	Duration   int64             `json:"duration"`
	Tags       []jaegerTag       `json:"tags"`
	Logs       []struct {
		Time   int64       `json:"timestamp"`
		Fields []jaegerTag `json:"fields"`
	} `json:"logs"`
	Process string `json:"processId"`
}

// jaegerReference is a parent (CHILD_OF) or a link (FOLLOWS_FROM).
type jaegerReference struct {
	Type    string `json:"refType"`
	TraceID string `json:"traceId"`
	SpanID  string `json:"spanId"`
}

// jaegerTag is an attribute; the type says how Value is to be read.
type jaegerTag struct {
	Key   string          `json:"key"`
	Type  string          `json:"type"`
	Value json.RawMessage `json:"value"`
}

// Tags that Jaeger makes of fields of OTLP.
const (
	tagKind        = "span.kind"
	tagError       = "error"
	tagStatus      = "otel.status_code"
	tagDescription = "otel.status_description"
	tagInstance    = "service.instance.id"
	logName        = "event"
)

// told is what Jaeger tells of one trace, within the limits that a Buffer has: what exceeds them is counted in dropped.
type told struct {
	spans   []Span
	index   map[string]int // span id → place in spans
	browser int            // number of spans of browsers
	dropped int
}

// traces returns what is told by trace.
func (a *jaegerAnswer) traces() map[string]*told {
	out := make(map[string]*told, len(a.Data))
	for i := range a.Data {
		trace := &a.Data[i]
		id := padded(trace.TraceID, 2*traceIDBytes)
		if out[id] == nil {
			out[id] = &told{index: map[string]int{}}
		}
		for k := range trace.Spans {
			process := trace.Processes[trace.Spans[k].Process]
			service := cut(process.Service)
			if service == "" {
				service = unknownService
			}
			if at := out[id].place(&trace.Spans[k], service); at != nil {
				*at = trace.Spans[k].span(id)
				at.Service = service
				at.Instance, _ = tags(process.Tags)[tagInstance].(string)
			}
		}
	}
	return out
}

// place returns where a span is to be put; nil if it is not kept. A span that is there twice counts once, and a service's
// takes the place of a browser's: nobody can hide a service's span by being first.
func (t *told) place(s *jaegerSpan, service string) *Span {
	id := padded(s.SpanID, 2*spanIDBytes)
	at, known := t.index[id]
	fromBrowser := service == BrowserService
	switch {
	case known && (fromBrowser || t.spans[at].Service != BrowserService):
		return nil
	case known:
		t.browser--
		return &t.spans[at]
	case len(t.spans) >= defaultSpans, fromBrowser && t.browser >= maxBrowserSpans:
		t.dropped++
		return nil
	case fromBrowser:
		t.browser++
	}
	t.index[id] = len(t.spans)
	t.spans = append(t.spans, Span{})
	return &t.spans[len(t.spans)-1]
}

// arrived is the number of spans that Jaeger has of the trace.
func (t *told) arrived() int { return len(t.spans) + t.dropped }

// byBrowserOnly reports whether no service has told of the trace.
func (t *told) byBrowserOnly() bool { return len(t.spans) == t.browser }

func (s *jaegerSpan) span(traceID string) Span {
	out := Span{
		SpanID: padded(s.SpanID, 2*spanIDBytes), Name: cut(s.Name), Kind: Internal, Start: time.UnixMicro(s.Start).UTC(),
		Duration: time.Duration(max(s.Duration, 0)) * time.Microsecond, Attributes: tags(s.Tags),
	}
	out.refer(s.References, traceID)
	if kind, ok := out.Attributes[tagKind].(string); ok {
		switch k := Kind(kind); k {
		case Internal, Server, Client, Producer, Consumer:
			out.Kind = k
		}
	}
	out.StatusMessage, _ = out.Attributes[tagDescription].(string)
	failed, _ := out.Attributes[tagError].(bool)
	out.Error = failed || out.Attributes[tagStatus] == "ERROR"
	for _, key := range []string{tagKind, tagError, tagStatus, tagDescription} {
		delete(out.Attributes, key)
	}
	for _, l := range s.Logs[:min(len(s.Logs), maxEvents)] {
		e := Event{Time: time.UnixMicro(l.Time).UTC(), Attributes: tags(l.Fields)}
		e.Name, _ = e.Attributes[logName].(string)
		delete(e.Attributes, logName)
		out.Events = append(out.Events, e)
	}
	return out
}

// refer sets parent and links. A link to the parent itself, such as consumers have, takes the parent's place in Jaeger: so
// without a parent, the first link within the trace is the parent as well.
func (s *Span) refer(references []jaegerReference, traceID string) {
	var followed string
	for _, r := range references {
		target := Link{TraceID: padded(r.TraceID, 2*traceIDBytes), SpanID: padded(r.SpanID, 2*spanIDBytes)}
		switch {
		case r.Type == "CHILD_OF" && target.TraceID == traceID && s.ParentID == "":
			s.ParentID = target.SpanID
			continue
		case r.Type != "CHILD_OF" && target.TraceID == traceID && followed == "":
			followed = target.SpanID
		}
		if len(s.Links) < maxLinks {
			s.Links = append(s.Links, target)
		}
	}
	switch {
	case s.ParentID == "":
		s.ParentID = followed
	case madeUp(traceID, s.ParentID):
		s.ParentID = ""
	}
}

// padded brings an id, of which Jaeger leaves out leading zeros, to its length.
func padded(id string, length int) string {
	return strings.Repeat("0", max(0, length-len(id))) + strings.ToLower(id)
}

func tags(in []jaegerTag) map[string]any {
	out := make(map[string]any, min(len(in), maxAttributes))
	for _, tag := range in {
		if v := tag.value(); v != nil && len(out) < maxAttributes {
			out[cut(tag.Key)] = v
		}
	}
	return out
}

// value is as in Span.Attributes; nil for what is of no such type. Lists come as texts in JSON and stay so.
func (t *jaegerTag) value() any {
	var err error
	switch t.Type {
	case "bool":
		var v bool
		if err = json.Unmarshal(t.Value, &v); err == nil {
			return v
		}
	case "int64":
		var v number[int64]
		if err = v.UnmarshalJSON(t.Value); err == nil {
			return v.value
		}
	case "float64":
		var v number[float64]
		if err = v.UnmarshalJSON(t.Value); err == nil && v.value-v.value == 0 {
			return v.value
		}
	}
	var v string
	if err = json.Unmarshal(t.Value, &v); err == nil {
		return cut(v)
	}
	return nil
}
