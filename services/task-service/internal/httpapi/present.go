package httpapi

import (
	"encoding/json"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
	"github.com/oapi-codegen/nullable"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/internal/kit/fiberx"
	"github.com/tallyboard/tallyboard/services/task-service/internal/account"
	"github.com/tallyboard/tallyboard/services/task-service/internal/httpapi/wire"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// presentErrors gives the present state in a stale-version error the form it has in answers.
func presentErrors(c *fiber.Ctx) error {
	err := c.Next()
	failure, ok := apperr.As(err)
	if !ok || failure.Current == nil {
		return err
	}
	shown := *failure // errors may be shared between requests of one transaction
	switch current := failure.Current.(type) {
	case *task.Task:
		shown.Current = json.RawMessage(appendTask(nil, current, nil))
	case *project.Project:
		shown.Current = projectJSON(current)
	case project.View:
		shown.Current = viewJSON(current)
	case *project.View:
		shown.Current = viewJSON(*current)
	}
	return &shown
}

// answerTask answers with a task and its version.
func answerTask(c *fiber.Ctx, t *task.Task, replayed bool) error {
	markReplayed(c, replayed)
	fiberx.SetETag(c, t.Version)
	return sendJSON(c, appendTask(make([]byte, 0, taskSize+len(t.Description)), t, nil))
}

// answerProject answers with a project and its version.
func answerProject(c *fiber.Ctx, p *project.Project) error {
	fiberx.SetETag(c, p.Version)
	return c.JSON(projectJSON(p))
}

func answerView(c *fiber.Ctx, v project.View) error {
	fiberx.SetETag(c, v.Version)
	return c.JSON(viewJSON(v))
}

func projectJSON(p *project.Project) wire.Project {
	out := wire.Project{
		Id: p.ID.String(), Key: p.Key, Name: p.Name, Description: p.Description, Version: p.Version,
		States: make([]wire.State, len(p.States)), Labels: make([]wire.Label, len(p.Labels)),
		Members: make([]wire.Member, len(p.Members)),
		Created: timeText(p.Created), Updated: timeText(p.Updated), Archived: optionalTime(p.Archived),
	}
	for i, st := range p.States {
		limit := nullable.NewNullNullable[int]()
		if st.WIPLimit != nil {
			limit.Set(*st.WIPLimit)
		}
		out.States[i] = wire.State{
			Id: st.ID.String(), Name: st.Name, Category: wire.Category(st.Category), WipLimit: limit, Archived: st.Archived,
		}
	}
	for i, l := range p.Labels {
		out.Labels[i] = wire.Label{Id: l.ID.String(), Name: l.Name, Color: l.Color}
	}
	for i, m := range p.Members {
		out.Members[i] = wire.Member{Person: m.PersonID.String(), Role: wire.Role(m.Role)}
	}
	return out
}

func viewJSON(v project.View) wire.View {
	return wire.View{
		Id: v.ID.String(), Name: v.Name, Filter: v.Filter, Layout: wire.Layout(v.Layout), GroupBy: wire.GroupBy(v.GroupBy),
		Sort: v.Sort, Owner: v.Owner.String(), Shared: v.Shared, Version: v.Version,
		Created: timeText(v.Created), Updated: timeText(v.Updated),
	}
}

func personJSON(p account.Person) wire.Person {
	return wire.Person{
		Id: p.ID.String(), Handle: p.Handle, Name: p.Name, Kind: wire.PersonKind(p.Kind), Created: timeText(p.Created),
	}
}

func commentJSON(m task.Comment) wire.Comment {
	return wire.Comment{
		Id: m.ID.String(), Task: m.TaskID.String(), Author: m.Author.String(), Body: m.Body,
		Mentions: idTexts(m.Mentions), Created: timeText(m.Created), Edited: optionalTime(m.Edited),
	}
}

func timeText(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

func optionalTime(t *time.Time) nullable.Nullable[string] {
	if t == nil {
		return nullable.NewNullNullable[string]()
	}
	return nullable.NewNullableWithValue(timeText(*t))
}

// optionalNumber returns null for nil.
func optionalNumber[T int64 | float64](n *T) nullable.Nullable[T] {
	if n == nil {
		return nullable.NewNullNullable[T]()
	}
	return nullable.NewNullableWithValue(*n)
}

// optionalText returns null for the empty string.
func optionalText(s string) nullable.Nullable[string] {
	if s == "" {
		return nullable.NewNullNullable[string]()
	}
	return nullable.NewNullableWithValue(s)
}

// optionalID returns null for uuid.Nil.
func optionalID(id uuid.UUID) nullable.Nullable[string] {
	if id == uuid.Nil {
		return nullable.NewNullNullable[string]()
	}
	return nullable.NewNullableWithValue(id.String())
}

func idTexts(ids []uuid.UUID) []string {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = id.String()
	}
	return texts
}
