package stats

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// Cursor says how far one generation of the projections has come.
type Cursor struct {
	Generation int64
	Pos        int64 // of the last event applied
	Epoch      int64 // of the applier that wrote last
	AppliedAt  time.Time
}

// What can keep a batch from being applied.
var (
	// ErrGap says that the batch does not follow on the cursor: the events in between have to be read first.
	ErrGap = errors.New("events are missing before this batch")
	// ErrFenced says that another applier has taken over.
	ErrFenced = errors.New("another applier has taken over")
)

// Tx is a transaction on one generation of the projections that holds the lock of its cursor.
type Tx interface {
	LoadTasks(ctx context.Context, ids []uuid.UUID) ([]*Task, error)
	LoadProjects(ctx context.Context, ids []uuid.UUID) ([]*Project, error) // with all their states
	LoadParked(ctx context.Context, ids []uuid.UUID) ([]*Parked, error)
	// Save writes what the work names as dirty or new.
	Save(ctx context.Context, w *Work) error
	// Advance moves the cursor; false means that it was not where c says, or that a later epoch has written it.
	Advance(ctx context.Context, c Cursor, to, epoch int64) (bool, error)
	// ParkedEvents returns the first events that wait with an aggregate, in the order of its own sequence.
	ParkedEvents(ctx context.Context, id uuid.UUID, limit int) ([]Event, error)
	// Unpark forgets waiting events of an aggregate by their positions; with all also that it is parked.
	Unpark(ctx context.Context, id uuid.UUID, positions []int64, all bool) error
}

// Applied is what a batch did.
type Applied struct {
	Generation int64
	From, To   int64 // positions of the cursor before and after
	Applied    int   // events applied
	Parked     int   // events set aside
	// Projects has the position of the last applied event of each project that changed.
	Projects map[uuid.UUID]int64
}

// ApplyBatch applies events, which are in order of position, behind the cursor c. What the cursor has passed is skipped.
// It fails with ErrGap, also where a position is missing between two events, and with ErrFenced; nothing is applied then.
func ApplyBatch(ctx context.Context, tx Tx, c Cursor, epoch int64, events []Event, now time.Time) (Applied, error) {
	out := Applied{Generation: c.Generation, From: c.Pos, To: c.Pos}
	for len(events) > 0 && events[0].Pos <= c.Pos {
		events = events[1:]
	}
	if len(events) == 0 {
		return out, nil
	}
	for i := range events {
		if events[i].Pos != c.Pos+1+int64(i) {
			return out, fmt.Errorf("%w: position %d instead of %d", ErrGap, events[i].Pos, c.Pos+1+int64(i))
		}
	}
	if c.Epoch > epoch {
		return out, fmt.Errorf("%w: its epoch is %d, ours %d", ErrFenced, c.Epoch, epoch)
	}
	w, err := loadWork(ctx, tx, events)
	if err != nil {
		return out, err
	}
	for i := range events {
		w.Apply(&events[i], now)
	}
	w.revise()
	if err := tx.Save(ctx, w); err != nil {
		return out, err
	}
	to := events[len(events)-1].Pos
	switch moved, err := tx.Advance(ctx, c, to, epoch); {
	case err != nil:
		return out, err
	case !moved:
		return out, ErrFenced
	}
	out.To, out.Applied, out.Parked = to, w.Applied, len(w.ParkedEvents)
	out.Projects = w.changed()
	return out, nil
}

// loadWork loads what the events touch.
func loadWork(ctx context.Context, tx Tx, events []Event) (*Work, error) {
	w := NewWork()
	tasks, projects, all := make(idSetOf), make(idSetOf), make(idSetOf)
	for i := range events {
		e := &events[i]
		projects.add(e.Project)
		all.add(e.ID)
		if e.Aggregate == OfTask {
			tasks.add(e.ID)
		}
	}
	loadedTasks, err := tx.LoadTasks(ctx, tasks.list())
	if err != nil {
		return nil, err
	}
	for _, t := range loadedTasks {
		w.Tasks[t.ID] = t
	}
	loadedProjects, err := tx.LoadProjects(ctx, projects.list())
	if err != nil {
		return nil, err
	}
	for _, p := range loadedProjects {
		w.Projects[p.ID] = p
	}
	parked, err := tx.LoadParked(ctx, all.list())
	if err != nil {
		return nil, err
	}
	for _, p := range parked {
		w.Parked[p.ID] = p
	}
	return w, nil
}

type idSetOf map[uuid.UUID]struct{}

func (s idSetOf) add(id uuid.UUID) { s[id] = struct{}{} }

func (s idSetOf) list() []uuid.UUID {
	out := make([]uuid.UUID, 0, len(s))
	for id := range s {
		out = append(out, id)
	}
	return out
}

// revise raises the revision of each project that changed.
func (w *Work) revise() {
	for id := range w.DirtyProjects {
		w.Projects[id].Revision++
	}
}

func (w *Work) changed() map[uuid.UUID]int64 {
	out := make(map[uuid.UUID]int64, len(w.DirtyProjects))
	for id := range w.DirtyProjects {
		out[id] = w.Projects[id].Applied
	}
	return out
}

// RetryLimit is how many parked events of an aggregate one transaction tries.
const RetryLimit = 1000

// Retried is what came of trying parked events again.
type Retried struct {
	Applied   int    // events applied now
	Remaining int    // events that stay parked
	Reason    string // why they do; empty if there are merely more than RetryLimit
	Projects  map[uuid.UUID]int64
}

// RetryParked tries up to RetryLimit parked events of a task or project again; found is false if it is not parked. It goes
// by the aggregate's own sequence, so that events that were given positions in the wrong order heal.
func RetryParked(ctx context.Context, tx Tx, id uuid.UUID) (out Retried, found bool, err error) {
	parked, err := tx.LoadParked(ctx, []uuid.UUID{id})
	if err != nil || len(parked) == 0 {
		return Retried{}, false, err
	}
	p := parked[0]
	events, err := tx.ParkedEvents(ctx, id, RetryLimit)
	if err != nil {
		return Retried{}, true, err
	}
	w, err := loadWork(ctx, tx, events)
	if err != nil {
		return Retried{}, true, err
	}
	applied, failed := w.Retry(events)
	out = Retried{Applied: applied, Remaining: p.Events - applied}
	p.Attempts++
	p.Events = out.Remaining
	if failed != nil {
		p.Pos, p.Seq, p.Reason = events[applied].Pos, events[applied].Seq, failed.Error()
		out.Reason = p.Reason
	}
	w.Parked[id] = p
	w.DirtyParked[id] = out.Remaining > 0
	w.revise()
	if err := tx.Save(ctx, w); err != nil {
		return out, true, err
	}
	if applied > 0 {
		positions := make([]int64, applied)
		for i := range positions {
			positions[i] = events[i].Pos
		}
		if err := tx.Unpark(ctx, id, positions, out.Remaining == 0); err != nil {
			return out, true, err
		}
	}
	out.Projects = w.changed()
	return out, true, nil
}
