// Package filter is the filter language shared by API, UI and saved views:
//
//	state:doing assignee:me due<2026-12-01 label:bug -priority:low "login page"
//
// Terms are joined by AND; a comma in a value means OR; a leading minus negates. See [Parse] for the grammar.
package filter

// Op compares a field with a value.
type Op string

// The operators; only dates, numbers and estimates take others than Is.
const (
	Is      Op = ":"
	Less    Op = "<"
	AtMost  Op = "<="
	Greater Op = ">"
	AtLeast Op = ">="
)

// Field names of terms.
const (
	State     = "state"    // name or category of a state, ignoring case
	Assignee  = "assignee" // handle, me, none
	Label     = "label"    // name, none
	Priority  = "priority" // 0–4, none, urgent, high, medium, low
	Due       = "due"      // date, today, tomorrow, yesterday, +7d, -2w, none; with operators
	Start     = "start"    // as due
	Created   = "created"  // date as due (UTC days)
	Updated   = "updated"
	Completed = "completed" // date or none
	Estimate  = "estimate"  // number or none
	Parent    = "parent"    // WEB-12, none
	Is_       = "is"        //nolint:revive // named after the field; Is is the operator. open, done, overdue, blocked, blocking, subtask, recurring, unassigned
	Creator   = "creator"   // handle, me
	Text      = "text"      // words of title and description: every word must occur, prefixes count
)

// Term is one condition: one of Values must hold.
type Term struct {
	Field  string
	Op     Op
	Values []string
	Not    bool
	Pos    int // byte offset in the source, for errors
}

// Expr is a parsed filter: all terms must hold.
type Expr struct {
	Source string
	Terms  []Term
}
