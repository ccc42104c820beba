// Package task holds the heart of Tallyboard: tasks, their subtasks, relations, comments, ranks and recurrence, and the
// rules for changing them. It knows no technology; stores and handlers adapt to it.
package task

import (
	"time"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
)

// Limits, answered with apperr.Invalid naming the field (docs: README, "Limits").
const (
	MaxTitle       = 500    // characters
	MaxDescription = 65_536 // characters
	MaxComment     = 16_384 // characters
	MaxAssignees   = 20
	MaxLabels      = 50
	MaxRelations   = 200
	MaxSubtasks    = 500
	MaxDepth       = 5   // levels of subtasks below a top task
	MaxBulk        = 500 // tasks in one bulk edit
	MaxEstimate    = 10_000
	MaxPage        = 200
	DefaultPage    = 50
)

// Priority from 0 (none), 1 (urgent) to 4 (low).
type Priority int

// The priorities.
const (
	NoPriority Priority = iota
	Urgent
	High
	Medium
	Low
)

// Date is a civil date as "2006-01-02"; empty means none.
type Date string

// Task is an aggregate. Fields are changed by its methods only, which check the rules and record the event.
type Task struct {
	ID          uuid.UUID // UUIDv7
	ProjectID   uuid.UUID
	ProjectKey  string
	Number      int64 // in its project, from 1
	Title       string
	Description string // Markdown
	StateID     uuid.UUID
	Rank        string // fractional index: order on the board and in lists sorted by rank
	Priority    Priority
	Assignees   []uuid.UUID // as given, no duplicates
	Labels      []uuid.UUID // as given, no duplicates
	Start       Date
	Due         Date
	Estimate    *float64 // points or hours, the team's choice
	ParentID    *uuid.UUID
	Recurrence  string // RRULE (RFC 5545) without DTSTART; empty: none

	Version   int64 // counts changes of fields; the ETag
	Seq       int64 // of the last event
	Created   time.Time
	CreatedBy uuid.UUID
	Updated   time.Time
	UpdatedBy uuid.UUID
	Started   *time.Time // first entry into a doing state, ever
	Completed *time.Time // entry into its present state, if that is of category done
	Trashed   *time.Time // in the trash since
	Source    string     // external id of an imported task, unique in the project; empty otherwise
	LastAt    time.Time  // occurred of the last event

	pending []history.Event // recorded by the methods, taken by the store
}

// RelationKind says how a task stands to another of the same project.
type RelationKind string

// Relation kinds as stored; the inverse ("is blocked by", "is duplicated by") is the same row read from the other side.
const (
	Blocks     RelationKind = "blocks"     // no cycles
	Relates    RelationKind = "relates"    // symmetric, stored once
	Duplicates RelationKind = "duplicates" // no cycles
)

// Relation between two tasks of one project: From blocks To, From duplicates To.
type Relation struct {
	From    uuid.UUID
	To      uuid.UUID
	Kind    RelationKind
	Created time.Time
}

// Comment on a task.
type Comment struct {
	ID       uuid.UUID
	TaskID   uuid.UUID
	Author   uuid.UUID
	Body     string // Markdown
	Mentions []uuid.UUID
	Created  time.Time
	Edited   *time.Time
}

// Placement says where in the project's order a task goes. The zero value is the bottom.
type Placement struct {
	After  uuid.UUID // directly behind this task, or
	Before uuid.UUID // directly in front of this one, or
	Top    bool      // in front of all; otherwise behind all
}

// Progress of a task's subtasks (those not in the trash).
type Progress struct{ Done, Total int }
