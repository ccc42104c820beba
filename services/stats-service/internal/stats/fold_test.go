package stats_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/stats-service/internal/stats"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/store/statstest"
)

// TestPoison parks the task of each event that makes no sense, with all behind it, and nothing else.
func TestPoison(t *testing.T) {
	t.Parallel()
	raw := func(s string) json.RawMessage { return json.RawMessage(s) }
	for name, spoil := range map[string]func(*stats.Event){
		"undecodable": func(e *stats.Event) { e.Undecodable = "changes: not JSON" },
		"unknown state": func(e *stats.Event) {
			e.Changes = []stats.Change{statstest.Change("state", nil, statstest.ID("state", 99))}
		},
		"state of no id":   func(e *stats.Event) { e.Changes = []stats.Change{{Field: "state", After: raw(`"x"`)}} },
		"no state":         func(e *stats.Event) { e.Changes = []stats.Change{{Field: "state", After: raw(`null`)}} },
		"priority 9":       func(e *stats.Event) { e.Changes = []stats.Change{{Field: "priority", After: raw(`9`)}} },
		"priority of text": func(e *stats.Event) { e.Changes = []stats.Change{{Field: "priority", After: raw(`"high"`)}} },
		"due of no date":   func(e *stats.Event) { e.Changes = []stats.Change{{Field: "due", After: raw(`"2026-02-30"`)}} },
		"estimate of text": func(e *stats.Event) { e.Changes = []stats.Change{{Field: "estimate", After: raw(`"3"`)}} },
		"assignee no id":   func(e *stats.Event) { e.Changes = []stats.Change{{Field: "assignees", After: raw(`["me"]`)}} },
		"gap in sequence":  func(e *stats.Event) { e.Seq++ },
		"year 1":           func(e *stats.Event) { e.Occurred = time.Time{} },
		"other project":    func(e *stats.Event) { e.Project = statstest.ID("project", 2) },
		"unknown thing":    func(e *stats.Event) { e.Aggregate = "board" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := statstest.New()
			sick := w.Create(1, statstest.Todo, statstest.At("2026-03-01T00:00:00Z"))
			fine := w.Create(2, statstest.Todo, statstest.At("2026-03-01T00:00:00Z"))
			w.Move(sick, statstest.Todo, statstest.Doing, statstest.At("2026-03-02T00:00:00Z"))
			bad := len(w.Events) - 1
			w.Move(fine, statstest.Todo, statstest.Doing, statstest.At("2026-03-02T00:00:00Z"))
			w.Move(sick, statstest.Doing, statstest.Done, statstest.At("2026-03-03T00:00:00Z"))
			good := w.Events[bad]
			spoil(&w.Events[bad])
			work := w.Fold().Work
			p := work.Parked[sick]
			if p == nil || p.Events != 2 || p.Pos != good.Pos || p.Reason == "" || len(work.Parked) != 1 {
				t.Fatalf("parked %+v", work.Parked)
			}
			if work.Tasks[sick].State != w.States[statstest.Todo].ID || work.Tasks[fine].State != w.States[statstest.Doing].ID {
				t.Error("a poison event must change nothing of its task, and nothing else may wait")
			}
			events := []stats.Event{good, w.Events[len(w.Events)-1]}
			if n, err := work.Retry(events); n != 2 || err != nil || work.Tasks[sick].Completed == nil {
				t.Errorf("retry applied %d: %v", n, err)
			}
		})
	}
}

// TestCategoryIsForGood parks a project whose state changes its category.
func TestCategoryIsForGood(t *testing.T) {
	t.Parallel()
	w := statstest.New()
	states := append([]stats.State{}, w.States...)
	states[statstest.Todo].Category = stats.Done
	w.Add(w.Project, stats.OfProject, "project.changed", statstest.At("2026-03-01T00:00:00Z"), statstest.Change("states", w.States, states))
	if work := w.Fold().Work; work.Parked[w.Project] == nil {
		t.Error("a changed category would change the past")
	}
}

// TestUnknownKinds only count in the sequence.
func TestUnknownKinds(t *testing.T) {
	t.Parallel()
	w := statstest.New()
	task := w.Create(1, statstest.Todo, statstest.At("2026-03-01T00:00:00Z"))
	w.Add(task, stats.OfTask, "task.sung-to", statstest.At("2026-03-02T00:00:00Z"), statstest.Change("state", nil, uuid.New()))
	w.Move(task, statstest.Todo, statstest.Done, statstest.At("2026-03-03T00:00:00Z"))
	work := w.Fold().Work
	if len(work.Parked) != 0 || work.Tasks[task].Seq != 3 || work.Tasks[task].Completed == nil {
		t.Errorf("parked %+v, task %+v", work.Parked, work.Tasks[task])
	}
}
