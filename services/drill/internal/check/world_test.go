package check

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tallyboard/tallyboard/services/drill/internal/ledger"
)

// world is a system that keeps every promise, in the smallest form: one operation after the other. Tests take its record
// and break it.
type world struct {
	t     *testing.T
	r     Record
	now   time.Duration
	tasks map[string]*Task
}

const worldProject = "00000000-0000-7000-8000-00000000000a"

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, tasks: map[string]*Task{}}
	w.r.Limits = Limits{Serving: time.Second, Whole: 2 * time.Second, Goroutines: 10, FDs: 10, Heap: 10 << 20, Memory: 10 << 20}
	p := Project{
		ID: worldProject, Key: "DRA", Name: "Drill", Version: 1, Members: []ledger.Member{{Person: "p1", Role: "owner"}},
		States: []ledger.State{{ID: "s1", Name: "Todo", Category: "todo"}, {ID: "s2", Name: "Done", Category: "done"}},
	}
	w.r.Found.Projects = []Project{p}
	w.event(worldProject, "", "project.created", 1, w.to("name", p.Name), w.to("states", p.States), w.to("members", p.Members))
	return w
}

// op begins an operation a second after the one before; it takes half a second.
func (w *world) op(kind ledger.Kind, tasks ...string) *ledger.Op {
	w.now += time.Second
	n := len(w.r.Ops) + 1
	w.r.Ops = append(w.r.Ops, ledger.Op{
		ID: fmt.Sprintf("op-%d", n), Trace: fmt.Sprintf("%032x", n), Client: 1, Kind: kind, Project: "DRA", Tasks: tasks,
		Start: w.now, End: w.now + time.Second/2, Attempts: 1, Outcome: ledger.Acknowledged,
	})
	return &w.r.Ops[n-1]
}

func (w *world) event(aggregate, trace, kind string, seq int64, changes ...Change) {
	n := int64(len(w.r.Found.Events) + 1)
	w.r.Found.Events = append(w.r.Found.Events, Event{
		ID: n, Pos: n, Project: worldProject, Aggregate: aggregate, OfTask: aggregate != worldProject, Seq: seq, Kind: kind, Changes: changes, Trace: trace,
		Occurred: time.Unix(n, 0),
	})
}

func (w *world) to(field string, after any) Change {
	c := Change{Field: field}
	if after != nil {
		b, err := json.Marshal(after)
		if err != nil {
			w.t.Fatal(err)
		}
		c.After = b
	}
	return c
}

func (w *world) create(title, rank string) string {
	op := w.op(ledger.Create)
	op.Asked = ledger.Asked{Title: title, Bottom: true}
	number := int64(len(w.tasks) + 1)
	id := fmt.Sprintf("00000000-0000-7000-8000-%012d", number)
	t := &Task{Task: ledger.Task{ID: id, Key: fmt.Sprintf("DRA-%d", number), Title: title, State: "s1", Rank: rank, Version: 1}, Project: worldProject, Number: number, Seq: 1}
	w.tasks[id] = t
	w.event(id, op.Trace, "task.created", 1, w.to("title", title), w.to("state", "s1"), w.to("number", number), w.to("rank", rank))
	op.Answer = []ledger.Task{t.Task}
	return id
}

// change makes one version of a task.
func (w *world) change(op *ledger.Op, id, kind string, set func(*ledger.Task), changes ...Change) {
	t := w.tasks[id]
	set(&t.Task)
	t.Version++
	t.Seq++
	w.event(id, op.Trace, kind, t.Seq, changes...)
	op.Answer = append(op.Answer, t.Task)
}

func (w *world) update(id, text string, ifVersion int64) *ledger.Op {
	op := w.op(ledger.Update, id)
	op.Asked = ledger.Asked{Description: text, IfVersion: ifVersion}
	w.change(op, id, "task.changed", func(t *ledger.Task) { t.Description = text }, w.to("description", text))
	return op
}

// label gives the second task labels, all of them in one update.
func (w *world) label(ids ...string) {
	op := w.op(ledger.Update, second)
	op.Asked.Labels = ids
	w.change(op, second, "task.changed", func(t *ledger.Task) { t.Labels = ids }, w.to("labels", ids))
}

func (w *world) moveBehind(id, other, rank string) {
	op := w.op(ledger.Move, id)
	op.Asked.After = other
	w.change(op, id, "task.changed", func(t *ledger.Task) { t.Rank = rank }, w.to("rank", rank))
}

