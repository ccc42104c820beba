package query

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/filter"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// TaskColumns are the columns of tasks t that a task is read from, in the order the stores scan them.
const TaskColumns Literal = "t.id, t.project_id, t.number, t.title, t.description, t.state_id, t.task_rank, t.priority, " +
	"t.assignees, t.labels, t.start_date, t.due_date, t.estimate, t.parent_id, t.recurrence, t.version, t.seq, t.created, " +
	"t.created_by, t.updated, t.updated_by, t.started, t.completed, t.trashed, t.last_at, t.source"

// maxMerged is how many projects a list merges by index. More of them are sorted as a whole: right, but not flat.
const maxMerged = 200

// Source executes what this package compiles.
type Source interface {
	// SelectTasks runs a select of TaskColumns.
	SelectTasks(ctx context.Context, text string, args []any) ([]*task.Task, error)
	// StatesOf returns the states of projects, archived ones included.
	StatesOf(ctx context.Context, projects []uuid.UUID) ([]State, error)
}

// State is what searches need to know of a state.
type State struct {
	ID        uuid.UUID
	ProjectID uuid.UUID
	Category  project.Category
}

// List returns a page of tasks. Rows without a value of a nullable sort field come last: they are read by a second
// statement, once those with a value are used up, so that both run along an index.
func (d *Dialect) List(ctx context.Context, q task.Query, from Source) (task.Page, error) {
	o, by, err := orderOf(q.Sort)
	if err != nil {
		return task.Page{}, err
	}
	q.Sort = by
	if q.ProjectID == uuid.Nil && len(q.Projects) == 1 {
		q.ProjectID = q.Projects[0]
	}
	if q.ProjectID != uuid.Nil {
		q.Projects = nil
	}
	projects := projectsOf(q)
	if len(projects) == 0 {
		return task.Page{}, nil
	}
	if q.Limit <= 0 {
		q.Limit = task.DefaultPage
	}
	behind, err := o.read(q)
	if err != nil {
		return task.Page{}, err
	}
	states, err := statesFor(ctx, q, projects, from)
	if err != nil {
		return task.Page{}, err
	}
	want := q.Limit + 1 // one more tells whether there is another page
	l := listing{d: d, o: o, q: q, projects: projects, states: states, from: from}
	var found []*task.Task
	if !behind.null {
		if found, err = l.read(ctx, behind, false, want); err != nil {
			return task.Page{}, err
		}
	}
	if o.nullable && len(found) < want {
		if !behind.null {
			behind = position{}
		}
		rest, err := l.read(ctx, behind, true, want-len(found))
		if err != nil {
			return task.Page{}, err
		}
		found = append(found, rest...)
	}
	page := task.Page{Tasks: found}
	if len(found) > q.Limit {
		page.Tasks = found[:q.Limit]
		last := page.Tasks[q.Limit-1]
		page.Next = &task.Cursor{Sort: q.Sort, Value: o.value(last), ID: last.ID}
	}
	return page, nil
}

// Count compiles the number of tasks q matches, without regard to sort, limit and cursor. ok is false if q names no
// project, so that there is nothing to count.
func (d *Dialect) Count(ctx context.Context, q task.Query, from Source) (text string, args []any, ok bool, err error) {
	projects := projectsOf(q)
	if len(projects) == 0 {
		return "", nil, false, nil
	}
	s := d.New().Text("SELECT COUNT(*) FROM tasks t WHERE ")
	if s.states, err = statesFor(ctx, q, projects, from); err != nil {
		return "", nil, false, err
	}
	if err := s.where(q, projects); err != nil {
		return "", nil, false, err
	}
	text, args = s.Build()
	return text, args, true, nil
}

// statesFor reads the states if a flag of q depends on them. Comparing with their ids, and not with a subquery, lets MySQL
// see how many tasks are in them.
func statesFor(ctx context.Context, q task.Query, projects []uuid.UUID, from Source) ([]State, error) {
	if !slices.ContainsFunc(q.Where, func(c task.Condition) bool { return c.Field == filter.Is_ }) {
		return nil, nil
	}
	return from.StatesOf(ctx, projects)
}

func projectsOf(q task.Query) []uuid.UUID {
	if q.ProjectID != uuid.Nil {
		return []uuid.UUID{q.ProjectID}
	}
	return q.Projects
}

// position is the row a page continues behind; the zero value is the start.
type position struct {
	set   bool
	null  bool // among the rows without a value
	value any
	id    uuid.UUID
}

// read checks the cursor of q against its sort.
func (o order) read(q task.Query) (position, error) {
	c := q.After
	if c == nil {
		return position{}, nil
	}
	if c.Sort != q.Sort {
		return position{}, apperr.InvalidField("cursor", "belongs to a list that is sorted differently")
	}
	if c.Value == "" && o.nullable {
		return position{set: true, null: true, id: c.ID}, nil
	}
	v, ok := o.parse(c.Value)
	if !ok {
		return position{}, apperr.InvalidField("cursor", "is not one this list has given")
	}
	return position{set: true, value: v, id: c.ID}, nil
}

// walks are how many rows a search looks at along the order of the list before it asks the full-text index. A common
// word fills the page within them, while the index would have to collect all its tasks first; a rare one costs these rows,
// however many there are in the project.
var walks = []int{400, 2500}

// listing is one list being read.
type listing struct {
	d        *Dialect
	o        order
	q        task.Query
	projects []uuid.UUID
	states   []State
	from     Source
}

func (l listing) sql() *SQL {
	s := l.d.New()
	s.states = l.states
	return s
}

