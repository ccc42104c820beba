package httpapi

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/access"
	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/account"
	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
	"github.com/tallyboard/tallyboard/services/task-service/internal/httpapi/wire"
)

// GetMe answers with the caller.
func (s *server) GetMe(c *fiber.Ctx) error {
	ctx := c.UserContext()
	who := caller(ctx)
	p, err := s.People.Person(ctx, who.Person)
	if err != nil {
		return err
	}
	return c.JSON(wire.Me{Person: personJSON(p), SiteAdmin: who.SiteAdmin})
}

// ListPeople answers with everybody.
func (s *server) ListPeople(c *fiber.Ctx) error {
	ctx := c.UserContext()
	if err := s.allow(ctx, access.ListPeople); err != nil {
		return err
	}
	people, err := s.People.People(ctx)
	if err != nil {
		return err
	}
	out := wire.People{People: make([]wire.Person, len(people))}
	for i, p := range people {
		out.People[i] = personJSON(p)
	}
	return c.JSON(out)
}

// GetPerson answers with one person.
func (s *server) GetPerson(c *fiber.Ctx, person wire.PersonParameter) error {
	ctx := c.UserContext()
	if err := s.allow(ctx, access.ListPeople); err != nil {
		return err
	}
	id, err := pathID("person", person)
	if err != nil {
		return err
	}
	p, err := s.People.Person(ctx, id)
	if err != nil {
		return err
	}
	return c.JSON(personJSON(p))
}

var handlePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]*$`)

// CreatePerson adds somebody.
func (s *server) CreatePerson(c *fiber.Ctx) error {
	ctx := c.UserContext()
	if err := s.allow(ctx, access.ManagePeople); err != nil {
		return err
	}
	body, err := decode[wire.PersonNew](c)
	if err != nil {
		return err
	}
	p, err := newPerson(body)
	if err != nil {
		return err
	}
	stored, err := s.People.AddPeople(ctx, []account.Person{p})
	if err != nil {
		return err
	}
	if len(stored) != 1 || stored[0].ID != p.ID {
		return &apperr.Error{
			Code: apperr.Conflict, Message: "Somebody else has this handle already.",
			Fields: []apperr.Field{{Name: "handle", Message: "is taken"}},
		}
	}
	c.Location("/api/v1/people/" + p.ID.String())
	return c.Status(fiber.StatusCreated).JSON(personJSON(stored[0]))
}

func newPerson(body wire.PersonNew) (account.Person, error) {
	var f fields
	name := strings.TrimSpace(body.Name)
	if !handlePattern.MatchString(body.Handle) || len(body.Handle) > account.MaxHandle {
		f.faultf("handle", "must be 1 to %d of a–z, 0–9, dot, dash and underscore, beginning with a letter or digit", account.MaxHandle)
	}
	if n := utf8.RuneCountInString(name); n == 0 || n > account.MaxName {
		f.faultf("name", "must be 1 to %d characters", account.MaxName)
	}
	if strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		f.faultf("name", "must not contain control characters")
	}
	if err := f.err(); err != nil {
		return account.Person{}, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return account.Person{}, apperr.Wrap(err, apperr.Internal, "make an id")
	}
	return account.Person{ID: id, Handle: body.Handle, Name: name, Kind: account.Member, Created: history.Now()}, nil
}
