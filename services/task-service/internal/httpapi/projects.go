package httpapi

import (
	"fmt"

	"github.com/gofiber/fiber/v2"

	"github.com/tallyboard/tallyboard/services/internal/access"
	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/httpapi/wire"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
)

// ListProjects answers with the projects the caller may read.
func (s *server) ListProjects(c *fiber.Ctx, params wire.ListProjectsParams) error {
	ctx := c.UserContext()
	all, err := s.Projects.List(ctx, or(params.Archived, false))
	if err != nil {
		return err
	}
	out := wire.Projects{Projects: make([]wire.Project, 0, len(all))}
	for _, p := range all {
		switch err := s.Guard.Check(ctx, caller(ctx), access.ReadProject, p.ID); {
		case err == nil:
			out.Projects = append(out.Projects, projectJSON(p))
		case !apperr.Is(err, apperr.NotFound) && !apperr.Is(err, apperr.Forbidden):
			return err
		}
	}
	return c.JSON(out)
}

// CreateProject creates a project owned by the caller.
func (s *server) CreateProject(c *fiber.Ctx, _ wire.CreateProjectParams) error {
	ctx := c.UserContext()
	if err := s.allow(ctx, access.CreateProject); err != nil {
		return err
	}
	w, err := write(c)
	if err != nil {
		return err
	}
	body, err := decode[wire.ProjectNew](c)
	if err != nil {
		return err
	}
	in, err := newProject(body)
	if err != nil {
		return err
	}
	p, err := s.Projects.Create(ctx, w, in)
	if err != nil {
		return err
	}
	c.Status(fiber.StatusCreated)
	c.Location("/api/v1/projects/" + p.Key)
	return answerProject(c, p)
}

func newProject(body wire.ProjectNew) (project.New, error) {
	var f fields
	in := project.New{Key: body.Key, Name: body.Name, Description: or(body.Description, "")}
	for i, st := range or(body.States, nil) {
		in.States = append(in.States, f.newState(fmt.Sprintf("states[%d].", i), st))
	}
	if body.States != nil && len(in.States) == 0 {
		f.faultf("states", "must name at least one state")
	}
	for _, l := range or(body.Labels, nil) {
		in.Labels = append(in.Labels, project.NewLabel{Name: l.Name, Color: or(l.Color, "")})
	}
	for i, m := range or(body.Members, nil) {
		id := f.id(fmt.Sprintf("members[%d].person", i), m.Person)
		in.Members = append(in.Members, project.Member{PersonID: id, Role: f.role(fmt.Sprintf("members[%d].role", i), m.Role)})
	}
	return in, f.err()
}

// GetProject answers with one project.
func (s *server) GetProject(c *fiber.Ctx, key wire.Key, _ wire.GetProjectParams) error {
	ctx := c.UserContext()
	known, err := s.project(ctx, key, access.ReadProject)
	if err != nil {
		return err
	}
	p, err := s.Projects.Get(ctx, known.Key) // known may be a second old
	if err != nil {
		return err
	}
	if matchesNone(c, p.Version) {
		return nil
	}
	return answerProject(c, p)
}

// ChangeProject changes name and description, and archives.
func (s *server) ChangeProject(c *fiber.Ctx, key wire.Key, _ wire.ChangeProjectParams) error {
	ctx := c.UserContext()
	p, err := s.project(ctx, key, access.ManageProject)
	if err != nil {
		return err
	}
	w, err := writeVersioned(c)
	if err != nil {
		return err
	}
	body, err := decodePatch[wire.ProjectPatch](c)
	if err != nil {
		return err
	}
	changed, err := s.Projects.Change(ctx, w, p.Key, project.Patch{Name: body.Name, Description: body.Description, Archived: body.Archived})
	if err != nil {
		return err
	}
	return answerProject(c, changed)
}

func (f *fields) newState(path string, st wire.StateNew) project.NewState {
	if !st.Category.Valid() {
		f.faultf(path+"category", "must be one of backlog, todo, doing, done, cancelled")
	}
	return project.NewState{
		Name: st.Name, Category: project.Category(st.Category), WIPLimit: or(limitOf(st.WipLimit), nil), Position: st.Position,
	}
}

func (f *fields) role(name string, role wire.Role) string {
	if !role.Valid() {
		f.faultf(name, "must be one of owner, editor, commenter, viewer")
	}
	return string(role)
}
