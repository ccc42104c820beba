package live

import (
	"context"
	"math"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
	"github.com/tallyboard/tallyboard/services/task-service/internal/eventpb"
	"github.com/tallyboard/tallyboard/services/task-service/internal/eventspan"
	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
)

// headerTraceparent is the header of a message that names the span that sent it.
const headerTraceparent = "traceparent"

// Where an event came to this replica from, in attrSource.
const (
	sourceRelay    = "relay" // of this process
	sourceNATS     = "nats"
	sourceDatabase = "database"
)

// deliverName is the name of the spans of deliveries.
const deliverName = "deliver " + eventpb.SubjectTemplate

// eventDelivered is the span event that ends a delivery; it counts the streams that the event was written to.
const (
	eventDelivered  = "sse.deliver"
	attrSubscribers = attribute.Key("subscribers")
	attrSource      = attribute.Key("tallyboard.live.source")
)

// Limits of deliveries.
const (
	// deliveryPatience is how long a delivery waits for readers who have not come for the event, or have not written it.
	// Those who come later get it without a trace, so that one slow reader does not keep the span from all who look for it.
	deliveryPatience = time.Second
	// maxDeliveries is the number of open deliveries in a replica.
	maxDeliveries = 1024
)

// delivery is the span of one event on its way to the browsers of this replica. A hub makes one for each event whose trace
// is recorded, and ends it when everybody has the event. One that no reader took is never ended, so it is never exported; one
// that readers took who then went away is: what they read for it is below it.
type delivery struct {
	pos     int64
	span    trace.Span
	began   time.Time
	waiting int       // readers who have not come for the event
	handed  int       // readers who have it, but have not said that they wrote it
	written int       // streams it was written to
	last    time.Time // of these writes
	taken   bool      // by any reader
	closed  bool      // nobody is waited for any more
}

// begins opens the delivery of an event that has just been put into the window. The caller holds mu.
func (h *Hub) begins(t *topic, e arrival) {
	now := time.Now()
	if !eventspan.Sampled(e.cause) || eventspan.Late(e.Event, now) || h.open >= maxDeliveries {
		return
	}
	waiting := 0
	for s := range t.subs {
		if s.cursor < e.Pos {
			waiting++
		}
	}
	if waiting == 0 || !eventspan.Sampled(h.budget.Limit(e.cause, e.Pos)) {
		return
	}
	_, span := h.tracer.Start(telemetry.ContextWithTraceparent(context.Background(), e.cause), deliverName,
		trace.WithSpanKind(trace.SpanKindConsumer), trace.WithAttributes(
			semconv.MessagingSystemKey.String("nats"), semconv.MessagingOperationName("deliver"), semconv.MessagingOperationTypeProcess,
			semconv.MessagingDestinationName(eventpb.Subject(e.Event)), semconv.MessagingDestinationTemplate(eventpb.SubjectTemplate),
			semconv.MessagingMessageID(eventpb.MessageID(e.Event)), attrSource.String(e.source)),
		trace.WithAttributes(eventspan.Attributes(e.Event)...))
	if !span.IsRecording() {
		return
	}
	h.open++
	t.deliveries = append(t.deliveries, &delivery{pos: e.Pos, span: span, began: now, waiting: waiting})
}

// hand notes that the reader takes events, and returns the spans of their deliveries. The caller holds mu.
func (s *Subscription) hand(events []history.Event) (spans []trace.Span) {
	if len(s.topic.deliveries) == 0 || len(events) == 0 {
		return nil
	}
	for _, d := range s.topic.deliveries {
		i, found := slices.BinarySearchFunc(events, d.pos, func(e history.Event, pos int64) int { return int(min(1, max(-1, e.Pos-pos))) })
		if !found || d.pos <= s.from { // a reader who resumes was not waited for
			continue
		}
		d.waiting--
		d.handed++
		d.taken = true
		s.holds = append(s.holds, d)
		if spans == nil {
			spans = make([]trace.Span, len(events))
		}
		spans[i] = d.span
	}
	return spans
}

// written notes that the reader has written what the last update held.
func (s *Subscription) written(ctx context.Context) {
	if len(s.sent) == 0 {
		return
	}
	now := time.Now()
	h := s.hub
	h.mu.Lock()
	holds := s.holds
	s.holds = nil
	for _, d := range holds {
		d.handed--
		d.written++
		d.last = now
	}
	h.settle(s.topic)
	h.mu.Unlock()

	untraced := trace.ContextWithSpanContext(ctx, trace.SpanContext{}) // the stream's own span says nothing about events
	for _, e := range s.sent {
		if e.Recorded.Before(s.joined) {
			continue
		}
		measured := untraced
		if len(holds) > 0 && holds[0].pos == e.Pos { // both are in order of position
			measured = trace.ContextWithSpanContext(ctx, holds[0].span.SpanContext())
			holds = holds[1:]
		}
		h.metrics.delay.Record(measured, max(0, now.Sub(e.Recorded).Seconds()))
	}
	s.sent = nil
}

// leaves lets all deliveries go on without a reader. The caller holds mu.
func (h *Hub) leaves(s *Subscription) {
	for _, d := range s.holds {
		d.handed--
	}
	s.holds = nil
	s.skip(math.MaxInt64)
}

// skip lets the deliveries behind the reader's cursor, up to a position, go on without it. The caller holds mu.
func (s *Subscription) skip(upTo int64) {
	for _, d := range s.topic.deliveries {
		if d.pos > s.cursor && d.pos > s.from && d.pos <= upTo {
			d.waiting--
		}
	}
	s.hub.settle(s.topic)
}

// abandon ends the deliveries of a topic that nobody watches any more. The caller holds mu.
func (h *Hub) abandon(t *topic) {
	for _, d := range t.deliveries {
		d.closed = true
	}
	h.settle(t)
}

// expire stops waiting for readers who do not come, or do not get the event written. The caller holds mu.
func (h *Hub) expire(now time.Time) {
	if h.open == 0 {
		return
	}
	for _, t := range h.topics {
		for _, d := range t.deliveries {
			d.closed = d.closed || now.Sub(d.began) >= deliveryPatience
		}
		h.settle(t)
	}
}

// settle ends the deliveries that nobody is waited for any more. A reader who still holds one may say later that it has
// written the event: then that changes nothing. The caller holds mu.
func (h *Hub) settle(t *topic) {
	before := len(t.deliveries)
	t.deliveries = slices.DeleteFunc(t.deliveries, func(d *delivery) bool {
		if !d.closed && (d.handed > 0 || d.waiting > 0) {
			return false
		}
		switch {
		case d.written > 0:
			d.span.AddEvent(eventDelivered, trace.WithTimestamp(d.last), trace.WithAttributes(attrSubscribers.Int(d.written)))
			d.span.End(trace.WithTimestamp(d.last))
		case d.taken:
			d.span.End()
		}
		return true
	})
	h.open -= before - len(t.deliveries)
}
