// Package apperr defines the one error type that crosses layers: a stable code, a sentence for people, and the cause
// for the log.
//
// Domain packages create errors here, stores translate driver errors into them (see db.Classify), and fiberx.ErrorHandler
// is the only place that turns a code into an HTTP status. Message, Fields and Current are shown to the caller; Cause
// never is, it is only logged.
package apperr

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Code names a kind of failure. It is part of the public API (member "code" of a problem document), so values never
// change.
type Code string

// The codes and the HTTP status each is answered with.
const (
	Invalid              Code = "invalid"                // 400: the request cannot be understood or a field is wrong
	Unauthenticated      Code = "unauthenticated"        // 401: nobody is signed in, or the credentials are not valid
	Forbidden            Code = "forbidden"              // 403: the caller is known and may not do this
	NotFound             Code = "not-found"              // 404: no such thing, or the caller may not know of it
	MethodNotAllowed     Code = "method-not-allowed"     // 405: the path exists, the method does not
	RequestTimeout       Code = "request-timeout"        // 408: the request did not arrive in time
	Conflict             Code = "conflict"               // 409: the state of the thing does not allow this
	Gone                 Code = "gone"                   // 410: it was there and will not come back
	Stale                Code = "stale-version"          // 412: somebody else changed it first; Current has the present state
	TooLarge             Code = "too-large"              // 413: the body or a field exceeds its limit
	UnsupportedMedia     Code = "unsupported-media-type" // 415: the Content-Type is not one this resource reads
	Unprocessable        Code = "unprocessable"          // 422: understood, yet it breaks a rule of the domain
	PreconditionRequired Code = "precondition-required"  // 428: If-Match is missing
	RateLimited          Code = "rate-limited"           // 429: too many requests; RetryAfter says when
	HeadersTooLarge      Code = "headers-too-large"      // 431: the request's header exceeds its limit
	Canceled             Code = "canceled"               // 499: the caller went away before the answer
	Internal             Code = "internal"               // 500: a fault of ours
	Unavailable          Code = "unavailable"            // 503: a part we need is away; RetryAfter says when to try again
	Timeout              Code = "timeout"                // 504: not done within the request's deadline
)

// Field says what is wrong with one input: a JSON member, a query parameter or a header.
type Field struct {
	// Name is the member's path, such as "title" or "assignees[2]".
	Name string `json:"name"`
	// Message is one sentence without the name.
	Message string `json:"message"`
	// Position is the 0-based byte offset of the fault in a text that was parsed, such as a filter.
	Position *int `json:"position,omitempty"`
}

// Error is a failure with a code. Errors made by New and its sisters are not shared, so At may change them.
type Error struct {
	Code Code
	// Message is shown to people: one sentence, no internals.
	Message string
	// Fields name the inputs at fault; empty if no single input is.
	Fields []Field
	// Current is the present state of the thing, for Stale; it is encoded as JSON.
	Current any
	// RetryAfter tells when a retry makes sense; zero means nothing is known.
	RetryAfter time.Duration
	// Cause is what happened underneath. It is logged and never shown.
	Cause error
}

// Error returns code, message, fields and cause for the log. It is not meant for callers of the API.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(string(e.Code))
	if e.Message != "" {
		b.WriteString(": ")
		b.WriteString(e.Message)
	}
	for i, f := range e.Fields {
		if i == 0 {
			b.WriteString(" [")
		} else {
			b.WriteString(", ")
		}
		b.WriteString(f.Name)
		b.WriteString(": ")
		b.WriteString(f.Message)
		if f.Position != nil {
			fmt.Fprintf(&b, " (at %d)", *f.Position)
		}
	}
	if len(e.Fields) > 0 {
		b.WriteByte(']')
	}
	if e.Cause != nil {
		b.WriteString(": ")
		b.WriteString(e.Cause.Error())
	}
	return b.String()
}

// Unwrap returns the cause, so that errors.Is and errors.As see through an Error.
func (e *Error) Unwrap() error { return e.Cause }

// New returns an error with a code and a message for people.
func New(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: sprintf(format, args)}
}

// Wrap is New with a cause that is logged and kept from the caller.
func Wrap(cause error, code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: sprintf(format, args), Cause: cause}
}

// InvalidField returns an Invalid error about one field.
func InvalidField(name, format string, args ...any) *Error {
	message := sprintf(format, args)
	return &Error{Code: Invalid, Message: name + ": " + message, Fields: []Field{{Name: name, Message: message}}}
}

// InvalidFields returns one Invalid error about several fields, or nil if there are none.
func InvalidFields(fields ...Field) *Error {
	switch len(fields) {
	case 0:
		return nil
	case 1:
		return InvalidField(fields[0].Name, "%s", fields[0].Message).at(fields[0].Position)
	}
	return &Error{Code: Invalid, Message: fmt.Sprintf("%d fields are not valid", len(fields)), Fields: fields}
}

// At sets the position (0-based byte offset) of the first field and returns e.
func (e *Error) At(position int) *Error { return e.at(&position) }

func (e *Error) at(position *int) *Error {
	if len(e.Fields) > 0 {
		e.Fields[0].Position = position
	}
	return e
}

// WithRetryAfter sets when a retry makes sense and returns e.
func (e *Error) WithRetryAfter(d time.Duration) *Error {
	e.RetryAfter = d
	return e
}

// WithCurrent sets the present state of the thing and returns e.
func (e *Error) WithCurrent(current any) *Error {
	e.Current = current
	return e
}

// CodeOf returns the code of the first Error in err's tree. Without one, an exceeded deadline is Timeout, a cancelled
// context Canceled, and everything else Internal. CodeOf(nil) is "".
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if e, ok := As(err); ok {
		return e.Code
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return Timeout
	case errors.Is(err, context.Canceled):
		return Canceled
	}
	return Internal
}

// As returns the first Error in err's tree.
func As(err error) (*Error, bool) {
	var e *Error
	if errors.As(err, &e) && e != nil {
		return e, true
	}
	return nil, false
}

// Is reports whether err carries the code.
func Is(err error, code Code) bool { return err != nil && CodeOf(err) == code }

func sprintf(format string, args []any) string {
	if len(args) == 0 {
		return format
	}
	return fmt.Sprintf(format, args...)
}
