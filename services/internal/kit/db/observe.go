package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// Bounds of what is remembered and told about statements.
const (
	// maxStatements is the number of statements whose summary is remembered; those built from filters are many.
	maxStatements = 1024
	// maxStatementText is the length of db.query.text at most, in bytes. Longer statements, those that insert many rows,
	// are cut there, and not remembered.
	maxStatementText = 2048
	// maxCollections is the number of tables that metrics tell apart; what comes later counts as otherCollection. Names
	// come from our own statements, so this is a net for mistakes.
	maxCollections = 128
)

// otherCollection stands for the tables beyond maxCollections.
const otherCollection = "_other"

// operationBounds are the histogram's bucket bounds in seconds, those the database conventions advise.
var operationBounds = []float64{0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10}

// observer measures the statements of one pool by the OpenTelemetry database conventions
// (https://opentelemetry.io/docs/specs/semconv/database/): a span below the caller's, if that one is recorded, and
// db.client.operation.duration in any case. Both engines share it, so both look alike.
//
// What it writes has statements with their placeholders and never a value: arguments are not looked at, and of an error
// only its code is kept, because its message quotes values ("Duplicate entry 'anna@…'").
type observer struct {
	tracer   trace.Tracer // nil: no spans
	duration metric.Float64Histogram
	system   attribute.KeyValue
	common   []attribute.KeyValue // of every span

	statements  sync.Map // query text → *statement
	remembered  atomic.Int64
	collections sync.Map // table → true
	known       atomic.Int64
}

// target is what a pool connects to.
type target struct {
	system    attribute.KeyValue
	host      string // or the path of a socket
	port      int    // zero for a socket
	namespace string
}

// newObserver returns the observer of a pool, or nil without telemetry.
func newObserver(o Options, to target) (*observer, error) {
	if o.Telemetry == nil {
		return nil, nil //nolint:nilnil // no telemetry is no error
	}
	duration, err := o.Telemetry.Meter.Float64Histogram("db.client.operation.duration", metric.WithUnit("s"),
		metric.WithDescription("Duration of database client operations."), metric.WithExplicitBucketBoundaries(operationBounds...))
	if err != nil {
		return nil, fmt.Errorf("operation duration: %w", err)
	}
	ob := &observer{duration: duration, system: to.system, common: []attribute.KeyValue{to.system, semconv.ServerAddress(to.host)}}
	if to.port > 0 {
		ob.common = append(ob.common, semconv.ServerPort(to.port))
	}
	if to.namespace != "" {
		ob.common = append(ob.common, semconv.DBNamespace(to.namespace))
	}
	if o.Tracer {
		ob.tracer = o.Telemetry.TracerProvider.Tracer(scope)
	}
	return ob, nil
}

// scope names the instrumentation scope of spans of statements.
const scope = "github.com/tallyboard/tallyboard/services/internal/kit/db"

// statement is what is worth working out once per statement: how it is called, and its attributes.
type statement struct {
	name       string
	operation  string
	collection string
	begin      []trace.SpanStartOption
	measure    []metric.RecordOption // of those that succeed
}

// statement returns what there is to tell about a query.
func (o *observer) statement(query string) *statement {
	if found, ok := o.statements.Load(query); ok {
		return found.(*statement) //nolint:errcheck // only these are stored
	}
	operation, collection := summarize(query)
	text := query
	if len(text) > maxStatementText {
		text = strings.ToValidUTF8(text[:maxStatementText], "") + " …"
	} else {
		text = strings.Clone(text)
	}
	st := o.newStatement(operation, collection, semconv.DBQueryText(text))
	if len(query) <= maxStatementText && o.remembered.Load() < maxStatements {
		if _, loaded := o.statements.LoadOrStore(text, st); !loaded {
			o.remembered.Add(1)
		}
	}
	return st
}

// plain returns what there is to tell about an operation that has no text, such as COMMIT.
func (o *observer) plain(operation string) *statement {
	key := "\x00" + operation // no query begins like that
	if found, ok := o.statements.Load(key); ok {
		return found.(*statement) //nolint:errcheck // only these are stored
	}
	found, _ := o.statements.LoadOrStore(key, o.newStatement(operation, ""))
	return found.(*statement) //nolint:errcheck // only these are stored
}

