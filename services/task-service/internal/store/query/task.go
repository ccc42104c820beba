package query

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// column of the table tasks, as it is written.
type column struct {
	name    Literal
	cast    Literal // of PostgreSQL
	value   func(d *Dialect, t *task.Task) any
	differs func(a, b *task.Task) bool // nil: never written again
}

func plain[T comparable](name Literal, get func(*task.Task) T) column {
	return column{name: name,
		value:   func(_ *Dialect, t *task.Task) any { return get(t) },
		differs: func(a, b *task.Task) bool { return get(a) != get(b) }}
}

func fixed(name Literal, value func(d *Dialect, t *task.Task) any) column {
	return column{name: name, value: value}
}

func id(name Literal, get func(*task.Task) uuid.UUID) column {
	return column{name: name,
		value:   func(d *Dialect, t *task.Task) any { return d.id(get(t)) },
		differs: func(a, b *task.Task) bool { return get(a) != get(b) }}
}

func ids(name Literal, get func(*task.Task) []uuid.UUID) column {
	return column{name: name,
		value: func(d *Dialect, t *task.Task) any {
			if d.numbered {
				return append([]uuid.UUID{}, get(t)...) // never NULL
			}
			return Pack(get(t))
		},
		differs: func(a, b *task.Task) bool { return !slices.Equal(get(a), get(b)) }}
}

func date(name Literal, get func(*task.Task) task.Date) column {
	return column{name: name, cast: "::text::date",
		value: func(_ *Dialect, t *task.Task) any {
			if d := get(t); d != "" {
				return string(d)
			}
			return nil
		},
		differs: func(a, b *task.Task) bool { return get(a) != get(b) }}
}

func at(name Literal, get func(*task.Task) *time.Time) column {
	return column{name: name,
		value: func(_ *Dialect, t *task.Task) any {
			if at := get(t); at != nil {
				return at.UTC()
			}
			return nil
		},
		differs: func(a, b *task.Task) bool {
			x, y := get(a), get(b)
			return (x == nil) != (y == nil) || x != nil && !x.Equal(*y)
		}}
}

// columns of tasks in the order of InsertTasks.
var columns = []column{
	fixed("id", func(d *Dialect, t *task.Task) any { return d.id(t.ID) }),
	fixed("project_id", func(d *Dialect, t *task.Task) any { return d.id(t.ProjectID) }),
	fixed("number", func(_ *Dialect, t *task.Task) any { return t.Number }),
	plain("title", func(t *task.Task) string { return t.Title }),
	{name: "title_key", value: func(_ *Dialect, t *task.Task) any { return TitleKey(t.Title) },
		differs: func(a, b *task.Task) bool { return a.Title != b.Title }},
	plain("description", func(t *task.Task) string { return t.Description }),
	{name: "words", cast: "::text::tsvector",
		value:   func(_ *Dialect, t *task.Task) any { return Words(t.ProjectID, t.Title, t.Description) },
		differs: func(a, b *task.Task) bool { return a.Title != b.Title || a.Description != b.Description }},
	id("state_id", func(t *task.Task) uuid.UUID { return t.StateID }),
	plain("task_rank", func(t *task.Task) string { return t.Rank }),
	plain("priority", func(t *task.Task) int64 { return int64(t.Priority) }),
	ids("assignees", func(t *task.Task) []uuid.UUID { return t.Assignees }),
	ids("labels", func(t *task.Task) []uuid.UUID { return t.Labels }),
	date("start_date", func(t *task.Task) task.Date { return t.Start }),
	date("due_date", func(t *task.Task) task.Date { return t.Due }),
	{name: "estimate",
		value: func(_ *Dialect, t *task.Task) any {
			if t.Estimate == nil {
				return nil
			}
			return *t.Estimate
		},
		differs: func(a, b *task.Task) bool {
			return (a.Estimate == nil) != (b.Estimate == nil) || a.Estimate != nil && *a.Estimate != *b.Estimate
		}},
	{name: "parent_id",
		value: func(d *Dialect, t *task.Task) any {
			if t.ParentID == nil {
				return nil
			}
			return d.id(*t.ParentID)
		},
		differs: func(a, b *task.Task) bool {
			return (a.ParentID == nil) != (b.ParentID == nil) || a.ParentID != nil && *a.ParentID != *b.ParentID
		}},
	plain("recurrence", func(t *task.Task) string { return t.Recurrence }),
	plain("version", func(t *task.Task) int64 { return t.Version }),
	plain("seq", func(t *task.Task) int64 { return t.Seq }),
	fixed("created", func(_ *Dialect, t *task.Task) any { return t.Created.UTC() }),
	fixed("created_by", func(d *Dialect, t *task.Task) any { return d.id(t.CreatedBy) }),
	at("updated", func(t *task.Task) *time.Time { return &t.Updated }),
	id("updated_by", func(t *task.Task) uuid.UUID { return t.UpdatedBy }),
	at("started", func(t *task.Task) *time.Time { return t.Started }),
	at("completed", func(t *task.Task) *time.Time { return t.Completed }),
	at("trashed", func(t *task.Task) *time.Time { return t.Trashed }),
	at("last_at", func(t *task.Task) *time.Time { return &t.LastAt }),
	fixed("source", func(_ *Dialect, t *task.Task) any {
		if t.Source == "" {
			return nil
		}
		return t.Source
	}),
}

// insertTasks names the columns in their order.
var insertTasks = func() Literal {
	text := Literal("INSERT INTO tasks (")
	for i, c := range columns {
		if i > 0 {
			text += ", "
		}
		text += c.name
	}
	return text + ") VALUES "
}()

// InsertTasks compiles INSERTs of tasks.
func (d *Dialect) InsertTasks(tasks []*task.Task) []*SQL {
	rows := make([][]any, len(tasks))
	for i, t := range tasks {
		rows[i] = make([]any, len(columns))
		for j, c := range columns {
			rows[i][j] = c.value(d, t)
		}
	}
	return d.Insert(insertTasks, rows, "")
}

// UpdateTask compiles an UPDATE of the columns that differ; ok is false if none does.
func (d *Dialect) UpdateTask(before, after *task.Task) (s *SQL, ok bool) {
	s = d.New().Text("UPDATE tasks SET ")
	for _, c := range columns {
		if c.differs == nil || !c.differs(before, after) {
			continue
		}
		if ok {
			s.Text(", ")
		}
		ok = true
		s.Text(c.name).Text(" = ").Arg(c.value(d, after))
		if d.numbered {
			s.Text(c.cast)
		}
	}
	return s.Text(" WHERE id = ").ID(after.ID), ok
}

// Pack writes ids behind each other, 16 bytes each; never nil.
func Pack(ids []uuid.UUID) []byte {
	b := make([]byte, 0, 16*len(ids))
	for _, id := range ids {
		b = append(b, id[:]...)
	}
	return b
}

// Unpack reads what Pack wrote. No ids are nil.
func Unpack(b []byte) []uuid.UUID {
	if len(b) < 16 {
		return nil
	}
	ids := make([]uuid.UUID, len(b)/16)
	for i := range ids {
		copy(ids[i][:], b[16*i:])
	}
	return ids
}