func (w *world) trash(id string) *ledger.Op {
	op := w.op(ledger.Trash, id)
	at := "2026-01-05T09:00:00Z"
	w.change(op, id, "task.trashed", func(t *ledger.Task) { t.Trashed = &at }, w.to("trashed", at))
	return op
}

func (w *world) restore(id string) *ledger.Op {
	op := w.op(ledger.Restore, id)
	w.change(op, id, "task.restored", func(t *ledger.Task) { t.Trashed = nil }, w.to("trashed", nil))
	return op
}

func (w *world) bulk(estimate float64, ids ...string) *ledger.Op {
	op := w.op(ledger.Bulk, ids...)
	op.Asked.Estimate = &estimate
	for _, id := range ids {
		w.change(op, id, "task.changed", func(t *ledger.Task) { t.Estimate = &estimate }, w.to("estimate", estimate))
	}
	return op
}

func (w *world) comment(body string) *ledger.Op {
	const id = second
	op := w.op(ledger.Comment, id)
	op.Asked.Body, op.Comment = body, "comment of "+op.ID
	t := w.tasks[id]
	t.Seq++
	w.event(id, op.Trace, "comment.added", t.Seq, w.to("comment", op.Comment), w.to("body", body))
	w.r.Found.Comments = append(w.r.Found.Comments, Comment{ID: op.Comment, Task: id, Body: body})
	return op
}

// remark edits the comment that an operation has made, or removes it.
func (w *world) remark(kind ledger.Kind, event string, made int, body string) {
	id, task := w.r.Ops[made].Comment, w.r.Ops[made].Tasks[0]
	op := w.op(kind, task)
	op.Comment, op.Asked.Body = id, body
	t := w.tasks[task]
	t.Seq++
	comment, text := w.to("comment", id), w.to("body", body)
	i := slices.IndexFunc(w.r.Found.Comments, func(c Comment) bool { return c.ID == id })
	w.r.Found.Comments[i].Body = body
	if body == "" {
		w.r.Found.Comments = slices.Delete(w.r.Found.Comments, i, i+1)
		comment.Before, comment.After, text.Before, text.After = comment.After, nil, text.After, nil
	}
	w.event(task, op.Trace, event, t.Seq, comment, text)
}

func (w *world) relate(kind ledger.Kind, event, from, to string) {
	op := w.op(kind, from, to)
	op.Asked.Relation = "blocks"
	for _, s := range []side{{from, "blocks", to}, {to, "blocked-by", from}} {
		w.tasks[s.task].Seq++
		c := w.to("relation", map[string]string{"kind": s.Kind, "task": s.other})
		if kind == ledger.Unrelate {
			c.Before, c.After = c.After, nil
		}
		w.event(s.task, op.Trace, event, w.tasks[s.task].Seq, c)
	}
}

func (w *world) importRow(title, rank string) *ledger.Op {
	id := w.create(title, rank)
	op := &w.r.Ops[len(w.r.Ops)-1]
	op.Kind, op.Answer, op.Asked = ledger.Import, nil, ledger.Asked{Rows: []string{title}}
	w.tasks[id].Title = title
	return op
}

func (w *world) read(id string) *ledger.Op {
	op := w.op(ledger.Read, id)
	op.Answer = []ledger.Task{w.tasks[id].Task}
	return op
}

// stale is an update against an old version.
func (w *world) stale(id string) *ledger.Op {
	op := w.op(ledger.Update, id)
	op.Asked = ledger.Asked{Description: "too late", IfVersion: w.tasks[id].Version - 1}
	op.Outcome, op.Status = ledger.Refused, 412
	current := w.tasks[id].Task
	op.Current = &current
	return op
}

// lost makes an operation one that was never answered.
func lost(op *ledger.Op) *ledger.Op {
	op.Outcome, op.Answer, op.Comment, op.Status = ledger.Unknown, nil, "", 0
	return op
}

