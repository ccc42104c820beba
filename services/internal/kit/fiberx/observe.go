package fiberx

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/internal/kit/caller"
	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
)

// HeaderTraceID carries the trace id of each answer.
const HeaderTraceID = "X-Trace-Id"

// maxRequestIDLength is the length of a request id that is taken over from the caller, in bytes.
const maxRequestIDLength = 128

// durationBounds are the histogram's bucket bounds in seconds, those the HTTP conventions advise, and 0.2, which the
// latency objective counts at.
var durationBounds = []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.2, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10}

// observer is the outermost middleware. It is one and not six, because each of its parts needs what the others learn:
// the final status is known only after the error handler ran, and the route only after the handler did.
type observer struct {
	app      *fiber.App
	cfg      Config
	log      *slog.Logger
	tel      *telemetry.Telemetry
	routes   *routeNames
	duration metric.Float64Histogram
	active   metric.Int64UpDownCounter
	measures measureCache
}

func newObserver(app *fiber.App, cfg Config, log *slog.Logger, tel *telemetry.Telemetry) *observer {
	o := &observer{app: app, cfg: cfg, log: log, tel: tel, routes: newRouteNames(app)}
	var err error
	o.duration, err = tel.Meter.Float64Histogram("http.server.request.duration", metric.WithUnit("s"),
		metric.WithDescription("Duration of HTTP server requests."), metric.WithExplicitBucketBoundaries(durationBounds...))
	logInstrumentError(log, err)
	o.active, err = tel.Meter.Int64UpDownCounter("http.server.active_requests", metric.WithUnit("{request}"),
		metric.WithDescription("Number of active HTTP server requests."))
	logInstrumentError(log, err)
	return o
}

// logInstrumentError reports an instrument that could not be made; the SDK returns one that does nothing with it.
func logInstrumentError(log *slog.Logger, err error) {
	if err != nil {
		log.Warn("metric instrument could not be made", "error", err)
	}
}

func (o *observer) handle(c *fiber.Ctx) error {
	start := time.Now()
	requestID := c.Get(fiber.HeaderXRequestID)
	if !saneRequestID(requestID) {
		requestID = newRequestID()
	}
	c.Set(fiber.HeaderXRequestID, requestID)
	quiet := o.cfg.isQuiet(c.Path())
	ctx, span := o.startSpan(c, quiet)
	defer span.End()
	setTraceHeaders(c, ctx)
	ctx, cancel := context.WithTimeout(ctx, o.cfg.RequestTimeout)
	defer cancel()
	if o.cfg.changes(c) {
		ctx = caller.Watch(ctx, c.Context().Conn())
	}
	c.SetUserContext(withRequestID(ctx, requestID))
	active := activeOf(knownMethod(c.Method()), scheme(c))
	o.active.Add(ctx, 1, active...)
	defer o.active.Add(ctx, -1, active...)

	err := o.next(c)
	if err != nil {
		if handlerErr := o.app.ErrorHandler(c, err); handlerErr != nil {
			return handlerErr
		}
	}
	o.finish(c, span, err, start, quiet)
	return nil
}

// next runs the handlers and turns a panic into an error with its stack.
func (o *observer) next(c *fiber.Ctx) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &panicError{value: v, stack: debug.Stack()}
		}
	}()
	encoding := c.Request().Header.ContentEncoding()
	if len(encoding) > 0 && !strings.EqualFold(string(encoding), "identity") {
		// Fiber would unpack it without a limit.
		return apperr.New(apperr.UnsupportedMedia, "Request bodies must not be compressed (Content-Encoding).")
	}
	return c.Next()
}

func (o *observer) finish(c *fiber.Ctx, span trace.Span, err error, start time.Time, quiet bool) {
	elapsed := time.Since(start)
	status := c.Response().StatusCode()
	route := o.routes.of(c, err)
	method := knownMethod(c.Method())
	if span.IsRecording() {
		if route.template != "" {
			span.SetName(route.spanName)
		}
		attrs := append(requestAttributes(c, route, method), semconv.HTTPResponseStatusCode(status))
		if status >= http.StatusInternalServerError {
			attrs = append(attrs, semconv.ErrorTypeKey.String(strconv.Itoa(status)))
			span.SetStatus(codes.Error, string(apperr.CodeOf(err)))
		}
		span.SetAttributes(attrs...)
	}
	ctx := c.UserContext()
	o.duration.Record(ctx, elapsed.Seconds(), o.measures.of(measureKey{method, scheme(c), route.template, status})...)
	if route.counter != nil {
		route.counter.add(elapsed, status)
	}
	level := slog.LevelInfo
	if quiet {
		level = slog.LevelDebug
	}
	if o.cfg.AccessLog && o.log.Enabled(ctx, level) {
		o.log.LogAttrs(ctx, level, "request", slog.String("method", method), slog.String("route", route.template),
			slog.Int("status", status), slog.Float64("duration_ms", float64(elapsed.Microseconds())/1e3),
			slog.String("request_id", RequestID(ctx)))
	}
}

// RequestID returns the id of the request that ctx belongs to, or "".
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

type requestIDKey struct{}

func withRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestIDKey{}, id)
}

// Deadline returns a middleware that gives a route another deadline than Config.RequestTimeout, longer or shorter.
func Deadline(d time.Duration) fiber.Handler {
	return func(c *fiber.Ctx) error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(c.UserContext()), d)
		defer cancel()
		c.SetUserContext(ctx)
		return c.Next()
	}
}

// saneRequestID accepts what can be logged and searched for: letters, digits and - _ . of a bounded length.
func saneRequestID(id string) bool {
	if id == "" || len(id) > maxRequestIDLength {
		return false
	}
	for i := range len(id) {
		c := id[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.') {
			return false
		}
	}
	return true
}

// newRequestID returns 128 random bits in hexadecimal: unique, not secret.
func newRequestID() string {
	var b [16]byte
	for i := range 2 {
		v := rand.Uint64() //nolint:gosec // an id, not a secret
		for j := range 8 {
			b[8*i+j] = byte(v >> (8 * j))
		}
	}
	return hex.EncodeToString(b[:])
}

// panicError is a recovered panic.
type panicError struct {
	value any
	stack []byte
}

func (p *panicError) Error() string { return fmt.Sprintf("panic: %v", p.value) }

func asPanic(err error) (*panicError, bool) {
	var p *panicError
	return p, errors.As(err, &p)
}

func asFiberError(err error) (*fiber.Error, bool) {
	var e *fiber.Error
	return e, errors.As(err, &e)
}
