package check

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/tallyboard/tallyboard/services/drill/internal/ledger"
)

// decideWithin bounds the search for one task; what is not decided by then is said.
const decideWithin = 10 * time.Second

// register is a task as one sequential user would see it.
type register struct {
	version int64 // 0: not there
	trashed bool
}

// access is one operation on a register.
type access struct {
	kind      ledger.Kind
	ifVersion int64 // 0: any
	made      bool  // a version
	version   int64 // made or shown; 0: not shown
	stale     bool  // answered with 412
	inTrash   bool  // refused because the task is in the trash
	trashed   bool  // as shown
	op        *ledger.Op
}

// model says what a task does to one operation after the other.
var model = porcupine.Model{
	Init: func() any { return register{} },
	Step: func(state, input, _ any) (bool, any) {
		return follow(state.(register), input.(access)) //nolint:errcheck,forcetypeassert // ours
	},
	Equal: func(a, b any) bool { return a == b },
	DescribeOperation: func(input, _ any) string {
		a := input.(access) //nolint:errcheck,forcetypeassert // ours
		return fmt.Sprintf("%s %s -> version %d", a.kind, a.op.ID, a.version)
	},
}

func follow(r register, a access) (ok bool, next any) {
	switch {
	case a.kind == ledger.Create || a.kind == ledger.Import:
		return r.version == 0 && a.version == 1, register{version: 1}
	case r.version == 0:
		return false, r
	case a.stale:
		return r.version == a.version && a.version != a.ifVersion, r
	case a.inTrash:
		return r.trashed, r
	case !a.made && a.version == 0: // a comment, which makes no version and shows none
		return !r.trashed, r
	case !a.made:
		return r.version == a.version && r.trashed == a.trashed, r
	}
	fits := a.version == r.version+1 && (a.ifVersion == 0 || a.ifVersion == r.version)
	switch a.kind {
	case ledger.Restore:
		return fits && r.trashed, register{version: a.version}
	case ledger.Trash:
		return fits && !r.trashed, register{version: a.version, trashed: true}
	}
	return fits && !r.trashed, register{version: a.version}
}

// Linearizable demands that each task, and the settings of each project, look as if their operations had been made one after the other, each at a moment between
// its request and its answer. The search is porcupine's.
func Linearizable(b *Book) []Violation {
	byTask := map[string][]porcupine.Operation{}
	for i := range b.Ops {
		op := &b.Ops[i]
		for task, a := range b.accesses(op) { // or project
			back := op.End
			if op.Outcome != ledger.Acknowledged && a.made {
				back = math.MaxInt64 // nobody knows when it happened
			}
			byTask[task] = append(byTask[task], porcupine.Operation{
				ClientId: max(0, op.Client), Input: a, Call: int64(op.Start), Return: int64(back),
			})
		}
	}
	for project, history := range byTask {
		if b.settings[project] != nil { // nobody among the clients has made it
			made := access{kind: ledger.Create, made: true, version: 1, op: &ledger.Op{ID: "its making"}}
			byTask[project] = append(history, porcupine.Operation{Input: made, Call: -2, Return: -1})
		}
	}
	var out []Violation
	for _, task := range slices.Sorted(maps.Keys(byTask)) {
		history := byTask[task]
		result, info := porcupine.CheckOperationsVerbose(model, history, decideWithin)
		switch result {
		case porcupine.Ok:
		case porcupine.Unknown:
			out = append(out, violation("whether the %d operations on %s are linearizable was not decided within %s", len(history), task, decideWithin))
		case porcupine.Illegal:
			out = append(out, violation("the %d operations on %s fit into no order; %s", len(history), task, stuck(history, info)).of(involved(history, info)...))
		}
	}
	return out
}

// accesses returns what an operation did to each task, as far as that is known.
func (b *Book) accesses(op *ledger.Op) map[string]access {
	out := map[string]access{}
	for _, e := range b.traced[op.Trace] {
		if e.Kind == "project.changed" {
			out[e.Aggregate] = access{kind: op.Kind, made: true, version: b.versions[e], op: op}
		}
		if !e.OfTask {
			continue
		}
		if version, made := b.versions[e]; made {
			out[e.Aggregate] = access{kind: op.Kind, ifVersion: op.Asked.IfVersion, made: true, version: version, op: op}
		}
		if op.Kind == ledger.Comment {
			out[e.Aggregate] = access{kind: op.Kind, op: op}
		}
	}
	switch {
	case op.Outcome == ledger.Acknowledged && op.Settings != nil:
		if _, made := out[op.Settings.ID]; !made {
			out[op.Settings.ID] = access{kind: op.Kind, version: op.Settings.Version, op: op}
		}
	case op.Outcome == ledger.Acknowledged:
		for _, t := range op.Answer {
			if _, made := out[t.ID]; !made {
				out[t.ID] = access{kind: op.Kind, version: t.Version, trashed: t.Trashed != nil, op: op}
			}
		}
	case op.Outcome == ledger.Refused && op.Current != nil:
		out[op.Tasks[0]] = access{kind: op.Kind, ifVersion: op.Asked.IfVersion, version: op.Current.Version, stale: true, op: op}
	case op.Outcome == ledger.Refused && op.Status == 409 && len(op.Tasks) == 1 && strings.Contains(op.Error, "is in the trash"):
		out[op.Tasks[0]] = access{kind: op.Kind, inTrash: true, op: op}
	}
	return out
}

// longest returns the operations of the longest order that was found.
func longest(info porcupine.LinearizationInfo) []int {
	var best []int
	for _, partition := range info.PartialLinearizations() {
		for _, order := range partition {
			if len(order) > len(best) {
				best = order
			}
		}
	}
	return best
}

// involved returns the first operations by call that the longest order has no place for.
func involved(history []porcupine.Operation, info porcupine.LinearizationInfo) []*ledger.Op {
	const named = 3
	placed := map[int]bool{}
	for _, i := range longest(info) {
		placed[i] = true
	}
	order := make([]int, 0, len(history))
	for i := range history {
		if !placed[i] {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(x, y int) int { return int(history[x].Return - history[y].Return) })
	var out []*ledger.Op
	for _, i := range order[:min(named, len(order))] {
		out = append(out, history[i].Input.(access).op) //nolint:errcheck,forcetypeassert // ours
	}
	return out
}

func stuck(history []porcupine.Operation, info porcupine.LinearizationInfo) string {
	best := longest(info)
	if len(best) == 0 {
		return "not even a first one"
	}
	last := history[best[len(best)-1]].Input.(access) //nolint:errcheck,forcetypeassert // ours
	return fmt.Sprintf("%d do, up to %s (version %d)", len(best), last.op.ID, last.version)
}
