package query

import (
	"slices"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/filter"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// where appends the search condition of q for tasks of the projects, without WHERE.
func (s *SQL) where(q task.Query, projects []uuid.UUID) error {
	s.scope(q, projects)
	return s.conditions(q, projects)
}

// scope appends what every index of tasks begins with.
func (s *SQL) scope(q task.Query, projects []uuid.UUID) {
	s.Text("t.project_id ")
	if len(projects) == 1 {
		s.Text("= ").ID(projects[0])
	} else {
		s.Text("IN ").IDs(projects)
	}
	if q.Trashed {
		s.Text(" AND t.trashed IS NOT NULL")
	} else {
		s.Text(" AND t.trashed IS NULL")
	}
}

func (s *SQL) conditions(q task.Query, projects []uuid.UUID) error {
	for _, c := range q.Where {
		s.Text(" AND ")
		if c.Not {
			s.Text("NOT ")
		}
		s.Text("(")
		if err := s.condition(c, projects); err != nil {
			return err
		}
		s.Text(")")
	}
	return nil
}

// condition appends one condition. It is true or false and never NULL, so that NOT negates it.
func (s *SQL) condition(c task.Condition, projects []uuid.UUID) error {
	switch c.Field {
	case filter.State:
		s.anyOf("t.state_id", c.IDs)
	case filter.Creator:
		s.anyOf("t.created_by", c.IDs)
	case filter.Parent:
		if c.None {
			s.Text("t.parent_id IS NULL OR ")
		}
		s.Text("t.parent_id IS NOT NULL AND ").anyOf("t.parent_id", c.IDs)
	case filter.Assignee:
		s.linked(c, "NOT EXISTS (SELECT 1 FROM task_assignees x WHERE x.task_id = t.id)",
			"t.id IN (SELECT x.task_id FROM task_assignees x WHERE ", "x.person_id")
	case filter.Label:
		s.linked(c, "NOT EXISTS (SELECT 1 FROM task_labels x WHERE x.task_id = t.id)",
			"t.id IN (SELECT x.task_id FROM task_labels x WHERE ", "x.label_id")
	case filter.Priority:
		return s.numbers("t.priority", "t.priority = 0", c)
	case filter.Estimate:
		return s.numbers("t.estimate", "t.estimate IS NULL", c)
	case filter.Due:
		return s.dates("t.due_date", "t.due_date IS NULL", c)
	case filter.Start:
		return s.dates("t.start_date", "t.start_date IS NULL", c)
	case filter.Created:
		s.span("t.created", "1 = 0", c)
	case filter.Updated:
		s.span("t.updated", "1 = 0", c)
	case filter.Completed:
		s.span("t.completed", "t.completed IS NULL", c)
	case filter.Text:
		s.search(terms(projects, c.Words), c.Not)
	case filter.Is_:
		return s.flag(c, projects)
	default:
		return apperr.InvalidField("filter", "there is no field %q", c.Field)
	}
	return nil
}

func (s *SQL) search(wanted []term, not bool) {
	switch {
	case len(wanted) == 0:
		s.Text("1 = 1") // a search for punctuation asks for nothing
	case s.found || not:
		s.d.filtered(s, wanted)
	default:
		s.d.indexed(s, wanted)
	}
}

func (s *SQL) anyOf(column Literal, ids []uuid.UUID) {
	switch len(ids) {
	case 0:
		s.Text("1 = 0")
	case 1:
		s.Text(column).Text(" = ").ID(ids[0])
	default:
		s.Text(column).Text(" IN ").IDs(ids)
	}
}

func (s *SQL) linked(c task.Condition, none, from, column Literal) {
	switch {
	case c.None && len(c.IDs) == 0:
		s.Text(none)
	case len(c.IDs) == 0:
		s.Text("1 = 0")
	default:
		if c.None {
			s.Text(none).Text(" OR ")
		}
		s.Text(from).anyOf(column, c.IDs)
		s.Text(")")
	}
}

// operator returns the text of an ordered comparison.
func operator(op filter.Op) (Literal, error) {
	switch op {
	case filter.Less:
		return " < ", nil
	case filter.AtMost:
		return " <= ", nil
	case filter.Greater:
		return " > ", nil
	case filter.AtLeast:
		return " >= ", nil
	}
	return "", apperr.InvalidField("filter", "there is no operator %q", string(op))
}

func (s *SQL) numbers(column, none Literal, c task.Condition) error {
	return ordered(s, column, none, c, c.Numbers, func(v float64) { s.Arg(v) })
}

func (s *SQL) dates(column, none Literal, c task.Condition) error {
	return ordered(s, column, none, c, c.Dates, func(v task.Date) {
		if s.d.numbered {
			s.Arg(string(v)).Text("::text::date")
		} else {
			s.Arg(string(v))
		}
	})
}

func ordered[T any](s *SQL, column, none Literal, c task.Condition, values []T, arg func(T)) error {
	if c.None {
		s.Text(none)
		if len(values) == 0 {
			return nil
		}
		s.Text(" OR ")
	}
	if len(values) == 0 {
		s.Text("1 = 0")
		return nil
	}
	s.Text(column).Text(" IS NOT NULL AND ").Text(column)
	if c.Op == filter.Is || c.Op == "" {
		s.Text(" IN ")
		list(s, values, arg)
		return nil
	}
	op, err := operator(c.Op)
	if err != nil {
		return err
	}
	s.Text(op)
	arg(values[0])
	return nil
}

// span appends the half-open span of instants.
func (s *SQL) span(column, none Literal, c task.Condition) {
	if c.None {
		s.Text(none)
		if c.From.IsZero() && c.Until.IsZero() {
			return
		}
		s.Text(" OR ")
	}
	s.Text(column).Text(" IS NOT NULL")
	if !c.From.IsZero() {
		s.Text(" AND ").Text(column).Text(" >= ").Arg(c.From.UTC())
	}
	if !c.Until.IsZero() {
		s.Text(" AND ").Text(column).Text(" < ").Arg(c.Until.UTC())
	}
}

// Flags of the field "is". A task is open unless its state is of category done or cancelled. A blocks relation counts
// while both of its tasks are open and out of the trash.
var flags = []string{"open", "done", "overdue", "blocked", "blocking", "subtask", "recurring", "unassigned"}

func (s *SQL) flag(c task.Condition, projects []uuid.UUID) error {
	switch c.Flag {
	case "open":
		s.open(projects)
	case "done":
		s.inStates(projects, func(c project.Category) bool { return c == project.Done })
	case "overdue":
		due := task.Condition{Field: filter.Due, Op: filter.Less, Dates: []task.Date{c.Today}}
		if err := s.dates("t.due_date", "1 = 0", due); err != nil {
			return err
		}
		s.Text(" AND ")
		s.open(projects)
	case "blocked":
		s.open(projects)
		s.Text(" AND ").blocks("r.to_id = t.id", "o.id = r.from_id")
	case "blocking":
		s.open(projects)
		s.Text(" AND ").blocks("r.from_id = t.id", "o.id = r.to_id")
	case "subtask":
		s.Text("t.parent_id IS NOT NULL")
	case "recurring":
		s.Text("t.recurrence <> ''")
	case "unassigned":
		s.Text("NOT EXISTS (SELECT 1 FROM task_assignees x WHERE x.task_id = t.id)")
	default:
		return apperr.InvalidField("filter", "is: must be one of %v, not %q", slices.Clone(flags), c.Flag)
	}
	return nil
}

func (s *SQL) open(projects []uuid.UUID) {
	s.inStates(projects, func(c project.Category) bool { return c != project.Done && c != project.Cancelled })
}

func (s *SQL) inStates(projects []uuid.UUID, wanted func(project.Category) bool) {
	var ids []uuid.UUID
	for _, state := range s.states {
		if wanted(state.Category) && slices.Contains(projects, state.ProjectID) {
			ids = append(ids, state.ID)
		}
	}
	s.anyOf("t.state_id", ids)
}

// blocks appends whether there is a blocks relation that counts, given that t does.
func (s *SQL) blocks(mine, other Literal) {
	s.Text("EXISTS (SELECT 1 FROM relations r JOIN tasks o ON ").Text(other).
		Text(" JOIN states os ON os.id = o.state_id WHERE r.kind = 'blocks' AND ").Text(mine).
		Text(" AND o.trashed IS NULL AND os.category NOT IN ('done', 'cancelled'))")
}
