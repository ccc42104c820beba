package stats

import (
	"time"

	"github.com/google/uuid"
)

// Kinds of events that projections look at. Others only count in their aggregate's sequence.
const (
	taskCreated    = "task.created"
	taskChanged    = "task.changed"
	taskTrashed    = "task.trashed"
	taskRestored   = "task.restored"
	projectCreated = "project.created"
	projectChanged = "project.changed"
)

// Parked is an aggregate whose events are set aside because one of them could not be applied.
type Parked struct {
	Aggregate Aggregate
	ID        uuid.UUID
	Project   uuid.UUID
	Pos       int64 // of the event that could not be applied
	Seq       int64
	Reason    string
	Since     time.Time
	Attempts  int
	Events    int // that one and those behind it
}

// ParkedEvent is the position of an event that waits with its aggregate.
type ParkedEvent struct {
	ID  uuid.UUID // of the aggregate
	Pos int64
}

// Work is the part of the projections that a batch of events touches. A store loads it, [Work.Apply] folds the events
// into it in order, and the store writes back what [Work] then names, all in one transaction.
type Work struct {
	Tasks    map[uuid.UUID]*Task    // those of the batch that exist
	Projects map[uuid.UUID]*Project // those of the batch that exist, with all their states
	Parked   map[uuid.UUID]*Parked  // those of the batch that are parked

	// What the events did.
	DirtyTasks    map[uuid.UUID]bool
	DirtyProjects map[uuid.UUID]bool
	DirtyStates   map[uuid.UUID]State // by id; StateProject has their projects
	StateProject  map[uuid.UUID]uuid.UUID
	DirtyParked   map[uuid.UUID]bool
	Transitions   []Transition
	ParkedEvents  []ParkedEvent
	Applied       int // events applied, parked ones not counted
}

// NewWork returns empty work.
func NewWork() *Work {
	return &Work{
		Tasks: map[uuid.UUID]*Task{}, Projects: map[uuid.UUID]*Project{}, Parked: map[uuid.UUID]*Parked{},
		DirtyTasks: map[uuid.UUID]bool{}, DirtyProjects: map[uuid.UUID]bool{}, DirtyStates: map[uuid.UUID]State{},
		StateProject: map[uuid.UUID]uuid.UUID{}, DirtyParked: map[uuid.UUID]bool{},
	}
}

// Apply folds the next event of the total order. An event that makes no sense parks its task or project: it and later
// events of that aggregate are set aside, all others go on. now is when the parking is recorded.
func (w *Work) Apply(e *Event, now time.Time) {
	if p, parked := w.Parked[e.ID]; parked {
		w.setAside(p, e)
		return
	}
	if err := w.try(e); err != nil {
		p := &Parked{
			Aggregate: e.Aggregate, ID: e.ID, Project: e.Project, Pos: e.Pos, Seq: e.Seq, Reason: err.Error(), Since: now,
		}
		w.Parked[e.ID] = p
		w.setAside(p, e)
	}
}

func (w *Work) setAside(p *Parked, e *Event) {
	p.Events++
	w.DirtyParked[p.ID] = true
	w.ParkedEvents = append(w.ParkedEvents, ParkedEvent{ID: p.ID, Pos: e.Pos})
}

// Retry folds the parked events of one aggregate again, in order, until one fails. It returns how many were applied and
// why the next one could not be.
func (w *Work) Retry(events []Event) (applied int, failed error) {
	for i := range events {
		if err := w.try(&events[i]); err != nil {
			return i, err
		}
	}
	return len(events), nil
}

// try applies an event, or changes nothing and says what is wrong with it.
func (w *Work) try(e *Event) error {
	if e.Undecodable != "" {
		return invalid("%s", e.Undecodable)
	}
	var err error
	switch e.Aggregate {
	case OfTask:
		err = w.applyTask(e)
	case OfProject:
		err = w.applyProject(e)
	default:
		err = invalid("unknown aggregate %q", e.Aggregate)
	}
	if err != nil {
		return err
	}
	p := w.project(e.Project)
	p.Applied = max(p.Applied, e.Pos)
	w.DirtyProjects[p.ID] = true
	w.Applied++
	return nil
}

func (w *Work) project(id uuid.UUID) *Project {
	p := w.Projects[id]
	if p == nil {
		p = &Project{ID: id, States: map[uuid.UUID]State{}}
		w.Projects[id] = p
	}
	return p
}

func (w *Work) applyProject(e *Event) error {
	if e.ID != e.Project {
		return invalid("a project event about another project")
	}
	p := w.project(e.ID)
	if e.Seq != p.Seq+1 {
		return invalid("sequence %d does not follow %d", e.Seq, p.Seq)
	}
	if e.Kind == projectCreated || e.Kind == projectChanged {
		if c, ok := e.Change("states"); ok {
			states, err := decodeStates(c.After, p.States)
			if err != nil {
				return err
			}
			for _, s := range states {
				p.States[s.ID] = s
				w.DirtyStates[s.ID], w.StateProject[s.ID] = s, p.ID
			}
		}
	}
	p.Seq = e.Seq
	return nil
}

func (w *Work) applyTask(e *Event) error {
	var next Task
	old := w.Tasks[e.ID]
	switch {
	case e.Kind == taskCreated && old != nil:
		return invalid("created twice")
	case e.Kind != taskCreated && old == nil:
		return invalid("its creation is not known")
	case old != nil && old.Project != e.Project:
		return invalid("it belongs to another project")
	case old != nil:
		next = *old // slices are replaced, never changed
	default:
		next = Task{ID: e.ID, Project: e.Project, Created: e.Occurred}
	}
	if e.Seq != next.Seq+1 {
		return invalid("sequence %d does not follow %d", e.Seq, next.Seq)
	}
	if err := checkTime(e.Occurred); err != nil {
		return err
	}
	next.Seq = e.Seq
	from := next.place()
	switch e.Kind {
	case taskCreated, taskChanged:
		if err := w.changeTask(&next, e); err != nil {
			return err
		}
	case taskTrashed:
		if next.Trashed == nil {
			next.Trashed = &e.Occurred
		}
	case taskRestored:
		next.Trashed = nil
	}
	if to := next.place(); from != to {
		w.Transitions = append(w.Transitions, Transition{Task: e.ID, Seq: e.Seq, At: e.Occurred, From: from, To: to})
	}
	w.Tasks[e.ID] = &next
	w.DirtyTasks[e.ID] = true
	return nil
}

// place is where the task stands on the board: its state, or outside before its creation and in the trash.
func (t *Task) place() uuid.UUID {
	if t.Trashed != nil {
		return uuid.Nil
	}
	return t.State
}

// changeTask sets the attributes the event changes, and what follows from an entry into a state.
func (w *Work) changeTask(t *Task, e *Event) error {
	entered := uuid.Nil
	for _, c := range e.Changes {
		before := t.State
		if err := setAttribute(t, c.Field, c.After); err != nil {
			return err
		}
		if t.State != before {
			entered = t.State
		}
	}
	if e.Kind == taskCreated && t.Number < 1 {
		return invalid("created without a number")
	}
	if e.Kind == taskCreated && t.State == uuid.Nil {
		return invalid("created without a state")
	}
	if entered == uuid.Nil {
		return nil
	}
	state, ok := w.project(e.Project).States[entered]
	if !ok {
		return invalid("state %s is not one of its project's", entered)
	}
	at := e.Occurred
	t.Entered, t.Completed = at, nil
	switch state.Category {
	case Doing:
		if t.Started == nil {
			t.Started = &at
		}
	case Done:
		t.Completed = &at
	}
	return nil
}
