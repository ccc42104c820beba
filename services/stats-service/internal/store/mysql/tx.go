package mysql

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/stats-service/internal/stats"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/store/mysql/db"
)

// tx works on one generation inside a transaction. It implements stats.Tx.
type tx struct {
	q          *db.Queries
	sql        *sql.Tx
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
	rows, err := t.q.TasksByID(ctx, db.TasksByIDParams{Generation: t.generation, Ids: keys(ids)})
	if err != nil {
		return nil, fmt.Errorf("load tasks: %w", err)
	}
	return mapRows(rows, func(r db.TasksByIDRow) *stats.Task { return task(taskRow(r)) }), nil
}

func (t *tx) LoadProjects(ctx context.Context, ids []uuid.UUID) ([]*stats.Project, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	rows, err := t.q.ProjectsByID(ctx, db.ProjectsByIDParams{Generation: t.generation, Ids: keys(ids)})
	if err != nil {
		return nil, fmt.Errorf("load projects: %w", err)
	}
	byID := make(map[uuid.UUID]*stats.Project, len(rows))
	projects := make([]*stats.Project, len(rows))
	for i, r := range rows {
		projects[i] = &stats.Project{
			ID: toID(r.ProjectID), Seq: r.Seq, Applied: r.Applied, Revision: r.Revision, States: map[uuid.UUID]stats.State{},
		}
		byID[projects[i].ID] = projects[i]
	}
	states, err := t.q.StatesByProject(ctx, db.StatesByProjectParams{Generation: t.generation, Ids: keys(ids)})
	if err != nil {
		return nil, fmt.Errorf("load states: %w", err)
	}
	for _, r := range states {
		if p := byID[toID(r.ProjectID)]; p != nil {
			p.States[toID(r.StateID)] = state(r)
		}
	}
	return projects, nil
}

func (t *tx) LoadParked(ctx context.Context, ids []uuid.UUID) ([]*stats.Parked, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	rows, err := t.q.ParkedByID(ctx, db.ParkedByIDParams{Generation: t.generation, Ids: keys(ids)})
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
		Shard: shard, Generation: t.generation, AggregateID: id[:], Limit: rowLimit(limit),
	})
	if err != nil {
		return nil, fmt.Errorf("read parked events: %w", err)
	}
	return mapRows(rows, func(r db.ParkedEventsRow) stats.Event { return event(eventRow(r)) }), nil
}

func (t *tx) Unpark(ctx context.Context, id uuid.UUID, positions []int64, all bool) error {
	_, err := t.q.DeleteParkedEvents(ctx, db.DeleteParkedEventsParams{Generation: t.generation, AggregateID: id[:], Positions: positions})
	if err != nil {
		return fmt.Errorf("delete parked events: %w", err)
	}
	if !all {
		return nil
	}
	if err := t.q.DeleteParked(ctx, db.DeleteParkedParams{Generation: t.generation, AggregateID: id[:]}); err != nil {
		return fmt.Errorf("delete parked: %w", err)
	}
	return nil
}

// Save writes each table with one statement of many rows.
func (t *tx) Save(ctx context.Context, w *stats.Work) error {
	var tasks, projects, states, parked, transitions, waiting rows
	for id := range w.DirtyTasks {
		k := w.Tasks[id]
		tasks.add(t.generation, k.ID[:], k.Project[:], k.Number, k.State[:], k.Priority, fromIDs(k.Assignees), fromIDs(k.Labels),
			fromDate(k.Due), k.Estimate, k.Created, k.Entered, k.Started, k.Completed, k.Trashed, k.Seq)
	}
	for id := range w.DirtyProjects {
		p := w.Projects[id]
		projects.add(t.generation, p.ID[:], p.Seq, p.Applied, p.Revision)
	}
	for id, s := range w.DirtyStates {
		project := w.StateProject[id]
		states.add(t.generation, s.ID[:], project[:], s.Name, string(s.Category), s.Position, s.WIPLimit, s.Archived)
	}
	for id, dirty := range w.DirtyParked {
		if p := w.Parked[id]; dirty {
			parked.add(t.generation, p.ID[:], string(p.Aggregate), p.Project[:], p.Pos, p.Seq, cut(p.Reason), p.Since, p.Attempts, p.Events)
		}
	}
	for i := range w.Transitions {
		r := &w.Transitions[i]
		project := w.Tasks[r.Task].Project
		transitions.add(t.generation, r.Task[:], r.Seq, project[:], r.At, fromID(r.From), fromID(r.To))
	}
	for i := range w.ParkedEvents {
		waiting.add(t.generation, w.ParkedEvents[i].ID[:], w.ParkedEvents[i].Pos)
	}
	for _, s := range []struct {
		head, tail string
		rows       rows
	}{
		{
			`INSERT INTO stats_tasks (generation, task_id, project_id, number, state_id, priority, assignees, labels, due_date,
estimate, created, entered, started, completed, trashed, seq) VALUES `,
			` ON DUPLICATE KEY UPDATE state_id = VALUES(state_id), priority = VALUES(priority), assignees = VALUES(assignees),
labels = VALUES(labels), due_date = VALUES(due_date), estimate = VALUES(estimate), entered = VALUES(entered),
started = VALUES(started), completed = VALUES(completed), trashed = VALUES(trashed), number = VALUES(number), seq = VALUES(seq)`, tasks,
		},
		{
			`INSERT INTO stats_transitions (generation, task_id, seq, project_id, at, from_state, to_state) VALUES `, ``, transitions,
		},
		{
			`INSERT INTO stats_projects (generation, project_id, seq, applied, revision) VALUES `,
			` ON DUPLICATE KEY UPDATE seq = VALUES(seq), applied = VALUES(applied), revision = VALUES(revision)`, projects,
		},
		{
			`INSERT INTO stats_states (generation, state_id, project_id, name, category, position, wip_limit, archived) VALUES `,
			` ON DUPLICATE KEY UPDATE name = VALUES(name), position = VALUES(position), wip_limit = VALUES(wip_limit),
archived = VALUES(archived)`, states,
		},
		{
			`INSERT INTO stats_parked (generation, aggregate_id, aggregate, project_id, pos, seq, reason, since, attempts, events) VALUES `,
			` ON DUPLICATE KEY UPDATE pos = VALUES(pos), seq = VALUES(seq), reason = VALUES(reason), attempts = VALUES(attempts),
events = VALUES(events)`, parked,
		},
		{`INSERT INTO stats_parked_events (generation, aggregate_id, pos) VALUES `, ``, waiting},
	} {
		if err := s.rows.insert(ctx, t.sql, s.head, s.tail); err != nil {
			return err
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

// rows are the parameters of one statement of many rows.
type rows struct {
	args  []any
	count int
}

func (r *rows) add(values ...any) {
	r.args = append(r.args, values...)
	r.count++
}

// maxRows is how many rows one statement writes; the driver puts their values into its text.
const maxRows = 1000

func (r *rows) insert(ctx context.Context, sqlTx *sql.Tx, head, tail string) error {
	if r.count == 0 {
		return nil
	}
	width := len(r.args) / r.count
	group := "(" + strings.Repeat(",?", width)[1:] + ")"
	for args := r.args; len(args) > 0; {
		n := min(maxRows, len(args)/width)
		statement := head + strings.Repeat(","+group, n)[1:] + tail //nolint:gosec // constants and placeholders only
		if _, err := sqlTx.ExecContext(ctx, statement, args[:n*width]...); err != nil {
			return fmt.Errorf("%.40s: %w", strings.TrimSpace(head), err)
		}
		args = args[n*width:]
	}
	return nil
}
