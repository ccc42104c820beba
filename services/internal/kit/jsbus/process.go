package jsbus

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
)

// LateAfter is the age from which a message no longer continues its trace but starts one that links to it.
const LateAfter = time.Minute

// maxBatchLinks is the number of causes that a batch's span links to, and of those that get a span in their own trace.
const maxBatchLinks = 64

// Cause is where a message that is about to be handled comes from.
type Cause struct {
	// Traceparent names the span that sent it; "" if there is none.
	Traceparent string
	// Time is when it was sent; zero means now.
	Time time.Time
	// Attributes returns the message's own, for the span that is about this message alone, if one is recorded.
	Attributes func() []attribute.KeyValue
}

// StartProcess starts the CONSUMER spans in which messages are handled, and returns a context with the one for the work.
//
// A single message, or several of one trace, continue that trace, as child and by links. A batch from several traces, and
// what is older than LateAfter, gets a root of its own with links. Each fresh message of such a batch also gets a span in
// its own trace, linked to the batch's, so that a trace followed from the click ends where the change was applied. If all
// messages come from traces that are not recorded, nothing is.
//
// attrs returns what all these spans say. end must be called.
func StartProcess(ctx context.Context, tracer trace.Tracer, name string, causes []Cause, attrs func() []attribute.KeyValue) (_ context.Context, end func()) {
	links, fresh, recorded := sortCauses(causes)
	if !recorded {
		return telemetry.Mute(telemetry.ContextWithTraceparent(ctx, causes[0].Traceparent)), func() {}
	}
	options := append(make([]trace.SpanStartOption, 0, 3), consumer, trace.WithLinks(links...))
	continued := len(links) > 0 && oneFreshTrace(causes)
	if continued {
		ctx = trace.ContextWithRemoteSpanContext(ctx, links[0].SpanContext)
	} else {
		options = append(options, trace.WithNewRoot())
	}
	ctx, span := tracer.Start(ctx, name, options...)
	if span.IsRecording() {
		span.SetAttributes(attrs()...)
		if len(causes) == 1 {
			span.SetAttributes(causes[0].Attributes()...)
		} else {
			span.SetAttributes(semconv.MessagingBatchMessageCount(len(causes)))
		}
	}
	if continued || len(causes) == 1 {
		return ctx, func() { span.End() }
	}
	spans := append(make([]trace.Span, 0, len(fresh)+1), span)
	for _, i := range fresh {
		own := telemetry.ContextWithTraceparent(ctx, causes[i].Traceparent)
		_, child := tracer.Start(own, name, consumer, trace.WithLinks(trace.Link{SpanContext: span.SpanContext()}))
		if child.IsRecording() {
			child.SetAttributes(attrs()...)
			child.SetAttributes(causes[i].Attributes()...)
		}
		spans = append(spans, child)
	}
	return ctx, func() {
		for _, s := range spans {
			s.End()
		}
	}
}

// sortCauses returns links to the causes whose traces are recorded, and the indices of those of them that are fresh.
// recorded is false if all causes are known and no trace of them is recorded; a batch of messages without causes begins a
// trace, about which the sampler decides.
func sortCauses(causes []Cause) (links []trace.Link, fresh []int, recorded bool) {
	known := false
	for i, c := range causes {
		link, ok := telemetry.LinkTo(c.Traceparent)
		known = known || ok
		if !ok || !link.SpanContext.IsSampled() || len(links) == maxBatchLinks {
			continue
		}
		links = append(links, link)
		if c.Time.IsZero() || time.Since(c.Time) <= LateAfter {
			fresh = append(fresh, i)
		}
	}
	return links, fresh, len(links) > 0 || !known
}

// oneFreshTrace reports whether all causes belong to one trace and none is late. It does not matter which of them are
// recorded: of a bulk change the first few are, and the others carry the trace's id.
func oneFreshTrace(causes []Cause) bool {
	var id trace.TraceID
	for i, c := range causes {
		link, ok := telemetry.LinkTo(c.Traceparent)
		if !ok || i > 0 && link.SpanContext.TraceID() != id || !c.Time.IsZero() && time.Since(c.Time) > LateAfter {
			return false
		}
		id = link.SpanContext.TraceID()
	}
	return len(causes) > 0
}
