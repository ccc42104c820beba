package task

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
)

// Env is what rules need to know of the world around a change.
type Env struct {
	Project   *project.Project // settings, held against change
	Actor     uuid.UUID
	Now       time.Time                         // when it happens; imports: when it happened
	Recorded  time.Time                         // zero: Now
	Known     func(person uuid.UUID) bool       // whether a person exists
	Canonical func(rule string) (string, error) // of a recurrence rule
}

// Make returns a new task with its task.created event, still without number and rank, which Place gives. All faults of
// fields are reported at once as one apperr.Invalid. Whether the parent fits is checked by CheckParent.
func Make(env Env, in New) (*Task, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return nil, fmt.Errorf("task: make an id: %w", err)
	}
	return makeWithID(env, in, id, "")
}

// MakeImported is Make for an imported task: with an id that a second import finds again, and its external id.
func MakeImported(env Env, in New, id uuid.UUID, source string) (*Task, error) {
	return makeWithID(env, in, id, source)
}

func makeWithID(env Env, in New, id uuid.UUID, source string) (*Task, error) {
	if err := env.Project.Writable(); err != nil {
		return nil, err
	}
	var f faults
	at := env.Now.UTC().Truncate(time.Microsecond)
	t := &Task{
		ID: id, ProjectID: env.Project.ID, ProjectKey: env.Project.Key,
		Title:       f.line("title", in.Title, MaxTitle),
		Description: f.text("description", in.Description, MaxDescription),
		Priority:    in.Priority, Start: in.Start, Due: in.Due, Estimate: in.Estimate,
		Created: at, CreatedBy: env.Actor, LastAt: at, Source: source,
	}
	t.Assignees = f.ids("assignees", in.Assignees, nil, MaxAssignees, env.Known, "person")
	t.Labels = f.ids("labels", in.Labels, nil, MaxLabels, env.labelKnown, "label in this project")
	f.priority(in.Priority)
	f.estimate(in.Estimate)
	f.span(in.Start, in.Due)
	if in.Parent != uuid.Nil {
		parent := in.Parent
		t.ParentID = &parent
	}
	t.Recurrence = f.recurrence(env, in.Recurrence)
	state, err := env.firstState(in.State)
	if err != nil {
		f = append(f, *err)
	}
	if source != "" {
		f.line("source", source, MaxSource)
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	t.StateID = state.ID
	t.enter(state.Category, at)
	t.bump(env, at)
	t.record(env, history.TaskCreated, t.asCreated())
	return t, nil
}

func (env Env) labelKnown(id uuid.UUID) bool {
	_, ok := env.Project.Label(id)
	return ok
}

// firstState returns the state asked for, or where new tasks start.
func (env Env) firstState(id uuid.UUID) (project.State, *apperr.Field) {
	if id == uuid.Nil {
		return env.Project.FirstState(), nil
	}
	return env.openState(id)
}

// openState returns a state tasks may enter.
func (env Env) openState(id uuid.UUID) (project.State, *apperr.Field) {
	s, ok := env.Project.State(id)
	switch {
	case !ok:
		return s, &apperr.Field{Name: "state", Message: fmt.Sprintf("there is no state %s in project %s", id, env.Project.Key)}
	case s.Archived:
		return s, &apperr.Field{Name: "state", Message: fmt.Sprintf("the state %q is archived", s.Name)}
	}
	return s, nil
}

func (f *faults) span(start, due Date) {
	f.date("start", start)
	f.date("due", due)
	if start != "" && due != "" && start > due { // both have the same layout, so text order is date order
		f.addf("start", "is after the due date")
	}
}

func (f *faults) recurrence(env Env, rule string) string {
	if rule == "" {
		return ""
	}
	canonical, err := env.Canonical(rule)
	if err != nil {
		if e, ok := apperr.As(err); ok && len(e.Fields) > 0 {
			*f = append(*f, e.Fields...)
		} else {
			f.addf("recurrence", "cannot be understood")
		}
	}
	return canonical
}

// enter keeps Started and Completed right when the task enters a state of the category.
func (t *Task) enter(c project.Category, at time.Time) {
	t.Completed = nil
	switch c {
	case project.Doing:
		if t.Started == nil {
			t.Started = &at
		}
	case project.Done:
		t.Completed = &at
	}
}

// Place gives a new task its number and rank, and completes its task.created event.
func (t *Task) Place(number int64, rank string) {
	t.Number, t.Rank = number, rank
	for i := range t.pending {
		if t.pending[i].Kind == history.TaskCreated {
			t.pending[i].Changes = placed(t.pending[i].Changes, number, rank)
		}
	}
}

// placed returns the changes of a task.created event with number and rank set.
func placed(changes []history.Change, number int64, rank string) []history.Change {
	out := make([]history.Change, 0, len(changes)+2)
	for _, c := range changes {
		if c.Field != history.FieldNumber && c.Field != history.FieldRank {
			out = append(out, c)
		}
	}
	return append(out, history.NewChange(history.FieldNumber, nil, number), history.NewChange(history.FieldRank, nil, rank))
}

// TakePending returns the events recorded since the last call, oldest first. Stores write them with the task, in the same
// transaction; none means that nothing changed.
func (t *Task) TakePending() []history.Event {
	events := t.pending
	t.pending, t.bumped = nil, false
	return events
}

// record appends an event; LastAt keeps the aggregate's times from stepping back.
func (t *Task) record(env Env, kind history.Kind, changes []history.Change) {
	at := t.at(env)
	recorded := env.Recorded
	if recorded.IsZero() {
		recorded = env.Now
	}
	t.Seq++
	t.LastAt = at
	t.pending = append(t.pending, history.Event{
		ProjectID: t.ProjectID, Aggregate: history.OfTask, AggregateID: t.ID, Seq: t.Seq, Kind: kind, Actor: env.Actor,
		Changes: changes, Occurred: at, Recorded: recorded.UTC().Truncate(time.Microsecond),
	})
}

// at is when a change made now occurs.
func (t *Task) at(env Env) time.Time {
	return history.NotBefore(env.Now.UTC().Truncate(time.Microsecond), t.LastAt)
}

// bump makes a new version, once per transaction.
func (t *Task) bump(env Env, at time.Time) {
	if !t.bumped {
		t.Version++
		t.bumped = true
	}
	t.Updated, t.UpdatedBy = at, env.Actor
}
