package eventpb_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/tallyboard/tallyboard/services/task-service/internal/eventpb"
	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
)

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want, shard := anEvent(t), rapid.IntRange(0, 1000).Draw(t, "shard")
		data, err := eventpb.Marshal(shard, want)
		if err != nil {
			t.Fatal(err)
		}
		gotShard, got, err := eventpb.Unmarshal(data)
		if err != nil {
			t.Fatal(err)
		}
		if gotShard != shard || !reflect.DeepEqual(got, want) {
			t.Fatalf("shard %d, event\n%+v\ncame back as shard %d,\n%+v", shard, want, gotShard, got)
		}
	})
}

func TestSubject(t *testing.T) {
	t.Parallel()
	project, task := uuid.New(), uuid.New()
	e := history.Event{ID: 17, ProjectID: project, Aggregate: history.OfTask, AggregateID: task}
	if got, want := eventpb.Subject(e), "tasks."+project.String()+"."+task.String(); got != want {
		t.Errorf("subject of a task event = %q, want %q", got, want)
	}
	e.Aggregate, e.AggregateID = history.OfProject, project
	if got, want := eventpb.Subject(e), "tasks."+project.String()+".project"; got != want {
		t.Errorf("subject of a project event = %q, want %q", got, want)
	}
	if got := eventpb.MessageID(e); got != "17" {
		t.Errorf("message id = %q, want 17", got)
	}
}

func TestMarshalRefusesAnEventWithoutPosition(t *testing.T) {
	t.Parallel()
	if _, err := eventpb.Marshal(0, history.Event{ID: 1}); err == nil {
		t.Error("an event without position was encoded")
	}
}

func FuzzUnmarshal(f *testing.F) {
	data, err := eventpb.Marshal(0, history.Event{
		ID: 1, Pos: 2, Aggregate: history.OfTask, Kind: history.TaskChanged, Occurred: time.Unix(1, 0), Recorded: time.Unix(2, 0),
		Changes: []history.Change{history.NewChange(history.FieldTitle, "a", "b")},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte{})
	f.Add(data[:len(data)/2])
	f.Fuzz(func(t *testing.T, data []byte) {
		shard, e, err := eventpb.Unmarshal(data)
		if err != nil {
			return
		}
		if e.Pos <= 0 || (e.Aggregate != history.OfTask && e.Aggregate != history.OfProject) {
			t.Fatalf("accepted %+v", e)
		}
		if _, err := eventpb.Marshal(shard, e); err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
	})
}

func anEvent(t *rapid.T) history.Event {
	id := rapid.Custom(func(t *rapid.T) uuid.UUID {
		return uuid.UUID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id"))
	})
	moment := rapid.Custom(func(t *rapid.T) time.Time {
		return time.UnixMicro(rapid.Int64Range(0, 4e15).Draw(t, "µs")).UTC()
	})
	value := rapid.SampledFrom([]json.RawMessage{nil, []byte(`"x"`), []byte(`3`), []byte(`["a","b"]`), []byte(`{"kind":"blocks"}`)})
	var changes []history.Change
	for range rapid.IntRange(0, 4).Draw(t, "changes") {
		changes = append(changes, history.Change{
			Field: rapid.SampledFrom([]string{history.FieldTitle, history.FieldState, history.FieldLabels}).Draw(t, "field"),
			// rapid shares the sampled slices; nothing writes to them
			Before: value.Draw(t, "before"), After: value.Draw(t, "after"),
		})
	}
	return history.Event{
		ID: rapid.Int64Min(1).Draw(t, "row"), Pos: rapid.Int64Min(1).Draw(t, "pos"), ProjectID: id.Draw(t, "project"),
		Aggregate:   rapid.SampledFrom([]history.Aggregate{history.OfTask, history.OfProject}).Draw(t, "aggregate"),
		AggregateID: id.Draw(t, "aggregate id"), Seq: rapid.Int64Min(1).Draw(t, "seq"),
		Kind:  rapid.SampledFrom([]history.Kind{history.TaskCreated, history.ProjectChanged, "from.tomorrow"}).Draw(t, "kind"),
		Actor: id.Draw(t, "actor"), Changes: changes, Occurred: moment.Draw(t, "occurred"), Recorded: moment.Draw(t, "recorded"),
		Traceparent: rapid.SampledFrom([]string{"", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}).Draw(t, "traceparent"),
	}
}
