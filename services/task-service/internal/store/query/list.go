package query

import (
	"context"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// TaskColumns are the columns of tasks t that a task is read from, in the order the stores scan them.
const TaskColumns Literal = "t.id, t.project_id, t.number, t.title, t.description, t.state_id, t.task_rank, t.priority, " +
	"t.assignees, t.labels, t.start_date, t.due_date, t.estimate, t.parent_id, t.recurrence, t.version, t.seq, t.created, " +
	"t.created_by, t.updated, t.updated_by, t.started, t.completed, t.trashed, t.last_at, t.source"

// maxMerged is how many projects a list merges by index. More of them are sorted as a whole: right, but not flat.
const maxMerged = 200

// Run executes a compiled select of TaskColumns and returns its rows.
type Run func(ctx context.Context, text string, args []any) ([]*task.Task, error)

// List returns a page of tasks. Rows without a value of a nullable sort field come last: they are read by a second
// statement, once those with a value are used up, so that both run along an index.
func (d *Dialect) List(ctx context.Context, q task.Query, run Run) (task.Page, error) {
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
	want := q.Limit + 1 // one more tells whether there is another page
	var found []*task.Task
	if !behind.null {
		text, args, err := d.page(o, q, projects, behind, false, want)
		if err != nil {
			return task.Page{}, err
		}
		if found, err = run(ctx, text, args); err != nil {
			return task.Page{}, err
		}
	}
	if o.nullable && len(found) < want {
		if !behind.null {
			behind = position{}
		}
		text, args, err := d.page(o, q, projects, behind, true, want-len(found))
		if err != nil {
			return task.Page{}, err
		}
		rest, err := run(ctx, text, args)
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
func (d *Dialect) Count(q task.Query) (text string, args []any, ok bool, err error) {
	projects := projectsOf(q)
	if len(projects) == 0 {
		return "", nil, false, nil
	}
	s := d.New().Text("SELECT COUNT(*) FROM tasks t WHERE ")
	if err := s.where(q, projects); err != nil {
		return "", nil, false, err
	}
	text, args = s.Build()
	return text, args, true, nil
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

// page compiles one page: of the rows without a value (nulls), or of those with one.
func (d *Dialect) page(o order, q task.Query, projects []uuid.UUID, behind position, nulls bool, limit int) (string, []any, error) {
	s := d.New()
	if len(projects) == 1 || len(projects) > maxMerged {
		s.Text("SELECT ").Text(TaskColumns).Text(" FROM tasks t WHERE ")
		if err := s.keyset(o, q, projects, behind, nulls, limit); err != nil {
			return "", nil, err
		}
		text, args := s.Build()
		return text, args, nil
	}
	// Each project by its own index, at most limit rows of it, then the first of all of them.
	s.Text("SELECT ").Text(TaskColumns).Text(" FROM (")
	for i, p := range projects {
		if i > 0 {
			s.Text(" UNION ALL ")
		}
		s.Text("(SELECT t.id, ").Text(o.column).Text(" AS v FROM tasks t WHERE ")
		one := q
		one.ProjectID = p
		if err := s.keyset(o, one, []uuid.UUID{p}, behind, nulls, limit); err != nil {
			return "", nil, err
		}
		s.Text(")")
	}
	s.Text(") u JOIN tasks t ON t.id = u.id ORDER BY ")
	direction := s.direction(q.Sort)
	if !nulls {
		s.Text("u.v").Text(direction).Text(", ")
	}
	s.Text("u.id").Text(direction).Text(" LIMIT ").Arg(limit)
	text, args := s.Build()
	return text, args, nil
}

// keyset appends condition, order and limit of the rows behind the position.
func (s *SQL) keyset(o order, q task.Query, projects []uuid.UUID, behind position, nulls bool, limit int) error {
	if err := s.where(q, projects); err != nil {
		return err
	}
	single := o.unique && len(projectsOf(q)) == 1 && q.Projects == nil
	direction := s.direction(q.Sort)
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
		s.Text(" ORDER BY t.id").Text(direction).Text(" LIMIT ").Arg(limit)
		return nil
	case o.nullable:
		s.Text(" AND ").Text(o.column).Text(" IS NOT NULL")
	}
	if behind.set {
		s.behind(o, after, behind, single)
	}
	s.Text(" ORDER BY ").Text(o.column).Text(direction)
	if !single {
		s.Text(", t.id").Text(direction)
	}
	s.Text(" LIMIT ").Arg(limit)
	return nil
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
