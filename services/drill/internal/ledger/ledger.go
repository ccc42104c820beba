// Package ledger is what clients remember: every change they asked for, when, and what they were told. It knows nothing
// of the services' insides, so that what it holds can be held against them.
package ledger

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// Kind of an operation.
type Kind string

// The operations clients make.
const (
	Create  Kind = "create"
	Update  Kind = "update"
	Trash   Kind = "trash"
	Restore Kind = "restore"
	Move    Kind = "move"
	Bulk    Kind = "bulk"
	Comment Kind = "comment"
	Import  Kind = "import"
	Read    Kind = "read"

	EditComment   Kind = "comment edit"
	RemoveComment Kind = "comment removal"
	Relate        Kind = "relation"
	Unrelate      Kind = "relation removal"
	Rename        Kind = "project rename"
)

// Outcome is what the client knows of an operation in the end.
type Outcome string

// The outcomes.
const (
	Acknowledged Outcome = "acknowledged" // it was answered as done
	Refused      Outcome = "refused"      // every attempt was answered as not done
	Unknown      Outcome = "unknown"      // at least one attempt without a clear answer, and no later acknowledgement
)

// Op is one operation: one request, sent again with the same key and trace while its outcome was unknown.
type Op struct {
	ID       string        `json:"id"`    // unique in the run, and the Idempotency-Key of writes
	Trace    string        `json:"trace"` // 32 hexadecimal digits; events carry it
	Client   int           `json:"client"`
	Kind     Kind          `json:"kind"`
	Project  string        `json:"project"`         // key
	Tasks    []string      `json:"tasks,omitempty"` // ids the request names, each to be changed (or read)
	Asked    Asked         `json:"asked"`
	Start    time.Duration `json:"start"` // of the first attempt, since the run's beginning, monotonic
	End      time.Duration `json:"end"`   // of the last one
	Attempts int           `json:"attempts"`
	Outcome  Outcome       `json:"outcome"`
	Status   int           `json:"status,omitempty"` // of the last answer; 0: there was none
	Odd      []string      `json:"odd,omitempty"`    // answers of any attempt that no client should have to see
	Error    string        `json:"error,omitempty"`
	Replayed bool          `json:"replayed,omitempty"` // the answer said that an earlier attempt had done it
	Answer   []Task        `json:"answer,omitempty"`   // the tasks as answered
	Comment  string        `json:"comment,omitempty"`  // id of the comment made, edited or removed
	Current  *Task         `json:"current,omitempty"`  // what a 412 showed
	Part     string        `json:"part,omitempty"`     // id of the state, label, person or view concerned
	Settings *Settings     `json:"settings,omitempty"` // of the project, as answered
	View     *View         `json:"view,omitempty"`     // as answered
}

// Asked is what an operation wanted. Text members hold what is found again in events.
type Asked struct {
	Title       string   `json:"title,omitempty"`
	Description string   `json:"description,omitempty"`
	IfVersion   int64    `json:"ifVersion,omitempty"` // 0: any
	State       string   `json:"state,omitempty"`
	Estimate    *float64 `json:"estimate,omitempty"`
	Labels      []string `json:"labels,omitempty"`   // ids; all that the task shall have, in any order
	AddLabel    string   `json:"addLabel,omitempty"` // id
	After       string   `json:"after,omitempty"`    // task to stand directly behind
	Before      string   `json:"before,omitempty"`   // task to stand directly in front of
	Top         bool     `json:"top,omitempty"`
	Bottom      bool     `json:"bottom,omitempty"`
	Body        string   `json:"body,omitempty"`     // of a comment
	Name        string   `json:"name,omitempty"`     // of the project, state, label or view
	Rows        []string `json:"rows,omitempty"`     // titles of imported tasks
	Relation    string   `json:"relation,omitempty"` // how the first of Tasks relates to the second, such as "blocks"
	Category    string   `json:"category,omitempty"` // of a state
	Position    *int     `json:"position,omitempty"` // of a state or label
	WIPLimit    *int     `json:"wipLimit,omitempty"` // of a state
	Archived    *bool    `json:"archived,omitempty"` // of a state
	Color       string   `json:"color,omitempty"`    // of a label
	Role        string   `json:"role,omitempty"`     // of a member
	View        *View    `json:"view,omitempty"`     // without id and version
}

