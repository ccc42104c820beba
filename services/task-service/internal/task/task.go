// Package task holds the heart of Tallyboard: tasks, their subtasks, relations, comments, ranks and recurrence, and the
// rules for changing them. It knows no technology; stores and handlers adapt to it.
package task

import (
	"strconv"
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
	MaxMentions    = 50  // people a comment can mention; further ones are plain text
	MaxSource      = 190 // characters of an imported task's external id
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

// Task is an aggregate. Fields are changed by its methods only, which check the rules and record the event. Its JSON form
// is what stores keep as the answer of an idempotent request; the API has its own.
type Task struct {
	ID          uuid.UUID   `json:"id"` // UUIDv7
	ProjectID   uuid.UUID   `json:"projectId"`
	ProjectKey  string      `json:"projectKey"`
	Number      int64       `json:"number"` // in its project, from 1
	Title       string      `json:"title"`
	Description string      `json:"description,omitempty"` // Markdown
	StateID     uuid.UUID   `json:"state"`
	Rank        string      `json:"rank"` // fractional index: order on the board and in lists sorted by rank
	Priority    Priority    `json:"priority"`
	Assignees   []uuid.UUID `json:"assignees"` // as given, no duplicates
	Labels      []uuid.UUID `json:"labels"`    // as given, no duplicates
	Start       Date        `json:"start,omitempty"`
	Due         Date        `json:"due,omitempty"`
	Estimate    *float64    `json:"estimate,omitempty"` // points or hours, the team's choice
	ParentID    *uuid.UUID  `json:"parent,omitempty"`
	Recurrence  string      `json:"recurrence,omitempty"` // RRULE (RFC 5545) without DTSTART; empty: none

	Version   int64      `json:"version"` // counts changes of fields; the ETag
	Seq       int64      `json:"seq"`     // of the last event
	Created   time.Time  `json:"created"`
	CreatedBy uuid.UUID  `json:"createdBy"`
	Updated   time.Time  `json:"updated"`
	UpdatedBy uuid.UUID  `json:"updatedBy"`
	Started   *time.Time `json:"started,omitempty"`   // first entry into a doing state, ever
	Completed *time.Time `json:"completed,omitempty"` // entry into its present state, if that is of category done
	Trashed   *time.Time `json:"trashed,omitempty"`   // in the trash since
	Source    string     `json:"source,omitempty"`    // external id of an imported task, unique in the project; empty otherwise
	LastAt    time.Time  `json:"lastAt"`              // occurred of the last event

	pending []history.Event // recorded by the methods, taken by the store
	bumped  bool            // Version has grown since pending was taken last
}

// Key returns the task's name for people, such as WEB-42.
func (t *Task) Key() string { return t.ProjectKey + "-" + strconv.FormatInt(t.Number, 10) }

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
	From    uuid.UUID    `json:"from"`
	To      uuid.UUID    `json:"to"`
	Kind    RelationKind `json:"kind"`
	Created time.Time    `json:"created"`
}

// Comment on a task.
type Comment struct {
	ID       uuid.UUID   `json:"id"`
	TaskID   uuid.UUID   `json:"task"`
	Author   uuid.UUID   `json:"author"`
	Body     string      `json:"body"` // Markdown
	Mentions []uuid.UUID `json:"mentions,omitempty"`
	Created  time.Time   `json:"created"`
	Edited   *time.Time  `json:"edited,omitempty"`
}

// Placement says where in the project's order a task goes. The zero value is the bottom.
type Placement struct {
	After  uuid.UUID // directly behind this task, or
	Before uuid.UUID // directly in front of this one, or
	Top    bool      // in front of all; otherwise behind all
}

// Progress of a task's subtasks (those not in the trash).
type Progress struct{ Done, Total int }
