// Package eventpb is the one place where an event of the history meets its protobuf form and its JetStream subject. The
// relay encodes with it, the live feed decodes.
package eventpb

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventsv1 "github.com/tallyboard/tallyboard/proto/gen/tallyboard/events/v1"

	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
)

// SubjectTemplate names all subjects at once, for span names and dashboards, where ids would be too many values.
const SubjectTemplate = "tasks.{project}.{task}"

// projectToken stands where a task's id would be in the subject of a project's own events.
const projectToken = "project"

// Subject returns where an event is published: tasks.<project id>.<task id>, or tasks.<project id>.project.
func Subject(e history.Event) string {
	last := projectToken
	if e.Aggregate == history.OfTask {
		last = e.AggregateID.String()
	}
	return "tasks." + e.ProjectID.String() + "." + last
}

// MessageID returns the Nats-Msg-Id of an event: its row id, so that a publisher's retry within the stream's dedupe
// window is dropped by the stream already. Consumers do not rely on it, they look at the position.
func MessageID(e history.Event) string { return strconv.FormatInt(e.ID, 10) }

// Marshal returns the protobuf form of an event that has a position, as of the given shard of the total order.
func Marshal(shard int, e history.Event) ([]byte, error) {
	if e.Pos <= 0 {
		return nil, fmt.Errorf("encode event %d: it has no position yet", e.ID)
	}
	data, err := proto.Marshal(toProto(shard, e))
	if err != nil {
		return nil, fmt.Errorf("encode event %d: %w", e.ID, err)
	}
	return data, nil
}

// Unmarshal reads what Marshal wrote. Fields and kinds it does not know, from a newer version, are let through; an event
// without a position or with malformed ids is an error.
func Unmarshal(data []byte) (shard int, e history.Event, err error) {
	var m eventsv1.Event
	if err := proto.Unmarshal(data, &m); err != nil {
		return 0, history.Event{}, fmt.Errorf("decode event: %w", err)
	}
	e, err = fromProto(&m)
	if err != nil {
		return 0, history.Event{}, fmt.Errorf("decode event %d at position %d: %w", m.GetId(), m.GetPos(), err)
	}
	return int(m.GetShard()), e, nil
}

func toProto(shard int, e history.Event) *eventsv1.Event {
	m := &eventsv1.Event{
		Id:          e.ID,
		Shard:       int32(shard),
		Pos:         e.Pos,
		ProjectId:   e.ProjectID[:],
		Aggregate:   aggregateToProto(e.Aggregate),
		AggregateId: e.AggregateID[:],
		Seq:         e.Seq,
		Kind:        string(e.Kind),
		Actor:       e.Actor[:],
		Occurred:    timestamppb.New(e.Occurred),
		Recorded:    timestamppb.New(e.Recorded),
		Traceparent: e.Traceparent,
	}
	if len(e.Changes) > 0 {
		m.Changes = make([]*eventsv1.Change, len(e.Changes))
	}
	for i, c := range e.Changes {
		m.Changes[i] = &eventsv1.Change{Field: c.Field, Before: c.Before, After: c.After}
	}
	return m
}

func fromProto(m *eventsv1.Event) (history.Event, error) {
	e := history.Event{
		ID: m.GetId(), Pos: m.GetPos(), Seq: m.GetSeq(), Kind: history.Kind(m.GetKind()), Traceparent: m.GetTraceparent(),
	}
	if e.Pos <= 0 {
		return history.Event{}, errors.New("it has no position")
	}
	var err error
	if e.Aggregate, err = aggregateFromProto(m.GetAggregate()); err != nil {
		return history.Event{}, err
	}
	for _, id := range []struct {
		name string
		from []byte
		to   *uuid.UUID
	}{
		{"project id", m.GetProjectId(), &e.ProjectID},
		{"aggregate id", m.GetAggregateId(), &e.AggregateID},
		{"actor", m.GetActor(), &e.Actor},
	} {
		if *id.to, err = uuid.FromBytes(id.from); err != nil {
			return history.Event{}, fmt.Errorf("%s: %w", id.name, err)
		}
	}
	if e.Occurred, err = timeOf("occurred", m.GetOccurred()); err != nil {
		return history.Event{}, err
	}
	if e.Recorded, err = timeOf("recorded", m.GetRecorded()); err != nil {
		return history.Event{}, err
	}
	for _, c := range m.GetChanges() {
		e.Changes = append(e.Changes, history.Change{Field: c.GetField(), Before: rawOf(c.GetBefore()), After: rawOf(c.GetAfter())})
	}
	return e, nil
}

// rawOf keeps the difference between absent and present: an empty value is no JSON and means absent.
func rawOf(b []byte) json.RawMessage {
	if len(b) == 0 {
		return nil
	}
	return b
}

func timeOf(name string, ts *timestamppb.Timestamp) (time.Time, error) {
	if err := ts.CheckValid(); err != nil {
		return time.Time{}, fmt.Errorf("%s: %w", name, err)
	}
	return ts.AsTime(), nil
}

func aggregateToProto(a history.Aggregate) eventsv1.Aggregate {
	switch a {
	case history.OfTask:
		return eventsv1.Aggregate_AGGREGATE_TASK
	case history.OfProject:
		return eventsv1.Aggregate_AGGREGATE_PROJECT
	}
	return eventsv1.Aggregate_AGGREGATE_UNSPECIFIED
}

func aggregateFromProto(a eventsv1.Aggregate) (history.Aggregate, error) {
	switch a {
	case eventsv1.Aggregate_AGGREGATE_TASK:
		return history.OfTask, nil
	case eventsv1.Aggregate_AGGREGATE_PROJECT:
		return history.OfProject, nil
	}
	return "", fmt.Errorf("aggregate %d is not known", int32(a))
}
