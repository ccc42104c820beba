package consumer

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/protobuf/proto"

	eventsv1 "github.com/tallyboard/tallyboard/proto/gen/tallyboard/events/v1"
	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/stats"
)

// decode reads a message. Its errors concern the message as a whole; whether changes make sense is for the projection.
func decode(data []byte) (stats.Event, error) {
	var m eventsv1.Event
	if err := proto.Unmarshal(data, &m); err != nil {
		return stats.Event{}, fmt.Errorf("decode message: %w", err)
	}
	e := stats.Event{
		Pos: m.GetPos(), Seq: m.GetSeq(), Kind: m.GetKind(), Occurred: m.GetOccurred().AsTime(), Recorded: m.GetRecorded().AsTime(),
		Traceparent: m.GetTraceparent(),
	}
	switch m.GetAggregate() {
	case eventsv1.Aggregate_AGGREGATE_TASK:
		e.Aggregate = stats.OfTask
	case eventsv1.Aggregate_AGGREGATE_PROJECT:
		e.Aggregate = stats.OfProject
	default:
		return e, fmt.Errorf("decode message: unknown aggregate %d", m.GetAggregate())
	}
	var err, err2 error
	e.Project, err = uuid.FromBytes(m.GetProjectId())
	e.ID, err2 = uuid.FromBytes(m.GetAggregateId())
	if err := errors.Join(err, err2); err != nil {
		return e, fmt.Errorf("decode message: %w", err)
	}
	if m.GetShard() != 0 || e.Pos < 1 || e.Seq < 1 || m.GetOccurred() == nil || m.GetRecorded() == nil {
		return e, fmt.Errorf("decode message: shard %d, position %d, sequence %d or its times make no sense", m.GetShard(), e.Pos, e.Seq)
	}
	for _, c := range m.GetChanges() {
		e.Changes = append(e.Changes, stats.Change{Field: c.GetField(), Before: c.GetBefore(), After: c.GetAfter()})
	}
	return e, nil
}

// maxLinks is how many of a batch's events its span links to.
const maxLinks = 128

// span starts the trace of a batch read from the database: a root of its own, linked to the traces the changes came from.
// Batches from NATS have theirs from the bus.
func (c *Consumer) span(ctx context.Context, events []stats.Event) (context.Context, func()) {
	var links []trace.Link
	for i := range events {
		if link, ok := telemetry.LinkTo(events[i].Traceparent); ok && link.SpanContext.IsSampled() && len(links) < maxLinks {
			links = append(links, link)
		}
	}
	ctx, span := c.tel.Tracer.Start(ctx, "process tasks.{project}.{task}", trace.WithNewRoot(), trace.WithLinks(links...),
		trace.WithSpanKind(trace.SpanKindConsumer), trace.WithAttributes(
			attribute.String("tallyboard.stats.source", SourceDatabase), attribute.Int("messaging.batch.message_count", len(events))))
	return ctx, func() { span.End() }
}
