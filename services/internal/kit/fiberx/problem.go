package fiberx

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
)

// MIMEProblem is the media type of problem documents (RFC 9457).
const MIMEProblem = "application/problem+json"

// StatusClientClosedRequest is the status logged for a request whose caller went away; nobody reads it.
const StatusClientClosedRequest = 499

// problemTypeBase precedes the code in a problem's type, a URI reference to the page that explains it.
const problemTypeBase = "/problems/"

// internalMessage is all that people learn of a fault of ours, besides the trace id.
const internalMessage = "Something went wrong on our side. It has been recorded; the trace id identifies it."

// Problem is the body of every error answer, a problem document by RFC 9457 with members of our own.
type Problem struct {
	// Type is a URI reference that identifies the kind of problem.
	Type string `json:"type"`
	// Title is the status's standard phrase.
	Title string `json:"title"`
	// Status repeats the HTTP status.
	Status int `json:"status"`
	// Detail is a sentence for people about this occurrence.
	Detail string `json:"detail,omitempty"`
	// Instance is the path of the request.
	Instance string `json:"instance,omitempty"`
	// Code is the machine-readable kind, one of apperr's codes.
	Code string `json:"code"`
	// TraceID finds the request in traces and logs.
	TraceID string `json:"traceId,omitempty"`
	// Errors name the inputs at fault.
	Errors []apperr.Field `json:"errors,omitempty"`
	// Current is the present state of the thing, with a stale version.
	Current any `json:"current,omitempty"`
}

var statusOf = map[apperr.Code]int{
	apperr.Invalid:              http.StatusBadRequest,
	apperr.Unauthenticated:      http.StatusUnauthorized,
	apperr.Forbidden:            http.StatusForbidden,
	apperr.NotFound:             http.StatusNotFound,
	apperr.MethodNotAllowed:     http.StatusMethodNotAllowed,
	apperr.RequestTimeout:       http.StatusRequestTimeout,
	apperr.Conflict:             http.StatusConflict,
	apperr.Gone:                 http.StatusGone,
	apperr.Stale:                http.StatusPreconditionFailed,
	apperr.TooLarge:             http.StatusRequestEntityTooLarge,
	apperr.UnsupportedMedia:     http.StatusUnsupportedMediaType,
	apperr.Unprocessable:        http.StatusUnprocessableEntity,
	apperr.PreconditionRequired: http.StatusPreconditionRequired,
	apperr.RateLimited:          http.StatusTooManyRequests,
	apperr.HeadersTooLarge:      http.StatusRequestHeaderFieldsTooLarge,
	apperr.Canceled:             StatusClientClosedRequest,
	apperr.Internal:             http.StatusInternalServerError,
	apperr.Unavailable:          http.StatusServiceUnavailable,
	apperr.Timeout:              http.StatusGatewayTimeout,
}

// StatusOf returns the HTTP status a code is answered with; an unknown code is 500.
func StatusOf(code apperr.Code) int {
	if status, ok := statusOf[code]; ok {
		return status
	}
	return http.StatusInternalServerError
}

// codeOfStatus is the reverse of statusOf for errors that Fiber makes.
var codeOfStatus = func() map[int]apperr.Code {
	codes := make(map[int]apperr.Code, len(statusOf))
	for code, status := range statusOf {
		codes[status] = code
	}
	return codes
}()

// ErrorHandler returns the one place where errors become answers. Code, message, fields and current state of an
// *apperr.Error are shown; its cause and every other error are only logged: at error level for faults of ours (500), as
// a warning when a part is away or too slow (503, 504), at debug level for the caller's mistakes.
func ErrorHandler(log *slog.Logger) fiber.ErrorHandler {
	return newErrorResponder(log, nil).handle
}

type errorResponder struct {
	log *slog.Logger
	tel *telemetry.Telemetry // nil: answers to unparsable requests carry no trace id
}

func newErrorResponder(log *slog.Logger, tel *telemetry.Telemetry) *errorResponder {
	return &errorResponder{log: log, tel: tel}
}

func (r *errorResponder) handle(c *fiber.Ctx, err error) error {
	failure := translate(err)
	status := StatusOf(failure.Code)
	r.identify(c, status)
	r.record(c, err, status)
	p := Problem{
		Type: problemTypeBase + string(failure.Code), Title: title(status), Status: status, Detail: failure.Message,
		Instance: c.Path(), Code: string(failure.Code), TraceID: string(c.Response().Header.Peek(HeaderTraceID)),
		Errors: failure.Fields, Current: failure.Current,
	}
	body, err := json.Marshal(p)
	if err != nil { // Current cannot be encoded: a bug, but the answer still stands
		r.log.ErrorContext(c.UserContext(), "problem could not be encoded", "error", err)
		p.Current = nil
		if body, err = json.Marshal(p); err != nil {
			return fmt.Errorf("encode problem: %w", err)
		}
	}
	if failure.RetryAfter > 0 {
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(int(math.Ceil(failure.RetryAfter.Seconds()))))
	}
	c.Response().Header.Del(fiber.HeaderETag)
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Status(status).Set(fiber.HeaderContentType, MIMEProblem)
	return c.Send(body)
}

