package check

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tallyboard/tallyboard/services/drill/internal/ledger"
)

func TestAGoodRecordPasses(t *testing.T) {
	t.Parallel()
	for _, v := range All(busyDay(t)) {
		t.Error(v, v.Ops)
	}
	if vs := All(newWorld(t).record()); len(vs) > 0 {
		t.Errorf("a record without operations: %v", vs)
	}
}

// event returns the nth event of an operation.
func event(r *Record, op, n int) *Event {
	for i := range r.Found.Events {
		if e := &r.Found.Events[i]; e.Trace == r.Ops[op].Trace {
			if n == 0 {
				return e
			}
			n--
		}
	}
	panic("there is no such event")
}

func row(r *Record, id string) *Task {
	i := slices.IndexFunc(r.Found.Tasks, func(t Task) bool { return t.ID == id })
	return &r.Found.Tasks[i]
}

// forget removes an event as if it had never been written, with everything behind it moved up.
func forget(r *Record, e *Event) {
	gone := *e
	r.Found.Events = slices.DeleteFunc(r.Found.Events, func(e Event) bool { return e.ID == gone.ID })
	for i := range r.Found.Events {
		e := &r.Found.Events[i]
		if e.Pos > gone.Pos {
			e.Pos--
		}
		if e.Aggregate == gone.Aggregate && e.Seq > gone.Seq {
			e.Seq--
		}
	}
	n := int64(len(r.Found.Events))
	r.Found.Given, r.Found.Published, r.Found.Stats.Pos, r.Found.Stats.Cursor = n, n, n, n
	for i := range r.Streams {
		s := &r.Streams[i]
		s.Events = nil
		for _, e := range r.Found.Events[1:] {
			s.Events = append(s.Events, ledger.Event{Pos: e.Pos, Kind: e.Kind, Task: e.Aggregate, Seq: e.Seq})
		}
	}
}

// spoilt is a history that must not pass: what is broken, and the rule that must say so.
type spoilt struct {
	name, rule string
	mend       func(*Record)
}

