package httpapi

import (
	"fmt"

	"github.com/gofiber/fiber/v2"

	"github.com/tallyboard/tallyboard/services/internal/access"
	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/httpapi/wire"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// BulkEdit changes many tasks of a project in one transaction.
func (s *server) BulkEdit(c *fiber.Ctx, key wire.Key, params wire.BulkEditParams) error {
	ctx := c.UserContext()
	p, err := s.project(ctx, key, access.EditTasks)
	if err != nil {
		return err
	}
	w, err := write(c)
	if err != nil {
		return err
	}
	body, err := decode[wire.BulkEdit](c)
	if err != nil {
		return err
	}
	edit, err := bulkEdit(body)
	if err != nil {
		return err
	}
	if edit.Viewer, err = viewer(ctx, params.Tz); err != nil {
		return err
	}
	ts, replayed, err := s.Tasks.Bulk(ctx, w, p.Key, edit)
	if err != nil {
		return err
	}
	markReplayed(c, replayed)
	b := appendTasks([]byte(`{"tasks":`), ts, nil)
	return sendJSON(c, append(b, '}'))
}

func bulkEdit(body wire.BulkEdit) (task.BulkEdit, error) {
	edit := task.BulkEdit{
		Filter: or(body.Filter, ""), Trash: bool(or(body.Trash, false)), Restore: bool(or(body.Restore, false)),
	}
	if (body.Tasks == nil) == (body.Filter == nil) {
		return edit, apperr.InvalidField("tasks", "exactly one of tasks and filter is required")
	}
	var f fields
	for i, text := range or(body.Tasks, nil) {
		ref, err := task.ParseRef(text)
		if err != nil {
			f.faultf(fmt.Sprintf("tasks[%d]", i), "must be the id of a task or a key such as WEB-42")
			continue
		}
		edit.Refs = append(edit.Refs, ref)
	}
	switch n := len(or(body.Tasks, nil)); {
	case body.Tasks != nil && n == 0:
		f.faultf("tasks", "must name at least one task")
	case n > task.MaxBulk:
		f.faultf("tasks", "must name at most %d tasks", task.MaxBulk)
	}
	actions := 0
	for _, given := range []bool{body.Change != nil, edit.Trash, edit.Restore} {
		if given {
			actions++
		}
	}
	if actions != 1 {
		f.faultf("change", "exactly one of change, trash and restore is required")
	}
	if body.Change != nil {
		edit.Patch = f.bulkChange(*body.Change)
	}
	return edit, f.err()
}

func (f *fields) bulkChange(b wire.BulkChange) *task.Patch {
	patch := &task.Patch{
		State: f.optionalID("change.state", b.State), Priority: priority(b.Priority),
		Assignees: f.optionalIDs("change.assignees", b.Assignees), Labels: f.optionalIDs("change.labels", b.Labels),
		Start: f.date("change.start", b.Start), Due: f.date("change.due", b.Due), Estimate: number(b.Estimate),
		Parent:       f.clearableID("change.parent", b.Parent),
		AddAssignees: f.list("change.addAssignees", b.AddAssignees), RemoveAssignees: f.list("change.removeAssignees", b.RemoveAssignees),
		AddLabels: f.list("change.addLabels", b.AddLabels), RemoveLabels: f.list("change.removeLabels", b.RemoveLabels),
	}
	if len(b.Due) == 0 && len(b.Start) == 0 && len(b.Estimate) == 0 && len(b.Parent) == 0 && b.State == nil && b.Priority == nil &&
		b.Assignees == nil && b.Labels == nil && b.AddAssignees == nil && b.RemoveAssignees == nil && b.AddLabels == nil &&
		b.RemoveLabels == nil {
		f.faultf("change", "names nothing to change")
	}
	return patch
}
