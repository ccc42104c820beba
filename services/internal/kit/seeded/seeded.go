// Package seeded names the bugs that the drill must catch, each a mistake that is often made in systems of this kind. They
// test the drill, as broken code tests a test.
//
// A program contains them only if it was built with -tags seededbugs; there, the environment variable SEEDED_BUG chooses
// one. In every other build [Enabled] is a constant false and [Is] is compiled to nothing: neither the broken code nor the
// names are in it, so no variable, however it came to be set, can switch one on.
package seeded

// A Bug is a mistake, by the name that SEEDED_BUG takes.
type Bug string

// The bugs.
const (
	// SkipVersionCheck changes a task although somebody else has changed it since the caller read it.
	SkipVersionCheck Bug = "skip-version-check"
	// EventAfterCommit writes the events of a change in a second transaction, after the change itself was committed.
	EventAfterCommit Bug = "event-after-commit"
	// RowIDCursor gives positions only to events with a greater row id than any that has one. A transaction that took its
	// id early and commits late is never seen.
	RowIDCursor Bug = "row-id-cursor"
	// RelayWithoutFencing lets a relay trust its lease alone: it neither locks the relay's row nor looks at the epoch in it.
	RelayWithoutFencing Bug = "relay-without-fencing"
	// CursorInAnotherTransaction commits what events did to the statistics, and then, on its own, how far that was.
	CursorInAnotherTransaction Bug = "cursor-in-another-transaction"
	// StreamSequenceCursor measures the progress of the statistics by the numbers that JetStream gives to messages.
	StreamSequenceCursor Bug = "stream-sequence-cursor"
)

// Bugs returns all of them.
func Bugs() []Bug {
	return []Bug{SkipVersionCheck, EventAfterCommit, RowIDCursor, RelayWithoutFencing, CursorInAnotherTransaction, StreamSequenceCursor}
}

// Variable is the environment variable that chooses a bug in a build that has them.
const Variable = "SEEDED_BUG"
