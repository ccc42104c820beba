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

// lateAfter is the age from which an event no longer continues its trace but starts one that links to it.
const lateAfter = jsbus.LateAfter

// maxLinks is how many of a batch's events its span links to, and how many get a span in their own trace.
const maxLinks = 128

// Attributes of process spans and of their span events. They hold ids, numbers and kinds, never what people wrote.
const (
	attrTask    = attribute.Key("tallyboard.task.id")
	attrProject = attribute.Key("tallyboard.project.id")
	attrPos     = attribute.Key("tallyboard.event.pos")
	attrKind    = attribute.Key("tallyboard.event.kind")
	attrSource  = attribute.Key("tallyboard.stats.source")
	attrCount   = attribute.Key("tallyboard.stats.count")
	attrAttempt = attribute.Key("tallyboard.delivery.attempt")
)

// Span events of process spans.
const (
	eventRedelivered = "stats.redelivered" // NATS brought a message again
	eventSkipped     = "stats.skipped"     // events that had been applied before
	eventGapFill     = "stats.gap_fill"    // events read from the database because NATS left them out
	eventParked      = "stats.parked"      // events set aside
	eventRetry       = "stats.retry"       // an attempt to apply failed and will be repeated
)

// describe puts into a process span which events it is about.
func describe(ctx context.Context, source string, events []stats.Event) {
	span := trace.SpanFromContext(ctx)
	if !span.IsRecording() || len(events) == 0 {
		return
	}
	span.SetAttributes(attrSource.String(source))
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

// span starts the spans of events read from the database, by the rules that the bus has for those it brings: events of one
// fresh trace continue it, so that a click's trace is whole although NATS was away; several traces, and what comes late,
// get a root of their own with links, and each fresh cause a span that leads to it. If none of the traces is recorded,
// neither is this.
func (c *Consumer) span(ctx context.Context, events []stats.Event) (context.Context, func()) {
	now := c.now()
	var links, fresh []trace.Link
	var about []*stats.Event // of fresh
	undecided := false       // some event has no trace
	for i := range events {
		link, ok := telemetry.LinkTo(events[i].Traceparent)
		undecided = undecided || !ok
		if !ok || !link.SpanContext.IsSampled() || len(links) == maxLinks {
			continue
		}
		links = append(links, link)
		if now.Sub(events[i].Recorded) <= lateAfter {
			fresh, about = append(fresh, link), append(about, &events[i])
		}
	}
	if len(links) == 0 && !undecided {
		return telemetry.Mute(telemetry.ContextWithTraceparent(ctx, events[0].Traceparent)), func() {}
	}
	attrs := []attribute.KeyValue{
		semconv.MessagingOperationName("process"), semconv.MessagingOperationTypeProcess, semconv.MessagingConsumerGroupName(Durable),
		attrSource.String(SourceDatabase),
	}
	options := []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindConsumer), trace.WithLinks(links...)}
	if oneTrace(fresh, len(events)) {
		ctx = trace.ContextWithRemoteSpanContext(ctx, fresh[0].SpanContext)
		fresh = nil
	} else {
		options = append(options, trace.WithNewRoot())
	}
	if len(events) > 1 {
		options = append(options, trace.WithAttributes(semconv.MessagingBatchMessageCount(len(events))))
	}
	ctx, span := c.tel.Tracer.Start(ctx, processName, append(options, trace.WithAttributes(attrs...))...)
	describe(ctx, SourceDatabase, events)
	spans := []trace.Span{span}
	for i, cause := range fresh {
		_, child := c.tel.Tracer.Start(trace.ContextWithRemoteSpanContext(ctx, cause.SpanContext), processName,
			trace.WithSpanKind(trace.SpanKindConsumer), trace.WithLinks(trace.Link{SpanContext: span.SpanContext()}),
			trace.WithAttributes(attrs...), trace.WithAttributes(attributesOf(about[i])...))
		spans = append(spans, child)
	}
	return ctx, func() {
		for _, s := range spans {
			s.End()
		}
	}
}

// oneTrace reports whether all of a number of events come from one trace.
func oneTrace(causes []trace.Link, events int) bool {
	if len(causes) == 0 || len(causes) != events {
		return false
	}
	for _, c := range causes {
		if c.SpanContext.TraceID() != causes[0].SpanContext.TraceID() {
			return false
		}
	}
	return true
}
