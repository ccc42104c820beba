package flow

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// TestImportedHistoryStandsBeforeTheProject: a project made today and given a state today, with a task imported from last
// year that was in that state then.
func TestImportedHistoryStandsBeforeTheProject(t *testing.T) {
	t.Parallel()
	first := project.State{ID: uuid.New(), Name: "Todo", Category: project.Todo}
	added := project.State{ID: uuid.New(), Name: "QA", Category: project.Doing}
	settings := func() *project.Project {
		return &project.Project{ID: uuid.UUID{1}, Key: "WEB", States: []project.State{first, added}, Seq: 2}
	}
	today := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	later := []history.Event{
		{Aggregate: history.OfProject, AggregateID: uuid.UUID{1}, Seq: 2, Kind: history.ProjectChanged, Occurred: today,
			Changes: []history.Change{history.NewChange("states", []project.State{first}, []project.State{first, added})}},
		{Aggregate: history.OfProject, AggregateID: uuid.UUID{1}, Seq: 1, Kind: history.ProjectCreated, Occurred: today},
	}
	imported := &task.Task{ID: uuid.New(), ProjectID: uuid.UUID{1}, StateID: added.ID, Rank: "a"}

	p := settings()
	tasks, err := Rewind(p, []*task.Task{imported}, later)
	if err != nil {
		t.Fatal(err)
	}
	if len(tasks) != 1 || len(p.States) != 2 || p.States[1].ID != added.ID {
		t.Errorf("got %d tasks in states %v", len(tasks), p.States)
	}

	if _, err := Rewind(settings(), nil, later); apperr.CodeOf(err) != apperr.NotFound {
		t.Errorf("before the project and without tasks: %v", err)
	}
}
