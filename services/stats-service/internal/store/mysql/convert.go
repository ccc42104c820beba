package mysql

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/stats-service/internal/stats"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/store/mysql/db"
)

// Rows of the same shape from different statements.
type (
	eventRow  db.EventsAfterRow
	taskRow   db.TasksByIDRow
	parkedRow db.ParkedByIDRow
)

// toID reads a BINARY(16); NULL is uuid.Nil.
func toID(b []byte) uuid.UUID {
	var id uuid.UUID
	copy(id[:], b)
	return id
}

// fromID makes uuid.Nil NULL.
func fromID(id uuid.UUID) []byte {
	if id == uuid.Nil {
		return nil
	}
	return id[:]
}

func toIDs(b []byte) []uuid.UUID {
	if len(b) < len(uuid.UUID{}) {
		return nil
	}
	ids := make([]uuid.UUID, len(b)/len(uuid.UUID{}))
	for i := range ids {
		copy(ids[i][:], b[i*len(uuid.UUID{}):])
	}
	return ids
}

func fromIDs(ids []uuid.UUID) []byte {
	b := make([]byte, 0, len(ids)*len(uuid.UUID{}))
	for _, id := range ids {
		b = append(b, id[:]...)
	}
	return b
}

func keys(ids []uuid.UUID) [][]byte {
	out := make([][]byte, len(ids))
	for i := range ids {
		out[i] = ids[i][:]
	}
	return out
}

func toTime(t sql.NullTime) *time.Time {
	if !t.Valid {
		return nil
	}
	return &t.Time
}

func toDate(t sql.NullTime) stats.Date {
	if !t.Valid {
		return ""
	}
	return stats.Date(t.Time.Format(time.DateOnly))
}

func fromDate(d stats.Date) any {
	if d == "" {
		return nil
	}
	return string(d)
}

func toFloat(f sql.NullFloat64) *float64 {
	if !f.Valid {
		return nil
	}
	return &f.Float64
}

func position(pos int64) sql.NullInt64 { return sql.NullInt64{Int64: pos, Valid: true} }

func rowLimit(n int) int32 { return int32(min(n, math.MaxInt32)) }

func task(r taskRow) *stats.Task {
	return &stats.Task{
		ID: toID(r.TaskID), Project: toID(r.ProjectID), Number: r.Number, State: toID(r.StateID), Priority: int(r.Priority),
		Assignees: toIDs(r.Assignees), Labels: toIDs(r.Labels), Due: toDate(r.DueDate), Estimate: toFloat(r.Estimate),
		Created: r.Created, Entered: r.Entered, Started: toTime(r.Started), Completed: toTime(r.Completed),
		Trashed: toTime(r.Trashed), Seq: r.Seq,
	}
}

func event(r eventRow) stats.Event {
	e := stats.Event{
		Pos: r.Pos.Int64, Project: toID(r.ProjectID), Aggregate: stats.Aggregate(r.Aggregate), ID: toID(r.AggregateID),
		Seq: r.Seq, Kind: r.Kind, Occurred: r.Occurred, Recorded: r.Recorded, Traceparent: r.Traceparent,
	}
	if err := json.Unmarshal(r.Changes, &e.Changes); err != nil {
		e.Changes, e.Undecodable = nil, fmt.Sprintf("its changes are not a list of fields: %v", err)
	}
	return e
}

func state(r db.StatesByProjectRow) stats.State {
	s := stats.State{
		ID: toID(r.StateID), Name: r.Name, Category: stats.Category(r.Category), Archived: r.Archived, Position: int(r.Position),
	}
	if r.WipLimit.Valid {
		limit := int(r.WipLimit.Int32)
		s.WIPLimit = &limit
	}
	return s
}

func parked(r parkedRow) *stats.Parked {
	return &stats.Parked{
		Aggregate: stats.Aggregate(r.Aggregate), ID: toID(r.AggregateID), Project: toID(r.ProjectID), Pos: r.Pos, Seq: r.Seq,
		Reason: r.Reason, Since: r.Since, Attempts: int(r.Attempts), Events: int(r.Events),
	}
}

func mapRows[R, T any](rows []R, convert func(R) T) []T {
	out := make([]T, len(rows))
	for i, r := range rows {
		out[i] = convert(r)
	}
	return out
}
