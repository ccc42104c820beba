// Package check holds what clients were told against what is there. It knows the ledger, the answers of the API and the
// rows of the database, and nothing of how the services work. Its functions are pure: the same record gives the same
// violations.
package check

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/tallyboard/tallyboard/services/drill/internal/ledger"
)

// Record is everything that is known after a drill.
type Record struct {
	Name    string          `json:"name"` // of the run, for people
	Ops     []ledger.Op     `json:"-"`    // in a file of their own
	Streams []ledger.Stream `json:"streams"`
	Faults  []ledger.Fault  `json:"faults"`
	Marks   []Mark          `json:"marks"` // in the order in which they were read
	Found   Snapshot        `json:"found"`
	Limits  Limits          `json:"limits"`
	// NotDrilled are the kinds of faults that the machine did not allow, with the reason.
	NotDrilled []string `json:"notDrilled,omitempty"`
}

// Mark is how far relay and statistics had come at one moment of the run.
type Mark struct {
	At          time.Duration `json:"at"`
	Epoch       int64         `json:"epoch"` // of the relay that wrote last
	Given       int64         `json:"given"`
	Published   int64         `json:"published"`
	CursorEpoch int64         `json:"cursorEpoch"` // of the applier that wrote last
	Cursor      int64         `json:"cursor"`
}

// Limits of what takes time or grows.
type Limits struct {
	Serving    time.Duration `json:"serving"`    // from the end of a fault to an acknowledged write
	Whole      time.Duration `json:"whole"`      // until every part says that it is well and statistics have caught up
	Goroutines int           `json:"goroutines"` // more than before the load, of one process at rest
	FDs        int           `json:"fds"`        // more open files than before the load
	Heap       int64         `json:"heap"`       // more bytes of the heap in use after a collection; 0: any
	Memory     int64         `json:"memory"`     // more resident bytes; 0: any
}

// Snapshot is what is there when nothing moves any more. All rows are of one moment.
type Snapshot struct {
	Projects  []Project           `json:"projects"`
	Tasks     []Task              `json:"tasks"`
	Comments  []Comment           `json:"comments"`
	Relations []Relation          `json:"relations"`
	Labelled  []Labelled          `json:"labelled"`
	Views     []View              `json:"views"`
	Events    []Event             `json:"events"`
	Given     int64               `json:"given"`     // last position given, as the relay keeps it
	Published int64               `json:"published"` // last position known to be published
	StepsBack []StepBack          `json:"stepsBack"` // of marks, as the database itself noted them
	Listed    map[string][]string `json:"listed"`    // ids of tasks by project's key, as the API lists them by rank
	Stats     Stats               `json:"stats"`
	Levels    []Level             `json:"levels"`
}

// StepBack is a committed change by which a mark that only grows became smaller.
type StepBack struct {
	What string `json:"what"` // the mark
	Was  int64  `json:"was"`
	Is   int64  `json:"is"`
}

// Project is a row of projects, with those of its settings.
type Project struct {
	ID      string          `json:"id"`
	Key     string          `json:"key"`
	Name    string          `json:"name"`
	Version int64           `json:"version"`
	States  []ledger.State  `json:"states"`
	Labels  []ledger.Label  `json:"labels"`
	Members []ledger.Member `json:"members"`
}

// Task is a row of tasks.
type Task struct {
	ledger.Task
	Project string `json:"projectId"`
	Number  int64  `json:"number"`
	Seq     int64  `json:"seq"`
}

// Labelled is a row of task_labels, which repeats what the row of the task says.
type Labelled struct {
	Task  string `json:"task"`
	Label string `json:"label"`
}

// Comment is a row of comments.
type Comment struct {
	ID   string `json:"id"`
	Task string `json:"task"`
	Body string `json:"body"`
}

// Relation is a row of relations.
type Relation struct {
	From string `json:"from"`
	To   string `json:"to"`
	Kind string `json:"kind"`
}

// Event is a row of events.
type Event struct {
	ID        int64    `json:"id"`
	Pos       int64    `json:"pos"` // 0: none yet
	Project   string   `json:"project"`
	Aggregate string   `json:"aggregate"` // id of the task or project
	OfTask    bool     `json:"ofTask"`
	Seq       int64    `json:"seq"`
	Kind      string   `json:"kind"`
	Changes   []Change `json:"changes"`
	Trace     string   `json:"trace"` // of the request, 32 hexadecimal digits

	Occurred time.Time `json:"occurred"`
	Recorded time.Time `json:"recorded"`
}

