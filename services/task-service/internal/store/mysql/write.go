package mysql

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
	"github.com/tallyboard/tallyboard/services/task-service/internal/store/flow"
	mysqldb "github.com/tallyboard/tallyboard/services/task-service/internal/store/mysql/db"
	"github.com/tallyboard/tallyboard/services/task-service/internal/store/query"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

const (
	insertAssignees query.Literal = "INSERT INTO task_assignees (task_id, person_id) VALUES "
	insertLabels    query.Literal = "INSERT INTO task_labels (task_id, label_id) VALUES "
	insertEvents    query.Literal = "INSERT INTO events (project_id, aggregate, aggregate_id, seq, kind, actor, changes, occurred, recorded, traceparent) VALUES "
	insertReplays   query.Literal = "INSERT INTO idempotency (actor, ikey, request, result, created) VALUES "
	insertRelations query.Literal = "INSERT INTO relations (from_id, kind, to_id, created) VALUES "
	insertComments  query.Literal = "INSERT INTO comments (id, task_id, author, body, mentions, created, edited) VALUES "
)

func (t *tx) insert(ctx context.Context, into query.Literal, rows [][]any, suffix query.Literal) error {
	return exec(ctx, t.c, query.MySQL.Insert(into, rows, suffix))
}

func (t *tx) InsertTasks(ctx context.Context, tasks []*task.Task) error {
	if err := exec(ctx, t.c, query.MySQL.InsertTasks(tasks)); err != nil {
		return err
	}
	var assignees, labels [][]any
	for _, x := range tasks {
		assignees = append(assignees, links(x.ID, x.Assignees)...)
		labels = append(labels, links(x.ID, x.Labels)...)
	}
	if err := t.insert(ctx, insertAssignees, assignees, ""); err != nil {
		return err
	}
	return t.insert(ctx, insertLabels, labels, "")
}

func links(taskID uuid.UUID, ids []uuid.UUID) [][]any {
	rows := make([][]any, len(ids))
	for i := range ids {
		rows[i] = []any{taskID[:], ids[i][:]}
	}
	return rows
}

func (t *tx) UpdateTask(ctx context.Context, before, after *task.Task) error {
	if s, ok := query.MySQL.UpdateTask(before, after); ok {
		if err := exec(ctx, t.c, []*query.SQL{s}); err != nil {
			return err
		}
	}
	if gone := without(before.Assignees, after.Assignees); len(gone) > 0 {
		if err := t.q.DropAssignees(ctx, mysqldb.DropAssigneesParams{TaskID: after.ID[:], People: fromIDs(gone)}); err != nil {
			return err
		}
	}
	if gone := without(before.Labels, after.Labels); len(gone) > 0 {
		if err := t.q.DropLabels(ctx, mysqldb.DropLabelsParams{TaskID: after.ID[:], Labels: fromIDs(gone)}); err != nil {
			return err
		}
	}
	if err := t.insert(ctx, insertAssignees, links(after.ID, without(after.Assignees, before.Assignees)), ""); err != nil {
		return err
	}
	return t.insert(ctx, insertLabels, links(after.ID, without(after.Labels, before.Labels)), "")
}

// without returns the ids of a that are not in b.
func without(a, b []uuid.UUID) []uuid.UUID {
	var out []uuid.UUID
	for _, id := range a {
		if !slices.Contains(b, id) {
			out = append(out, id)
		}
	}
	return out
}

func (t *tx) InsertEvents(ctx context.Context, events []history.Event) error {
	rows := make([][]any, len(events))
	for i := range events {
		e := &events[i]
		changes, err := json.Marshal(e.Changes)
		if err != nil {
			return fmt.Errorf("encode changes: %w", err)
		}
		if e.Changes == nil {
			changes = []byte("[]")
		}
		rows[i] = []any{e.ProjectID[:], string(e.Aggregate), e.AggregateID[:], e.Seq, string(e.Kind), e.Actor[:],
			string(changes), e.Occurred.UTC(), e.Recorded.UTC(), e.Traceparent}
	}
	return t.insert(ctx, insertEvents, rows, "")
}

func (t *tx) InsertReplays(ctx context.Context, replays []flow.Replay) error {
	rows := make([][]any, len(replays))
	for i := range replays {
		r := &replays[i]
		rows[i] = []any{r.Actor[:], r.Key, r.Request[:], r.Result, r.Created.UTC()}
	}
	return t.insert(ctx, insertReplays, rows, "")
}

func (t *tx) SetLastNumber(ctx context.Context, p uuid.UUID, number int64) error {
	return t.q.SetLastNumber(ctx, mysqldb.SetLastNumberParams{ProjectID: p[:], LastNumber: number})
}

func (t *tx) PutRelations(ctx context.Context, rs []task.Relation) error {
	rows := make([][]any, len(rs))
	for i := range rs {
		r := &rs[i]
		rows[i] = []any{r.From[:], string(r.Kind), r.To[:], r.Created.UTC()}
	}
	return t.insert(ctx, insertRelations, rows, " ON DUPLICATE KEY UPDATE kind = VALUES(kind)")
}

