package fiberx

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"
	"go.opentelemetry.io/otel/attribute"
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

// serverKind is the kind of all spans here.
var serverKind = trace.WithSpanKind(trace.SpanKindServer)

// startSpan starts the server span, named by its method until the route is known. What is not recorded costs no span,
// only an identity for logs, answers and calls to others.
func (o *observer) startSpan(c *fiber.Ctx, quiet bool) (context.Context, trace.Span) {
	ctx, remote := c.UserContext(), o.remoteParent(c)
	options := append(make([]trace.SpanStartOption, 0, 3), serverKind)
	switch {
	case quiet: // probes and scrapes are not worth a trace, but their answers have an id as well
		return trace.ContextWithSpanContext(ctx, unrecorded(remote)), noop.Span{}
	case !remote.IsValid():
	case o.cfg.TraceTrust == TrustNone:
		options = append(options, trace.WithNewRoot(), trace.WithLinks(trace.Link{SpanContext: remote}))
	case !remote.IsSampled():
		return trace.ContextWithSpanContext(ctx, unrecorded(remote)), noop.Span{}
	default:
		ctx = trace.ContextWithRemoteSpanContext(ctx, remote)
	}
	return o.tel.Tracer.Start(ctx, knownMethod(c.Method()), options...) //nolint:spancheck // handle ends it
}

// remoteParent returns the caller's span, with flags as far as they are trusted, or one that is not valid.
func (o *observer) remoteParent(c *fiber.Ctx) trace.SpanContext {
	header := &c.Request().Header
	remote := telemetry.ParseTraceparent(header.Peek("traceparent"))
	if !remote.IsValid() {
		return remote
	}
	switch o.cfg.TraceTrust {
	case TrustSampling:
		if state := header.Peek("tracestate"); len(state) > 0 {
			if parsed, err := trace.ParseTraceState(string(state)); err == nil { // else it is dropped, as the standard says
				remote = remote.WithTraceState(parsed)
			}
		}
	case TrustIDs:
		// Keyed, since the caller chose the trace id; a function of it, so that all requests of a trace get one answer.
		remote = remote.WithTraceFlags(remote.TraceFlags().WithSampled(o.tel.Sampler.Sampled(remote.TraceID())))
	}
	return remote
}

// requestAttributes returns what the conventions want to be told of a request (https://opentelemetry.io/docs/specs/semconv/http/http-spans/).
// Left out on purpose, because they are or may be personal data: url.query (searches, names), client.address and
// network.peer.address (an address identifies a household), user_agent.original (with an address, a person), and a path
// that could hold free text: any that no route knows.
func requestAttributes(c *fiber.Ctx, route *knownRoute, method string) []attribute.KeyValue {
	attrs := append(make([]attribute.KeyValue, 0, 12), semconv.HTTPRequestMethodKey.String(method), semconv.URLScheme(scheme(c)))
	if route.template != "" {
		path := route.template
		if asked := c.Path(); plainPath(asked) && !strings.Contains(path, "*") {
			path = asked
		}
		attrs = append(attrs, semconv.URLPath(path), semconv.HTTPRoute(route.template))
	}
	host, port, _ := strings.Cut(c.Hostname(), ":")
	if plainHost(host) {
		attrs = append(attrs, semconv.ServerAddress(host))
		if n, err := strconv.ParseUint(port, 10, 16); err == nil {
			attrs = append(attrs, semconv.ServerPort(int(n)))
		}
	}
	if c.Context().Request.Header.IsHTTP11() {
		attrs = append(attrs, semconv.NetworkProtocolVersion("1.1"))
	}
	if root := amznRoot(c.Get(amznTraceHeader)); root != "" {
		attrs = append(attrs, attrAmznRoot.String(root))
	}
	return attrs
}

// scheme is http or https: what a proxy of ours says, or the connection.
func scheme(c *fiber.Ctx) string {
	if c.Protocol() == "https" {
		return "https"
	}
	return "http"
}

// maxPlainPath is the length of a path at most, in bytes, that is told.
const maxPlainPath = 256

// plainPath accepts what paths of ours are made of: words, keys, numbers and ids. Anything else, above all an address
// or escaped text, may be somebody's.
func plainPath(path string) bool {
	return len(path) <= maxPlainPath && strings.Trim(path, plainBytes+"/~") == ""
}

// maxHost is the length of a host name at most, in bytes.
const maxHost = 253

func plainHost(host string) bool {
	return host != "" && len(host) <= maxHost && strings.Trim(host, plainBytes) == ""
}

const plainBytes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._"

// setTraceHeaders names the server's span in the answer.
func setTraceHeaders(c *fiber.Ctx, ctx context.Context) { //nolint:revive // c is Fiber's, ctx the span's
	sc := trace.SpanContextFromContext(ctx)
	c.Set(HeaderTraceID, sc.TraceID().String())
	c.Set(telemetry.HeaderTraceresponse, telemetry.Traceresponse(sc))
}

// unrecorded makes the identity of a request that is not recorded: in the trace of its caller, if there is one.
func unrecorded(remote trace.SpanContext) trace.SpanContext {
	traceID := remote.TraceID()
	if !traceID.IsValid() {
		binary.LittleEndian.PutUint64(traceID[:8], rand.Uint64()) //nolint:gosec // an id, not a secret
		binary.LittleEndian.PutUint64(traceID[8:], rand.Uint64()) //nolint:gosec // likewise
		traceID[0] |= 1                                           // never all zero
	}
	var spanID trace.SpanID
	binary.LittleEndian.PutUint64(spanID[:], rand.Uint64()) //nolint:gosec // likewise
	spanID[0] |= 1
	return trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: traceID, SpanID: spanID, TraceFlags: remote.TraceFlags().WithSampled(false), TraceState: remote.TraceState(),
	})
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
