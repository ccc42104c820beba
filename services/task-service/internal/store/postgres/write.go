package postgres

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
	"github.com/tallyboard/tallyboard/services/task-service/internal/store/flow"
	pgdb "github.com/tallyboard/tallyboard/services/task-service/internal/store/postgres/db"
	"github.com/tallyboard/tallyboard/services/task-service/internal/store/query"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

func (t *tx) UpdateTask(ctx context.Context, before, after *task.Task) error {
	if s, ok := query.Postgres.UpdateTask(before, after); ok {
		text, args := s.Build()
		if _, err := t.p.Exec(ctx, text, args...); err != nil {
			return err
		}
	}
	if gone := without(before.Assignees, after.Assignees); len(gone) > 0 {
		if err := t.q.DropAssignees(ctx, pgdb.DropAssigneesParams{TaskID: after.ID, PersonIds: gone}); err != nil {
			return err
		}
	}
	if gone := without(before.Labels, after.Labels); len(gone) > 0 {
		if err := t.q.DropLabels(ctx, pgdb.DropLabelsParams{TaskID: after.ID, LabelIds: gone}); err != nil {
			return err
		}
	}
	var assignees, labels links
	assignees.add(after.ID, without(after.Assignees, before.Assignees))
	labels.add(after.ID, without(after.Labels, before.Labels))
	return t.link(ctx, assignees, labels)
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

func (t *tx) SetLastNumber(ctx context.Context, p uuid.UUID, number int64) error {
	return t.q.SetLastNumber(ctx, pgdb.SetLastNumberParams{ProjectID: p, LastNumber: number})
}

func (t *tx) DropRelation(ctx context.Context, r task.Relation) (bool, error) {
	gone, err := t.q.DropRelation(ctx, pgdb.DropRelationParams{FromID: r.From, Kind: string(r.Kind), ToID: r.To})
	return len(gone) > 0, err
}

func (t *tx) DropComment(ctx context.Context, taskID, id uuid.UUID) (bool, error) {
	gone, err := t.q.DropComment(ctx, pgdb.DropCommentParams{TaskID: taskID, ID: id})
	return len(gone) > 0, err
}

func (t *tx) InsertProject(ctx context.Context, p *project.Project) error {
	err := t.q.InsertProject(ctx, pgdb.InsertProjectParams{
		ID: p.ID, Pkey: p.Key, Name: p.Name, Description: p.Description, Version: p.Version, Seq: p.Seq,
		Created: p.Created, CreatedBy: p.CreatedBy, Updated: p.Updated, Archived: p.Archived,
	})
	if err != nil {
		return err
	}
	if err := t.q.InsertCounters(ctx, pgdb.InsertCountersParams{ProjectID: p.ID, Version: p.Version}); err != nil {
		return err
	}
	return t.putChildren(ctx, &project.Project{ID: p.ID}, p)
}

func (t *tx) UpdateProject(ctx context.Context, before, p *project.Project) error {
	err := t.q.UpdateProject(ctx, pgdb.UpdateProjectParams{
		ID: p.ID, Name: p.Name, Description: p.Description, Version: p.Version, Seq: p.Seq, Updated: p.Updated, Archived: p.Archived,
	})
	if err != nil || before.Version == p.Version {
		return err
	}
	if err := t.q.SetCountersVersion(ctx, pgdb.SetCountersVersionParams{ProjectID: p.ID, Version: p.Version}); err != nil {
		return err
	}
	return t.putChildren(ctx, before, p)
}

// putChildren writes the states, labels and members that differ.
func (t *tx) putChildren(ctx context.Context, before, p *project.Project) error {
	d := flow.Children(before, p)
	for _, id := range d.GoneStates {
		if err := t.q.DropState(ctx, pgdb.DropStateParams{ID: id, ProjectID: p.ID}); err != nil {
			return err
		}
	}
	for _, s := range d.States {
		var limit *int32
		if s.WIPLimit != nil {
			n := int32(*s.WIPLimit)
			limit = &n
		}
		err := t.q.PutState(ctx, pgdb.PutStateParams{ID: s.ID, ProjectID: p.ID, Name: s.Name,
			Category: string(s.Category), Position: s.Position, WipLimit: limit, Archived: s.Archived})
		if err != nil {
			return err
		}
	}
	for _, id := range d.GoneLabels {
		if err := t.q.DropLabel(ctx, pgdb.DropLabelParams{ID: id, ProjectID: p.ID}); err != nil {
			return err
		}
	}
	for _, l := range d.Labels {
		err := t.q.PutLabel(ctx, pgdb.PutLabelParams{ID: l.ID, ProjectID: p.ID, Name: l.Name, Color: l.Color, Position: l.Position})
		if err != nil {
			return err
		}
	}
	for _, id := range d.GoneMembers {
		if err := t.q.DropMember(ctx, pgdb.DropMemberParams{ProjectID: p.ID, PersonID: id}); err != nil {
			return err
		}
	}
	for _, m := range d.Members {
		if err := t.q.PutMember(ctx, pgdb.PutMemberParams{ProjectID: p.ID, PersonID: m.PersonID, Role: m.Role}); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) PutView(ctx context.Context, v project.View) error {
	return t.q.PutView(ctx, pgdb.PutViewParams{ID: v.ID, ProjectID: v.ProjectID, Name: v.Name, Filter: v.Filter,
		Layout: string(v.Layout), GroupBy: v.GroupBy, Sort: v.Sort, Owner: v.Owner, Shared: v.Shared, Version: v.Version,
		Created: v.Created, Updated: v.Updated})
}

func (t *tx) DropView(ctx context.Context, id uuid.UUID) error { return t.q.DropView(ctx, id) }
