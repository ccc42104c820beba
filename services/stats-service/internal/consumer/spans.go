package consumer

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/internal/kit/jsbus"
	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/stats"
)

// processName is the name of the spans in which events are applied, the same whether NATS brought them or the database.
const processName = "process tasks.{project}.{task}"

// Attributes of process spans and of their span events. They hold ids, numbers and kinds, never what people wrote.
const (
	attrTask    = attribute.Key("tallyboard.task.id")
	attrProject = attribute.Key("tallyboard.project.id")
	attrPos     = attribute.Key("tallyboard.event.pos")
	attrKind    = attribute.Key("tallyboard.event.kind")
	attrSource  = attribute.Key("tallyboard.stats.source")
	attrCount   = attribute.Key("tallyboard.stats.count")
)

// Span events of process spans.
const (
	eventRedelivered = "stats.redelivered" // NATS brought a message again
	eventSkipped     = "stats.skipped"     // events that had been applied before
	eventGapFill     = "stats.gap_fill"    // events read from the database because NATS left them out
	eventParked      = "stats.parked"      // events set aside
	eventRetry       = "stats.retry"       // an attempt to apply failed and will be repeated
)

// describe puts into the process span of what NATS brought which event it is about.
func describe(ctx context.Context, events []stats.Event) {
	span := trace.SpanFromContext(ctx)
	if !span.IsRecording() || len(events) == 0 {
		return
	}
	span.SetAttributes(attrSource.String(SourceNATS))
	if len(events) == 1 {
		span.SetAttributes(attributesOf(&events[0])...)
	}
}

func attributesOf(e *stats.Event) []attribute.KeyValue {
	attrs := make([]attribute.KeyValue, 0, 4)
	attrs = append(attrs, attrProject.String(e.Project.String()), attrPos.Int64(e.Pos), attrKind.String(e.Kind))
	if e.Aggregate == stats.OfTask {
		attrs = append(attrs, attrTask.String(e.ID.String()))
	}
	return attrs
}

// mark adds a span event to the process span of ctx.
func mark(ctx context.Context, name string, attrs ...attribute.KeyValue) {
	if span := trace.SpanFromContext(ctx); span.IsRecording() {
		span.AddEvent(name, trace.WithAttributes(attrs...))
	}
}

// markFailure says in the process span of ctx that its events were not applied. The error's text stays in the log.
func markFailure(ctx context.Context, err error) {
	if span := trace.SpanFromContext(ctx); span.IsRecording() {
		span.SetAttributes(errorType(err))
		span.SetStatus(codes.Error, "not applied")
	}
}

func errorType(err error) attribute.KeyValue {
	return semconv.ErrorTypeKey.String(string(apperr.CodeOf(err)))
}

// contextOf returns ctx in the trace that made an event, for exemplars and log lines, if that one is recorded.
func contextOf(ctx context.Context, e *stats.Event) context.Context {
	if link, ok := telemetry.LinkTo(e.Traceparent); ok && link.SpanContext.IsSampled() {
		return trace.ContextWithRemoteSpanContext(ctx, link.SpanContext)
	}
	return ctx
}

// span starts the spans of events read from the database, by the rules of those that NATS brings: so a click's trace is
// whole although NATS was away.
func (c *Consumer) span(ctx context.Context, events []stats.Event) (context.Context, func()) {
	causes := make([]jsbus.Cause, len(events))
	for i := range events {
		e := &events[i]
		causes[i] = jsbus.Cause{
			Traceparent: e.Traceparent, Time: e.Recorded, Attributes: func() []attribute.KeyValue { return attributesOf(e) },
		}
	}
	return jsbus.StartProcess(ctx, c.tel.Tracer, processName, causes, func() []attribute.KeyValue {
		return []attribute.KeyValue{
			semconv.MessagingOperationName("process"), semconv.MessagingOperationTypeProcess, semconv.MessagingConsumerGroupName(Durable),
			attrSource.String(SourceDatabase),
		}
	})
}