// read returns up to want rows behind the position: those without a value (nulls), or those with one.
func (l listing) read(ctx context.Context, behind position, nulls bool, want int) ([]*task.Task, error) {
	if len(l.projects) == 1 && searches(l.q) {
		for _, budget := range walks {
			s, err := l.walk(behind, nulls, want, budget)
			if err != nil {
				return nil, err
			}
			text, args := s.Build()
			found, err := l.from.SelectTasks(ctx, text, args)
			if err != nil || len(found) == want {
				return found, err
			}
		}
	}
	s, err := l.page(behind, nulls, want)
	if err != nil {
		return nil, err
	}
	text, args := s.Build()
	return l.from.SelectTasks(ctx, text, args)
}

// searches reports whether q asks for words.
func searches(q task.Query) bool {
	return slices.ContainsFunc(q.Where, func(c task.Condition) bool { return c.Field == filter.Text && !c.Not })
}

// walk compiles the rows that match among the first budget ones.
func (l listing) walk(behind position, nulls bool, want, budget int) (*SQL, error) {
	s := l.sql()
	s.found = true
	s.Text("SELECT ").Text(TaskColumns).Text(" FROM (SELECT t.id FROM tasks t").along(l.o, l.q).Text(" WHERE ")
	s.scope(l.q, l.projects)
	s.keyset(l.o, l.q, behind, nulls, budget)
	s.Text(") f JOIN tasks t ON t.id = f.id WHERE ")
	s.scope(l.q, l.projects)
	if err := s.conditions(l.q, l.projects); err != nil {
		return nil, err
	}
	s.order(l.o, l.q, nulls, want)
	return s, nil
}

// page compiles rows behind the position.
func (l listing) page(behind position, nulls bool, limit int) (*SQL, error) {
	s := l.sql()
	if len(l.projects) == 1 || len(l.projects) > maxMerged {
		s.Text("SELECT ").Text(TaskColumns).Text(" FROM tasks t")
		if len(l.projects) == 1 && len(l.q.Where) == 0 {
			s.along(l.o, l.q)
		}
		s.Text(" WHERE ")
		if err := s.where(l.q, l.projects); err != nil {
			return nil, err
		}
		s.keyset(l.o, l.q, behind, nulls, limit)
		return s, nil
	}
	// Each project by its own index, at most limit rows of it, then the first of all of them.
	s.Text("SELECT ").Text(TaskColumns).Text(" FROM (")
	for i, p := range l.projects {
		if i > 0 {
			s.Text(" UNION ALL ")
		}
		s.Text("(SELECT t.id, ").Text(l.o.column).Text(" AS v FROM tasks t")
		if len(l.q.Where) == 0 {
			s.along(l.o, l.q)
		}
		s.Text(" WHERE ")
		if err := s.where(l.q, []uuid.UUID{p}); err != nil {
			return nil, err
		}
		s.keyset(l.o, l.q, behind, nulls, limit)
		s.Text(")")
	}
	s.Text(") u JOIN tasks t ON t.id = u.id ORDER BY ")
	direction := s.direction(l.q.Sort)
	if !nulls {
		s.Text("u.v").Text(direction).Text(", ")
	}
	return s.Text("u.id").Text(direction).Text(" LIMIT ").Arg(limit), nil
}

// along makes MySQL read tasks by the index of the order, where nothing else could be better. MariaDB would otherwise see
// many indexes that begin alike, take a reference by the project alone, and pass over all rows in front of the page.
func (s *SQL) along(o order, q task.Query) *SQL {
	if s.d.numbered || q.Trashed {
		return s
	}
	return s.Text(" FORCE INDEX (").Text(o.index).Text(")")
}

// keyset appends what is left of a condition, order and limit of the rows behind the position.
func (s *SQL) keyset(o order, q task.Query, behind position, nulls bool, limit int) {
	after := Literal(" > ")
	if q.Sort.Descending {
		after = " < "
	}
	switch {
	case nulls:
		s.Text(" AND ").Text(o.column).Text(" IS NULL")
		if behind.set {
			s.Text(" AND t.id").Text(after).ID(behind.id)
		}
	case o.nullable:
		s.Text(" AND ").Text(o.column).Text(" IS NOT NULL")
	}
	if behind.set && !nulls {
		s.behind(o, after, behind, o.alone(q))
	}
	s.order(o, q, nulls, limit)
}

// alone reports whether the sort value tells tasks apart without their ids.
func (o order) alone(q task.Query) bool { return o.unique && q.ProjectID != uuid.Nil }

func (s *SQL) order(o order, q task.Query, nulls bool, limit int) {
	direction := s.direction(q.Sort)
	s.Text(" ORDER BY ")
	if !nulls {
		s.Text(o.column).Text(direction)
	}
	if !nulls && !o.alone(q) {
		s.Text(", ")
	}
	if nulls || !o.alone(q) {
		s.Text("t.id").Text(direction)
	}
	s.Text(" LIMIT ").Arg(limit)
}

// behind appends the comparison with the last row seen. PostgreSQL walks an index for a comparison of rows, MySQL does
// for its expansion only.
func (s *SQL) behind(o order, after Literal, p position, single bool) {
	switch {
	case single:
		s.Text(" AND ").Text(o.column).Text(after)
		o.arg(s, p.value)
	case s.d.rows:
		s.Text(" AND (").Text(o.column).Text(", t.id)").Text(after).Text("(")
		o.arg(s, p.value)
		s.Text(", ").ID(p.id).Text(")")
	default:
		s.Text(" AND (").Text(o.column).Text(after)
		o.arg(s, p.value)
		s.Text(" OR (").Text(o.column).Text(" = ")
		o.arg(s, p.value)
		s.Text(" AND t.id").Text(after).ID(p.id).Text("))")
	}
}

func (s *SQL) direction(by task.Sort) Literal {
	if by.Descending {
		return " DESC"
	}
	return ""
}
