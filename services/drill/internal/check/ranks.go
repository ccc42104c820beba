package check

import (
	"cmp"
	"maps"
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
	ops := map[string][]*ledger.Op{} // by project
	for i := range b.Ops {
		op := &b.Ops[i]
		if op.Outcome == ledger.Acknowledged && (op.Kind == ledger.Move || op.Kind == ledger.Create) && len(op.Answer) == 1 {
			ops[op.Project] = append(ops[op.Project], op)
		}
	}
	holds := b.holds()
	for _, project := range slices.Sorted(maps.Keys(holds)) {
		out = append(out, placedAll(ops[project], holds[project])...)
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

// order is the tasks of a project by the ranks they surely have at a moment, which moves on. Long runs have a hundred thousand
// tasks and as many moves, which nobody could compare one by one.
type order struct {
	bySince, byTill []*hold // still to come, and still to go
	byRank          []*hold // those of the moment
	byTask          map[string]*hold
}

func newOrder(holds []hold) *order {
	o := &order{byTask: map[string]*hold{}}
	for i := range holds {
		if h := &holds[i]; h.since < h.till {
			o.bySince = append(o.bySince, h)
		}
	}
	o.byTill = slices.Clone(o.bySince)
	slices.SortFunc(o.bySince, func(x, y *hold) int { return cmp.Compare(x.since, y.since) })
	slices.SortFunc(o.byTill, func(x, y *hold) int { return cmp.Compare(x.till, y.till) })
	return o
}

// compareHolds orders by rank, and those that share one, which is wrong, by anything that is always the same.
func compareHolds(x, y *hold) int {
	return cmp.Or(strings.Compare(x.rank, y.rank), strings.Compare(x.task, y.task), cmp.Compare(x.since, y.since))
}

// at moves on to a moment: to what was held before it and not only until then.
func (o *order) at(t time.Duration) {
	for len(o.bySince) > 0 && o.bySince[0].since < t {
		h := o.bySince[0]
		o.bySince = o.bySince[1:]
		i, _ := slices.BinarySearchFunc(o.byRank, h, compareHolds)
		o.byRank = slices.Insert(o.byRank, i, h)
		o.byTask[h.task] = h
	}
	for len(o.byTill) > 0 && o.byTill[0].till <= t {
		h := o.byTill[0]
		o.byTill = o.byTill[1:]
		if i, found := slices.BinarySearchFunc(o.byRank, h, compareHolds); found {
			o.byRank = slices.Delete(o.byRank, i, i+1)
		}
		if o.byTask[h.task] == h {
			delete(o.byTask, h.task)
		}
	}
}

// from returns the place of the first rank that is not below one.
func (o *order) from(rank string) int {
	i, _ := slices.BinarySearchFunc(o.byRank, rank, func(h *hold, r string) int { return strings.Compare(h.rank, r) })
	return i
}

// placedAll looks at the operations of a project that gave ranks.
func placedAll(ops []*ledger.Op, holds []hold) (out []Violation) {
	slices.SortStableFunc(ops, func(x, y *ledger.Op) int { return cmp.Compare(x.Start, y.Start) })
	o := newOrder(holds)
	for _, op := range ops {
		o.at(op.Start)
		out = append(out, placed(op, o)...)
	}
	return out
}

// placed compares the rank an operation gave with those around it that were held from before its request until after its
// answer.
func placed(op *ledger.Op, o *order) (out []Violation) {
	given, moved := op.Answer[0].Rank, op.Answer[0]
	still := func(h *hold) bool { return h.task != moved.ID && h.till > op.End }
	if op.Asked.Top {
		for i := 0; i < len(o.byRank) && o.byRank[i].rank <= given; i++ {
			if h := o.byRank[i]; still(h) {
				return append(out, violation("%s %s put %s to the top, and %s stands above it: ranks %q and %q", op.Kind, op.ID, moved.Key, h.task, given, h.rank).of(op))
			}
		}
	}
	if op.Asked.Bottom {
		for i := len(o.byRank) - 1; i >= 0 && o.byRank[i].rank >= given; i-- {
			if h := o.byRank[i]; still(h) {
				return append(out, violation("%s %s put %s to the bottom, and %s stands below it: ranks %q and %q", op.Kind, op.ID, moved.Key, h.task, given, h.rank).of(op))
			}
		}
	}
	h := o.byTask[cmp.Or(op.Asked.After, op.Asked.Before)]
	if h == nil || !still(h) {
		return out
	}
	if op.Asked.After != "" && given <= h.rank || op.Asked.Before != "" && given >= h.rank {
		out = append(out, violation("%s %s put %s on the wrong side of %s: ranks %q and %q", op.Kind, op.ID, moved.Key, h.task, given, h.rank).of(op))
	}
	low, high := min(h.rank, given), max(h.rank, given)
	for i := o.from(low); i < len(o.byRank) && o.byRank[i].rank < high; i++ {
		if between := o.byRank[i]; between.rank > low && still(between) {
			out = append(out, violation("%s %s should have put %s directly beside another task, and %s stands between them", op.Kind, op.ID, moved.Key, between.task).of(op))
		}
	}
	return out
}