// bad are such histories; those of settings are in badSettings.
var bad = []spoilt{
	{"a gap in a task's history", "history", func(r *Record) { event(r, opTrash, 0).Seq = 9 }},
	{"a history that begins in the middle", "history", func(r *Record) { event(r, opCreate, 0).Kind = "task.changed" }},
	{"events of a task that is not there", "history", func(r *Record) {
		r.Found.Tasks = slices.DeleteFunc(r.Found.Tasks, func(t Task) bool { return t.ID == third })
	}},
	{"a task without history", "history", func(r *Record) {
		r.Found.Tasks = append(r.Found.Tasks, Task{Task: ledger.Task{ID: "x", Key: "DRA-9", Rank: "z"}, Project: worldProject, Number: 9})
	}},
	{"a row that its history does not explain", "history", func(r *Record) { row(r, first).Description = "from nowhere" }},
	{"labels that are still in the row", "history", func(r *Record) { row(r, second).Labels = []string{"l1", "l2"} }},
	{"a label's row that was left behind", "history", func(r *Record) { r.Found.Labelled = append(r.Found.Labelled, Labelled{second, "l1"}) }},
	{"a label's row that was never written", "history", func(r *Record) { r.Found.Labelled = nil }},
	{"a label on a task that is not there", "history", func(r *Record) { r.Found.Labelled = append(r.Found.Labelled, Labelled{"x", "l2"}) }},
	{"a row whose version was not counted", "history", func(r *Record) { row(r, first).Version-- }},
	{"a row whose sequence was not counted", "history", func(r *Record) { row(r, first).Seq-- }},
	{"a change written without its event", "history", func(r *Record) { forget(r, event(r, opLostUpdate, 0)) }},
	{"an event written without its change", "history", func(r *Record) { row(r, second).Description = ""; row(r, second).Version-- }},
	{"one number for two tasks", "history", func(r *Record) { row(r, first).Key = "DRA-2" }},
	{"a change that cannot be read", "history", func(r *Record) { event(r, opUpdate, 0).Changes[0].After = []byte("{") }},

	{"an event that was passed over by others", "positions", func(r *Record) { event(r, opTrash, 0).Pos = 0 }},
	{"an event that was passed over by another one of its task", "positions", func(r *Record) { event(r, opRelateLast, 0).Seq, event(r, opRelateLast, 1).Pos = 99, 0 }},
	{"an event without position", "relayed", func(r *Record) { event(r, opRemoveView, 0).Pos = 0 }},
	{"a position given twice", "positions", func(r *Record) { event(r, opMove, 0).Pos-- }},
	{"a gap in the positions", "positions", func(r *Record) { event(r, opMoveLast, 0).Pos++ }},
	{"positions against the order of a task", "positions", func(r *Record) {
		a, b := event(r, opUpdate, 0), event(r, opMove, 0)
		a.Pos, b.Pos = b.Pos, a.Pos
	}},
	{"positions against the order people know of", "positions", func(r *Record) { // different tasks, so no sequence shows it
		a, b := event(r, opCreate, 0), event(r, opCreate2, 0)
		a.Pos, b.Pos = b.Pos, a.Pos
	}},
	{"an event that was never published", "relayed", func(r *Record) { r.Found.Published-- }},
	{"a relay that counts otherwise", "relayed", func(r *Record) { r.Found.Given++ }},

	{"a clock that was slow", "times", func(r *Record) { event(r, opMoveLast, 0).Occurred = time.Time{} }},

	{"a relay that was not fenced off", "marks", func(r *Record) { r.Marks = append(r.Marks, r.Marks[2]); r.Marks[3].Epoch = 1 }},
	{"a relay that was not fenced off for a moment", "marks", func(r *Record) { r.Found.StepsBack = []StepBack{{"epoch of the relay", 2, 1}} }},
	{"statistics that went back", "marks", func(r *Record) { r.Marks = append(r.Marks, r.Marks[2]); r.Marks[3].Cursor = 1 }},
	{"positions that were taken back", "marks", func(r *Record) { r.Marks = append(r.Marks, r.Marks[2]); r.Marks[3].Given = 1 }},

	{"a retry that changed a task again", "doubled", func(r *Record) { event(r, opMoveLast, 0).Trace = r.Ops[opLostUpdate].Trace }},
	{"a retry that made a second task", "doubled", func(r *Record) { event(r, opCreate2, 0).Trace = r.Ops[opCreate].Trace }},
	{"a retry that said it twice", "doubled", func(r *Record) { r.Found.Comments[1].Body = r.Found.Comments[0].Body }},

	{"an acknowledged task that is gone", "acknowledged", func(r *Record) {
		forget(r, event(r, opImport, 0))
		r.Found.Tasks = slices.DeleteFunc(r.Found.Tasks, func(t Task) bool { return t.Title == "Row" })
		r.Found.Stats.Tasks--
	}},
	{"an acknowledged change that was overwritten unseen", "acknowledged", func(r *Record) {
		event(r, opUpdate, 0).Changes[0].After = []byte(`"somebody else's"`)
	}},
	{"an acknowledged change that is gone", "acknowledged", func(r *Record) { forget(r, event(r, opMoveLast, 0)) }},
	{"an acknowledged comment that is gone", "acknowledged", func(r *Record) { r.Found.Comments = r.Found.Comments[1:] }},
	{"an acknowledged trip to the trash that is gone", "acknowledged", func(r *Record) { forget(r, event(r, opTrash, 0)) }},
	{"an answer with a version of somebody else's making", "acknowledged", func(r *Record) { r.Ops[opUpdate].Trace = "f" }},
	{"an answer with more than was asked for", "acknowledged", func(r *Record) { r.Ops[opBulk].Tasks = r.Ops[opBulk].Tasks[:1] }},
	{"a bulk edit of which half is there", "acknowledged", func(r *Record) { forget(r, event(r, opBulk, 1)) }},
	{"an answer without what was asked for", "acknowledged", func(r *Record) { r.Ops[opUpdate].Asked.State = "s2" }},
	{"an answer without the label that was asked for", "acknowledged", func(r *Record) { r.Ops[opLabels].Asked.Labels = []string{"l1", "l3"} }},
	{"an answer with a label too many", "acknowledged", func(r *Record) { r.Ops[opLabels].Asked.Labels = []string{"l1"} }},
	{"an answer without the label to be added", "acknowledged", func(r *Record) { r.Ops[opBulk].Asked.AddLabel = "l1" }},
	{"an answer about another task", "acknowledged", func(r *Record) { r.Ops[opRead].Tasks[0] = third }},
	{"an answer without the task", "acknowledged", func(r *Record) { r.Ops[opMoveLast].Answer = nil }},
	{"a trip to the trash that went nowhere", "acknowledged", func(r *Record) { r.Ops[opTrashAgain].Answer = r.Ops[opRestore].Answer }},
	{"a restoration that left it in the trash", "acknowledged", func(r *Record) { r.Ops[opRestore].Answer = r.Ops[opTrash].Answer }},
	{"a read of what never was", "acknowledged", func(r *Record) { r.Ops[opRead].Answer[0].Title = "Dream" }},

	{"an acknowledged edit of a comment that is gone", "acknowledged", func(r *Record) { forget(r, event(r, opEditComment, 0)) }},
	{"an acknowledged edit that says something else", "acknowledged", func(r *Record) { event(r, opEditComment, 0).Changes[1].After = []byte(`"nonsense"`) }},
	{"an acknowledged removal of a comment that is gone", "acknowledged", func(r *Record) { forget(r, event(r, opRemoveComment, 0)) }},
	{"a comment edited without its event", "unacknowledged", func(r *Record) { r.Found.Comments[2].Body = "from nowhere" }},
	{"a removed comment that came back", "unacknowledged", func(r *Record) {
		op := r.Ops[opComment3]
		r.Found.Comments = append(r.Found.Comments, Comment{ID: op.Comment, Task: op.Tasks[0], Body: op.Asked.Body})
	}},
	{"a view nobody asked for", "unacknowledged", func(r *Record) { event(r, opAddView, 0).Trace = "f" }},
	{"an acknowledged rename that is gone", "settings", func(r *Record) { forget(r, event(r, opRename, 0)) }},
	{"a project whose name its history does not explain", "settings", func(r *Record) { r.Found.Projects[0].Name = "from nowhere" }},
	{"a rename nobody asked for", "unacknowledged", func(r *Record) { event(r, opRename, 0).Trace = "f" }},

	{"half of a relation", "relations", func(r *Record) { forget(r, event(r, opRelateLast, 1)) }},
	{"a relation without its events", "relations", func(r *Record) {
		r.Found.Relations = append(r.Found.Relations, Relation{From: second, To: third, Kind: "relates"})
	}},
	{"a relation that is gone", "relations", func(r *Record) { r.Found.Relations = nil }},
	{"a relation made twice", "relations", func(r *Record) { event(r, opUnrelate, 0).Kind = "relation.added" }},
	{"an acknowledged relation that is gone, event and row", "relations", func(r *Record) {
		forget(r, event(r, opRelateLast, 1))
		forget(r, event(r, opRelateLast, 0))
		r.Found.Relations = nil
	}},
	{"an acknowledged relation of another kind", "relations", func(r *Record) { r.Ops[opRelateLast].Asked.Relation = "relates" }},
	{"an acknowledged relation the other way round", "relations", func(r *Record) { slices.Reverse(r.Ops[opRelateLast].Tasks) }},
	{"an acknowledged removal that removed something else", "relations", func(r *Record) { r.Ops[opUnrelate].Tasks[1] = third }},
	{"an acknowledged relation that had been removed before", "relations", func(r *Record) {
		op := r.Ops[opRelate]
		op.ID, op.Trace, op.Start, op.End = "again", "again", r.Ops[opRename].End, r.Ops[opRename].End+1
		r.Ops = append(r.Ops, op)
	}},
	{"an acknowledged removal of a relation that nobody made", "relations", func(r *Record) {
		forget(r, event(r, opUnrelate, 1))
		forget(r, event(r, opUnrelate, 0))
	}},

	{"a refused change that was made", "unacknowledged", func(r *Record) { event(r, opMoveLast, 0).Trace = r.Ops[opStale].Trace }},
	{"an event nobody asked for", "unacknowledged", func(r *Record) { event(r, opMoveLast, 0).Trace = "f" }},
	{"half of a bulk edit that was never answered", "unacknowledged", func(r *Record) { lost(&r.Ops[opBulk]); forget(r, event(r, opBulk, 1)) }},
	{"a comment that was never told of", "unacknowledged", func(r *Record) { forget(r, event(r, opLostComment, 0)) }},
	{"a comment that was told of and never written", "unacknowledged", func(r *Record) { r.Found.Comments = r.Found.Comments[:1] }},

	{"an answer that blames the service's code", "answers", func(r *Record) { r.Ops[opUpdate].Odd = []string{"500 Internal Server Error"} }},

	{"a read of what had been changed before", "linearizable", func(r *Record) {
		r.Ops[opRead].Answer = []ledger.Task{{ID: first, Key: "DRA-1", Title: "One", State: "s1", Rank: "b", Version: 1}}
	}},
	{"a read of what was changed only later", "linearizable", func(r *Record) {
		r.Ops[opRead].Start, r.Ops[opRead].End = 0, time.Millisecond
	}},
	{"two updates of one version", "linearizable", func(r *Record) { r.Ops[opLostUpdate].Asked.IfVersion = 1 }},
	{"an update against a version that was not there any more", "linearizable", func(r *Record) { r.Ops[opUpdate].Asked.IfVersion = 7 }},
	{"a refusal as stale of what was not", "linearizable", func(r *Record) { r.Ops[opStale].Asked.IfVersion = r.Ops[opStale].Current.Version }},
	{"a refusal because of the trash, though it was not there", "linearizable", func(r *Record) {
		op := &r.Ops[opStale]
		op.Status, op.Current, op.Error = 409, nil, "DRA-1 is in the trash; restore it before changing it."
	}},
	{"a comment on what was in the trash", "linearizable", func(r *Record) {
		op := &r.Ops[opComment]
		op.Tasks[0] = third
		e := event(r, opComment, 0)
		e.Aggregate = third
		op.Start, op.End = r.Ops[opTrashAgain].Start, r.Ops[opTrashAgain].End
	}},
	{"a task that fell back to an earlier version for a while", "linearizable", func(r *Record) {
		t := &r.Ops[opRead].Answer[0] // as it was before the bulk edit that had been acknowledged
		t.Version, t.Description, t.Estimate = 1, "", nil
	}},

	{"a list in another order", "ranks", func(r *Record) { l := r.Found.Listed["DRA"]; l[0], l[1] = l[1], l[0] }},
	{"a list without a task", "ranks", func(r *Record) { r.Found.Listed["DRA"] = r.Found.Listed["DRA"][1:] }},
	{"one rank for two tasks", "ranks", func(r *Record) { row(r, first).Rank = row(r, second).Rank }},
	{"a move to the wrong side", "ranks", func(r *Record) { rerank(r, opMoveLast, "c") }},
	{"a move to a place further away", "ranks", func(r *Record) { rerank(r, opMoveLast, "gg") }},
	{"a new task that is not at the bottom", "ranks", func(r *Record) { rerank(r, opCreate3, "a") }},

	{"a live client that missed an event", "streams", func(r *Record) { s := &r.Streams[0]; s.Events = slices.Delete(s.Events, 3, 4) }},
	{"a live client that never got the last events", "streams", func(r *Record) { s := &r.Streams[0]; s.Events = s.Events[:5] }},
	{"a live client that got an event twice", "streams", func(r *Record) { s := &r.Streams[0]; s.Events = slices.Insert(s.Events, 3, s.Events[2]) }},
	{"a live client that got events in another order", "streams", func(r *Record) { e := r.Streams[0].Events; e[3], e[4] = e[4], e[3] }},
	{"a live client that got another event", "streams", func(r *Record) { r.Streams[0].Events[3].Kind = "task.restored" }},
	{"a live client that got what is not there", "streams", func(r *Record) {
		r.Streams[0].Events = append(r.Streams[0].Events, ledger.Event{Pos: 99})
	}},
	{"a live client that was told to begin anew", "streams", func(r *Record) { r.Streams[0].Resets = []int64{4} }},
	{"a live client that got something broken", "streams", func(r *Record) { r.Streams[0].Faults = []string{"half a line"} }},

	{"statistics that differ from a recount", "projection", func(r *Record) { r.Found.Stats.Equal = false }},
	{"statistics with differences", "projection", func(r *Record) { r.Found.Stats.Differences = 1 }},
	{"statistics that stopped", "caught up", func(r *Record) { r.Found.Stats.Cursor-- }},
	{"statistics that stand still", "standstill", func(r *Record) { still(r, stillFor) }},
	{"a recount of less than there is", "projection", func(r *Record) { r.Found.Stats.Tasks-- }},
	{"a parked task", "projection", func(r *Record) { r.Found.Stats.Parked = 1 }},

	{"a fault without recovery", "recovery", func(r *Record) { r.Faults[0].Error = "never well again" }},
	{"a slow return to work", "recovery", func(r *Record) { r.Faults[0].Serving = 3 * time.Second }},
	{"a slow recovery", "recovery", func(r *Record) { r.Faults[0].Whole = 3 * time.Second }},

	{"a leak of goroutines", "levels", func(r *Record) { r.Found.Levels[0].GoroutinesAfter = 500 }},
	{"a leak of files", "levels", func(r *Record) { r.Found.Levels[0].FDsAfter = 500 }},
	{"a heap that grew", "levels", func(r *Record) { r.Found.Levels[0].HeapAfter = 500 << 20 }},
	{"memory not given back", "levels", func(r *Record) { r.Found.Levels[0].MemoryAfter = 500 << 20 }},
}