func (o *observer) newStatement(operation, collection string, more ...attribute.KeyValue) *statement {
	name := spanName(operation, collection)
	attrs := append(append(make([]attribute.KeyValue, 0, len(o.common)+len(more)+3), o.common...), more...)
	attrs = append(attrs, semconv.DBQuerySummary(name))
	if operation != "" {
		attrs = append(attrs, semconv.DBOperationName(operation))
	}
	if collection != "" {
		attrs = append(attrs, semconv.DBCollectionName(collection))
	}
	return &statement{
		name: name, operation: operation, collection: collection,
		begin:   []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attrs...)},
		measure: []metric.RecordOption{metric.WithAttributeSet(attribute.NewSet(o.labels(operation, collection)...))},
	}
}

// labels are the few attributes that metrics have.
func (o *observer) labels(operation, collection string) []attribute.KeyValue {
	attrs := append(make([]attribute.KeyValue, 0, 4), o.system)
	if operation != "" {
		attrs = append(attrs, semconv.DBOperationName(operation))
	}
	if collection != "" {
		attrs = append(attrs, semconv.DBCollectionName(o.bounded(collection)))
	}
	return attrs
}

func (o *observer) bounded(collection string) string {
	if _, ok := o.collections.Load(collection); ok {
		return collection
	}
	if o.known.Load() >= maxCollections {
		return otherCollection
	}
	if _, loaded := o.collections.LoadOrStore(collection, true); !loaded {
		o.known.Add(1)
	}
	return collection
}

// start begins the span of a statement, or returns nil where none is recorded: without a caller's span there is no trace
// that it could belong to.
func (o *observer) start(ctx context.Context, st *statement, began time.Time) (context.Context, trace.Span) {
	if o.tracer == nil || !trace.SpanFromContext(ctx).IsRecording() {
		return ctx, nil
	}
	return o.tracer.Start(ctx, st.name, append(slices.Clip(st.begin), trace.WithTimestamp(began))...) //nolint:spancheck // end does
}

// end ends what start began; span may be nil.
func (o *observer) end(ctx context.Context, span trace.Span, st *statement, began time.Time, err error) {
	measure := st.measure
	kind, status := errorType(err)
	if kind != "" {
		labels := append(o.labels(st.operation, st.collection), semconv.ErrorTypeKey.String(kind))
		measure = []metric.RecordOption{metric.WithAttributeSet(attribute.NewSet(labels...))}
	}
	o.duration.Record(ctx, time.Since(began).Seconds(), measure...)
	endSpan(span, kind, status)
}

// endSpan ends a span, which may be nil, of what failed if kind is not "".
func endSpan(span trace.Span, kind, status string) {
	if span == nil {
		return
	}
	if kind != "" {
		span.SetAttributes(semconv.ErrorTypeKey.String(kind))
		if status != "" {
			span.SetAttributes(semconv.DBResponseStatusCode(status))
		}
		span.SetStatus(codes.Error, "")
	}
	span.End()
}

// done is start and end of what has ended already.
func (o *observer) done(ctx context.Context, st *statement, began time.Time, err error) {
	_, span := o.start(ctx, st, began)
	o.end(ctx, span, st, began, err)
}

// errorType returns the server's code for an error (SQLSTATE, or MySQL's number), which is its type too, or a word for
// what came without one. Both are "" where nothing failed: no row is an answer.
func errorType(err error) (kind, status string) {
	switch {
	case err == nil, errors.Is(err, sql.ErrNoRows): // pgx.ErrNoRows is one as well
		return "", ""
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout", ""
	case errors.Is(err, context.Canceled):
		return "canceled", ""
	}
	if n := myNumber(err); n != 0 {
		status = strconv.Itoa(int(n))
		return status, status
	}
	if code := pgCode(err); code != "" {
		return code, code
	}
	if IsUnavailable(err) {
		return "unavailable", ""
	}
	return semconv.ErrorTypeOther.Value.AsString(), ""
}
