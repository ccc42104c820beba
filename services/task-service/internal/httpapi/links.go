package httpapi

import (
	"github.com/gofiber/fiber/v2"

	"github.com/tallyboard/tallyboard/services/internal/access"
	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/httpapi/wire"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// AddComment comments on a task.
func (s *server) AddComment(c *fiber.Ctx, text wire.Ref, _ wire.AddCommentParams) error {
	ctx := c.UserContext()
	ref, err := s.taskRef(ctx, text, access.CommentTask)
	if err != nil {
		return err
	}
	w, err := write(c)
	if err != nil {
		return err
	}
	body, err := decode[wire.CommentBody](c)
	if err != nil {
		return err
	}
	comment, replayed, err := s.Tasks.AddComment(ctx, w, ref, body.Body)
	if err != nil {
		return err
	}
	markReplayed(c, replayed)
	c.Location("/api/v1/tasks/" + text + "/comments/" + comment.ID.String())
	return c.Status(fiber.StatusCreated).JSON(commentJSON(comment))
}

// EditComment changes the text of a comment; the service refuses other people's.
func (s *server) EditComment(c *fiber.Ctx, text wire.Ref, comment wire.CommentParameter, _ wire.EditCommentParams) error {
	ctx := c.UserContext()
	ref, err := s.taskRef(ctx, text, access.CommentTask)
	if err != nil {
		return err
	}
	id, err := pathID("comment", comment)
	if err != nil {
		return err
	}
	w, err := write(c)
	if err != nil {
		return err
	}
	body, err := decode[wire.CommentBody](c)
	if err != nil {
		return err
	}
	edited, replayed, err := s.Tasks.EditComment(ctx, w, ref, id, body.Body)
	if err != nil {
		return err
	}
	markReplayed(c, replayed)
	return c.JSON(commentJSON(edited))
}

// RemoveComment removes a comment; the service refuses other people's.
func (s *server) RemoveComment(c *fiber.Ctx, text wire.Ref, comment wire.CommentParameter, _ wire.RemoveCommentParams) error {
	ctx := c.UserContext()
	ref, err := s.taskRef(ctx, text, access.CommentTask)
	if err != nil {
		return err
	}
	id, err := pathID("comment", comment)
	if err != nil {
		return err
	}
	w, err := write(c)
	if err != nil {
		return err
	}
	replayed, err := s.Tasks.RemoveComment(ctx, w, ref, id)
	if err != nil {
		return err
	}
	markReplayed(c, replayed)
	return c.SendStatus(fiber.StatusNoContent)
}

// Relate relates two tasks of one project.
func (s *server) Relate(c *fiber.Ctx, ref wire.Ref, kind wire.RelationKindParameter, other wire.Other, _ wire.RelateParams) error {
	link, err := s.link(c, ref, string(kind), other)
	if err != nil {
		return err
	}
	_, replayed, err := s.Tasks.Relate(c.UserContext(), link.write, link.from, link.kind, link.to)
	if err != nil {
		return err
	}
	markReplayed(c, replayed)
	return c.SendStatus(fiber.StatusNoContent)
}

// Unrelate removes a relation.
func (s *server) Unrelate(c *fiber.Ctx, ref wire.Ref, kind wire.RelationKindParameter, other wire.Other, _ wire.UnrelateParams) error {
	link, err := s.link(c, ref, string(kind), other)
	if err != nil {
		return err
	}
	_, replayed, err := s.Tasks.Unrelate(c.UserContext(), link.write, link.from, link.kind, link.to)
	if err != nil {
		return err
	}
	markReplayed(c, replayed)
	return c.SendStatus(fiber.StatusNoContent)
}

type link struct {
	write    task.Write
	from, to task.Ref
	kind     string
}

// link reads a relation from the path. The caller must be allowed to edit both sides.
func (s *server) link(c *fiber.Ctx, from, kind, to string) (link, error) {
	ctx := c.UserContext()
	if !wire.RelationKind(kind).Valid() {
		return link{}, apperr.InvalidField("kind", "must be one of blocks, blocked-by, relates, duplicates, duplicated-by")
	}
	l := link{kind: kind}
	var err error
	if l.from, err = s.taskRef(ctx, from, access.EditTasks); err != nil {
		return link{}, err
	}
	if l.to, _, err = s.otherTaskRef(ctx, to, access.EditTasks); err != nil {
		return link{}, err
	}
	l.write, err = write(c)
	return l, err
}
