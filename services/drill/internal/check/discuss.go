package check

import (
	"fmt"
	"maps"
	"slices"

	"github.com/tallyboard/tallyboard/services/drill/internal/ledger"
)

// remark is a comment as its events tell it.
type remark struct {
	task, body string
	gone       bool
	steps      int
}

// remarks replays the events of comments.
func (b *Book) remarks() map[string]*remark {
	out := map[string]*remark{}
	for task, events := range b.events {
		for _, e := range events {
			var id, body string
			var gone bool
			for _, c := range e.Changes {
				var was string
				switch {
				case c.Field == "comment" && len(c.After) == 0 && into(&was, c.Before) == nil:
					id, gone = was, true
				case c.Field == "comment" && into(&was, c.After) == nil:
					id = was
				case c.Field == "body" && into(&was, c.After) == nil:
					body = was
				}
			}
			switch e.Kind {
			case "comment.added", "comment.edited", "comment.removed":
				if out[id] == nil {
					out[id] = &remark{task: task}
				}
				r := out[id]
				r.body, r.gone, r.steps = body, gone, r.steps+1
			}
		}
	}
	return out
}

// comments compares comments with what their events make of them.
func (b *Book) comments() (out []Violation) {
	told := b.remarks()
	for _, c := range b.Found.Comments {
		r := told[c.ID]
		switch {
		case r == nil:
			out = append(out, violation("comment %s %q is there without an event", c.ID, c.Body))
		case r.gone:
			out = append(out, violation("comment %s %q is there, and an event tells of its removal", c.ID, c.Body))
		case r.body != c.Body || r.task != c.Task:
			out = append(out, violation("comment %s says %q on %s; its events say %q on %s", c.ID, c.Body, c.Task, r.body, r.task))
		}
		delete(told, c.ID)
	}
	for _, id := range slices.Sorted(maps.Keys(told)) {
		if !told[id].gone {
			out = append(out, violation("an event tells of comment %s, which is not there", id))
		}
	}
	return out
}

// commented looks for the event of an acknowledged operation on a comment, with what was asked for.
func (b *Book) commented(op *ledger.Op, kind string) []Violation {
	for _, e := range b.traced[op.Trace] {
		if e.Kind != kind || e.Aggregate != op.Tasks[0] {
			continue
		}
		var id, body string
		for _, c := range e.Changes {
			value := c.After
			if kind == "comment.removed" {
				value = c.Before
			}
			var err error
			switch c.Field {
			case "comment":
				err = into(&id, value)
			case "body":
				err = into(&body, value)
			}
			if err != nil {
				return []Violation{violation("%s %s: field %s: %v", op.Kind, op.ID, c.Field, err).of(op)}
			}
		}
		if id != op.Comment || op.Asked.Body != "" && body != op.Asked.Body {
			return []Violation{violation("%s %s was asked for %q on comment %s; its event says %q on %s", op.Kind, op.ID, op.Asked.Body, op.Comment, body, id).of(op)}
		}
		return nil
	}
	return []Violation{violation("%s %s of comment %s was acknowledged, and the history of %s has no %s of it", op.Kind, op.ID, op.Comment, op.Tasks[0], kind).of(op)}
}

// opposite says how the other task sees a relation.
var opposite = map[string]string{"blocks": "blocked-by", "blocked-by": "blocks", "duplicates": "duplicated-by", "duplicated-by": "duplicates", "relates": "relates"}

// side is a relation as one task sees it.
type side struct{ task, Kind, other string }

// Relations demands that both tasks of a relation tell the same of it, and that those are there of which they tell. An
// operation changed both or none.
func Relations(b *Book) []Violation {
	there, out := b.related()
	for s := range there {
		if !there[side{s.other, opposite[s.Kind], s.task}] {
			out = append(out, violation("%s tells that it %s %s, which knows nothing of it", s.task, s.Kind, s.other))
		}
	}
	for _, r := range b.Found.Relations {
		for _, s := range []side{{r.From, r.Kind, r.To}, {r.To, opposite[r.Kind], r.From}} {
			if !there[s] {
				out = append(out, violation("%s %s %s without an event", r.From, r.Kind, r.To))
			}
			delete(there, s)
		}
	}
	for s := range there {
		out = append(out, violation("events tell that %s %s %s, and it is not so", s.task, s.Kind, s.other))
	}
	for i := range b.Ops {
		if op := &b.Ops[i]; op.Kind == ledger.Relate || op.Kind == ledger.Unrelate {
			out = append(out, b.relating(op)...)
		}
	}
	return out
}

