package httpapi

import (
	"context"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/access"
	"github.com/tallyboard/tallyboard/services/task-service/internal/httpapi/wire"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
)

// managed runs a change of a project's settings by somebody who manages it, and answers with the project.
func (s *server) managed(c *fiber.Ctx, key string, change func(ctx context.Context, w project.Write, key string) (*project.Project, error)) error {
	ctx := c.UserContext()
	p, err := s.project(ctx, key, access.ManageProject)
	if err != nil {
		return err
	}
	w, err := write(c)
	if err != nil {
		return err
	}
	changed, err := change(ctx, w, p.Key)
	if err != nil {
		return err
	}
	return answerProject(c, changed)
}

// AddState adds a column to the board.
func (s *server) AddState(c *fiber.Ctx, key wire.Key, _ wire.AddStateParams) error {
	return s.managed(c, key, func(ctx context.Context, w project.Write, key string) (*project.Project, error) {
		body, err := decode[wire.StateNew](c)
		if err != nil {
			return nil, err
		}
		var f fields
		in := f.newState("", body)
		if err := f.err(); err != nil {
			return nil, err
		}
		p, st, err := s.Projects.AddState(ctx, w, key, in)
		if err != nil {
			return nil, err
		}
		c.Status(fiber.StatusCreated)
		c.Location("/api/v1/projects/" + key + "/states/" + st.ID.String())
		return p, nil
	})
}

// ChangeState renames, limits, moves, archives or brings back a state.
func (s *server) ChangeState(c *fiber.Ctx, key wire.Key, state wire.StateParameter, _ wire.ChangeStateParams) error {
	return s.managed(c, key, func(ctx context.Context, w project.Write, key string) (*project.Project, error) {
		id, err := pathID("state", state)
		if err != nil {
			return nil, err
		}
		body, err := decodePatch[wire.StatePatch](c)
		if err != nil {
			return nil, err
		}
		p, _, err := s.Projects.ChangeState(ctx, w, key, id, project.StatePatch{
			Name: body.Name, WIPLimit: limitOf(body.WipLimit), Position: body.Position, Archived: body.Archived,
		})
		return p, err
	})
}

// ArchiveState archives a state that has no tasks.
func (s *server) ArchiveState(c *fiber.Ctx, key wire.Key, state wire.StateParameter, _ wire.ArchiveStateParams) error {
	return s.managed(c, key, withID("state", state, s.Projects.ArchiveState))
}

// AddLabel adds a label.
func (s *server) AddLabel(c *fiber.Ctx, key wire.Key, _ wire.AddLabelParams) error {
	return s.managed(c, key, func(ctx context.Context, w project.Write, key string) (*project.Project, error) {
		body, err := decode[wire.LabelNew](c)
		if err != nil {
			return nil, err
		}
		p, l, err := s.Projects.AddLabel(ctx, w, key, project.NewLabel{Name: body.Name, Color: or(body.Color, "")})
		if err != nil {
			return nil, err
		}
		c.Status(fiber.StatusCreated)
		c.Location("/api/v1/projects/" + key + "/labels/" + l.ID.String())
		return p, nil
	})
}

// ChangeLabel renames, recolours or moves a label.
func (s *server) ChangeLabel(c *fiber.Ctx, key wire.Key, label wire.LabelParameter, _ wire.ChangeLabelParams) error {
	return s.managed(c, key, func(ctx context.Context, w project.Write, key string) (*project.Project, error) {
		id, err := pathID("label", label)
		if err != nil {
			return nil, err
		}
		body, err := decodePatch[wire.LabelPatch](c)
		if err != nil {
			return nil, err
		}
		p, _, err := s.Projects.ChangeLabel(ctx, w, key, id, project.LabelPatch{Name: body.Name, Color: body.Color, Position: body.Position})
		return p, err
	})
}

// RemoveLabel removes a label.
func (s *server) RemoveLabel(c *fiber.Ctx, key wire.Key, label wire.LabelParameter, _ wire.RemoveLabelParams) error {
	return s.managed(c, key, withID("label", label, s.Projects.RemoveLabel))
}

// SetMember makes a person a member, or changes the role.
func (s *server) SetMember(c *fiber.Ctx, key wire.Key, person wire.PersonParameter, _ wire.SetMemberParams) error {
	return s.managed(c, key, func(ctx context.Context, w project.Write, key string) (*project.Project, error) {
		id, err := pathID("person", person)
		if err != nil {
			return nil, err
		}
		body, err := decode[wire.MemberRole](c)
		if err != nil {
			return nil, err
		}
		var f fields
		role := f.role("role", body.Role)
		if err := f.err(); err != nil {
			return nil, err
		}
		return s.Projects.SetMember(ctx, w, key, id, role)
	})
}

// RemoveMember removes a member.
func (s *server) RemoveMember(c *fiber.Ctx, key wire.Key, person wire.PersonParameter, _ wire.RemoveMemberParams) error {
	return s.managed(c, key, withID("person", person, s.Projects.RemoveMember))
}

// withID makes a change out of a method that takes an id from the path.
func withID(
	name, text string, change func(context.Context, project.Write, string, uuid.UUID) (*project.Project, error),
) func(context.Context, project.Write, string) (*project.Project, error) {
	return func(ctx context.Context, w project.Write, key string) (*project.Project, error) {
		id, err := pathID(name, text)
		if err != nil {
			return nil, err
		}
		return change(ctx, w, key, id)
	}
}
