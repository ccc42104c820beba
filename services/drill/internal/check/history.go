package check

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tallyboard/tallyboard/services/drill/internal/ledger"
)

// History demands that each task and project has its events 1, 2, 3 … without gaps, the first one its making, and that the
// row of each task is what its events make of it, and its rows of labels what that row says.
func History(b *Book) []Violation {
	out := slices.Clone(b.unreadable)
	for _, id := range slices.Sorted(maps.Keys(b.events)) {
		events := b.events[id]
		for i, e := range events {
			if want := int64(i + 1); e.Seq != want {
				out = append(out, violation("%s has event %d where %d should be (%s)", id, e.Seq, want, e.Kind).of(b.ops[e.Trace]))
				break
			}
		}
		if first := events[0]; first.Kind != "task.created" && first.Kind != "project.created" {
			out = append(out, violation("the history of %s begins with %s", id, first.Kind))
		}
		if events[0].OfTask && b.tasks[id] == nil {
			out = append(out, violation("there are %d events of task %s, and no task", len(events), id).of(b.ops[events[0].Trace]))
		}
	}
	labels := map[string][]string{}
	for _, l := range b.Found.Labelled {
		labels[l.Task] = append(labels[l.Task], l.Label)
		if b.tasks[l.Task] == nil {
			out = append(out, violation("label %s is on task %s, which is not there", l.Label, l.Task))
		}
	}
	numbers := map[string]string{}
	for _, t := range b.Found.Tasks {
		steps := b.histories[t.ID]
		if len(steps) == 0 {
			out = append(out, violation("task %s %q is there without any history", t.Key, t.Title))
			continue
		}
		last := steps[len(steps)-1]
		if d := difference(last.task, t.Task); d != "" {
			out = append(out, violation("history and row of task %s differ: %s", t.Key, d).of(last.op))
		}
		if !sameSet(labels[t.ID], t.Labels) {
			out = append(out, violation("task %s has the labels %v, and rows of %v", t.Key, t.Labels, labels[t.ID]).of(last.op))
		}
		if last.event.Seq != t.Seq {
			out = append(out, violation("the row of task %s counts %d events, there are %d", t.Key, t.Seq, last.event.Seq).of(last.op))
		}
		if other, twice := numbers[t.Key]; twice {
			out = append(out, violation("two tasks are called %s: %s and %s", t.Key, other, t.ID))
		}
		numbers[t.Key] = t.ID
	}
	return out
}

// Positions demands that they are 1, 2, 3 … without gaps, in each task in the order of its events, and that a change that was
// acknowledged before another one was asked for stands in front of it. An event that has none comes behind all that have
// one, and so may be one that was passed over. That it has none yet is another matter: see [Relayed].
func Positions(b *Book) []Violation {
	var out []Violation
	var events, later []*Event
	for i := range b.Found.Events {
		if e := &b.Found.Events[i]; e.Pos == 0 {
			later = append(later, e)
		} else {
			events = append(events, e)
		}
	}
	slices.SortFunc(events, func(x, y *Event) int { return cmp.Compare(x.Pos, y.Pos) })
	seqs := map[string]int64{}
	for i, e := range events {
		if want := int64(i + 1); e.Pos != want {
			out = append(out, violation("position %d comes where %d should be", e.Pos, want).of(b.ops[e.Trace]))
			break
		}
	}
	slices.SortFunc(later, func(x, y *Event) int { return cmp.Or(cmp.Compare(x.Seq, y.Seq), cmp.Compare(x.ID, y.ID)) })
	all := append(slices.Clip(events), later...)
	for _, e := range all {
		if last := seqs[e.Aggregate]; e.Seq <= last {
			out = append(out, violation("event %d of %s has %s, behind event %d", e.Seq, e.Aggregate, e.place(), last).of(b.ops[e.Trace]))
		}
		seqs[e.Aggregate] = max(seqs[e.Aggregate], e.Seq)
	}
	return append(out, realTime(b, events, later)...)
}

// place says where an event stands, for people.
func (e *Event) place() string {
	if e.Pos == 0 {
		return "no position"
	}
	return fmt.Sprintf("position %d", e.Pos)
}

// Relayed demands that, at the end of the time that was allowed, every event has a position and every position is published.
// An event without one may be late or lost: if others passed it over, [Positions] says so.
func Relayed(b *Book) (out []Violation) {
	var n int64
	for i := range b.Found.Events {
		if e := &b.Found.Events[i]; e.Pos == 0 {
			out = append(out, violation("event %d of %s has no position yet", e.Seq, e.Aggregate).of(b.ops[e.Trace]))
			continue
		}
		n++
	}
	if b.Found.Given != n || b.Found.Published != n {
		out = append(out, violation("%d events have positions; the relay says it gave %d and published %d", n, b.Found.Given, b.Found.Published))
	}
	return out
}

// realTime compares the order of positions with the order people can know of. Those who have none follow on those who have.
func realTime(b *Book, inOrder, later []*Event) (out []Violation) {
	var latest time.Duration = -1
	var latestEvent *Event
	overtaken := func(e *Event) {
		if op := b.ops[e.Trace]; op != nil && op.Outcome == ledger.Acknowledged && op.End < latest {
			out = append(out, violation("what has %s was acknowledged at %s, before position %d was asked for at %s",
				e.place(), op.End, latestEvent.Pos, latest).of(op, b.ops[latestEvent.Trace]))
		}
	}
	for _, e := range inOrder {
		overtaken(e)
		if op := b.ops[e.Trace]; op != nil && op.Start > latest {
			latest, latestEvent = op.Start, e
		}
	}
	for _, e := range later { // among themselves they have no order yet
		overtaken(e)
	}
	return out
}

// Times demands that no clock shows in a history: in each task and project, nothing occurred before what stands in front of
// it, however the clocks of those who wrote it differ. Statistics measure between these times, so none is negative.
func Times(b *Book) []Violation {
	var out []Violation
	for _, id := range slices.Sorted(maps.Keys(b.events)) {
		events := b.events[id]
		for i := 1; i < len(events); i++ {
			if was, is := events[i-1], events[i]; is.Occurred.Before(was.Occurred) {
				out = append(out, violation("event %d of %s occurred at %s, before event %d at %s", is.Seq, id,
					is.Occurred.Format(time.RFC3339Nano), was.Seq, was.Occurred.Format(time.RFC3339Nano)).of(b.ops[was.Trace], b.ops[is.Trace]))
			}
		}
	}
	return out
}

// Marks demands that nothing that only grows ever went back, be it for a moment between two looks: neither the positions
// given, published and applied, nor the epochs of who wrote them. An older epoch behind a newer one is a leader that was not
// fenced off.
func Marks(b *Book) (out []Violation) {
	for _, s := range b.Found.StepsBack {
		out = append(out, violation("the %s was set back from %d to %d", s.What, s.Was, s.Is))
	}
	for i := 1; i < len(b.Marks); i++ {
		was, is := b.Marks[i-1], b.Marks[i]
		for _, m := range []struct {
			name    string
			was, is int64
		}{
			{"epoch of the relay", was.Epoch, is.Epoch},
			{"last position given", was.Given, is.Given},
			{"last position published", was.Published, is.Published},
			{"epoch of the statistics", was.CursorEpoch, is.CursorEpoch},
			{"cursor of the statistics", was.Cursor, is.Cursor},
		} {
			if m.is < m.was {
				out = append(out, violation("the %s went back from %d to %d between %s and %s", m.name, m.was, m.is, was.At, is.At))
			}
		}
	}
	return out
}
