package consumer

import (
	"errors"
	"fmt"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	eventsv1 "github.com/tallyboard/tallyboard/proto/gen/tallyboard/events/v1"
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