// Change of a field.
type Change struct {
	Field  string          `json:"field"`
	Before json.RawMessage `json:"before,omitempty"`
	After  json.RawMessage `json:"after,omitempty"`
}

// Stats is what stats-service says of itself.
type Stats struct {
	Equal       bool  `json:"equal"`       // its recount equals its projection
	Pos         int64 `json:"pos"`         // up to which it recounted
	Differences int   `json:"differences"` //
	Parked      int   `json:"parked"`
	Cursor      int64 `json:"cursor"` // last position applied
	Tasks       int   `json:"tasks"`  // compared
}

// Level is what a process occupies, at rest before the load and after everything.
type Level struct {
	Process          string `json:"process"`
	GoroutinesBefore int    `json:"goroutinesBefore"`
	GoroutinesAfter  int    `json:"goroutinesAfter"`
	FDsBefore        int    `json:"fdsBefore"`
	FDsAfter         int    `json:"fdsAfter"`
	HeapBefore       int64  `json:"heapBefore"` // in use after a collection, bytes
	HeapAfter        int64  `json:"heapAfter"`
	MemoryBefore     int64  `json:"memoryBefore"` // resident, bytes
	MemoryAfter      int64  `json:"memoryAfter"`
}

// Violation is a promise that was not kept.
type Violation struct {
	Rule string   `json:"rule"`
	Text string   `json:"text"`
	Ops  []string `json:"ops,omitempty"` // ids in the ledger
}

func (v Violation) String() string { return v.Rule + ": " + v.Text }

// Rule is one promise.
type Rule struct {
	Name  string
	Check func(*Book) []Violation
}

// Rules are all promises, in the order in which they are best read: later ones follow from earlier ones.
var Rules = []Rule{
	{"history", History},
	{"positions", Positions},
	{"relayed", Relayed},
	{"marks", Marks},
	{"times", Times},
	{"doubled", Doubled},
	{"acknowledged", Acknowledged},
	{"unacknowledged", Unacknowledged},
	{"relations", Relations},
	{"settings", Settings},
	{"answers", Answers},
	{"linearizable", Linearizable},
	{"ranks", Ranks},
	{"streams", Streams},
	{"caught up", CaughtUp},
	{"standstill", Standstill},
	{"projection", Projection},
	{"recovery", Recovery},
	{"levels", Levels},
}

// All checks every promise.
func All(r Record) []Violation {
	b := Open(r)
	var out []Violation
	for _, rule := range Rules {
		for _, v := range rule.Check(b) {
			v.Rule = rule.Name
			out = append(out, v)
		}
	}
	return out
}

// Book is a record with what is looked up in it.
type Book struct {
	Record
	ops        map[string]*ledger.Op // by trace
	events     map[string][]*Event   // by aggregate, in order of seq
	traced     map[string][]*Event   // by trace
	tasks      map[string]*Task
	keys       map[string]string    // of projects, by id
	histories  map[string][]step    // by task
	versions   map[*Event]int64     // that events made
	settings   map[string][]setting // by project
	unreadable []Violation          // in histories of tasks
	unsettled  []Violation          // in histories of projects
}

// step is a task as an event left it.
type step struct {
	event *Event
	op    *ledger.Op // who asked for it; nil: nobody known
	task  ledger.Task
}

// Open prepares a record for checks.
func Open(r Record) *Book {
	b := &Book{Record: r, ops: map[string]*ledger.Op{}, events: map[string][]*Event{}, traced: map[string][]*Event{},
		tasks: map[string]*Task{}, keys: map[string]string{}, histories: map[string][]step{}, versions: map[*Event]int64{}, settings: map[string][]setting{}}
	for i := range b.Ops {
		b.ops[b.Ops[i].Trace] = &b.Ops[i]
	}
	for _, p := range b.Found.Projects {
		b.keys[p.ID] = p.Key
	}
	for i := range b.Found.Tasks {
		b.tasks[b.Found.Tasks[i].ID] = &b.Found.Tasks[i]
	}
	for i := range b.Found.Events {
		e := &b.Found.Events[i]
		b.events[e.Aggregate] = append(b.events[e.Aggregate], e)
		b.traced[e.Trace] = append(b.traced[e.Trace], e)
	}
	for id, events := range b.events {
		slices.SortStableFunc(events, func(x, y *Event) int { return int(x.Seq - y.Seq) })
		if events[0].OfTask {
			b.replay(id, events)
		} else {
			b.adjust(id, events)
		}
	}
	return b
}

