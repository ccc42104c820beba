package edge

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"mime"
	"net"
	"net/http"
	"net/http/httputil"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
)

// The names of headers.
const (
	headerTraceID   = "X-Trace-Id"
	headerRequestID = "X-Request-ID"
)

// filesPrefix is where the UI's files are that never change. Browsers fetch them outside of any trace.
const filesPrefix = "/assets/"

// exchange is one request with its answer, and the span of both. It is the http.ResponseWriter of its handler.
type exchange struct {
	http.ResponseWriter

	request   *http.Request
	requestID string
	identity  trace.SpanContext // of the span, or of the request where that has none
	span      trace.Span
	status    int
	ended     bool
}

// begin starts the span of a request, or gives it an identity without one if it is not worth recording.
func (e *edge) begin(w http.ResponseWriter, r *http.Request) *exchange {
	x := &exchange{ResponseWriter: w, requestID: hex.EncodeToString(randomBytes(16))}
	ctx := r.Context()
	remote := trace.SpanContextFromContext(telemetry.Propagator.Extract(ctx, propagation.HeaderCarrier(r.Header)))
	if untraced(r.URL.Path) {
		x.identity, x.span = unrecorded(remote), noop.Span{}
		ctx = trace.ContextWithSpanContext(ctx, x.identity)
	} else {
		if remote.IsValid() {
			// What the caller says about recording decides nothing. What others noted about the trace is not ours to store.
			flags := remote.TraceFlags().WithSampled(e.Telemetry.Sampler.Sampled(remote.TraceID()))
			ctx = trace.ContextWithRemoteSpanContext(ctx, remote.WithTraceFlags(flags).WithTraceState(trace.TraceState{}))
		}
		ctx, x.span = e.Telemetry.Tracer.Start(ctx, spanName(r), trace.WithSpanKind(trace.SpanKindServer)) //nolint:spancheck // see end
		x.identity = x.span.SpanContext()
		describe(x.span, r)
	}
	x.request = r.WithContext(ctx)
	x.request.Header.Set(headerRequestID, x.requestID)
	return x
}

// passTraceOn gives a service our span as its parent, and nothing else of what the caller said about traces.
func passTraceOn(r *httputil.ProxyRequest) {
	r.Out.Header.Del("Tracestate")
	r.Out.Header.Del("Baggage")
	r.Out.Header.Set("Traceparent", telemetry.Traceparent(r.In.Context()))
}

// watching are the paths, with all below them, of requests about traces and the state of the instances: watching must not
// add to what is watched. The services make no span for them either.
var watching = []string{"/api/v1/traces", "/api/v1/operations", "/api/v1/stats/status"}

// untraced reports whether a request is left out of traces: probes and scrapes, files that never change, those who watch,
// and the signals of browsers, for traces of traces would never end.
func untraced(path string) bool {
	switch rest, _ := strings.CutPrefix(path, strings.TrimSuffix(StatsPrefix, "/")); rest {
	case "/health", "/livez", "/metrics", "/pool-stats":
		return true
	}
	for _, prefix := range watching {
		if rest, below := strings.CutPrefix(path, prefix); below && (rest == "" || rest[0] == '/') {
			return true
		}
	}
	return strings.HasPrefix(path, filesPrefix) || strings.HasPrefix(path, signalsPrefix)
}

// unrecorded makes the identity of a request that is not recorded, in the caller's trace if there is one.
func unrecorded(remote trace.SpanContext) trace.SpanContext {
	cfg := trace.SpanContextConfig{TraceID: trace.TraceID(randomBytes(16)), SpanID: trace.SpanID(randomBytes(8))}
	if remote.IsValid() {
		cfg.TraceID = remote.TraceID()
	}
	return trace.NewSpanContext(cfg)
}

