package jsbus

import (
	"context"
	"time"

	"github.com/nats-io/nats.go"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
)

// headerTraceparent carries the span that caused a message (W3C Trace Context).
const headerTraceparent = "traceparent"

// LateAfter is the age from which an event no longer continues its trace but starts one that links to it.
const LateAfter = time.Minute

// maxBatchLinks is the number of causes that a batch's span links to.
const maxBatchLinks = 64

var messagingNATS = semconv.MessagingSystemKey.String("nats")

// startPublish starts the PRODUCER span of a message and puts its traceparent into header. end must be called.
func (b *Bus) startPublish(ctx context.Context, m *Msg, header nats.Header) (end func(error)) {
	cause := m.Header[headerTraceparent]
	opts := make([]trace.SpanStartOption, 0, 4)
	opts = append(opts, trace.WithSpanKind(trace.SpanKindProducer))
	if link, ok := telemetry.LinkTo(cause); ok { //nolint:contextcheck // a link has no context
		if !link.SpanContext.IsSampled() { // nothing to record: pass it on as it is
			return func(error) {}
		}
		if !m.Time.IsZero() && time.Since(m.Time) > LateAfter {
			opts = append(opts, trace.WithNewRoot(), trace.WithLinks(link))
		} else {
			ctx = trace.ContextWithRemoteSpanContext(ctx, link.SpanContext)
		}
	}
	ctx, span := b.tel.Tracer.Start(ctx, "publish "+b.cfg.SubjectTemplate, opts...)
	if tp := telemetry.Traceparent(ctx); tp != "" {
		header[headerTraceparent] = []string{tp}
	}
	if span.IsRecording() {
		span.SetAttributes(messagingNATS, semconv.MessagingOperationName("publish"), semconv.MessagingOperationTypeSend,
			semconv.MessagingDestinationName(m.Subject), semconv.MessagingDestinationTemplate(b.cfg.SubjectTemplate),
			semconv.MessagingMessageID(m.ID), semconv.MessagingMessageBodySize(len(m.Data)))
		span.SetAttributes(m.Attributes...)
	}
	return func(err error) {
		if err != nil {
			span.SetStatus(codes.Error, "not acknowledged")
		}
		span.End()
	}
}

// startProcess starts the CONSUMER spans of a batch. A single fresh message continues its trace; a batch, and what comes
// late, gets a root of its own with links. Each fresh message of a batch also gets a span in its own trace, linked to the
// batch's, so that a trace followed from the click ends where the change was applied.
func (b *Bus) startProcess(ctx context.Context, consumer string, batch []Delivery) (_ context.Context, end func()) {
	name := "process " + b.cfg.SubjectTemplate
	attrs := []attribute.KeyValue{
		messagingNATS, semconv.MessagingOperationName("process"), semconv.MessagingOperationTypeProcess,
		semconv.MessagingDestinationTemplate(b.cfg.SubjectTemplate), semconv.MessagingConsumerGroupName(consumer),
	}
	kind := trace.WithSpanKind(trace.SpanKindConsumer)
	if len(batch) == 1 {
		d := batch[0]
		attrs = append(attrs, semconv.MessagingDestinationName(d.Subject), semconv.MessagingMessageID(d.Header.Get(nats.MsgIdHdr)))
		opts := []trace.SpanStartOption{kind, trace.WithAttributes(attrs...)}
		if link, ok := telemetry.LinkTo(d.Header.Get(headerTraceparent)); ok {
			opts = append(opts, trace.WithLinks(link))
			if d.fresh() {
				ctx = trace.ContextWithRemoteSpanContext(ctx, link.SpanContext)
			} else {
				opts = append(opts, trace.WithNewRoot())
			}
		}
		ctx, span := b.tel.Tracer.Start(ctx, name, opts...)
		return ctx, func() { span.End() }
	}
	var links []trace.Link
	var fresh []trace.Link
	for _, d := range batch {
		link, ok := telemetry.LinkTo(d.Header.Get(headerTraceparent))
		if !ok || !link.SpanContext.IsSampled() || len(links) == maxBatchLinks {
			continue
		}
		links = append(links, link)
		if d.fresh() {
			fresh = append(fresh, link)
		}
	}
	attrs = append(attrs, semconv.MessagingBatchMessageCount(len(batch)))
	ctx, span := b.tel.Tracer.Start(ctx, name, kind, trace.WithNewRoot(), trace.WithLinks(links...), trace.WithAttributes(attrs...))
	spans := []trace.Span{span}
	for _, cause := range fresh {
		_, child := b.tel.Tracer.Start(trace.ContextWithRemoteSpanContext(ctx, cause.SpanContext), name, kind,
			trace.WithLinks(trace.Link{SpanContext: span.SpanContext()}), trace.WithAttributes(attrs...))
		spans = append(spans, child)
	}
	return ctx, func() {
		for _, s := range spans {
			s.End()
		}
	}
}

// fresh reports whether a message was stored so recently that it belongs to its cause's trace.
func (d Delivery) fresh() bool { return d.Timestamp.IsZero() || time.Since(d.Timestamp) <= LateAfter }
