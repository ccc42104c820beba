package task

import (
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/filter"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
)

// Matches reports whether a task meets all conditions, with the settings of p. It means the same as the stores' SQL and is
// used where there is no SQL: for boards of the past. Blocked and blocking are not known there and fail with
// apperr.Unprocessable; the text search looks for the beginnings of words, without an engine's language rules.
func Matches(where []Condition, t *Task, p *project.Project) (bool, error) {
	for _, c := range where {
		is, err := c.holds(t, p)
		if err != nil {
			return false, err
		}
		if is == c.Not {
			return false, nil
		}
	}
	return true, nil
}

func (c Condition) holds(t *Task, p *project.Project) (bool, error) {
	switch c.Field {
	case filter.State:
		return slices.Contains(c.IDs, t.StateID), nil
	case filter.Creator:
		return slices.Contains(c.IDs, t.CreatedBy), nil
	case filter.Assignee:
		return c.anyOf(t.Assignees), nil
	case filter.Label:
		return c.anyOf(t.Labels), nil
	case filter.Parent:
		if t.ParentID == nil {
			return c.None, nil
		}
		return slices.Contains(c.IDs, *t.ParentID), nil
	case filter.Priority:
		return slices.Contains(c.Numbers, float64(t.Priority)), nil
	case filter.Estimate:
		if t.Estimate == nil {
			return c.None, nil
		}
		return slices.ContainsFunc(c.Numbers, func(n float64) bool { return ordered(c.Op, *t.Estimate, n) }), nil
	case filter.Due:
		return c.date(t.Due), nil
	case filter.Start:
		return c.date(t.Start), nil
	case filter.Created:
		return c.instant(&t.Created), nil
	case filter.Updated:
		return c.instant(&t.Updated), nil
	case filter.Completed:
		return c.instant(t.Completed), nil
	case filter.Text:
		return c.text(t), nil
	}
	return c.flag(t, p)
}

func (c Condition) flag(t *Task, p *project.Project) (bool, error) {
	s, _ := p.State(t.StateID) // without one the category is empty, which counts as open
	open := s.Category != project.Done && s.Category != project.Cancelled
	switch c.Flag {
	case "open":
		return open, nil
	case "done":
		return s.Category == project.Done, nil
	case "overdue":
		return open && t.Due != "" && t.Due < c.Today, nil
	case "subtask":
		return t.ParentID != nil, nil
	case "recurring":
		return t.Recurrence != "", nil
	case "unassigned":
		return len(t.Assignees) == 0, nil
	}
	return false, apperr.New(apperr.Unprocessable, "is:%s cannot be told of the past.", c.Flag)
}

func (c Condition) anyOf(ids []uuid.UUID) bool {
	if len(ids) == 0 {
		return c.None
	}
	return slices.ContainsFunc(ids, func(id uuid.UUID) bool { return slices.Contains(c.IDs, id) })
}

func (c Condition) date(d Date) bool {
	if d == "" {
		return c.None
	}
	return slices.ContainsFunc(c.Dates, func(x Date) bool { return ordered(c.Op, d, x) })
}

func (c Condition) instant(at *time.Time) bool {
	if at == nil {
		return c.None
	}
	if c.From.IsZero() && c.Until.IsZero() {
		return false // only none was asked for
	}
	return !at.Before(c.From) && (c.Until.IsZero() || at.Before(c.Until))
}

func (c Condition) text(t *Task) bool {
	have := append(Words(t.Title), Words(t.Description)...)
	for _, w := range c.Words {
		if !slices.ContainsFunc(have, func(h string) bool { return strings.HasPrefix(h, w) }) {
			return false
		}
	}
	return true
}

func ordered[T interface{ ~string | ~float64 }](op filter.Op, a, b T) bool {
	switch {
	case a < b:
		return compares(op, -1)
	case a > b:
		return compares(op, 1)
	}
	return compares(op, 0)
}
