// Package traces reads traces back: the model of a trace as people look at it, the sources it comes from, and what is
// computed of it (times corrected for clocks that differ, the critical path, the service graph).
//
// There are two sources. A Buffer is a ring in memory that receives the spans of this process (it is an otlptrace.Client)
// and those of browsers (ServeBrowser); it needs no other program. A Jaeger reads from the query API of a Jaeger, where
// the spans of all processes arrive by a collector. Both answer alike; one suite of tests runs over both.
package traces

import (
	"context"
	"strings"
	"time"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
)

// Source is where traces are read. All methods are safe for concurrent use.
type Source interface {
	// Trace returns the trace with an id of 32 hexadecimal digits. It fails with apperr.NotFound for a trace that is not,
	// or no longer, kept, with apperr.Invalid for a malformed id and with apperr.Unavailable where the source is away.
	Trace(ctx context.Context, id string) (*Trace, error)
	// Search returns the newest traces that match, newest first. It fails with apperr.Unavailable.
	Search(ctx context.Context, q Query) ([]Summary, error)
	// Graph returns who called whom since then. It fails with apperr.Unavailable.
	Graph(ctx context.Context, since time.Time) (*Graph, error)
	// Settings says what the source is. It asks nobody.
	Settings() Settings
}

// The kinds of sources.
const (
	SourceBuffer = "buffer"
	SourceJaeger = "jaeger"
	SourceNone   = "none"
)

// Settings say what a source is.
type Settings struct {
	// Source is "buffer", "jaeger" or "none".
	Source string
	// Capacity is the number of traces kept at most; 0 where that is not ours to say.
	Capacity int
}

// Limits of a search.
const (
	// DefaultLimit is how many traces a search returns that names no limit.
	DefaultLimit = 20
	// MaxLimit is how many traces a search returns at most.
	MaxLimit = 100
)

// Query says which traces are searched for. Zero fields match everything; all others must match.
type Query struct {
	// Task is the key of a task, such as WEB-42: a span of a service carries it as AttrTaskKey.
	Task string
	// Service is a service.name that took part.
	Service string
	// Route is "METHOD /path/{param}", as the trace's first server span is named.
	Route string
	// MinDuration and MaxDuration bound the duration of the whole trace, both inclusive; zero means no bound.
	MinDuration, MaxDuration time.Duration
	// Error restricts to traces with (true) or without (false) a failed span; nil asks for neither.
	Error *bool
	// Since (inclusive) and Until (exclusive) bound the start of the trace; zero means no bound.
	Since, Until time.Time
	// Limit is the number of traces at most; below 1 means DefaultLimit, above MaxLimit means MaxLimit.
	Limit int
}

func (q Query) limit() int {
	if q.Limit < 1 {
		return DefaultLimit
	}
	return min(q.Limit, MaxLimit)
}

// Attributes by which traces are found. Whoever makes spans about a task sets them.
const (
	AttrTaskKey    = "tallyboard.task.key"
	AttrProjectKey = "tallyboard.project.key"
)

// Summary is a trace in a list.
type Summary struct {
	TraceID string
	// Name and Service are those of the root, or of the earliest span while the root has not arrived.
	Name, Service string
	Start         time.Time
	Duration      time.Duration
	Spans         int
	// Services took part, in alphabetical order.
	Services []string
	// Error is whether any span failed.
	Error bool
	// Status is the HTTP status of the first server span that has one; 0 if none has.
	Status int
	// Route is "METHOD /path/{param}" of the first server span with a route; "" if none has.
	Route string
}

// Trace is all that is known of one trace.
type Trace struct {
	TraceID  string
	Start    time.Time
	Duration time.Duration
	// Spans stand in depth-first order: a parent before its children, siblings by start.
	Spans []Span
	// CriticalPath are the pieces of spans that made up the duration, in order of time; see criticalPath.
	CriticalPath []Segment
	// Orphans is the number of spans that name a parent which is not in the trace.
	Orphans int
	// Dropped is the number of spans that arrived and were not kept, because the trace had too many.
	Dropped int
	// LinkedBy are the ids of other traces with a link to this one, newest first and at most maxLinkedBy.
	LinkedBy []string
}

// Kind is the role of a span, in lower case.
type Kind string

// The kinds of spans.
const (
	Internal Kind = "internal"
	Server   Kind = "server"
	Client   Kind = "client"
	Producer Kind = "producer"
	Consumer Kind = "consumer"
)

// Span is one piece of work of one service.
type Span struct {
	// SpanID is 16 hexadecimal digits; ParentID is, too, or "" for a root.
	SpanID, ParentID  string
	Service, Instance string
	Name              string
	Kind              Kind
	Start             time.Time
	Duration          time.Duration
	Error             bool
	StatusMessage     string
	// Attributes have values of type string, bool, int64, float64 or slices ([]any) of these.
	Attributes map[string]any
	Events     []Event
	Links      []Link
	// Adjusted is what was added to Start because the clock of the span's service differs from its parent's; see
	// adjustClocks. Zero for spans that stand as they were reported.
	Adjusted time.Duration
}

// End is when the span ended.
func (s *Span) End() time.Time { return s.Start.Add(s.Duration) }

// Event is something that happened within a span.
type Event struct {
	Name       string
	Time       time.Time
	Attributes map[string]any
}

// Link names a span of the same or another trace that this one goes back to.
type Link struct {
	TraceID, SpanID string
}

// Segment is a piece of a span on the critical path.
type Segment struct {
	SpanID   string
	Start    time.Time
	Duration time.Duration
}

// Graph says which service called which, how often, and with what outcome.
type Graph struct {
	Nodes []Node
	Edges []Edge
}

// Node is a service or a database. Calls are the requests and messages it took in (for a browser: the actions of people).
type Node struct {
	Service       string
	Calls, Errors int
	P95           time.Duration
}

// The kinds of edges.
const (
	EdgeHTTP      = "http"
	EdgeMessaging = "messaging"
	EdgeDB        = "db"
)

// Edge is a call from one service to another, as the called side saw it, or the calling one for databases.
type Edge struct {
	From, To string
	// Kind is "http", "messaging" or "db".
	Kind          string
	Calls, Errors int
	P95           time.Duration
}

// CheckTraceID returns the id in lower case, or apperr.Invalid for what is not 32 hexadecimal digits or all zero.
func CheckTraceID(id string) (string, error) {
	id = strings.ToLower(id)
	if len(id) != 32 || strings.Trim(id, "0123456789abcdef") != "" || strings.Trim(id, "0") == "" {
		return "", apperr.InvalidField("traceId", "must be 32 hexadecimal digits, not all zero")
	}
	return id, nil
}

func notFound() error {
	return apperr.New(apperr.NotFound, "There is no such trace: it was not recorded, or is no longer kept.")
}

// None is the source of a service that has none: it finds nothing.
type None struct{}

var _ Source = None{}

// Trace finds nothing.
func (None) Trace(_ context.Context, id string) (*Trace, error) {
	if _, err := CheckTraceID(id); err != nil {
		return nil, err
	}
	return nil, notFound()
}

// Search finds nothing.
func (None) Search(context.Context, Query) ([]Summary, error) { return []Summary{}, nil }

// Graph is empty.
func (None) Graph(context.Context, time.Time) (*Graph, error) { return &Graph{}, nil }

// Settings says "none".
func (None) Settings() Settings { return Settings{Source: SourceNone} }
