package httpapi

import (
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// Tasks are the bulk of all answers, so they are written by hand into one buffer: a tenth of the allocations of
// encoding/json. The contract test holds the result against the schema.

// taskSize is about what a task without description takes, in bytes.
const taskSize = 900

// appendTask appends the JSON of a task; progress may be nil.
func appendTask(b []byte, t *task.Task, progress *task.Progress) []byte {
	b = appendTaskHead(b, t)
	b = append(b, `,"description":`...)
	b = appendString(b, t.Description)
	b = appendTaskFields(b, t)
	if progress != nil {
		b = append(b, `,"progress":`...)
		b = appendProgress(b, *progress)
	}
	return append(b, '}')
}

// appendCard appends the JSON of a card of the board.
func appendCard(b []byte, t *task.Task, progress task.Progress) []byte {
	b = appendTaskHead(b, t)
	b = append(b, `,"hasDescription":`...)
	b = strconv.AppendBool(b, t.Description != "")
	b = appendTaskFields(b, t)
	b = append(b, `,"subtasks":`...)
	b = appendProgress(b, progress)
	return append(b, '}')
}

func appendTaskHead(b []byte, t *task.Task) []byte {
	b = append(b, `{"id":`...)
	b = appendID(b, t.ID)
	b = append(b, `,"key":"`...)
	b = append(b, t.ProjectKey...)
	b = append(b, '-')
	b = strconv.AppendInt(b, t.Number, 10)
	b = append(b, `","project":"`...)
	b = append(b, t.ProjectKey...)
	b = append(b, `","number":`...)
	b = strconv.AppendInt(b, t.Number, 10)
	b = append(b, `,"title":`...)
	return appendString(b, t.Title)
}

func appendTaskFields(b []byte, t *task.Task) []byte {
	b = append(b, `,"state":`...)
	b = appendID(b, t.StateID)
	b = append(b, `,"rank":`...)
	b = appendString(b, t.Rank)
	b = append(b, `,"priority":`...)
	b = strconv.AppendInt(b, int64(t.Priority), 10)
	b = append(b, `,"assignees":`...)
	b = appendIDs(b, t.Assignees)
	b = append(b, `,"labels":`...)
	b = appendIDs(b, t.Labels)
	b = append(b, `,"start":`...)
	b = appendOptional(b, string(t.Start))
	b = append(b, `,"due":`...)
	b = appendOptional(b, string(t.Due))
	b = append(b, `,"estimate":`...)
	if t.Estimate == nil {
		b = append(b, "null"...)
	} else {
		b = strconv.AppendFloat(b, *t.Estimate, 'f', -1, 64)
	}
	b = append(b, `,"parent":`...)
	if t.ParentID == nil {
		b = append(b, "null"...)
	} else {
		b = appendID(b, *t.ParentID)
	}
	b = append(b, `,"recurrence":`...)
	b = appendOptional(b, t.Recurrence)
	b = append(b, `,"version":`...)
	b = strconv.AppendInt(b, t.Version, 10)
	b = append(b, `,"created":`...)
	b = appendTime(b, &t.Created)
	b = append(b, `,"createdBy":`...)
	b = appendID(b, t.CreatedBy)
	b = append(b, `,"updated":`...)
	b = appendTime(b, &t.Updated)
	b = append(b, `,"updatedBy":`...)
	b = appendID(b, t.UpdatedBy)
	b = append(b, `,"started":`...)
	b = appendTime(b, t.Started)
	b = append(b, `,"completed":`...)
	b = appendTime(b, t.Completed)
	b = append(b, `,"trashed":`...)
	return appendTime(b, t.Trashed)
}

// appendTasks appends a JSON array of tasks; progress may be nil.
func appendTasks(b []byte, ts []*task.Task, progress map[uuid.UUID]task.Progress) []byte {
	b = append(b, '[')
	for i, t := range ts {
		if i > 0 {
			b = append(b, ',')
		}
		var p *task.Progress
		if progress != nil {
			of := progress[t.ID]
			p = &of
		}
		b = appendTask(b, t, p)
	}
	return append(b, ']')
}

func appendProgress(b []byte, p task.Progress) []byte {
	b = append(b, `{"done":`...)
	b = strconv.AppendInt(b, int64(p.Done), 10)
	b = append(b, `,"total":`...)
	b = strconv.AppendInt(b, int64(p.Total), 10)
	return append(b, '}')
}

func appendID(b []byte, id uuid.UUID) []byte {
	const digits = "0123456789abcdef"
	b = append(b, '"')
	for i, v := range id {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			b = append(b, '-')
		}
		b = append(b, digits[v>>4], digits[v&15])
	}
	return append(b, '"')
}

func appendIDs(b []byte, ids []uuid.UUID) []byte {
	b = append(b, '[')
	for i, id := range ids {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendID(b, id)
	}
	return append(b, ']')
}

// appendTime appends a time as RFC 3339 in UTC, or null.
func appendTime(b []byte, t *time.Time) []byte {
	if t == nil {
		return append(b, "null"...)
	}
	b = append(b, '"')
	b = t.UTC().AppendFormat(b, time.RFC3339Nano)
	return append(b, '"')
}

// appendOptional appends null for the empty string.
func appendOptional(b []byte, s string) []byte {
	if s == "" {
		return append(b, "null"...)
	}
	return appendString(b, s)
}

// appendString appends a JSON string (RFC 8259 §7). Bytes that are not UTF-8 become U+FFFD.
func appendString(b []byte, s string) []byte {
	const digits = "0123456789abcdef"
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				b = append(append(b, s[start:i]...), "\ufffd"...)
				start = i + 1
			}
			i += size
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		b = append(b, s[start:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\t':
			b = append(b, '\\', 't')
		case '\r':
			b = append(b, '\\', 'r')
		default:
			b = append(b, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		}
		i++
		start = i
	}
	return append(append(b, s[start:]...), '"')
}

// sendJSON answers with JSON that is already encoded. The body must not be changed afterwards.
func sendJSON(c *fiber.Ctx, body []byte) error {
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	return c.Send(body)
}
