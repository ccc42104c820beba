package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/stats-service/internal/stats"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/store/postgres/db"
)

// tx works on one generation inside a transaction. It implements stats.Tx.
type tx struct {
	q          *db.Queries
	generation int64
	now        func() time.Time
}

var _ stats.Tx = (*tx)(nil)

// maxReason is the length of a parked event's reason, in characters.
const maxReason = 500

func (t *tx) LoadTasks(ctx context.Context, ids []uuid.UUID) ([]*stats.Task, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	rows, err := t.q.TasksByID(ctx, db.TasksByIDParams{Generation: t.generation, Ids: ids})
	if err != nil {
		return nil, fmt.Errorf("load tasks: %w", err)
	}
	return mapRows(rows, func(r db.TasksByIDRow) *stats.Task { return task(taskRow(r)) }), nil
}

func (t *tx) LoadProjects(ctx context.Context, ids []uuid.UUID) ([]*stats.Project, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	rows, err := t.q.ProjectsByID(ctx, db.ProjectsByIDParams{Generation: t.generation, Ids: ids})
	if err != nil {
		return nil, fmt.Errorf("load projects: %w", err)
	}
	byID := make(map[uuid.UUID]*stats.Project, len(rows))
	projects := make([]*stats.Project, len(rows))
	for i, r := range rows {
		projects[i] = &stats.Project{
			ID: r.ProjectID, Seq: r.Seq, Applied: r.Applied, Revision: r.Revision, States: map[uuid.UUID]stats.State{},
		}
		byID[projects[i].ID] = projects[i]
	}
	states, err := t.q.StatesByProject(ctx, db.StatesByProjectParams{Generation: t.generation, Ids: ids})
	if err != nil {
		return nil, fmt.Errorf("load states: %w", err)
	}
	for _, r := range states {
		if p := byID[r.ProjectID]; p != nil {
			p.States[r.StateID] = state(r)
		}
	}
	return projects, nil
}

func (t *tx) LoadParked(ctx context.Context, ids []uuid.UUID) ([]*stats.Parked, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	rows, err := t.q.ParkedByID(ctx, db.ParkedByIDParams{Generation: t.generation, Ids: ids})
	if err != nil {
		return nil, fmt.Errorf("load parked: %w", err)
	}
	return mapRows(rows, func(r db.ParkedByIDRow) *stats.Parked { return parked(parkedRow(r)) }), nil
}

func (t *tx) Advance(ctx context.Context, c stats.Cursor, to, epoch int64) (bool, error) {
	n, err := t.q.AdvanceCursor(ctx, db.AdvanceCursorParams{
		ToPos: to, Epoch: epoch, AppliedAt: t.now().UTC(), Shard: shard, Generation: t.generation, FromPos: c.Pos, Fence: epoch,
	})
	if err != nil {
		return false, fmt.Errorf("advance cursor: %w", err)
	}
	return n == 1, nil
}

func (t *tx) ParkedEvents(ctx context.Context, id uuid.UUID, limit int) ([]stats.Event, error) {
	rows, err := t.q.ParkedEvents(ctx, db.ParkedEventsParams{
		Shard: shard, Generation: t.generation, AggregateID: id, MaxRows: int64(limit),
	})
	if err != nil {
		return nil, fmt.Errorf("read parked events: %w", err)
	}
	return mapRows(rows, func(r db.ParkedEventsRow) stats.Event { return event(eventRow(r)) }), nil
}

func (t *tx) Unpark(ctx context.Context, id uuid.UUID, positions []int64, all bool) error {
	_, err := t.q.DeleteParkedEvents(ctx, db.DeleteParkedEventsParams{Generation: t.generation, AggregateID: id, Positions: positions})
	if err != nil {
		return fmt.Errorf("delete parked events: %w", err)
	}
	if !all {
		return nil
	}
	if err := t.q.DeleteParked(ctx, db.DeleteParkedParams{Generation: t.generation, AggregateID: id}); err != nil {
		return fmt.Errorf("delete parked: %w", err)
	}
	return nil
}

