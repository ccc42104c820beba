package postgres

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/tallyboard/tallyboard/services/task-service/internal/account"
	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
	pgdb "github.com/tallyboard/tallyboard/services/task-service/internal/store/postgres/db"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// scanTask reads a row of query.TaskColumns.
func scanTask(rows pgx.Rows) (*task.Task, error) {
	var (
		t          task.Task
		priority   int16
		start, due pgtype.Date
		source     *string
	)
	err := rows.Scan(&t.ID, &t.ProjectID, &t.Number, &t.Title, &t.Description, &t.StateID, &t.Rank, &priority, &t.Assignees,
		&t.Labels, &start, &due, &t.Estimate, &t.ParentID, &t.Recurrence, &t.Version, &t.Seq, &t.Created, &t.CreatedBy, &t.Updated,
		&t.UpdatedBy, &t.Started, &t.Completed, &t.Trashed, &t.LastAt, &source)
	if err != nil {
		return nil, fmt.Errorf("scan task: %w", err)
	}
	t.Priority = task.Priority(priority)
	if len(t.Assignees) == 0 {
		t.Assignees = nil
	}
	if len(t.Labels) == 0 {
		t.Labels = nil
	}
	t.Start, t.Due = date(start), date(due)
	if source != nil {
		t.Source = *source
	}
	return &t, nil
}

func date(d pgtype.Date) task.Date {
	if !d.Valid {
		return ""
	}
	return task.Date(d.Time.Format(time.DateOnly))
}

func toEvents(rows []pgdb.Event) ([]history.Event, error) {
	events := make([]history.Event, len(rows))
	for i, r := range rows {
		e := history.Event{
			ID: r.ID, ProjectID: r.ProjectID, Aggregate: history.Aggregate(r.Aggregate), AggregateID: r.AggregateID,
			Seq: r.Seq, Kind: history.Kind(r.Kind), Actor: r.Actor, Occurred: r.Occurred, Recorded: r.Recorded,
			Traceparent: r.Traceparent,
		}
		if r.Pos != nil {
			e.Pos = *r.Pos
		}
		if err := json.Unmarshal(r.Changes, &e.Changes); err != nil {
			return nil, fmt.Errorf("read changes of event %d: %w", r.ID, err)
		}
		events[i] = e
	}
	return events, nil
}

func toProject(r pgdb.Project, states []pgdb.State, labels []pgdb.Label, members []pgdb.Member) *project.Project {
	p := &project.Project{
		ID: r.ID, Key: r.Pkey, Name: r.Name, Description: r.Description, Version: r.Version, Seq: r.Seq,
		Created: r.Created, CreatedBy: r.CreatedBy, Updated: r.Updated, Archived: r.Archived,
	}
	for _, s := range states {
		state := project.State{ID: s.ID, Name: s.Name, Category: project.Category(s.Category), Archived: s.Archived}
		if s.WipLimit != nil {
			limit := int(*s.WipLimit)
			state.WIPLimit = &limit
		}
		p.States = append(p.States, state)
	}
	for _, l := range labels {
		p.Labels = append(p.Labels, project.Label{ID: l.ID, Name: l.Name, Color: l.Color})
	}
	for _, m := range members {
		p.Members = append(p.Members, project.Member{PersonID: m.PersonID, Role: m.Role})
	}
	return p
}

func toRelation(r pgdb.Relation) task.Relation {
	return task.Relation{From: r.FromID, To: r.ToID, Kind: task.RelationKind(r.Kind), Created: r.Created}
}

func toComment(r pgdb.Comment) task.Comment {
	c := task.Comment{ID: r.ID, TaskID: r.TaskID, Author: r.Author, Body: r.Body, Created: r.Created, Edited: r.Edited}
	if len(r.Mentions) > 0 {
		c.Mentions = r.Mentions
	}
	return c
}

func toView(r pgdb.View) project.View {
	return project.View{ID: r.ID, ProjectID: r.ProjectID, Name: r.Name, Filter: r.Filter, Layout: project.Layout(r.Layout),
		GroupBy: r.GroupBy, Sort: r.Sort, Owner: r.Owner, Shared: r.Shared, Version: r.Version, Created: r.Created, Updated: r.Updated}
}

func toPerson(r pgdb.Person) account.Person {
	return account.Person{ID: r.ID, Handle: r.Handle, Name: r.Name, Kind: account.Kind(r.Kind), Created: r.Created}
}
