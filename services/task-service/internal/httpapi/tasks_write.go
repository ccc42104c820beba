package httpapi

import (
	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/access"
	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/httpapi/wire"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// CreateTask creates a task from fields, or from a quick-add line and what the fields add to it.
func (s *server) CreateTask(c *fiber.Ctx, key wire.Key, params wire.CreateTaskParams) error {
	ctx := c.UserContext()
	p, err := s.project(ctx, key, access.EditTasks)
	if err != nil {
		return err
	}
	w, err := write(c)
	if err != nil {
		return err
	}
	body, err := decode[wire.TaskNew](c)
	if err != nil {
		return err
	}
	in, err := newTask(body)
	if err != nil {
		return err
	}
	if body.Quick != nil {
		v, err := viewer(ctx, params.Tz)
		if err != nil {
			return err
		}
		preview, err := s.Tasks.ParseQuick(ctx, p.Key, *body.Quick, v)
		if err != nil {
			return err
		}
		in = fillFrom(preview.New, in)
	}
	t, replayed, err := s.Tasks.Create(ctx, w, p.Key, in)
	if err != nil {
		return err
	}
	tagTask(ctx, t)
	c.Status(fiber.StatusCreated)
	c.Location(taskPath(t))
	return answerTask(c, t, replayed)
}

func taskPath(t *task.Task) string {
	return string(appendInt(append(append([]byte("/api/v1/tasks/"), t.ProjectKey...), '-'), t.Number))
}

func newTask(body wire.TaskNew) (task.New, error) {
	if (body.Title == nil) == (body.Quick == nil) {
		return task.New{}, apperr.InvalidField("title", "exactly one of title and quick is required")
	}
	var f fields
	in := task.New{
		Title: or(body.Title, ""), Description: or(body.Description, ""), State: or(f.optionalID("state", body.State), uuid.Nil),
		Priority: task.Priority(or(body.Priority, 0)), Assignees: f.list("assignees", body.Assignees),
		Labels: f.list("labels", body.Labels), Start: or(f.date("start", body.Start), ""), Due: or(f.date("due", body.Due), ""),
		Estimate: or(number(body.Estimate), nil), Parent: or(f.clearableID("parent", body.Parent), uuid.Nil),
		Recurrence: or(text(body.Recurrence), ""),
	}
	in.Place = f.place(placeInput{body.After, body.Before, body.Top, body.Bottom})
	return in, f.err()
}

// fillFrom puts what a quick-add line says over the fields that were given beside it.
func fillFrom(quick, given task.New) task.New {
	out := given
	out.Title = quick.Title
	if quick.State != uuid.Nil {
		out.State = quick.State
	}
	if quick.Priority != task.NoPriority {
		out.Priority = quick.Priority
	}
	if len(quick.Assignees) > 0 {
		out.Assignees = quick.Assignees
	}
	if len(quick.Labels) > 0 {
		out.Labels = quick.Labels
	}
	if quick.Due != "" {
		out.Due = quick.Due
	}
	if quick.Parent != uuid.Nil {
		out.Parent = quick.Parent
	}
	return out
}

// placeInput is how a body names a place; at most one of them.
type placeInput struct {
	after, before *string
	top, bottom   *bool
}

func (p placeInput) count() int {
	n := 0
	for _, given := range []bool{p.after != nil, p.before != nil, or(p.top, false), or(p.bottom, false)} {
		if given {
			n++
		}
	}
	return n
}

func (f *fields) place(p placeInput) task.Placement {
	if p.count() > 1 {
		f.faultf("after", "at most one of after, before, top and bottom may be given")
	}
	return task.Placement{
		After: or(f.optionalID("after", p.after), uuid.Nil), Before: or(f.optionalID("before", p.before), uuid.Nil),
		Top: or(p.top, false),
	}
}

// ParseQuickAdd tells what a quick-add line would create.
func (s *server) ParseQuickAdd(c *fiber.Ctx, key wire.Key, params wire.ParseQuickAddParams) error {
	ctx := c.UserContext()
	p, err := s.project(ctx, key, access.ReadProject)
	if err != nil {
		return err
	}
	body, err := decode[wire.QuickText](c)
	if err != nil {
		return err
	}
	v, err := viewer(ctx, params.Tz)
	if err != nil {
		return err
	}
	preview, err := s.Tasks.ParseQuick(ctx, p.Key, body.Text, v)
	if err != nil {
		return err
	}
	in := preview.New
	out := wire.QuickParsed{
		Title: in.Title, State: optionalID(in.State), Priority: int(in.Priority), Assignees: idTexts(in.Assignees),
		Labels: idTexts(in.Labels), Due: optionalText(string(in.Due)), Parent: optionalID(in.Parent),
		Tokens: make([]wire.QuickToken, len(preview.Tokens)),
	}
	for i, t := range preview.Tokens {
		out.Tokens[i] = wire.QuickToken{Kind: wire.QuickTokenKind(t.Kind), Start: t.Start, End: t.End, Value: t.Value}
	}
	return c.JSON(out)
}

// ChangeTask changes fields of a task.
func (s *server) ChangeTask(c *fiber.Ctx, text wire.Ref, _ wire.ChangeTaskParams) error {
	ctx := c.UserContext()
	ref, err := s.taskRef(ctx, text, access.EditTasks)
	if err != nil {
		return err
	}
	w, err := writeVersioned(c)
	if err != nil {
		return err
	}
	body, err := decodePatch[wire.TaskPatch](c)
	if err != nil {
		return err
	}
	patch, err := taskPatch(body)
	if err != nil {
		return err
	}
	t, replayed, err := s.Tasks.Change(ctx, w, ref, patch)
	if err != nil {
		return err
	}
	return answerTask(c, t, replayed)
}

func taskPatch(b wire.TaskPatch) (task.Patch, error) {
	var f fields
	patch := task.Patch{
		Title: b.Title, Description: b.Description, State: f.optionalID("state", b.State), Priority: priority(b.Priority),
		Assignees: f.optionalIDs("assignees", b.Assignees), Labels: f.optionalIDs("labels", b.Labels),
		Start: f.date("start", b.Start), Due: f.date("due", b.Due), Estimate: number(b.Estimate),
		Parent: f.clearableID("parent", b.Parent), Recurrence: text(b.Recurrence),
	}
	return patch, f.err()
}

func priority(p *wire.Priority) *task.Priority {
	if p == nil {
		return nil
	}
	v := task.Priority(*p)
	return &v
}

// MoveTask puts a task into another state, another place, or both.
func (s *server) MoveTask(c *fiber.Ctx, text wire.Ref, _ wire.MoveTaskParams) error {
	ctx := c.UserContext()
	ref, err := s.taskRef(ctx, text, access.EditTasks)
	if err != nil {
		return err
	}
	w, err := write(c)
	if err != nil {
		return err
	}
	body, err := decodePatch[wire.TaskMove](c)
	if err != nil {
		return err
	}
	var f fields
	move := task.Move{State: f.optionalID("state", body.State)}
	if place := (placeInput{body.After, body.Before, body.Top, body.Bottom}); place.count() > 0 {
		at := f.place(place)
		move.Place = &at
	}
	if err := f.err(); err != nil {
		return err
	}
	t, replayed, err := s.Tasks.Move(ctx, w, ref, move)
	if err != nil {
		return err
	}
	return answerTask(c, t, replayed)
}

// TrashTask moves a task to the trash.
func (s *server) TrashTask(c *fiber.Ctx, text wire.Ref, _ wire.TrashTaskParams) error {
	ctx := c.UserContext()
	ref, err := s.taskRef(ctx, text, access.EditTasks)
	if err != nil {
		return err
	}
	w, err := write(c)
	if err != nil {
		return err
	}
	t, replayed, err := s.Tasks.Trash(ctx, w, ref)
	if err != nil {
		return err
	}
	return answerTask(c, t, replayed)
}

// RestoreTask takes a task out of the trash.
func (s *server) RestoreTask(c *fiber.Ctx, text wire.Ref, _ wire.RestoreTaskParams) error {
	ctx := c.UserContext()
	ref, err := s.taskRef(ctx, text, access.EditTasks)
	if err != nil {
		return err
	}
	w, err := write(c)
	if err != nil {
		return err
	}
	t, replayed, err := s.Tasks.Restore(ctx, w, ref)
	if err != nil {
		return err
	}
	return answerTask(c, t, replayed)
}