// still leaves the last event out of the statistics for a while until the end.
func still(r *Record, long time.Duration) {
	r.Found.Stats.Cursor--
	r.Found.Stats.Pos--
	r.Marks[len(r.Marks)-1].Cursor--
	m := r.Marks[len(r.Marks)-1]
	for at := time.Duration(0); at <= long; at += time.Second {
		m.At += time.Second
		r.Marks = append(r.Marks, m)
	}
}

// TestLatenessIsNothingWorse demands that what has not arrived by the end, on a slow machine, breaks the rules that say so, and
// none that says that something is wrong: a seeded bug must not seem caught by it.
func TestLatenessIsNothingWorse(t *testing.T) {
	t.Parallel()
	r := busyDay(t)
	still(&r, stillFor-2*time.Second)
	late := event(&r, opRemoveView, 0)
	late.Pos = 0
	r.Found.Given, r.Found.Published, r.Found.Stats.Tasks = r.Found.Given-1, r.Found.Published-2, 3
	r.Streams = nil
	broken := map[string]bool{}
	for _, v := range All(r) {
		if broken[v.Rule] = true; v.Rule != "relayed" && v.Rule != "caught up" {
			t.Error(v)
		}
	}
	if !broken["relayed"] || !broken["caught up"] {
		t.Errorf("only %v", broken)
	}
}