// spanName is the method with the part of the API: few names, whatever paths people ask for. The route itself is known to
// the service, whose span is the child of this one.
func spanName(r *http.Request) string {
	method := knownMethod(r.Method)
	switch path := r.URL.Path; {
	case strings.HasPrefix(path, StatsPrefix):
		return method + " " + StatsPrefix + "{+}"
	case strings.HasPrefix(path, "/api/v1/"):
		return method + " /api/v1/{+}"
	}
	return method + " /{*}"
}

// describe adds what the conventions for HTTP servers ask for, but what callers make up: neither the query, which may hold
// what people search for, nor the path, whose route only the service knows, nor anybody's address.
func describe(span trace.Span, r *http.Request) {
	if !span.IsRecording() {
		return
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	attrs := make([]attribute.KeyValue, 0, 4)
	attrs = append(attrs, semconv.HTTPRequestMethodKey.String(knownMethod(r.Method)), semconv.URLScheme(scheme),
		semconv.NetworkProtocolVersion(protocolVersion(r)))
	if host := hostName(r.Host); len(host) <= maxHostName && strings.Trim(host, hostNameBytes) == "" && host != "" {
		attrs = append(attrs, semconv.ServerAddress(host))
	}
	span.SetAttributes(attrs...)
}

// What a host name is made of, and its length at most, in bytes.
const (
	hostNameBytes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:"
	maxHostName   = 253
)

func protocolVersion(r *http.Request) string {
	if r.ProtoMajor == 1 {
		return "1." + strconv.Itoa(r.ProtoMinor)
	}
	return strconv.Itoa(r.ProtoMajor)
}

// WriteHeader names the trace and its span in the answer, in place of what the service said: the caller asked us. The
// span of a live stream ends here, as that of the service does; what follows may last for hours.
func (x *exchange) WriteHeader(status int) {
	if status >= http.StatusOK && x.status == 0 {
		x.status = status
		h := x.Header()
		h.Set(headerTraceID, x.identity.TraceID().String())
		h.Set(telemetry.HeaderTraceresponse, telemetry.Traceresponse(x.identity))
		h.Set(headerRequestID, x.requestID)
		if kind, _, err := mime.ParseMediaType(h.Get("Content-Type")); err == nil && kind == "text/event-stream" {
			x.end(false)
		}
	}
	x.ResponseWriter.WriteHeader(status)
}

// Write writes the body.
func (x *exchange) Write(p []byte) (int, error) {
	if x.status == 0 {
		x.WriteHeader(http.StatusOK)
	}
	return x.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the connection.
func (x *exchange) Unwrap() http.ResponseWriter { return x.ResponseWriter }

// end ends the span. Without a status the client went away before there was an answer.
func (x *exchange) end(broken bool) {
	if x.ended {
		return
	}
	x.ended = true
	if x.span.IsRecording() {
		if x.status > 0 {
			x.span.SetAttributes(semconv.HTTPResponseStatusCode(x.status))
		}
		switch {
		case broken:
			x.span.SetAttributes(semconv.ErrorTypeKey.String("aborted"))
			x.span.SetStatus(codes.Error, "aborted")
		case x.status >= http.StatusInternalServerError:
			x.span.SetAttributes(semconv.ErrorTypeKey.String(strconv.Itoa(x.status)))
			x.span.SetStatus(codes.Error, "")
		}
	}
	x.span.End()
}

const otherMethod = "_OTHER"

// knownMethod bounds the names of spans: methods outside the standard ones share a name.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodOptions, http.MethodTrace, http.MethodConnect:
		return method
	}
	return otherMethod
}

func hostName(hostPort string) string {
	if host, _, err := net.SplitHostPort(hostPort); err == nil {
		return host
	}
	return strings.Trim(hostPort, "[]")
}

// randomBytes returns n bytes, not all zero: an id, not a secret.
func randomBytes(n int) []byte {
	b := make([]byte, 0, n)
	for len(b) < n {
		b = binary.LittleEndian.AppendUint64(b, rand.Uint64()) //nolint:gosec // see above
	}
	b[0] |= 1
	return b[:n]
}
