package httpapi

import (
	"github.com/gofiber/fiber/v2"

	"github.com/tallyboard/tallyboard/services/internal/access"
	"github.com/tallyboard/tallyboard/services/task-service/internal/httpapi/wire"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
)

// ListViews answers with the shared views and the caller's own.
func (s *server) ListViews(c *fiber.Ctx, key wire.Key) error {
	ctx := c.UserContext()
	p, err := s.project(ctx, key, access.ReadProject)
	if err != nil {
		return err
	}
	views, err := s.Projects.ListViews(ctx, p.Key, caller(ctx).Person)
	if err != nil {
		return err
	}
	out := wire.Views{Views: make([]wire.View, len(views))}
	for i, v := range views {
		out.Views[i] = viewJSON(v)
	}
	return c.JSON(out)
}

// CreateView saves a view. Whoever may read a project may keep views of it.
func (s *server) CreateView(c *fiber.Ctx, key wire.Key, _ wire.CreateViewParams) error {
	ctx := c.UserContext()
	in, err := viewInput(c)
	if err != nil {
		return err
	}
	p, err := s.project(ctx, key, viewAction(in.Shared))
	if err != nil {
		return err
	}
	w, err := write(c)
	if err != nil {
		return err
	}
	v, err := s.Projects.AddView(ctx, w, p.Key, in)
	if err != nil {
		return err
	}
	c.Status(fiber.StatusCreated)
	c.Location("/api/v1/projects/" + p.Key + "/views/" + v.ID.String())
	return answerView(c, v)
}

// ReplaceView replaces a view; the service refuses other people's.
func (s *server) ReplaceView(c *fiber.Ctx, key wire.Key, view wire.ViewParameter, _ wire.ReplaceViewParams) error {
	ctx := c.UserContext()
	in, err := viewInput(c)
	if err != nil {
		return err
	}
	p, err := s.project(ctx, key, viewAction(in.Shared))
	if err != nil {
		return err
	}
	id, err := pathID("view", view)
	if err != nil {
		return err
	}
	w, err := writeVersioned(c)
	if err != nil {
		return err
	}
	v, err := s.Projects.ReplaceView(ctx, w, project.ViewRef{Project: p.Key, ID: id}, in)
	if err != nil {
		return err
	}
	return answerView(c, v)
}

// RemoveView removes a view; the service refuses other people's.
func (s *server) RemoveView(c *fiber.Ctx, key wire.Key, view wire.ViewParameter, _ wire.RemoveViewParams) error {
	ctx := c.UserContext()
	p, err := s.project(ctx, key, access.ReadProject)
	if err != nil {
		return err
	}
	id, err := pathID("view", view)
	if err != nil {
		return err
	}
	w, err := write(c)
	if err != nil {
		return err
	}
	if err := s.Projects.RemoveView(ctx, w, project.ViewRef{Project: p.Key, ID: id}); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

// viewAction: a view that others see takes the right to edit.
func viewAction(shared bool) access.Action {
	if shared {
		return access.EditTasks
	}
	return access.ReadProject
}

func viewInput(c *fiber.Ctx) (project.ViewInput, error) {
	body, err := decode[wire.ViewNew](c)
	if err != nil {
		return project.ViewInput{}, err
	}
	var f fields
	if body.Layout != nil && !body.Layout.Valid() {
		f.faultf("layout", "must be one of board, list, calendar, timeline")
	}
	if body.GroupBy != nil && !body.GroupBy.Valid() {
		f.faultf("groupBy", "must be one of state, assignee, priority, label, or empty")
	}
	return project.ViewInput{
		Name: body.Name, Filter: or(body.Filter, ""), Layout: project.Layout(or(body.Layout, "")),
		GroupBy: string(or(body.GroupBy, "")), Sort: or(body.Sort, ""), Shared: or(body.Shared, false),
	}, f.err()
}
