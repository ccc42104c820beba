package mysql

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/task-service/internal/account"
	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
	mysqldb "github.com/tallyboard/tallyboard/services/task-service/internal/store/mysql/db"
	"github.com/tallyboard/tallyboard/services/task-service/internal/store/query"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// scanTask reads a row of query.TaskColumns.
func scanTask(rows *sql.Rows) (*task.Task, error) {
	var (
		t                           task.Task
		assignees, labels           packed
		start, due                  sql.NullTime
		estimate                    sql.NullFloat64
		parent                      uuid.NullUUID
		started, completed, trashed sql.NullTime
		source                      sql.NullString
	)
	err := rows.Scan(&t.ID, &t.ProjectID, &t.Number, &t.Title, &t.Description, &t.StateID, &t.Rank, &t.Priority, &assignees,
		&labels, &start, &due, &estimate, &parent, &t.Recurrence, &t.Version, &t.Seq, &t.Created, &t.CreatedBy, &t.Updated,
		&t.UpdatedBy, &started, &completed, &trashed, &t.LastAt, &source)
	if err != nil {
		return nil, fmt.Errorf("scan task: %w", err)
	}
	t.Assignees, t.Labels = assignees, labels
	t.Start, t.Due = date(start), date(due)
	if estimate.Valid {
		t.Estimate = &estimate.Float64
	}
	if parent.Valid {
		t.ParentID = &parent.UUID
	}
	t.Started, t.Completed, t.Trashed = moment(started), moment(completed), moment(trashed)
	t.Source = source.String
	return &t, nil
}

// packed scans ids of 16 bytes each.
type packed []uuid.UUID

// Scan implements sql.Scanner.
func (p *packed) Scan(v any) error {
	b, ok := v.([]byte)
	if !ok {
		return fmt.Errorf("ids are %T, not bytes", v)
	}
	*p = query.Unpack(b)
	return nil
}

func date(t sql.NullTime) task.Date {
	if !t.Valid {
		return ""
	}
	return task.Date(t.Time.Format(time.DateOnly))
}

func moment(t sql.NullTime) *time.Time {
	if !t.Valid {
		return nil
	}
	return &t.Time
}

func nullTime(t *time.Time) sql.NullTime {
	if t == nil {
		return sql.NullTime{}
	}
	return sql.NullTime{Time: t.UTC(), Valid: true}
}

func toIDs(rows [][]byte) []uuid.UUID {
	ids := make([]uuid.UUID, len(rows))
	for i, b := range rows {
		ids[i] = uuid.UUID(b)
	}
	return ids
}

func fromIDs(ids []uuid.UUID) [][]byte {
	out := make([][]byte, len(ids))
	for i := range ids {
		out[i] = ids[i][:]
	}
	return out
}

func toEvents(rows []mysqldb.Event) ([]history.Event, error) {
	events := make([]history.Event, len(rows))
	for i, r := range rows {
		e := history.Event{
			ID: r.ID, Pos: r.Pos.Int64, ProjectID: uuid.UUID(r.ProjectID), Aggregate: history.Aggregate(r.Aggregate),
			AggregateID: uuid.UUID(r.AggregateID), Seq: r.Seq, Kind: history.Kind(r.Kind), Actor: uuid.UUID(r.Actor),
			Occurred: r.Occurred, Recorded: r.Recorded, Traceparent: r.Traceparent,
		}
		if err := json.Unmarshal(r.Changes, &e.Changes); err != nil {
			return nil, fmt.Errorf("read changes of event %d: %w", r.ID, err)
		}
		events[i] = e
	}
	return events, nil
}

func toProject(r mysqldb.Project, states []mysqldb.State, labels []mysqldb.Label, members []mysqldb.Member) *project.Project {
	p := &project.Project{
		ID: uuid.UUID(r.ID), Key: r.Pkey, Name: r.Name, Description: r.Description, Version: r.Version, Seq: r.Seq,
		Created: r.Created, CreatedBy: uuid.UUID(r.CreatedBy), Updated: r.Updated, Archived: moment(r.Archived),
	}
	for _, s := range states {
		state := project.State{ID: uuid.UUID(s.ID), Name: s.Name, Category: project.Category(s.Category), Archived: s.Archived}
		if s.WipLimit.Valid {
			limit := int(s.WipLimit.Int32)
			state.WIPLimit = &limit
		}
		p.States = append(p.States, state)
	}
	for _, l := range labels {
		p.Labels = append(p.Labels, project.Label{ID: uuid.UUID(l.ID), Name: l.Name, Color: l.Color})
	}
	for _, m := range members {
		p.Members = append(p.Members, project.Member{PersonID: uuid.UUID(m.PersonID), Role: m.Role})
	}
	return p
}

func toRelation(r mysqldb.Relation) task.Relation {
	return task.Relation{From: uuid.UUID(r.FromID), To: uuid.UUID(r.ToID), Kind: task.RelationKind(r.Kind), Created: r.Created}
}

func toComment(r mysqldb.Comment) task.Comment {
	return task.Comment{ID: uuid.UUID(r.ID), TaskID: uuid.UUID(r.TaskID), Author: uuid.UUID(r.Author), Body: r.Body,
		Mentions: query.Unpack(r.Mentions), Created: r.Created, Edited: moment(r.Edited)}
}

func toView(r mysqldb.View) project.View {
	return project.View{ID: uuid.UUID(r.ID), ProjectID: uuid.UUID(r.ProjectID), Name: r.Name, Filter: r.Filter,
		Layout: project.Layout(r.Layout), GroupBy: r.GroupBy, Sort: r.Sort, Owner: uuid.UUID(r.Owner), Shared: r.Shared,
		Version: r.Version, Created: r.Created, Updated: r.Updated}
}

func toPerson(r mysqldb.Person) account.Person {
	return account.Person{ID: uuid.UUID(r.ID), Handle: r.Handle, Name: r.Name, Kind: account.Kind(r.Kind), Created: r.Created}
}