// related replays the events of relations.
func (b *Book) related() (there map[side]bool, out []Violation) {
	there = map[side]bool{}
	for task, events := range b.events {
		for _, e := range events {
			if e.Kind != "relation.added" && e.Kind != "relation.removed" {
				continue
			}
			added := e.Kind == "relation.added"
			for _, c := range e.Changes {
				value := c.After
				if !added {
					value = c.Before
				}
				var l struct{ Kind, Task string }
				if err := into(&l, value); err != nil || c.Field != "relation" {
					out = append(out, violation("event %d of %s: relation %s: %v", e.Seq, task, value, err))
					continue
				}
				s := side{task, l.Kind, l.Task}
				if there[s] == added {
					out = append(out, violation("event %d of %s: %s of %q with %s, which was so before", e.Seq, task, e.Kind, l.Kind, l.Task).of(b.ops[e.Trace]))
				}
				there[s] = added
			}
		}
	}
	maps.DeleteFunc(there, func(_ side, is bool) bool { return !is })
	return there, out
}

// relating compares an operation with what it left in the histories of the tasks. Whoever was told that two tasks are related
// may have come second, so that the event is another one's; whoever was told that they are no longer has taken the relation
// away: where there is none, the answer is a refusal.
func (b *Book) relating(op *ledger.Op) (out []Violation) {
	from, to := op.Tasks[0], op.Tasks[1]
	sides := []side{{from, op.Asked.Relation, to}, {to, opposite[op.Asked.Relation], from}}
	kind := map[ledger.Kind]string{ledger.Relate: "relation.added", ledger.Unrelate: "relation.removed"}[op.Kind]
	left := map[side]bool{}
	for _, e := range b.traced[op.Trace] {
		s, ok := sideOf(e)
		if !ok || e.Kind != kind || !slices.Contains(sides, s) {
			out = append(out, violation("%s %s of %s %s %s left %s on %s: %s %s", op.Kind, op.ID, from, op.Asked.Relation, to, e.Kind, e.Aggregate, s.Kind, s.other).of(op))
		}
		left[s] = true
	}
	if n := len(left); n != 0 && n != len(sides) {
		out = append(out, violation("%s %s changed %d of %d tasks", op.Kind, op.ID, n, len(sides)).of(op))
	}
	if op.Outcome != ledger.Acknowledged {
		return out
	}
	for _, s := range sides {
		switch {
		case op.Kind == ledger.Unrelate && !left[s]:
			out = append(out, violation("%s %s was acknowledged, and the history of %s does not have it", op.Kind, op.ID, s.task).of(op))
		case op.Kind == ledger.Relate && !b.wasRelated(op, s):
			out = append(out, violation("%s %s was acknowledged, and the history of %s has no moment at which it %s %s", op.Kind, op.ID, s.task, s.Kind, s.other).of(op))
		}
	}
	return out
}

// sideOf reads the relation that an event tells of.
func sideOf(e *Event) (s side, ok bool) {
	s.task = e.Aggregate
	for _, c := range e.Changes {
		value := c.After
		if e.Kind == "relation.removed" {
			value = c.Before
		}
		var l struct{ Kind, Task string }
		if c.Field == "relation" && into(&l, value) == nil {
			s.Kind, s.other, ok = l.Kind, l.Task, true
		}
	}
	return s, ok
}

// wasRelated says whether an acknowledged operation may have been the truth for one of the two tasks: its own event tells of
// the relation, or others had made it and nobody had certainly removed it again before the operation began.
func (b *Book) wasRelated(op *ledger.Op, s side) bool {
	var by *Event // who made the relation that is there at this point of the history; nil: it is not there
	possible := func(gone *Event) bool {
		if by == nil {
			return false
		}
		made := b.ops[by.Trace]
		if made != nil && made != op && made.Start > op.End {
			return false
		}
		if made == op || gone == nil {
			return true
		}
		removed := b.ops[gone.Trace]
		return removed == nil || removed.Outcome != ledger.Acknowledged || removed.End >= op.Start
	}
	for _, e := range b.events[s.task] {
		for _, c := range e.Changes {
			var l struct{ Kind, Task string }
			switch {
			case e.Kind == "relation.added" && into(&l, c.After) == nil && l.Kind == s.Kind && l.Task == s.other:
				by = e
			case e.Kind == "relation.removed" && into(&l, c.Before) == nil && l.Kind == s.Kind && l.Task == s.other:
				if possible(e) {
					return true
				}
				by = nil
			}
		}
	}
	return possible(nil)
}

func (r Relation) String() string { return fmt.Sprintf("%s %s %s", r.From, r.Kind, r.To) }
