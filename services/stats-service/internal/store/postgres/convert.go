package postgres

import (
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/tallyboard/tallyboard/services/stats-service/internal/stats"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/store/postgres/db"
)

// Rows of the same shape from different statements.
type (
	eventRow  db.EventsAfterRow
	taskRow   db.TasksByIDRow
	parkedRow db.ParkedByIDRow
)

// nullable makes uuid.Nil NULL.
func nullable(id uuid.UUID) uuid.NullUUID { return uuid.NullUUID{UUID: id, Valid: id != uuid.Nil} }

// notNil makes an empty array of nil, which would be NULL.
func notNil(ids []uuid.UUID) []uuid.UUID {
	if ids == nil {
		return []uuid.UUID{}
	}
	return ids
}

func toDate(d pgtype.Date) stats.Date {
	if !d.Valid {
		return ""
	}
	return stats.Date(d.Time.Format(time.DateOnly))
}

func fromDate(d stats.Date) pgtype.Date {
	t, err := time.Parse(time.DateOnly, string(d))
	return pgtype.Date{Time: t, Valid: err == nil} // dates are checked where they come in; empty is NULL
}

func fromLimit(limit *int) *int32 {
	if limit == nil {
		return nil
	}
	n := small(*limit)
	return &n
}

func small(n int) int32 { return int32(min(n, math.MaxInt32)) }

func position(pos int64) pgtype.Int8 { return pgtype.Int8{Int64: pos, Valid: true} }

func task(r taskRow) *stats.Task {
	return &stats.Task{
		ID: r.TaskID, Project: r.ProjectID, Number: r.Number, State: r.StateID, Priority: int(r.Priority),
		Assignees: r.Assignees, Labels: r.Labels, Due: toDate(r.DueDate), Estimate: r.Estimate,
		Created: r.Created, Entered: r.Entered, Started: r.Started, Completed: r.Completed, Trashed: r.Trashed, Seq: r.Seq,
	}
}

func event(r eventRow) stats.Event {
	e := stats.Event{
		Pos: r.Pos.Int64, Project: r.ProjectID, Aggregate: stats.Aggregate(r.Aggregate), ID: r.AggregateID,
		Seq: r.Seq, Kind: r.Kind, Occurred: r.Occurred, Recorded: r.Recorded, Traceparent: r.Traceparent,
	}
	if err := json.Unmarshal(r.Changes, &e.Changes); err != nil {
		e.Changes, e.Undecodable = nil, fmt.Sprintf("its changes are not a list of fields: %v", err)
	}
	return e
}

func state(r db.StatesByProjectRow) stats.State {
	s := stats.State{
		ID: r.StateID, Name: r.Name, Category: stats.Category(r.Category), Archived: r.Archived, Position: int(r.Position),
	}
	if r.WipLimit != nil {
		limit := int(*r.WipLimit)
		s.WIPLimit = &limit
	}
	return s
}

func parked(r parkedRow) *stats.Parked {
	return &stats.Parked{
		Aggregate: stats.Aggregate(r.Aggregate), ID: r.AggregateID, Project: r.ProjectID, Pos: r.Pos, Seq: r.Seq,
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
