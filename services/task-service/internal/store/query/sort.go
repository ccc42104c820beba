package query

import (
	"strconv"
	"time"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/rank"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// order is one field lists can be sorted by.
type order struct {
	column   Literal
	index    Literal // of MySQL: begins with project_id and, unless unique, trashed
	nullable bool    // rows without a value come last, whatever the direction
	unique   bool    // in a project: no need to compare ids
	cast     Literal
	value    func(t *task.Task) string          // canonical text for cursors; "" is null
	parse    func(text string) (v any, ok bool) // back to a parameter
}

var orders = map[string]order{
	"rank": {column: "t.task_rank", index: "tasks_rank", unique: true,
		value: func(t *task.Task) string { return t.Rank },
		parse: func(s string) (any, bool) { return s, rank.Valid(s) }},
	"number": {column: "t.number", index: "tasks_number", unique: true,
		value: func(t *task.Task) string { return strconv.FormatInt(t.Number, 10) },
		parse: parseInt},
	"priority": {column: "t.priority", index: "tasks_priority",
		value: func(t *task.Task) string { return strconv.Itoa(int(t.Priority)) },
		parse: func(s string) (any, bool) {
			n, err := strconv.ParseInt(s, 10, 16)
			return n, err == nil
		}},
	"title": {column: "t.title_key", index: "tasks_title",
		value: func(t *task.Task) string { return TitleKey(t.Title) },
		parse: func(s string) (any, bool) { return s, TitleKey(s) == s }},
	"created":   instant("t.created", "tasks_created", false, func(t *task.Task) *time.Time { return &t.Created }),
	"updated":   instant("t.updated", "tasks_updated", false, func(t *task.Task) *time.Time { return &t.Updated }),
	"completed": instant("t.completed", "tasks_completed", true, func(t *task.Task) *time.Time { return t.Completed }),
	"start":     day("t.start_date", "tasks_start", func(t *task.Task) task.Date { return t.Start }),
	"due":       day("t.due_date", "tasks_due", func(t *task.Task) task.Date { return t.Due }),
}

func parseInt(s string) (any, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

func instant(column, index Literal, nullable bool, get func(*task.Task) *time.Time) order {
	return order{column: column, index: index, nullable: nullable,
		value: func(t *task.Task) string {
			if at := get(t); at != nil {
				return at.UTC().Format(time.RFC3339Nano)
			}
			return ""
		},
		parse: func(s string) (any, bool) {
			at, err := time.Parse(time.RFC3339Nano, s)
			return at.UTC(), err == nil && at.Year() > 0 && at.Year() < 10_000
		}}
}

func day(column, index Literal, get func(*task.Task) task.Date) order {
	return order{column: column, index: index, nullable: true, cast: "::text::date",
		value: func(t *task.Task) string { return string(get(t)) },
		parse: func(s string) (any, bool) {
			_, err := time.Parse(time.DateOnly, s)
			return s, err == nil
		}}
}

func orderOf(s task.Sort) (order, task.Sort, error) {
	if s.Field == "" {
		s.Field = "rank"
	}
	o, ok := orders[s.Field]
	if !ok {
		return order{}, s, apperr.InvalidField("sort", "lists cannot be sorted by %q", s.Field)
	}
	return o, s, nil
}

// arg appends a value of the order as a parameter.
func (o order) arg(s *SQL, v any) {
	s.Arg(v)
	if s.d.numbered {
		s.Text(o.cast)
	}
}
