package telemetry

import (
	"context"
	"encoding/hex"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Propagator is W3C Trace Context, the only propagation format in use: it is what browsers, nginx and our own events
// carry. Baggage is left out, because a browser could fill it.
var Propagator propagation.TextMapPropagator = propagation.TraceContext{}

// Traceparent returns the W3C traceparent of the span in ctx, or "" without one. It is what an event stores, so that
// its consumers, even much later, can join the trace that made it.
func Traceparent(ctx context.Context) string {
	sc := trace.SpanContextFromContext(ctx)
	return header(sc, sc.TraceFlags()&(trace.FlagsSampled|trace.FlagsRandom))
}

// HeaderTraceresponse is the response header by which a caller learns the server's span and whether it is recorded
// (W3C Trace Context Level 2, draft).
const HeaderTraceresponse = "traceresponse"

// Traceresponse returns the value of HeaderTraceresponse for a server span: 00-<trace id>-<span id>-<flags>. Its flags
// are 01, the trace is recorded, or 00, it is not.
func Traceresponse(sc trace.SpanContext) string {
	return header(sc, sc.TraceFlags()&trace.FlagsSampled)
}

// headerLength is the length of a traceparent of version 00, in bytes.
const headerLength = len("00-") + 2*len(trace.TraceID{}) + len("-") + 2*len(trace.SpanID{}) + len("-00")

// header writes a span context in the form of version 00, or "" if it is not valid.
func header(sc trace.SpanContext, flags trace.TraceFlags) string {
	if !sc.IsValid() {
		return ""
	}
	traceID, spanID := sc.TraceID(), sc.SpanID()
	var buf [headerLength]byte
	b := append(buf[:0], "00-"...)
	b = hex.AppendEncode(b, traceID[:])
	b = append(b, '-')
	b = hex.AppendEncode(b, spanID[:])
	b = append(b, '-')
	return string(hex.AppendEncode(b, []byte{byte(flags)}))
}

// ContextWithTraceparent returns ctx with the remote span that tp names. A malformed or empty tp leaves ctx as it is.
func ContextWithTraceparent(ctx context.Context, tp string) context.Context {
	if tp == "" {
		return ctx
	}
	return Propagator.Extract(ctx, parentOnly(tp))
}

// parentOnly is a carrier with nothing but a traceparent.
type parentOnly string

func (p parentOnly) Get(key string) string {
	if key == "traceparent" {
		return string(p)
	}
	return ""
}

// Set implements propagation.TextMapCarrier; nothing is ever put into one.
func (p parentOnly) Set(string, string) {}

// Keys implements propagation.TextMapCarrier.
func (p parentOnly) Keys() []string { return []string{"traceparent"} }

// LinkTo returns a link to the span that tp names; ok is false for a malformed or empty tp.
func LinkTo(tp string) (link trace.Link, ok bool) {
	sc := trace.SpanContextFromContext(ContextWithTraceparent(context.Background(), tp))
	return trace.Link{SpanContext: sc}, sc.IsValid()
}

// TraceID returns the hexadecimal trace id of the span in ctx, or "".
func TraceID(ctx context.Context) string {
	if id := trace.SpanContextFromContext(ctx).TraceID(); id.IsValid() {
		return id.String()
	}
	return ""
}
