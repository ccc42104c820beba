// Package quickadd reads the one-line form in which people add tasks:
//
//	Fix login !1 @me #bug tomorrow 5pm ^WEB-12
//
// See [Parse] for the grammar.
package quickadd

import "time"

// Kind of a recognised token.
type Kind string

// The kinds of tokens.
const (
	Priority Kind = "priority" // !0 … !4
	Assignee Kind = "assignee" // @handle, @me
	Label    Kind = "label"    // #bug, #"needs review"
	Due      Kind = "due"      // tomorrow, fri, next week, 2026-12-01, 1 dec, +3d
	Time     Kind = "time"     // 5pm beside a date: understood, and dropped, because due is a date
	Parent   Kind = "parent"   // ^WEB-12
	State    Kind = "state"    // /doing, /"in review"
)

// Token is a recognised part of the text.
type Token struct {
	Kind  Kind   `json:"kind"`
	Start int    `json:"start"` // byte offset of its first byte
	End   int    `json:"end"`   // byte offset behind its last byte
	Value string `json:"value"` // without its mark: a handle, a label's name, 2026-12-01, WEB-12, 1
}

// Options of a parse.
type Options struct {
	// Today is the viewer's day; only its year, month and day count.
	Today time.Time
	// Known reports whether a handle, label, state or parent exists; an unknown one stays in the title. Nil: all exist.
	Known func(kind Kind, value string) bool
}

// Result of a parse.
type Result struct {
	Title     string // the text without its tokens, spaces collapsed
	Priority  int    // 0 if there is none
	Assignees []string
	Labels    []string
	Due       string // 2026-12-01, or empty
	Parent    string // WEB-12, or empty
	State     string
	Tokens    []Token // by position
}
