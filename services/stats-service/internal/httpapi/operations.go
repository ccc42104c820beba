package httpapi

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/stats"
)

// Limits of what the operations list.
const (
	maxParked       = 100
	defaultFindings = 100
	maxFindings     = 1000
)

type parkedView struct {
	Aggregate stats.Aggregate `json:"aggregate"`
	Task      uuid.UUID       `json:"task"`
	Project   uuid.UUID       `json:"project"`
	Pos       int64           `json:"pos"`
	Seq       int64           `json:"seq"`
	Reason    string          `json:"reason"`
	Since     time.Time       `json:"since"`
	Attempts  int             `json:"attempts"`
	Events    int             `json:"events"`
}

type linkView struct {
	Connected bool      `json:"connected"`
	Since     time.Time `json:"since"`
}

type rebuildView struct {
	Generation int64 `json:"generation"`
	Pos        int64 `json:"pos"`
}

type statusView struct {
	Cursor       int64        `json:"cursor"`
	Head         int64        `json:"head"`
	LagPositions int64        `json:"lagPositions"`
	LagSeconds   float64      `json:"lagSeconds"`
	StaleSince   *time.Time   `json:"staleSince,omitempty"`
	AppliedAt    *time.Time   `json:"appliedAt,omitempty"`
	Source       string       `json:"source"`
	Generation   int64        `json:"generation"`
	Applier      bool         `json:"applier"`
	NATS         linkView     `json:"nats"`
	Rebuild      *rebuildView `json:"rebuild,omitempty"`
	ParkedCount  int          `json:"parkedCount"`
	Parked       []parkedView `json:"parked"`
}

func (s *server) status(c *fiber.Ctx) error {
	if err := parametersOf(c).only(); err != nil {
		return err
	}
	status, err := s.Operator.Status(c.UserContext(), maxParked)
	if err != nil {
		return err
	}
	now := s.Now().UTC()
	out := statusView{
		Cursor: status.Cursor.Pos, Head: status.Head, LagPositions: max(0, status.Head-status.Cursor.Pos),
		StaleSince: stale(status.Pending, now, s.Config.StaleAfter), Source: s.Applier.Source(), Applier: s.Applier.Leading(),
		Generation: status.Cursor.Generation, NATS: linkView{s.Link.Connected(), s.Link.Since().UTC()},
		ParkedCount: status.ParkedCount, Parked: []parkedView{},
	}
	if status.Pending != nil {
		out.LagSeconds = max(0, now.Sub(*status.Pending).Seconds())
	}
	if status.Cursor.Pos > 0 {
		out.AppliedAt = &status.Cursor.AppliedAt
	}
	if b := status.Building; b != nil {
		out.Rebuild = &rebuildView{b.Number, b.Pos}
	}
	for _, p := range status.Parked {
		out.Parked = append(out.Parked, parkedView{
			Aggregate: p.Aggregate, Task: p.ID, Project: p.Project, Pos: p.Pos, Seq: p.Seq, Reason: p.Reason, Since: p.Since,
			Attempts: p.Attempts, Events: p.Events,
		})
	}
	return c.JSON(out)
}

// verify takes longer than other requests may, so it has a deadline of its own; and one at a time is enough work.
func (s *server) verify(c *fiber.Ctx) error {
	p := parametersOf(c)
	if err := p.only("limit"); err != nil {
		return err
	}
	limit, given, err := p.number("limit", 0, maxFindings)
	if err != nil {
		return err
	}
	if !given {
		limit = defaultFindings
	}
	if !s.verifying.TryLock() {
		return apperr.New(apperr.Unavailable, "Another verification is under way.").WithRetryAfter(5 * time.Second)
	}
	defer s.verifying.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.UserContext()), s.Config.VerifyTimeout)
	defer cancel()
	found, err := s.Operator.Verify(ctx, int(limit))
	if err != nil {
		return err
	}
	return c.JSON(found)
}

type retryView struct {
	Task      uuid.UUID `json:"task"`
	Applied   int       `json:"applied"`
	Remaining int       `json:"remaining"`
	Reason    string    `json:"reason,omitempty"`
}

func (s *server) retry(c *fiber.Ctx) error {
	if err := parametersOf(c).only(); err != nil {
		return err
	}
	if len(c.Request().Body()) > 0 {
		return apperr.InvalidField("body", "must be empty")
	}
	id, err := uuid.Parse(c.Params("task"))
	if err != nil {
		return apperr.InvalidField("task", "must be an id")
	}
	out, err := s.Operator.Retry(c.UserContext(), id)
	if err != nil {
		return err
	}
	s.Hub.Wake(out.Projects)
	return c.JSON(retryView{Task: id, Applied: out.Applied, Remaining: out.Remaining, Reason: out.Reason})
}