// record takes stock of the world.
func (w *world) record() Record {
	r := w.r
	for _, t := range w.tasks {
		r.Found.Tasks = append(r.Found.Tasks, *t)
	}
	for _, t := range r.Found.Tasks {
		for _, l := range t.Labels {
			r.Found.Labelled = append(r.Found.Labelled, Labelled{t.ID, l})
		}
	}
	slices.SortFunc(r.Found.Tasks, func(a, b Task) int { return strings.Compare(a.Rank, b.Rank) })
	r.Found.Listed = map[string][]string{"DRA": nil}
	for _, t := range r.Found.Tasks {
		if t.Trashed == nil {
			r.Found.Listed["DRA"] = append(r.Found.Listed["DRA"], t.ID)
		}
	}
	n := int64(len(r.Found.Events))
	r.Found.Given, r.Found.Published = n, n
	r.Found.Stats = Stats{Equal: true, Pos: n, Cursor: n, Tasks: len(r.Found.Tasks)}
	s := ledger.Stream{Client: 1, Project: "DRA", From: 1}
	for _, e := range r.Found.Events[1:] {
		s.Events = append(s.Events, ledger.Event{Pos: e.Pos, Kind: e.Kind, Task: e.Aggregate, Seq: e.Seq})
	}
	r.Streams = []ledger.Stream{s}
	r.Marks = []Mark{{}, {At: 1, Epoch: 1, Given: 1, Published: 1, CursorEpoch: 1, Cursor: 1}, {At: 2, Epoch: 2, Given: n, Published: n, CursorEpoch: 1, Cursor: n}}
	r.Faults = []ledger.Fault{{Kind: "kill", Target: "task-1", Serving: time.Second / 2, Whole: time.Second}}
	r.Found.Levels = []Level{{Process: "task-1", GoroutinesBefore: 50, GoroutinesAfter: 55, FDsBefore: 20, FDsAfter: 22}}
	return r
}

// ids of the tasks of a busy day.
const (
	first  = "00000000-0000-7000-8000-000000000001"
	second = "00000000-0000-7000-8000-000000000002"
	third  = "00000000-0000-7000-8000-000000000003"
	fourth = "00000000-0000-7000-8000-000000000004"
)

// Operations of a busy day, by their place in the ledger.
const (
	opCreate = iota
	opCreate2
	opCreate3
	opUpdate
	opStale
	opMove
	opComment
	opBulk
	opTrash
	opTrashAgain
	opRestore
	opImport
	opLostUpdate
	opLostComment
	opLostNothing
	opRead
	opMoveLast
	opComment2
	opEditComment
	opComment3
	opRemoveComment
	opRelate
	opUnrelate
	opRelateLast
	opLabels
	opLabelsLess
	opRename
	opAddState
	opChangeState
	opArchiveState
	opArchiveAgain
	opStateBack
	opAddLabel
	opAddLabel2
	opChangeLabel
	opRemoveLabel
	opSetMember
	opSetMemberAgain
	opSetMember2
	opRemoveMember
	opReadProject
	opAddView
	opAddView2
	opReplaceView
	opRemoveView
)

// busyDay is a record with every kind of operation and outcome, in which every promise is kept.
func busyDay(t *testing.T) Record {
	t.Helper()
	w := newWorld(t)
	w.create("One", "b")
	w.create("Two", "d")
	w.create("Three", "f")
	w.update(first, "changed", 1)
	w.stale(first)
	w.moveBehind(first, second, "e")
	w.comment("Said once")
	w.bulk(1.5, first, second)
	w.trash(third)
	again := w.op(ledger.Trash, third)
	again.Answer = []ledger.Task{w.tasks[third].Task}
	w.restore(third)
	w.importRow("Row", "g")
	lost(w.update(second, "never heard of", 0))
	lost(w.comment("Nobody heard"))
	lost(w.op(ledger.Update, second)).Asked = ledger.Asked{Description: "never done"}
	w.read(second)
	w.moveBehind(second, first, "ee")
	w.comment("To be mended")
	w.remark(ledger.EditComment, "comment.edited", opComment2, "Mended")
	w.comment("To be removed")
	w.remark(ledger.RemoveComment, "comment.removed", opComment3, "")
	w.relate(ledger.Relate, "relation.added", first, second)
	w.relate(ledger.Unrelate, "relation.removed", first, second)
	w.relate(ledger.Relate, "relation.added", first, third)
	w.r.Found.Relations = []Relation{{From: first, To: third, Kind: "blocks"}}
	w.label("l1", "l2")
	w.label("l2")
	w.rename("Called otherwise")
	w.settleAll()
	w.save(ledger.AddView, "v1", 0, &ledger.View{Name: "Mine", Layout: "list"})
	w.save(ledger.AddView, "v2", 0, &ledger.View{Name: "Ours", Layout: "board", Shared: true})
	w.save(ledger.ReplaceView, "v1", 1, &ledger.View{Name: "Mine still", Filter: `"a"`, Layout: "list"})
	w.save(ledger.RemoveView, "v2", 0, nil)
	return w.record()
}