// identify gives an answer that never passed the middleware (fasthttp could not parse the request, or Fiber does not
// know its method) its ids, and a span that has nothing but the status: the rest is not to be relied on.
func (r *errorResponder) identify(c *fiber.Ctx, status int) {
	if r.tel == nil || len(c.Response().Header.Peek(HeaderTraceID)) > 0 {
		return
	}
	ctx, span := r.tel.Tracer.Start(c.UserContext(), "HTTP", serverKind)
	if span.IsRecording() {
		span.SetAttributes(semconv.HTTPRequestMethodOther, semconv.HTTPResponseStatusCode(status))
	}
	span.End()
	c.SetUserContext(ctx)
	setTraceHeaders(c, ctx)
	c.Set(fiber.HeaderXRequestID, newRequestID())
}

// record writes the one log line about a failure.
func (r *errorResponder) record(c *fiber.Ctx, err error, status int) {
	level := slog.LevelDebug
	switch {
	case status == http.StatusServiceUnavailable || status == http.StatusGatewayTimeout:
		level = slog.LevelWarn
	case status >= http.StatusInternalServerError:
		level = slog.LevelError
	}
	ctx := c.UserContext()
	if !r.log.Enabled(ctx, level) {
		return
	}
	text := err.Error()
	if status < http.StatusInternalServerError { // the sentence quotes what its caller wrote, who has it in the answer
		text = string(translate(err).Code)
	}
	attrs := []slog.Attr{
		slog.String("error", text), slog.String("method", c.Method()), slog.String("route", routeTemplate(c)),
		slog.Int("status", status),
	}
	if p, ok := asPanic(err); ok {
		attrs = append(attrs, slog.String("stack", string(p.stack)))
	}
	r.log.LogAttrs(ctx, level, "request failed", attrs...)
}

// translate turns any error into one that may be shown.
func translate(err error) *apperr.Error {
	if e, ok := apperr.As(err); ok {
		if StatusOf(e.Code) == http.StatusInternalServerError {
			return &apperr.Error{Code: apperr.Internal, Message: internalMessage}
		}
		return e
	}
	if e, ok := asFiberError(err); ok {
		return translateFiber(e)
	}
	switch apperr.CodeOf(err) {
	case apperr.Timeout:
		return &apperr.Error{Code: apperr.Timeout, Message: "This took longer than allowed.", RetryAfter: time.Second}
	case apperr.Canceled:
		return &apperr.Error{Code: apperr.Canceled, Message: "The request was cancelled."}
	}
	return &apperr.Error{Code: apperr.Internal, Message: internalMessage}
}

// What generated wrappers write into their fiber.Error: the parameter's name is all that can be shown of it.
var (
	badParameter     = regexp.MustCompile(`^(?:Invalid format for parameter|Error unmarshaling parameter|Error unescaping (?:path|cookie) parameter) '?([\w.\-\[\]]+)'?`)
	missingParameter = regexp.MustCompile(`^(?:Query argument|Header parameter) ([\w.\-\[\]]+) is required`)
	repeatedHeader   = regexp.MustCompile(`^Too many values for (?:header|ParamName) ([\w.\-]+)`)
	namedField       = regexp.MustCompile(`(?s)^([A-Za-z_][\w.\-\[\]]*): (.+)$`)
)

func translateFiber(e *fiber.Error) *apperr.Error {
	code, known := codeOfStatus[e.Code]
	switch {
	case e.Code == http.StatusNotFound:
		return apperr.New(apperr.NotFound, "There is nothing at this address.")
	case e.Code == http.StatusMethodNotAllowed:
		return apperr.New(apperr.MethodNotAllowed, "This address does not answer to this method; Allow lists those it does.")
	case e.Code == http.StatusRequestEntityTooLarge:
		return apperr.New(apperr.TooLarge, "The request body is larger than allowed.")
	case e.Code == http.StatusRequestHeaderFieldsTooLarge:
		return apperr.New(apperr.HeadersTooLarge, "The request header is larger than allowed.")
	case e.Code == http.StatusRequestTimeout:
		return apperr.New(apperr.RequestTimeout, "The request did not arrive in time.")
	case e.Code == http.StatusBadGateway: // Fiber's word for a connection that broke while reading the request
		return apperr.Wrap(e, apperr.Canceled, "The connection broke off.")
	case e.Code == http.StatusBadRequest:
		return translateBadRequest(e)
	case e.Code >= http.StatusInternalServerError && e.Code != http.StatusServiceUnavailable:
		return &apperr.Error{Code: apperr.Internal, Message: internalMessage}
	case known:
		return apperr.Wrap(e, code, "%s", e.Message)
	case e.Code >= http.StatusBadRequest:
		return apperr.Wrap(e, apperr.Invalid, "%s", e.Message)
	}
	return &apperr.Error{Code: apperr.Internal, Message: internalMessage}
}

func translateBadRequest(e *fiber.Error) *apperr.Error {
	if m := badParameter.FindStringSubmatch(e.Message); m != nil {
		return apperr.InvalidField(m[1], "has the wrong format")
	}
	if m := missingParameter.FindStringSubmatch(e.Message); m != nil {
		return apperr.InvalidField(m[1], "is required")
	}
	if m := repeatedHeader.FindStringSubmatch(e.Message); m != nil {
		return apperr.InvalidField(m[1], "may be given only once")
	}
	if m := namedField.FindStringSubmatch(e.Message); m != nil { // from decodeForBodyParser, through a wrapper
		return apperr.InvalidField(m[1], "%s", m[2])
	}
	return apperr.Wrap(e, apperr.Invalid, "The request could not be understood.")
}

func title(status int) string {
	if status == StatusClientClosedRequest {
		return "Client Closed Request"
	}
	return http.StatusText(status)
}
