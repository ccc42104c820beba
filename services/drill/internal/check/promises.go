package check

import (
	"slices"

	"github.com/tallyboard/tallyboard/services/drill/internal/ledger"
)

// Doubled finds operations that, sent more than once, changed something more than once.
func Doubled(b *Book) []Violation {
	var out []Violation
	for i := range b.Ops {
		op := &b.Ops[i]
		count := map[string]int{}
		for _, e := range b.traced[op.Trace] {
			count[e.Aggregate]++
			if count[e.Aggregate] == 2 {
				out = append(out, violation("%s %s changed %s twice, in %d attempts", op.Kind, op.ID, e.Aggregate, op.Attempts).of(op))
			}
		}
		if want := max(1, len(op.Asked.Rows)); (op.Kind == ledger.Create || op.Kind == ledger.Import) && len(count) > want {
			out = append(out, violation("%s %s made %d tasks instead of %d, in %d attempts", op.Kind, op.ID, len(count), want, op.Attempts).of(op))
		}
	}
	said := map[string]string{}
	for _, c := range b.Found.Comments {
		if other, twice := said[c.Body]; twice {
			out = append(out, violation("the comment %q is there twice, as %s and %s", c.Body, other, c.ID))
		}
		said[c.Body] = c.ID
	}
	return out
}

// Answers demands that nobody got an answer that blames the service's own code, or that leaves open what happened and when
// to come again, whatever was broken.
func Answers(b *Book) []Violation {
	var out []Violation
	for i := range b.Ops {
		for _, odd := range b.Ops[i].Odd {
			out = append(out, violation("%s %s was answered with %s", b.Ops[i].Kind, b.Ops[i].ID, odd).of(&b.Ops[i]))
		}
	}
	return out
}

// Acknowledged demands that what was answered as done is there, and that the answer was the truth at its moment.
func Acknowledged(b *Book) []Violation {
	var out []Violation
	told, there := b.remarks(), map[string]bool{}
	for _, c := range b.Found.Comments {
		there[c.ID] = true
	}
	for i := range b.Ops {
		op := &b.Ops[i]
		if op.Outcome != ledger.Acknowledged {
			continue
		}
		out = append(out, granted(op)...)
		for _, t := range op.Answer {
			out = append(out, b.answered(op, t)...)
		}
		switch op.Kind {
		case ledger.Create:
			out = append(out, b.made(op, "task.created", ids(op.Answer))...)
		case ledger.Update, ledger.Move, ledger.Bulk:
			out = append(out, b.made(op, "task.changed", op.Tasks)...)
		case ledger.Comment:
			if r := told[op.Comment]; !there[op.Comment] && (r == nil || !r.gone) {
				out = append(out, violation("comment %s of %s was acknowledged and is not there", op.Comment, op.ID).of(op))
			}
			out = append(out, b.commented(op, "comment.added")...)
		case ledger.EditComment:
			out = append(out, b.commented(op, "comment.edited")...)
		case ledger.RemoveComment:
			out = append(out, b.commented(op, "comment.removed")...)
		case ledger.Rename, ledger.AddState, ledger.ChangeState, ledger.ArchiveState, ledger.AddLabel, ledger.ChangeLabel, ledger.RemoveLabel,
			ledger.SetMember, ledger.RemoveMember, ledger.ReadProject, ledger.AddView, ledger.ReplaceView, ledger.RemoveView: // see [Settings]
		case ledger.Import:
			out = append(out, b.imported(op)...)
		case ledger.Trash, ledger.Restore, ledger.Read: // may have had nothing to do; the answer says enough
		case ledger.Relate, ledger.Unrelate: // answers without content: [Relations] demands what they left in the histories
		}
	}
	return out
}

// answered compares a task in an answer with its history.
func (b *Book) answered(op *ledger.Op, t ledger.Task) []Violation {
	s, there := b.at(t.ID, t.Version)
	if !there {
		return []Violation{violation("%s %s was answered with version %d of %s, which the history does not have", op.Kind, op.ID, t.Version, t.Key).of(op)}
	}
	if d := difference(s.task, t); d != "" {
		return []Violation{violation("history and answer of %s %s differ in version %d of %s: %s", op.Kind, op.ID, t.Version, t.Key, d).of(op, s.op)}
	}
	nothing := op.Kind == ledger.Read || op.Kind == ledger.Trash && t.Trashed != nil || op.Kind == ledger.Restore && t.Trashed == nil
	if s.op != op && !nothing {
		return []Violation{violation("%s %s was answered with version %d of %s, which somebody else made", op.Kind, op.ID, t.Version, t.Key).of(op, s.op)}
	}
	return nil
}

// made looks for the events of an acknowledged operation.
func (b *Book) made(op *ledger.Op, kind string, tasks []string) (out []Violation) {
	for _, id := range tasks {
		found := slices.ContainsFunc(b.traced[op.Trace], func(e *Event) bool { return e.Aggregate == id && e.Kind == kind })
		if !found {
			out = append(out, violation("%s %s was acknowledged, and the history of %s has no %s of it", op.Kind, op.ID, id, kind).of(op))
		}
	}
	return out
}

// imported looks for the rows of an acknowledged import.
func (b *Book) imported(op *ledger.Op) (out []Violation) {
	there := map[string]bool{}
	for _, e := range b.traced[op.Trace] {
		if e.Kind != "task.created" {
			continue
		}
		for _, c := range e.Changes {
			var title string
			if c.Field == "title" && into(&title, c.After) == nil {
				there[title] = true
			}
		}
	}
	for _, title := range op.Asked.Rows {
		if !there[title] {
			out = append(out, violation("import %s was acknowledged, and %q is not there", op.ID, title).of(op))
		}
	}
	return out
}

// Unacknowledged demands that what was refused left nothing, that what was never answered is there as a whole or not at all,
// and that nothing is there that nobody asked for.
func Unacknowledged(b *Book) []Violation {
	var out []Violation
	for i := range b.Ops {
		op := &b.Ops[i]
		events := b.traced[op.Trace]
		switch {
		case op.Outcome == ledger.Refused && len(events) > 0:
			out = append(out, violation("%s %s was refused (%d), and %d events are there", op.Kind, op.ID, op.Status, len(events)).of(op))
		case op.Outcome == ledger.Unknown && op.Kind == ledger.Bulk && len(events) > 0:
			touched := map[string]bool{}
			for _, e := range events {
				touched[e.Aggregate] = true
			}
			if len(touched) != len(op.Tasks) {
				out = append(out, violation("bulk edit %s changed %d of %d tasks", op.ID, len(touched), len(op.Tasks)).of(op))
			}
		}
	}
	for i := range b.Found.Events {
		if e := &b.Found.Events[i]; (e.OfTask || e.Kind != "project.created") && b.ops[e.Trace] == nil {
			out = append(out, violation("%s of %s at position %d was asked for by nobody (trace %s)", e.Kind, e.Aggregate, e.Pos, e.Trace))
		}
	}
	return append(out, b.comments()...)
}

func ids(tasks []ledger.Task) []string {
	out := make([]string, len(tasks))
	for i, t := range tasks {
		out[i] = t.ID
	}
	return out
}
