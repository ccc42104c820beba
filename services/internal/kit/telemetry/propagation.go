package telemetry

import (
	"context"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Propagator is W3C Trace Context, the only propagation format in use: it is what browsers, nginx and our own events
// carry. Baggage is left out, because a browser could fill it.
var Propagator propagation.TextMapPropagator = propagation.TraceContext{}

// Traceparent returns the W3C traceparent of the span in ctx, or "" without one. It is what an event stores, so that
// its consumers, even much later, can join the trace that made it.
func Traceparent(ctx context.Context) string {
	if !trace.SpanContextFromContext(ctx).IsValid() {
		return ""
	}
	carrier := propagation.MapCarrier{}
	Propagator.Inject(ctx, carrier)
	return carrier["traceparent"]
}

// ContextWithTraceparent returns ctx with the remote span that tp names. A malformed or empty tp leaves ctx as it is.
func ContextWithTraceparent(ctx context.Context, tp string) context.Context {
	if tp == "" {
		return ctx
	}
	return Propagator.Extract(ctx, propagation.MapCarrier{"traceparent": tp})
}

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