// versioned says which events make a new version of their task.
func versioned(kind string) bool {
	switch kind {
	case "task.created", "task.changed", "task.trashed", "task.restored":
		return true
	}
	return false
}

// replay applies a task's events one after the other.
func (b *Book) replay(id string, events []*Event) {
	t := ledger.Task{ID: id}
	for _, e := range events {
		if versioned(e.Kind) {
			t.Version++
			b.versions[e] = t.Version
		}
		for _, c := range e.Changes {
			if err := apply(&t, c, b.keys[e.Project]); err != nil {
				b.unreadable = append(b.unreadable, Violation{Text: fmt.Sprintf("event %d of task %s: field %s: %v", e.Seq, id, c.Field, err)})
			}
		}
		b.histories[id] = append(b.histories[id], step{event: e, op: b.ops[e.Trace], task: t})
	}
}

func apply(t *ledger.Task, c Change, key string) error {
	switch c.Field {
	case "title":
		return into(&t.Title, c.After)
	case "description":
		return into(&t.Description, c.After)
	case "state":
		return into(&t.State, c.After)
	case "rank":
		return into(&t.Rank, c.After)
	case "estimate":
		return into(&t.Estimate, c.After)
	case "labels":
		return into(&t.Labels, c.After)
	case "trashed":
		return into(&t.Trashed, c.After)
	case "number":
		var number int64
		err := into(&number, c.After)
		t.Key = fmt.Sprintf("%s-%d", key, number)
		return err
	}
	return nil
}

// into reads a value; an absent one is empty.
func into[T any](to *T, value json.RawMessage) error {
	var v T
	if len(value) > 0 {
		if err := json.Unmarshal(value, &v); err != nil {
			return err
		}
	}
	*to = v
	return nil
}

// at returns the step that made a version of a task.
func (b *Book) at(task string, version int64) (step, bool) {
	steps := b.histories[task]
	i, found := slices.BinarySearchFunc(steps, version, func(s step, v int64) int { return cmp.Compare(s.task.Version, v) })
	if !found {
		return step{}, false
	}
	return steps[i], true // the first of those with this version: comments that follow make none
}

// difference names the first field in which two pictures of a task differ; "" if none.
func difference(a, b ledger.Task) string {
	switch {
	case a.Key != b.Key:
		return fmt.Sprintf("key %q and %q", a.Key, b.Key)
	case a.Title != b.Title:
		return fmt.Sprintf("title %q and %q", a.Title, b.Title)
	case a.Description != b.Description:
		return fmt.Sprintf("description %q and %q", a.Description, b.Description)
	case a.State != b.State:
		return fmt.Sprintf("state %s and %s", a.State, b.State)
	case a.Rank != b.Rank:
		return fmt.Sprintf("rank %q and %q", a.Rank, b.Rank)
	case (a.Estimate == nil) != (b.Estimate == nil) || a.Estimate != nil && *a.Estimate != *b.Estimate:
		return "estimate"
	case !slices.Equal(a.Labels, b.Labels):
		return fmt.Sprintf("labels %v and %v", a.Labels, b.Labels)
	case (a.Trashed == nil) != (b.Trashed == nil):
		return "whether it is in the trash"
	case a.Version != b.Version:
		return fmt.Sprintf("version %d and %d", a.Version, b.Version)
	}
	return ""
}

func violation(format string, args ...any) Violation {
	return Violation{Text: fmt.Sprintf(format, args...)}
}

// of names the operations that a violation concerns.
func (v Violation) of(ops ...*ledger.Op) Violation {
	for _, op := range ops {
		if op != nil {
			v.Ops = append(v.Ops, op.ID)
		}
	}
	return v
}
