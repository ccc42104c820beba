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
// occurred later, newest first within each aggregate. It returns the tasks there were, without the trash, by rank. Before
// the project was made, imported tasks may have a history: they stand in the settings it was made with. Where there was
// neither, it answers apperr.NotFound.
func Rewind(p *project.Project, tasks []*task.Task, later []history.Event) ([]*task.Task, error) {
	byID := make(map[uuid.UUID]*task.Task, len(tasks))
	for _, t := range tasks {
		byID[t.ID] = t
	}
	made, present := true, *p
	for _, e := range later {
		if e.Aggregate == history.OfProject {
			existed, err := project.Undo(p, e)
			if err != nil {
				return nil, err
			}
			made = made && existed
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
	if !made && len(there) == 0 {
		return nil, apperr.New(apperr.NotFound, "There was no project %s then.", p.Key)
	}
	keepNamed(p, &present, there)
	slices.SortFunc(there, func(a, b *task.Task) int {
		if c := strings.Compare(a.Rank, b.Rank); c != 0 {
			return c
		}
		return slices.Compare(a.ID[:], b.ID[:]) // two may have had the same rank at moments of which only one is left
	})
	return there, nil
}

// keepNamed adds states and labels that the tasks name and the past settings lack: an import puts tasks into states it has
// only now added.
func keepNamed(past, present *project.Project, tasks []*task.Task) {
	named := map[uuid.UUID]bool{}
	for _, t := range tasks {
		named[t.StateID] = true
		for _, l := range t.Labels {
			named[l] = true
		}
	}
	for _, s := range past.States {
		delete(named, s.ID)
	}
	for _, l := range past.Labels {
		delete(named, l.ID)
	}
	for _, s := range present.States {
		if named[s.ID] {
			past.States = append(slices.Clip(past.States), s)
		}
	}
	for _, l := range present.Labels {
		if named[l.ID] {
			past.Labels = append(slices.Clip(past.Labels), l)
		}
	}
}
