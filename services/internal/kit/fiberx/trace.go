package fiberx

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/gofiber/fiber/v2"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
)

// TraceTrust says what a caller's traceparent may decide; see Config.TraceTrust.
type TraceTrust string

// The degrees of trust.
const (
	TrustSampling TraceTrust = "sampling"
	TrustIDs      TraceTrust = "ids"
	TrustNone     TraceTrust = "none"
)

// UnmarshalText reads a TraceTrust from the environment.
func (t *TraceTrust) UnmarshalText(text []byte) error {
	switch v := TraceTrust(text); v {
	case TrustSampling, TrustIDs, TrustNone:
		*t = v
		return nil
	}
	return fmt.Errorf("must be sampling, ids or none, not %q", text)
}

// amznTraceHeader is what an AWS load balancer adds. It names no parent span, so it is no propagation format for us.
const amznTraceHeader = "X-Amzn-Trace-Id"

// attrAmznRoot is the attribute with the Root of amznTraceHeader, by which the load balancer's own logs are found.
const attrAmznRoot = attribute.Key("aws.alb.trace_root")

// startSpan starts the server span, named by its method until the route is known.
func (o *observer) startSpan(c *fiber.Ctx, quiet bool) (context.Context, trace.Span) {
	ctx, link := o.remoteParent(c)
	if quiet { // probes and scrapes are not worth a trace, but their answers have an id as well
		own := unsampledRoot()
		if parent := trace.SpanContextFromContext(ctx); parent.IsValid() {
			own = own.WithTraceID(parent.TraceID())
		}
		return trace.ContextWithSpanContext(ctx, own), noop.Span{}
	}
	method := knownMethod(c.Method())
	opts := make([]trace.SpanStartOption, 0, 3)
	opts = append(opts, trace.WithSpanKind(trace.SpanKindServer))
	if link.SpanContext.IsValid() {
		opts = append(opts, trace.WithNewRoot(), trace.WithLinks(link))
	}
	ctx, span := o.tel.Tracer.Start(ctx, method, opts...)
	if span.IsRecording() {
		attrs := make([]attribute.KeyValue, 0, 6)
		attrs = append(attrs, semconv.HTTPRequestMethodKey.String(method), semconv.URLPath(c.Path()),
			semconv.URLScheme(c.Protocol()), semconv.ServerAddress(c.Hostname()))
		if method == "_OTHER" {
			attrs = append(attrs, semconv.HTTPRequestMethodOriginal(c.Method()))
		}
		if root := amznRoot(c.Get(amznTraceHeader)); root != "" {
			attrs = append(attrs, attrAmznRoot.String(root))
		}
		span.SetAttributes(attrs...)
	}
	return ctx, span
}

// remoteParent returns a context with the caller's span as far as it is trusted, or a link to it.
func (o *observer) remoteParent(c *fiber.Ctx) (context.Context, trace.Link) {
	ctx := c.UserContext()
	if c.Get("traceparent") == "" {
		return ctx, trace.Link{}
	}
	remote := trace.SpanContextFromContext(telemetry.Propagator.Extract(ctx, headerCarrier{c}))
	if !remote.IsValid() {
		return ctx, trace.Link{}
	}
	switch o.cfg.TraceTrust {
	case TrustSampling:
		return trace.ContextWithRemoteSpanContext(ctx, remote), trace.Link{}
	case TrustNone:
		return ctx, trace.Link{SpanContext: remote}
	}
	// Keyed, since the caller chose the trace id; a function of it, so that all requests of a trace get one answer.
	sampled := o.tel.Sampler.Sampled(remote.TraceID())
	remote = remote.WithTraceFlags(remote.TraceFlags().WithSampled(sampled)).WithTraceState(trace.TraceState{})
	return trace.ContextWithRemoteSpanContext(ctx, remote), trace.Link{}
}

// setTraceHeaders names the server's span in the answer.
func setTraceHeaders(c *fiber.Ctx, ctx context.Context) { //nolint:revive // c is Fiber's, ctx the span's
	sc := trace.SpanContextFromContext(ctx)
	c.Set(HeaderTraceID, sc.TraceID().String())
	c.Set(telemetry.HeaderTraceresponse, telemetry.Traceresponse(sc))
}

// unsampledRoot makes the identity of a request that is not recorded.
func unsampledRoot() trace.SpanContext {
	var traceID trace.TraceID
	var spanID trace.SpanID
	binary.LittleEndian.PutUint64(traceID[:8], rand.Uint64()) //nolint:gosec // an id, not a secret
	binary.LittleEndian.PutUint64(traceID[8:], rand.Uint64()) //nolint:gosec // likewise
	binary.LittleEndian.PutUint64(spanID[:], rand.Uint64())   //nolint:gosec // likewise
	traceID[0] |= 1                                           // never all zero
	spanID[0] |= 1
	return trace.NewSpanContext(trace.SpanContextConfig{TraceID: traceID, SpanID: spanID})
}

// amznRoot returns the Root field of "Root=1-…;Self=…", or "" if it is not of the shape AWS documents.
func amznRoot(header string) string {
	for field := range strings.SplitSeq(header, ";") {
		root, ok := strings.CutPrefix(strings.TrimSpace(field), "Root=")
		if ok && len(root) == 35 && strings.Trim(root, "0123456789abcdefABCDEF-") == "" {
			return root
		}
	}
	return ""
}

// headerCarrier reads propagation headers from a request.
type headerCarrier struct{ c *fiber.Ctx }

var _ propagation.TextMapCarrier = headerCarrier{}

func (h headerCarrier) Get(key string) string { return h.c.Get(key) }
func (h headerCarrier) Set(key, value string) { h.c.Request().Header.Set(key, value) }
func (h headerCarrier) Keys() []string        { return []string{"traceparent", "tracestate"} }
