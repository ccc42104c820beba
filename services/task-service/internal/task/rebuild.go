package task

import (
	"slices"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
)

// Rebuild makes a task from its history, as an import of an export has it: values of changes name things of env's
// project already. Sequence, project and aggregate are set, started and completed are worked out anew from the states
// entered, and the result is checked as Make checks a new task, so that a damaged file cannot leave behind what no
// request could. Rank and number stay to be given by Imported.Place. Errors are apperr.Invalid.
func Rebuild(env Env, id uuid.UUID, source string, events []history.Event) (Imported, error) {
	if len(events) == 0 || events[0].Kind != history.TaskCreated {
		return Imported{}, apperr.New(apperr.Invalid, "Its history does not begin with its creation.")
	}
	t := &Task{ID: id, ProjectID: env.Project.ID, ProjectKey: env.Project.Key}
	out := make([]history.Event, 0, len(events))
	for i, e := range events {
		switch {
		case !slices.Contains(taskKinds, e.Kind), i > 0 && e.Kind == history.TaskCreated:
			return Imported{}, apperr.New(apperr.Invalid, "Event %d is of the kind %q, which cannot stand there.", i+1, shorten(string(e.Kind)))
		case e.Occurred.Before(t.LastAt):
			return Imported{}, apperr.New(apperr.Invalid, "Event %d occurred before the one in front of it.", i+1)
		case e.Occurred.After(env.Now):
			return Imported{}, apperr.New(apperr.Invalid, "Event %d lies in the future.", i+1)
		}
		e.ID, e.Pos, e.Traceparent = 0, 0, ""
		e.ProjectID, e.Aggregate, e.AggregateID, e.Seq, e.Recorded = t.ProjectID, history.OfTask, id, int64(i+1), env.Now
		before := *t
		e.Changes = slices.DeleteFunc(slices.Clone(e.Changes), func(c history.Change) bool {
			return c.Field == history.FieldStarted || c.Field == history.FieldCompleted || c.Field == history.FieldSource
		})
		if err := Redo(t, e); err != nil {
			return Imported{}, apperr.Wrap(err, apperr.Invalid, "Event %d has a value that cannot be read.", i+1)
		}
		if t.StateID != before.StateID {
			s, ok := env.Project.State(t.StateID)
			if !ok {
				return Imported{}, apperr.New(apperr.Invalid, "Event %d names a state that does not exist.", i+1)
			}
			t.enter(s.Category, e.Occurred)
		}
		if e.Kind == history.TaskCreated {
			t.Source = source
		}
		if slices.Contains(fieldKinds, e.Kind) { // comments and relations leave a task as it is
			t.Updated, t.UpdatedBy = e.Occurred, e.Actor
		}
		for _, c := range differences(&before, t) {
			if c.Field == history.FieldStarted || c.Field == history.FieldCompleted || c.Field == history.FieldSource {
				e.Changes = append(e.Changes, c)
			}
		}
		out = append(out, e)
	}
	state, _ := env.Project.State(t.StateID) // redone above
	if state.Archived {
		return Imported{}, apperr.New(apperr.Invalid, "It is in the archived state %q.", state.Name)
	}
	in := New{
		Title: t.Title, Description: t.Description, State: t.StateID, Priority: t.Priority, Assignees: t.Assignees, Labels: t.Labels,
		Start: t.Start, Due: t.Due, Estimate: t.Estimate, Recurrence: t.Recurrence,
	}
	if _, err := MakeImported(env, in, id, source); err != nil {
		return Imported{}, err
	}
	t.Version = 1
	t.Rank, t.Number = "", 0
	return Imported{Task: t, Events: out}, nil
}

// fieldKinds are the events that change a task itself, taskKinds all that it may have.
var (
	fieldKinds = []history.Kind{history.TaskCreated, history.TaskChanged, history.TaskTrashed, history.TaskRestored}
	taskKinds  = append(slices.Clone(fieldKinds), history.CommentAdded,
		history.CommentEdited, history.CommentRemoved, history.RelationAdded, history.RelationRemoved)
)
