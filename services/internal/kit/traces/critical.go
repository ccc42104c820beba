package traces

import (
	"slices"
	"time"
)

// criticalPath is what the end of the trace's last work waited for: the pieces of spans that would have to become faster
// for the last row to be written, or the last browser to be told, sooner.
//
// It is found backwards, as in CRISP (Zhang et al., "CRISP: Critical Path Analysis of Large-Scale Microservice
// Architectures", USENIX ATC 2022), with one change: a span is taken to end with the last of its descendants, because a
// message is worked on after the span that sent it ended. So: start at the end of the root's tree. In a span, go back
// to the child that ended last before where we stand; the time between is the span's own, as far as it was still
// running, and a gap after it had ended: waiting in a queue, in which nothing worked. Go on within that child, then with
// the child that ended last before that one began. A child that overlaps one on the path ran beside it, and nothing
// waited for it.
//
// The pieces are in order of time and do not overlap. Spans outside the root's tree are not considered.
func (t *tree) criticalPath() []Segment {
	root := t.root()
	if root < 0 {
		return nil
	}
	p := &pathFinder{tree: t, start: make([]time.Time, len(t.spans)), end: make([]time.Time, len(t.spans))}
	for _, i := range slices.Backward(t.order) { // children before parents
		p.start[i], p.end[i] = t.spans[i].Start, t.spans[i].End()
		for _, c := range t.children[i] {
			if p.start[c].Before(p.start[i]) {
				p.start[i] = p.start[c]
			}
			if p.end[c].After(p.end[i]) {
				p.end[i] = p.end[c]
			}
		}
	}
	p.walk(root)
	slices.Reverse(p.path)
	return p.path
}

// pathFinder collects the path from its end.
type pathFinder struct {
	*tree

	start, end []time.Time // of each span with all its descendants
	path       []Segment
}

func (p *pathFinder) walk(i int) {
	s, cursor := &p.spans[i], p.end[i]
	children := slices.Clone(p.children[i])
	slices.SortStableFunc(children, func(a, b int) int { return p.end[b].Compare(p.end[a]) })
	for _, c := range children {
		if p.end[c].After(cursor) {
			continue // ran beside what was waited for
		}
		p.own(s, p.end[c], cursor)
		p.walk(c)
		cursor = p.start[c]
	}
	p.own(s, s.Start, cursor)
}

// own adds the part of [from, to] in which the span was running.
func (p *pathFinder) own(s *Span, from, to time.Time) {
	if from.Before(s.Start) {
		from = s.Start
	}
	if to.After(s.End()) {
		to = s.End()
	}
	if from.Before(to) {
		p.path = append(p.path, Segment{SpanID: s.SpanID, Start: from, Duration: to.Sub(from)})
	}
}
