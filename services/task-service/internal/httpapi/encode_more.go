package httpapi

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
	"github.com/tallyboard/tallyboard/services/task-service/internal/httpapi/wire"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

func appendInt(b []byte, n int64) []byte { return strconv.AppendInt(b, n, 10) }

// appendBoard appends the JSON of a board.
func appendBoard(b []byte, board task.Board, progress map[uuid.UUID]task.Progress) ([]byte, error) {
	settings, err := json.Marshal(projectJSON(board.Project))
	if err != nil {
		return nil, fmt.Errorf("encode project: %w", err)
	}
	if b == nil {
		b = make([]byte, 0, len(settings)+len(board.Tasks)*taskSize+64)
	}
	b = append(append(b, `{"project":`...), settings...)
	b = append(b, `,"tasks":[`...)
	for i, t := range board.Tasks {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendCard(b, t, progress[t.ID])
	}
	b = append(b, `],"pos":`...)
	b = appendInt(b, board.Pos)
	b = append(b, `,"truncated":`...)
	return append(strconv.AppendBool(b, board.Truncated), '}'), nil
}

// appendDetails appends the JSON of a task's details; relations are turned to how the task sees them.
func appendDetails(b []byte, t *task.Task, d task.Details) []byte {
	b = append(b, `{"task":`...)
	b = appendTask(b, t, nil)
	b = append(b, `,"subtasks":`...)
	b = appendTasks(b, d.Subtasks, nil)
	b = append(b, `,"related":`...)
	b = appendTasks(b, d.Related, nil)
	b = append(b, `,"relations":[`...)
	for i, r := range d.Relations {
		if i > 0 {
			b = append(b, ',')
		}
		kind, other := seenFrom(t.ID, r)
		b = append(b, `{"kind":"`...)
		b = append(b, kind...)
		b = append(b, `","task":`...)
		b = appendID(b, other)
		b = append(b, `,"created":`...)
		b = append(appendTime(b, &r.Created), '}')
	}
	b = append(b, `],"comments":[`...)
	for i, m := range d.Comments {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendComment(b, m)
	}
	return append(b, "]}"...)
}

func appendComment(b []byte, m task.Comment) []byte {
	b = append(b, `{"id":`...)
	b = appendID(b, m.ID)
	b = append(b, `,"task":`...)
	b = appendID(b, m.TaskID)
	b = append(b, `,"author":`...)
	b = appendID(b, m.Author)
	b = append(b, `,"body":`...)
	b = appendString(b, m.Body)
	b = append(b, `,"mentions":`...)
	b = appendIDs(b, m.Mentions)
	b = append(b, `,"created":`...)
	b = appendTime(b, &m.Created)
	b = append(b, `,"edited":`...)
	return append(appendTime(b, m.Edited), '}')
}

// seenFrom returns how a relation looks from one of its two tasks: its kind, and the task on the other side.
func seenFrom(id uuid.UUID, r task.Relation) (wire.RelationKind, uuid.UUID) {
	if r.From == id {
		return wire.RelationKind(r.Kind), r.To
	}
	switch r.Kind {
	case task.Blocks:
		return "blocked-by", r.From
	case task.Duplicates:
		return "duplicated-by", r.From
	case task.Relates:
	}
	return wire.RelationKind(r.Kind), r.From
}

// appendEvent appends the JSON of an event of the project with the key. snapshot and settings are encoded already, nil
// leaves them out.
func appendEvent(b []byte, e history.Event, key string, snapshot, settings []byte) []byte {
	b = append(b, `{"pos":`...)
	b = appendInt(b, e.Pos)
	b = append(b, `,"project":`...)
	b = appendString(b, key)
	b = append(b, `,"aggregate":`...)
	b = appendString(b, string(e.Aggregate))
	b = append(b, `,"task":`...)
	if e.Aggregate == history.OfTask {
		b = appendID(b, e.AggregateID)
	} else {
		b = append(b, "null"...)
	}
	b = append(b, `,"seq":`...)
	b = appendInt(b, e.Seq)
	b = append(b, `,"kind":`...)
	b = appendString(b, string(e.Kind))
	b = append(b, `,"actor":`...)
	b = appendID(b, e.Actor)
	b = append(b, `,"changes":[`...)
	for i, ch := range e.Changes {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"field":`...)
		b = appendString(b, ch.Field)
		if ch.Before != nil {
			b = append(append(b, `,"before":`...), ch.Before...)
		}
		if ch.After != nil {
			b = append(append(b, `,"after":`...), ch.After...)
		}
		b = append(b, '}')
	}
	b = append(b, `],"occurred":`...)
	b = appendTime(b, &e.Occurred)
	b = append(b, `,"recorded":`...)
	b = appendTime(b, &e.Recorded)
	b = append(b, `,"traceId":`...)
	b = appendOptional(b, traceID(e.Traceparent))
	if snapshot != nil {
		b = append(append(b, `,"snapshot":`...), snapshot...)
	}
	if settings != nil {
		b = append(append(b, `,"settings":`...), settings...)
	}
	return append(b, '}')
}

// appendEvents appends a JSON array of events without snapshots.
func appendEvents(b []byte, events []history.Event, key string) []byte {
	b = append(b, '[')
	for i, e := range events {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendEvent(b, e, key, nil, nil)
	}
	return append(b, ']')
}

// traceID takes the trace id out of a traceparent (W3C Trace Context: version-traceid-parentid-flags).
func traceID(traceparent string) string {
	const start, end = 3, 35
	if len(traceparent) < end {
		return ""
	}
	return traceparent[start:end]
}
