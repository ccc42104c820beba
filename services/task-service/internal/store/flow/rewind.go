package flow

import (
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// Rewind takes a project and all its tasks, trashed ones included, back to before the events, which are those that
// occurred later, newest first within each aggregate. It returns the tasks there were, without the trash, by rank; and
// apperr.NotFound if there was no project yet.
func Rewind(p *project.Project, tasks []*task.Task, later []history.Event) ([]*task.Task, error) {
	byID := make(map[uuid.UUID]*task.Task, len(tasks))
	for _, t := range tasks {
		byID[t.ID] = t
	}
	for _, e := range later {
		if e.Aggregate == history.OfProject {
			existed, err := project.Undo(p, e)
			if err != nil {
				return nil, err
			}
			if !existed {
				return nil, apperr.New(apperr.NotFound, "There was no project %s then.", p.Key)
			}
			continue
		}
		t := byID[e.AggregateID]
		if t == nil {
			continue
		}
		existed, err := task.Undo(t, e)
		if err != nil {
			return nil, err
		}
		if !existed {
			delete(byID, t.ID)
		}
	}
	there := make([]*task.Task, 0, len(byID))
	for _, t := range byID {
		if t.Trashed == nil {
			t.ProjectKey = p.Key
			there = append(there, t)
		}
	}
	slices.SortFunc(there, func(a, b *task.Task) int {
		if c := strings.Compare(a.Rank, b.Rank); c != 0 {
			return c
		}
		return slices.Compare(a.ID[:], b.ID[:]) // two may have had the same rank at moments of which only one is left
	})
	return there, nil
}
