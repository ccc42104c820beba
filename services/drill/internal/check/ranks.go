package check

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/tallyboard/tallyboard/services/drill/internal/ledger"
)

// hold is a rank that a task had for sure from one moment to another, as its clients know.
type hold struct {
	task        string
	rank        string
	since, till time.Duration
}

// Ranks demands that lists come in the order of ranks, that no two tasks have the same, and that whoever was put beside
// another task or to an end stood there, as far as those around kept still meanwhile.
func Ranks(b *Book) []Violation {
	var out []Violation
	ranks := map[string]map[string]string{} // of each project: rank to task
	for _, t := range b.Found.Tasks {
		if ranks[t.Project] == nil {
			ranks[t.Project] = map[string]string{}
		}
		if other, twice := ranks[t.Project][t.Rank]; twice {
			out = append(out, violation("%s and %s have the same rank %q", b.tasks[other].Key, t.Key, t.Rank))
		}
		ranks[t.Project][t.Rank] = t.ID
	}
	out = append(out, b.listed()...)
	holds := b.holds()
	for i := range b.Ops {
		op := &b.Ops[i]
		if op.Outcome != ledger.Acknowledged || op.Kind != ledger.Move && op.Kind != ledger.Create || len(op.Answer) != 1 {
			continue
		}
		out = append(out, placed(op, holds[op.Project])...)
	}
	return out
}

// listed compares the API's lists with the ranks in the database.
func (b *Book) listed() (out []Violation) {
	for _, p := range b.Found.Projects {
		list, asked := b.Found.Listed[p.Key]
		if !asked {
			continue
		}
		var want []*Task
		for i := range b.Found.Tasks {
			if t := &b.Found.Tasks[i]; t.Project == p.ID && t.Trashed == nil {
				want = append(want, t)
			}
		}
		slices.SortFunc(want, func(x, y *Task) int { return strings.Compare(x.Rank, y.Rank) })
		if len(want) != len(list) {
			out = append(out, violation("project %s has %d tasks, its list %d", p.Key, len(want), len(list)))
			continue
		}
		for i, t := range want {
			if list[i] != t.ID {
				out = append(out, violation("place %d in the list of %s is %s, by rank it is %s", i+1, p.Key, list[i], t.ID))
				break
			}
		}
	}
	return out
}

// holds returns by project's key which ranks were surely held when: from the answer to the operation that gave one until
// the request of the next. Tasks that ever were in the trash are left out.
func (b *Book) holds() map[string][]hold {
	out := map[string][]hold{}
	for id, steps := range b.histories {
		if slices.ContainsFunc(steps, func(s step) bool { return s.event.Kind == "task.trashed" }) {
			continue
		}
		last := ""
		var own []hold
		for _, s := range steps {
			if s.task.Rank == last {
				continue
			}
			last = s.task.Rank
			h := hold{task: id, rank: last, since: math.MaxInt64, till: math.MaxInt64} // at first: never known to hold
			if s.op != nil {
				if len(own) > 0 {
					own[len(own)-1].till = s.op.Start
				}
				if s.op.Outcome == ledger.Acknowledged {
					h.since = s.op.End
				}
			}
			own = append(own, h)
		}
		if t := b.tasks[id]; t != nil {
			key := b.keys[t.Project]
			out[key] = append(out[key], own...)
		}
	}
	return out
}

// placed compares the rank an operation gave with those around it.
func placed(op *ledger.Op, holds []hold) (out []Violation) {
	given, moved := op.Answer[0].Rank, op.Answer[0]
	still := func(h hold) bool { return h.task != moved.ID && h.since < op.Start && h.till > op.End }
	var neighbour string
	for _, h := range holds {
		if !still(h) {
			continue
		}
		switch {
		case h.task == op.Asked.After || h.task == op.Asked.Before:
			neighbour = h.rank
			if h.task == op.Asked.After && given <= h.rank || h.task == op.Asked.Before && given >= h.rank {
				out = append(out, violation("%s %s put %s on the wrong side of %s: ranks %q and %q", op.Kind, op.ID, moved.Key, h.task, given, h.rank).of(op))
			}
		case op.Asked.Top && given >= h.rank:
			out = append(out, violation("%s %s put %s to the top, and %s stands above it: ranks %q and %q", op.Kind, op.ID, moved.Key, h.task, given, h.rank).of(op))
		case op.Asked.Bottom && given <= h.rank:
			out = append(out, violation("%s %s put %s to the bottom, and %s stands below it: ranks %q and %q", op.Kind, op.ID, moved.Key, h.task, given, h.rank).of(op))
		}
	}
	if neighbour == "" {
		return out
	}
	low, high := min(neighbour, given), max(neighbour, given)
	for _, h := range holds {
		if still(h) && h.rank > low && h.rank < high {
			out = append(out, violation("%s %s should have put %s directly beside another task, and %s stands between them", op.Kind, op.ID, moved.Key, h.task).of(op))
		}
	}
	return out
}
