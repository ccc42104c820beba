// Package eventspan says how an event of the history shows in traces: by which attributes it is found, when it still
// belongs to the trace of the request that made it, and how many of one request's events get spans. The relay follows it
// for publishing and the live feed for delivering, so that both agree.
package eventspan

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
)

// LateAfter is the age from which an event no longer continues the trace that made it.
const LateAfter = time.Minute

// Names of attributes. They hold ids, numbers and kinds, never what people wrote.
const (
	attrTask    = attribute.Key("tallyboard.task.id")
	attrProject = attribute.Key("tallyboard.project.id")
	attrPos     = attribute.Key("tallyboard.event.pos")
	attrKind    = attribute.Key("tallyboard.event.kind")
)

// Attributes returns what a span about an event says of it.
func Attributes(e history.Event) []attribute.KeyValue {
	attrs := make([]attribute.KeyValue, 0, 4)
	attrs = append(attrs, attrProject.String(e.ProjectID.String()), attrPos.Int64(e.Pos), attrKind.String(string(e.Kind)))
	if e.Aggregate == history.OfTask {
		attrs = append(attrs, attrTask.String(e.AggregateID.String()))
	}
	return attrs
}

// Late reports whether an event is too old at a moment to continue the trace that made it.
func Late(e history.Event, now time.Time) bool { return now.Sub(e.Recorded) > LateAfter }

// Context returns ctx in the trace that made the event, for log lines and exemplars, without the span of whatever
// happens to handle it. An event without a trace leaves ctx as it is.
func Context(ctx context.Context, e history.Event) context.Context {
	return telemetry.ContextWithTraceparent(ctx, e.Traceparent)
}