func (t *tx) DropRelation(ctx context.Context, r task.Relation) (bool, error) {
	n, err := t.q.DropRelation(ctx, mysqldb.DropRelationParams{FromID: r.From[:], Kind: string(r.Kind), ToID: r.To[:]})
	return n > 0, err
}

func (t *tx) PutComments(ctx context.Context, cs []task.Comment) error {
	rows := make([][]any, len(cs))
	for i := range cs {
		c := &cs[i]
		rows[i] = []any{c.ID[:], c.TaskID[:], c.Author[:], c.Body, query.Pack(c.Mentions), c.Created.UTC(), nullTime(c.Edited)}
	}
	return t.insert(ctx, insertComments, rows,
		" ON DUPLICATE KEY UPDATE body = VALUES(body), mentions = VALUES(mentions), edited = VALUES(edited)")
}

func (t *tx) DropComment(ctx context.Context, taskID, id uuid.UUID) (bool, error) {
	n, err := t.q.DropComment(ctx, mysqldb.DropCommentParams{TaskID: taskID[:], ID: id[:]})
	return n > 0, err
}

func (t *tx) InsertProject(ctx context.Context, p *project.Project) error {
	err := t.q.InsertProject(ctx, mysqldb.InsertProjectParams{
		ID: p.ID[:], Pkey: p.Key, Name: p.Name, Description: p.Description, Version: p.Version, Seq: p.Seq,
		Created: p.Created.UTC(), CreatedBy: p.CreatedBy[:], Updated: p.Updated.UTC(), Archived: nullTime(p.Archived),
	})
	if err != nil {
		return err
	}
	if err := t.q.InsertCounters(ctx, mysqldb.InsertCountersParams{ProjectID: p.ID[:], Version: p.Version}); err != nil {
		return err
	}
	return t.putChildren(ctx, &project.Project{ID: p.ID}, p)
}

func (t *tx) UpdateProject(ctx context.Context, before, p *project.Project) error {
	err := t.q.UpdateProject(ctx, mysqldb.UpdateProjectParams{
		ID: p.ID[:], Name: p.Name, Description: p.Description, Version: p.Version, Seq: p.Seq, Updated: p.Updated.UTC(),
		Archived: nullTime(p.Archived),
	})
	if err != nil || before.Version == p.Version {
		return err
	}
	if err := t.q.SetCountersVersion(ctx, mysqldb.SetCountersVersionParams{ProjectID: p.ID[:], Version: p.Version}); err != nil {
		return err
	}
	return t.putChildren(ctx, before, p)
}

// putChildren writes the states, labels and members that differ.
func (t *tx) putChildren(ctx context.Context, before, p *project.Project) error {
	d := flow.Children(before, p)
	for _, id := range d.GoneStates {
		if err := t.q.DropState(ctx, mysqldb.DropStateParams{ID: id[:], ProjectID: p.ID[:]}); err != nil {
			return err
		}
	}
	for _, s := range d.States {
		limit := sql.NullInt32{}
		if s.WIPLimit != nil {
			limit = sql.NullInt32{Int32: int32(*s.WIPLimit), Valid: true}
		}
		err := t.q.PutState(ctx, mysqldb.PutStateParams{ID: s.ID[:], ProjectID: p.ID[:], Name: s.Name,
			Category: string(s.Category), Position: s.Position, WipLimit: limit, Archived: s.Archived})
		if err != nil {
			return err
		}
	}
	for _, id := range d.GoneLabels {
		if err := t.q.DropLabel(ctx, mysqldb.DropLabelParams{ID: id[:], ProjectID: p.ID[:]}); err != nil {
			return err
		}
	}
	for _, l := range d.Labels {
		err := t.q.PutLabel(ctx, mysqldb.PutLabelParams{ID: l.ID[:], ProjectID: p.ID[:], Name: l.Name, Color: l.Color, Position: l.Position})
		if err != nil {
			return err
		}
	}
	for _, id := range d.GoneMembers {
		if err := t.q.DropMember(ctx, mysqldb.DropMemberParams{ProjectID: p.ID[:], PersonID: id[:]}); err != nil {
			return err
		}
	}
	for _, m := range d.Members {
		if err := t.q.PutMember(ctx, mysqldb.PutMemberParams{ProjectID: p.ID[:], PersonID: m.PersonID[:], Role: m.Role}); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) PutView(ctx context.Context, v project.View) error {
	return t.q.PutView(ctx, mysqldb.PutViewParams{ID: v.ID[:], ProjectID: v.ProjectID[:], Name: v.Name, Filter: v.Filter,
		Layout: string(v.Layout), GroupBy: v.GroupBy, Sort: v.Sort, Owner: v.Owner[:], Shared: v.Shared, Version: v.Version,
		Created: v.Created.UTC(), Updated: v.Updated.UTC()})
}

func (t *tx) DropView(ctx context.Context, id uuid.UUID) error { return t.q.DropView(ctx, id[:]) }

// insertPeople leaves people alone whose handle exists.
func insertPeople(rows [][]any) []*query.SQL {
	return query.MySQL.Insert("INSERT INTO people (id, handle, name, kind, created) VALUES ", rows,
		" ON DUPLICATE KEY UPDATE handle = VALUES(handle)")
}