// Task is a task as far as the drill changes it.
type Task struct {
	ID          string   `json:"id"`
	Key         string   `json:"key"`
	Title       string   `json:"title"`
	Description string   `json:"description"`
	State       string   `json:"state"`
	Rank        string   `json:"rank"`
	Estimate    *float64 `json:"estimate"`
	Labels      []string `json:"labels"` // ids, in the order in which they were given
	Version     int64    `json:"version"`
	Trashed     *string  `json:"trashed"` // RFC 3339; nil: not in the trash
}

// Event is one message of a live stream.
type Event struct {
	Pos  int64  `json:"pos"`
	Kind string `json:"kind"`
	Task string `json:"task,omitempty"`
	Seq  int64  `json:"seq"`
}

// Stream is what one client of live streams received, over all its connections.
type Stream struct {
	Client   int      `json:"client"`
	Project  string   `json:"project"`
	From     int64    `json:"from"` // position behind which it began
	Connects int      `json:"connects"`
	Resets   []int64  `json:"resets,omitempty"` // positions at which it was told to begin anew
	Faults   []string `json:"faults,omitempty"` // what could not be understood
	Events   []Event  `json:"events"`
}

// Fault is something done to the system.
type Fault struct {
	Kind     string        `json:"kind"`   // such as "kill"
	Target   string        `json:"target"` // such as "task-1", or "task-1→database"
	Detail   string        `json:"detail,omitempty"`
	Start    time.Duration `json:"start"`
	Healed   time.Duration `json:"healed"`   // from here on nothing hinders recovery
	Serving  time.Duration `json:"serving"`  // from Healed to the first acknowledged write that began after it
	Whole    time.Duration `json:"whole"`    // from Healed until every part says that it is well and statistics have caught up
	Restarts bool          `json:"restarts"` // processes were started anew, which takes its time
	Error    string        `json:"error,omitempty"`
	Undone   bool          `json:"undone,omitempty"` // it could not be injected or mended: the run says nothing about the system
}

// Log collects operations as they end, as lines of JSON in a file: a long run has more of them than memory should hold.
type Log struct {
	mu     sync.Mutex
	counts map[Outcome]int
	file   *os.File
	out    *bufio.Writer
	err    error
}

// Open returns a log that writes to a new file.
func Open(path string) (*Log, error) {
	f, err := os.Create(path) //nolint:gosec // chosen by who runs the drill
	if err != nil {
		return nil, fmt.Errorf("open the ledger: %w", err)
	}
	return &Log{file: f, out: bufio.NewWriterSize(f, bufferSize), counts: map[Outcome]int{}}, nil
}

// bufferSize is what a log collects before it writes, in bytes.
const bufferSize = 64 << 10

// Add records an operation that has ended.
func (l *Log) Add(op Op) {
	line, err := json.Marshal(op)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts[op.Outcome]++
	if err == nil {
		_, err = l.out.Write(append(line, '\n'))
	}
	if err != nil && l.err == nil {
		l.err = err
	}
}

// Count returns how many operations have ended with an outcome.
func (l *Log) Count(o Outcome) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.counts[o]
}

// Ops reads the operations so far back from the file, in the order of their ends.
func (l *Log) Ops() ([]Op, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := errors.Join(l.err, l.out.Flush()); err != nil {
		return nil, fmt.Errorf("write the ledger: %w", err)
	}
	return Load(l.file.Name())
}

// Load returns the operations of a file that a log has written.
func Load(path string) (ops []Op, err error) {
	f, err := os.Open(path) //nolint:gosec // chosen by who reads
	if err != nil {
		return nil, fmt.Errorf("read the ledger: %w", err)
	}
	defer f.Close() //nolint:errcheck // nothing was written
	for lines := json.NewDecoder(bufio.NewReaderSize(f, bufferSize)); ; {
		var op Op
		err := lines.Decode(&op)
		if errors.Is(err, io.EOF) {
			return ops, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read the ledger behind operation %d: %w", len(ops), err)
		}
		ops = append(ops, op)
	}
}

// Close writes what is left. A ledger that could not be written is an error: the run proves nothing.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := errors.Join(l.err, l.out.Flush(), l.file.Close()); err != nil {
		return fmt.Errorf("write the ledger: %w", err)
	}
	return nil
}
