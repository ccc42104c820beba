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
	if sc := ParseTraceparent(tp); sc.IsValid() {
		return trace.ContextWithRemoteSpanContext(ctx, sc)
	}
	return ctx
}

// LinkTo returns a link to the span that tp names; ok is false for a malformed or empty tp.
func LinkTo(tp string) (link trace.Link, ok bool) {
	sc := ParseTraceparent(tp)
	return trace.Link{SpanContext: sc}, sc.IsValid()
}

// ParseTraceparent returns the remote span that a W3C traceparent names; what is malformed or empty gives one that is not
// valid. It is what Propagator does, without what that allocates, because it runs for each request and message.
func ParseTraceparent[T ~string | ~[]byte](tp T) trace.SpanContext {
	if len(tp) != headerLength || tp[0] != '0' || tp[1] != '0' {
		if len(tp) < headerLength {
			return trace.SpanContext{}
		}
		// A later version: the propagator knows what to make of it.
		ctx := Propagator.Extract(context.Background(), propagation.MapCarrier{"traceparent": string(tp)})
		return trace.SpanContextFromContext(ctx)
	}
	var cfg trace.SpanContextConfig
	var flags [1]byte
	if tp[2] != '-' || tp[35] != '-' || tp[52] != '-' ||
		!decodeHex(cfg.TraceID[:], tp[3:35]) || !decodeHex(cfg.SpanID[:], tp[36:52]) || !decodeHex(flags[:], tp[53:55]) {
		return trace.SpanContext{}
	}
	cfg.TraceFlags, cfg.Remote = trace.TraceFlags(flags[0]), true
	if cfg.TraceFlags&^(trace.FlagsSampled|trace.FlagsRandom) != 0 || !cfg.TraceID.IsValid() || !cfg.SpanID.IsValid() {
		return trace.SpanContext{}
	}
	return trace.NewSpanContext(cfg)
}

// decodeHex decodes lower-case digits, the only ones the specification allows.
func decodeHex[T ~string | ~[]byte](dst []byte, src T) bool {
	for i := range dst {
		high, low := hexValue(src[2*i]), hexValue(src[2*i+1])
		if high > 0xf || low > 0xf {
			return false
		}
		dst[i] = high<<4 | low
	}
	return true
}

func hexValue(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	}
	return 0xff
}

// TraceID returns the hexadecimal trace id of the span in ctx, or "".
func TraceID(ctx context.Context) string {
	if id := trace.SpanContextFromContext(ctx).TraceID(); id.IsValid() {
		return id.String()
	}
	return ""
}
