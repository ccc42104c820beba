package check

import (
	"cmp"
	"slices"
	"time"

	"github.com/tallyboard/tallyboard/services/drill/internal/ledger"
)

// Streams demands that every live client saw each event of its project behind its beginning once, in order of position,
// whatever broke in between, and was never told to begin anew.
func Streams(b *Book) []Violation {
	byProject := map[string][]*Event{}
	for i := range b.Found.Events {
		e := &b.Found.Events[i]
		key := b.keys[e.Project]
		byProject[key] = append(byProject[key], e)
	}
	for _, events := range byProject {
		slices.SortFunc(events, func(x, y *Event) int { return cmp.Compare(x.Pos, y.Pos) })
	}
	var out []Violation
	for _, s := range b.Streams {
		for _, fault := range s.Faults {
			out = append(out, violation("live client %d of %s received something broken: %s", s.Client, s.Project, fault))
		}
		for _, pos := range s.Resets {
			out = append(out, violation("live client %d of %s was told to begin anew at %d, though no history was taken back", s.Client, s.Project, pos))
		}
		if v, bad := received(s, byProject[s.Project]); bad {
			out = append(out, v)
		}
	}
	return out
}

// received compares what a client got with what there was to get, and tells the first difference.
func received(s ledger.Stream, events []*Event) (Violation, bool) {
	first, _ := slices.BinarySearchFunc(events, s.From+1, func(e *Event, pos int64) int { return cmp.Compare(e.Pos, pos) })
	want := events[first:]
	var last int64
	for i, got := range s.Events {
		switch {
		case got.Pos == last:
			return violation("live client %d of %s received position %d twice", s.Client, s.Project, got.Pos), true
		case got.Pos < last:
			return violation("live client %d of %s received position %d behind %d", s.Client, s.Project, got.Pos, last), true
		case i >= len(want):
			return violation("live client %d of %s received position %d, which is not in the history", s.Client, s.Project, got.Pos), true
		case got.Pos != want[i].Pos:
			return violation("live client %d of %s received position %d where %d should be", s.Client, s.Project, got.Pos, want[i].Pos), true
		case got.Kind != want[i].Kind || got.Seq != want[i].Seq || want[i].OfTask && got.Task != want[i].Aggregate:
			return violation("live client %d of %s received another event at position %d than the history has", s.Client, s.Project, got.Pos), true
		}
		last = got.Pos
	}
	if len(s.Events) < len(want) {
		return violation("live client %d of %s never received position %d and %d more", s.Client, s.Project, want[len(s.Events)].Pos, len(want)-len(s.Events)-1), true
	}
	return Violation{}, false
}

// CaughtUp demands that statistics, and their recount, have come to the last event at the end of the time that was allowed.
// That they have not may be lateness and no more: a slow machine does it.
func CaughtUp(b *Book) []Violation {
	if s, n := b.Found.Stats, int64(len(b.Found.Events)); s.Cursor != n || s.Pos != n {
		return []Violation{violation("statistics have come to position %d (recounted to %d) of %d", s.Cursor, s.Pos, n)}
	}
	return nil
}

// stillFor is how long statistics must not have moved to count as stuck: by far longer than another instance needs to take
// over from one that died.
const stillFor = 10 * time.Second

// Standstill demands that statistics behind published events move. However late they are, sound ones do.
func Standstill(b *Book) []Violation {
	if len(b.Marks) == 0 {
		return nil
	}
	last := b.Marks[len(b.Marks)-1]
	if b.Found.Stats.Cursor != last.Cursor || last.Cursor >= last.Published {
		return nil
	}
	since := last
	for i := len(b.Marks) - 1; i >= 0 && b.Marks[i].Cursor == last.Cursor && b.Marks[i].Published > last.Cursor; i-- {
		since = b.Marks[i]
	}
	if still := last.At - since.At; still >= stillFor {
		return []Violation{violation("statistics have stood at position %d for the last %s, when %d were published", last.Cursor, still.Round(time.Second), since.Published)}
	}
	return nil
}

// Projection demands that statistics equal a recount of all tasks, and that nothing is parked. How far they have come is
// another matter: see [CaughtUp] and [Standstill].
func Projection(b *Book) []Violation {
	var out []Violation
	s := b.Found.Stats
	if !s.Equal || s.Differences > 0 {
		out = append(out, violation("statistics differ from a recount in %d places", s.Differences))
	}
	if s.Parked > 0 {
		out = append(out, violation("%d tasks are parked", s.Parked))
	}
	if s.Pos == int64(len(b.Found.Events)) && s.Tasks != len(b.Found.Tasks) { // up to an earlier position there are fewer
		out = append(out, violation("the recount compared %d tasks of %d", s.Tasks, len(b.Found.Tasks)))
	}
	return out
}

// Recovery demands that after each fault people could work again in time, and everything was well again in time.
func Recovery(b *Book) []Violation {
	var out []Violation
	for _, f := range b.Faults {
		switch {
		case f.Error != "":
			out = append(out, violation("%s of %s at %s: %s", f.Kind, f.Target, f.Start, f.Error))
		case f.Serving > b.Limits.Serving:
			out = append(out, violation("after %s of %s at %s it took %s until a write was acknowledged; the limit is %s", f.Kind, f.Target, f.Start, f.Serving, b.Limits.Serving))
		case f.Whole > b.Limits.Whole:
			out = append(out, violation("after %s of %s at %s it took %s until everything was well; the limit is %s", f.Kind, f.Target, f.Start, f.Whole, b.Limits.Whole))
		}
	}
	return out
}

// Levels demands that, at rest, no process holds notably more goroutines, files or memory than before the load. How many
// tasks there are changes little: what services keep of them is bounded.
func Levels(b *Book) []Violation {
	var out []Violation
	for _, l := range b.Found.Levels {
		if more := l.GoroutinesAfter - l.GoroutinesBefore; more > b.Limits.Goroutines {
			out = append(out, violation("%s has %d goroutines at rest, %d before the load", l.Process, l.GoroutinesAfter, l.GoroutinesBefore))
		}
		if more := l.FDsAfter - l.FDsBefore; more > b.Limits.FDs {
			out = append(out, violation("%s has %d open files at rest, %d before the load", l.Process, l.FDsAfter, l.FDsBefore))
		}
		if more := l.HeapAfter - l.HeapBefore; b.Limits.Heap > 0 && more > b.Limits.Heap {
			out = append(out, violation("%s has %d MiB in its heap at rest, %d before the load", l.Process, l.HeapAfter>>20, l.HeapBefore>>20))
		}
		if more := l.MemoryAfter - l.MemoryBefore; b.Limits.Memory > 0 && more > b.Limits.Memory {
			out = append(out, violation("%s occupies %d MiB at rest, %d before the load", l.Process, l.MemoryAfter>>20, l.MemoryBefore>>20))
		}
	}
	return out
}