// rerank gives another rank in an operation, everywhere where it shows, so that nothing but its place is wrong.
func rerank(r *Record, op int, rank string) {
	e := event(r, op, 0)
	old := r.Ops[op].Answer[0].Rank
	for i, c := range e.Changes {
		if c.Field == "rank" {
			e.Changes[i].After = []byte(`"` + rank + `"`)
		}
	}
	for i := range r.Ops {
		for j := range r.Ops[i].Answer {
			if t := &r.Ops[i].Answer[j]; t.ID == e.Aggregate && t.Rank == old {
				t.Rank = rank
			}
		}
	}
	row(r, e.Aggregate).Rank = rank
	slices.SortFunc(r.Found.Tasks, func(a, b Task) int { return strings.Compare(a.Rank, b.Rank) })
	r.Found.Listed["DRA"] = nil
	for _, t := range r.Found.Tasks {
		r.Found.Listed["DRA"] = append(r.Found.Listed["DRA"], t.ID)
	}
}

func TestBadRecordsAreCaught(t *testing.T) {
	t.Parallel()
	for _, c := range slices.Concat(bad, badSettings) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := busyDay(t)
			c.mend(&r)
			caught := All(r)
			if !slices.ContainsFunc(caught, func(v Violation) bool { return v.Rule == c.rule }) {
				t.Errorf("not caught by %q; found: %v", c.rule, caught)
			}
		})
	}
}

