package jsbus

import (
	"context"
	"errors"
	"net"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
)

// headerTraceparent carries the span that caused a message (W3C Trace Context).
const headerTraceparent = "traceparent"

// AttrDeliveryCount is the attribute of a process span with the number of deliveries of its message so far, from 1. The
// conventions have such an attribute per messaging system, and none for NATS yet.
const AttrDeliveryCount = attribute.Key("messaging.nats.message.delivery_count")

var messagingNATS = semconv.MessagingSystemKey.String("nats")

// startPublish starts the PRODUCER span of a message and puts its traceparent into header. end must be called.
func (b *Bus) startPublish(ctx context.Context, m *Msg, header nats.Header) (end func(error)) {
	cause := m.Header[headerTraceparent]
	opts := append(make([]trace.SpanStartOption, 0, 3), producer)
	if link, ok := telemetry.LinkTo(cause); ok { //nolint:contextcheck // a link has no context
		if !link.SpanContext.IsSampled() { // nothing to record: pass it on as it is
			return endNothing
		}
		if !m.Time.IsZero() && time.Since(m.Time) > LateAfter {
			opts = append(opts, trace.WithNewRoot(), trace.WithLinks(link))
		} else {
			ctx = trace.ContextWithRemoteSpanContext(ctx, link.SpanContext)
		}
	}
	ctx, span := b.tel.Tracer.Start(ctx, b.publishName, opts...)
	if tp := telemetry.Traceparent(ctx); tp != "" {
		header[headerTraceparent] = []string{tp}
	}
	if !span.IsRecording() {
		return endNothing
	}
	span.SetAttributes(messagingNATS, semconv.MessagingOperationName("publish"), semconv.MessagingOperationTypeSend,
		semconv.MessagingDestinationName(m.Subject), semconv.MessagingDestinationTemplate(b.cfg.SubjectTemplate),
		semconv.MessagingMessageID(m.ID), semconv.MessagingMessageBodySize(len(m.Data)))
	span.SetAttributes(b.server()...)
	span.SetAttributes(m.Attributes...)
	return func(err error) {
		if err != nil {
			span.SetAttributes(semconv.ErrorTypeKey.String(errorType(err)))
			span.SetStatus(codes.Error, "not acknowledged")
		}
		span.End()
	}
}

var (
	producer = trace.WithSpanKind(trace.SpanKindProducer)
	consumer = trace.WithSpanKind(trace.SpanKindConsumer)
)

func endNothing(error) {}

// startProcess starts the spans of a batch that a consumer brought; see StartProcess.
func (b *Bus) startProcess(ctx context.Context, durable string, batch []Delivery) (_ context.Context, end func()) {
	causes := make([]Cause, len(batch))
	for i := range batch {
		d := &batch[i]
		causes[i] = Cause{Traceparent: d.Header.Get(headerTraceparent), Time: d.Timestamp, Attributes: d.attributes}
	}
	return StartProcess(ctx, b.tel.Tracer, b.processName, causes, func() []attribute.KeyValue { return b.processing(durable) })
}

// processing returns the attributes that all process spans of a consumer share.
func (b *Bus) processing(durable string) []attribute.KeyValue {
	return append(b.server(), messagingNATS, semconv.MessagingOperationName("process"), semconv.MessagingOperationTypeProcess,
		semconv.MessagingDestinationTemplate(b.cfg.SubjectTemplate), semconv.MessagingConsumerGroupName(durable))
}

// attributes returns those of a process span that are about one message.
func (d *Delivery) attributes() []attribute.KeyValue {
	return []attribute.KeyValue{
		semconv.MessagingDestinationName(d.Subject), semconv.MessagingMessageID(d.Header.Get(nats.MsgIdHdr)),
		semconv.MessagingMessageBodySize(len(d.Data)), AttrDeliveryCount.Int64(int64(min(d.NumDelivered, 1<<62))),
	}
}

// server returns where NATS is; a server in this process has no address.
func (b *Bus) server() []attribute.KeyValue {
	host, port, err := net.SplitHostPort(b.nc.ConnectedAddr())
	if err != nil {
		return nil
	}
	attrs := append(make([]attribute.KeyValue, 0, 8), semconv.ServerAddress(host))
	if n, err := strconv.Atoi(port); err == nil {
		attrs = append(attrs, semconv.ServerPort(n))
	}
	return attrs
}

// errorType names the reasons for which a message is not acknowledged.
func errorType(err error) string {
	for name, target := range map[string]error{
		"timeout":      jetstream.ErrAsyncPublishTimeout,
		"no_stream":    jetstream.ErrNoStreamResponse,
		"disconnected": nats.ErrDisconnected,
		"closed":       nats.ErrConnectionClosed,
		"stalled":      jetstream.ErrTooManyStalledMsgs,
		"deadline":     context.DeadlineExceeded,
		"canceled":     context.Canceled,
	} {
		if errors.Is(err, target) {
			return name
		}
	}
	return semconv.ErrorTypeOther.Value.AsString()
}