// Save writes each table in one round trip.
func (t *tx) Save(ctx context.Context, w *stats.Work) error {
	tasks := make([]db.UpsertTaskParams, 0, len(w.DirtyTasks))
	for id := range w.DirtyTasks {
		k := w.Tasks[id]
		tasks = append(tasks, db.UpsertTaskParams{
			Generation: t.generation, TaskID: k.ID, ProjectID: k.Project, Number: k.Number, StateID: k.State,
			Priority: int16(k.Priority), Assignees: notNil(k.Assignees), Labels: notNil(k.Labels),
			DueDate: fromDate(k.Due), Estimate: k.Estimate, Created: k.Created, Entered: k.Entered, Started: k.Started,
			Completed: k.Completed, Trashed: k.Trashed, Seq: k.Seq,
		})
	}
	projects := make([]db.UpsertProjectParams, 0, len(w.DirtyProjects))
	for id := range w.DirtyProjects {
		p := w.Projects[id]
		projects = append(projects, db.UpsertProjectParams{
			Generation: t.generation, ProjectID: p.ID, Seq: p.Seq, Applied: p.Applied, Revision: p.Revision,
		})
	}
	states := make([]db.UpsertStateParams, 0, len(w.DirtyStates))
	for id, s := range w.DirtyStates {
		states = append(states, db.UpsertStateParams{
			Generation: t.generation, StateID: s.ID, ProjectID: w.StateProject[id], Name: s.Name, Category: string(s.Category),
			Position: int32(s.Position), WipLimit: fromLimit(s.WIPLimit), Archived: s.Archived,
		})
	}
	parked := make([]db.UpsertParkedParams, 0, len(w.DirtyParked))
	for id, dirty := range w.DirtyParked {
		if p := w.Parked[id]; dirty {
			parked = append(parked, db.UpsertParkedParams{
				Generation: t.generation, AggregateID: p.ID, Aggregate: string(p.Aggregate), ProjectID: p.Project, Pos: p.Pos,
				Seq: p.Seq, Reason: cut(p.Reason), Since: p.Since, Attempts: small(p.Attempts), Events: small(p.Events),
			})
		}
	}
	transitions := make([]db.InsertTransitionsParams, len(w.Transitions))
	for i, r := range w.Transitions {
		transitions[i] = db.InsertTransitionsParams{
			Generation: t.generation, TaskID: r.Task, Seq: r.Seq, ProjectID: w.Tasks[r.Task].Project, At: r.At,
			FromState: nullable(r.From), ToState: nullable(r.To),
		}
	}
	waiting := make([]db.InsertParkedEventsParams, len(w.ParkedEvents))
	for i, p := range w.ParkedEvents {
		waiting[i] = db.InsertParkedEventsParams{Generation: t.generation, AggregateID: p.ID, Pos: p.Pos}
	}
	return t.send(ctx, tasks, projects, states, parked, transitions, waiting)
}

func (t *tx) send(ctx context.Context, tasks []db.UpsertTaskParams, projects []db.UpsertProjectParams,
	states []db.UpsertStateParams, parked []db.UpsertParkedParams, transitions []db.InsertTransitionsParams,
	waiting []db.InsertParkedEventsParams,
) error {
	var errs []error
	collect := func(_ int, err error) {
		if err != nil && len(errs) == 0 { // the rest only says that the transaction is aborted
			errs = append(errs, err)
		}
	}
	for _, s := range []struct {
		what string
		rows int
		run  func()
	}{
		{"tasks", len(tasks), func() { t.q.UpsertTask(ctx, tasks).Exec(collect) }},
		{"projects", len(projects), func() { t.q.UpsertProject(ctx, projects).Exec(collect) }},
		{"states", len(states), func() { t.q.UpsertState(ctx, states).Exec(collect) }},
		{"parked", len(parked), func() { t.q.UpsertParked(ctx, parked).Exec(collect) }},
		{"transitions", len(transitions), func() {
			_, err := t.q.InsertTransitions(ctx, transitions)
			collect(0, err)
		}},
		{"parked events", len(waiting), func() {
			_, err := t.q.InsertParkedEvents(ctx, waiting)
			collect(0, err)
		}},
	} {
		if s.rows == 0 {
			continue
		}
		if s.run(); len(errs) > 0 {
			return fmt.Errorf("write %s: %w", s.what, errs[0])
		}
	}
	return nil
}

func cut(reason string) string {
	if r := []rune(reason); len(r) > maxReason {
		return string(r[:maxReason])
	}
	return reason
}