func TestEveryRuleCatchesSomething(t *testing.T) {
	t.Parallel()
	for _, rule := range Rules {
		if !slices.ContainsFunc(slices.Concat(bad, badSettings), func(c spoilt) bool { return c.rule == rule.Name }) {
			t.Errorf("no bad history for %q", rule.Name)
		}
	}
}

// Some histories look bad and are not: what nobody can know must not be held against the system.
func TestWhatNobodyCanKnowPasses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]func(*Record){
		"a change that was made long after its client went away": func(r *Record) {
			op := &r.Ops[opLostUpdate]
			op.Start, op.End = r.Ops[opLostUpdate].Start, r.Ops[opLostUpdate].Start+1
		},
		"a bulk edit that was never answered and never done": func(r *Record) {
			r.Ops = append(r.Ops, ledger.Op{ID: "x", Trace: "x", Kind: ledger.Bulk, Tasks: []string{first, second}, Outcome: ledger.Unknown})
		},
		"positions of concurrent changes in either order": func(r *Record) {
			r.Ops[opCreate2].Start = r.Ops[opCreate].Start
			r.Ops[opCreate].End = r.Ops[opCreate2].End
			a, b := event(r, opCreate, 0), event(r, opCreate2, 0)
			a.Pos, b.Pos = b.Pos, a.Pos
			e := r.Streams[0].Events
			e[0].Task, e[1].Task = e[1].Task, e[0].Task
		},
		"a relation that was there already": func(r *Record) {
			op := r.Ops[opRelateLast]
			op.ID, op.Trace, op.Start, op.End = "again", "again", r.Ops[opRename].End, r.Ops[opRename].End+1
			r.Ops = append(r.Ops, op)
		},
		"a relation that was there already, and removed at the same time": func(r *Record) {
			op := r.Ops[opRelate]
			op.ID, op.Trace, op.Start, op.End = "again", "again", r.Ops[opUnrelate].Start, r.Ops[opUnrelate].End
			r.Ops = append(r.Ops, op)
		},
		"a neighbour that moved meanwhile": func(r *Record) {
			r.Ops[opMove].Start, r.Ops[opMove].End = r.Ops[opMoveLast].Start, r.Ops[opMoveLast].End
			r.Ops = slices.Delete(r.Ops, opBulk, opBulk+1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := busyDay(t)
			c(&r)
			for _, v := range All(r) {
				if name == "a neighbour that moved meanwhile" && v.Rule != "ranks" {
					continue // times were bent for the ranks alone
				}
				t.Error(v)
			}
		})
	}
}
