package traces

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// tree is the spans of one trace with who called whom.
type tree struct {
	spans    []Span
	parent   []int   // index of the parent; -1 for roots, orphans and where a cycle was cut
	children [][]int // by start
	order    []int   // parents before children, otherwise by start
	orphans  int
}

// newTree takes the spans, which must have distinct ids; it keeps the slice.
func newTree(spans []Span) *tree {
	t := &tree{spans: spans, parent: make([]int, len(spans)), children: make([][]int, len(spans)), order: make([]int, 0, len(spans))}
	byID := make(map[string]int, len(spans))
	for i := range spans {
		byID[spans[i].SpanID] = i
	}
	for i := range spans {
		t.parent[i] = -1
		p, known := byID[spans[i].ParentID]
		switch {
		case known && p != i:
			t.parent[i] = p
			t.children[p] = append(t.children[p], i)
		case spans[i].ParentID != "":
			t.orphans++
		}
	}
	t.sort()
	return t
}

// sort fills order and puts children by start. Spans that are reached from no root are on or behind a cycle of parents,
// which only a broken or lying client makes: it is cut at its earliest span.
func (t *tree) sort() {
	byStart := make([]int, len(t.spans))
	for i := range byStart {
		byStart[i] = i
	}
	slices.SortFunc(byStart, t.compare)
	for _, c := range t.children {
		slices.SortFunc(c, t.compare)
	}
	t.order = t.order[:0]
	seen := make([]bool, len(t.spans))
	var visit func(i int)
	visit = func(i int) {
		seen[i] = true
		t.order = append(t.order, i)
		for _, c := range t.children[i] {
			if !seen[c] {
				visit(c)
			}
		}
	}
	for _, i := range byStart {
		if t.parent[i] < 0 {
			visit(i)
		}
	}
	for _, i := range byStart {
		if !seen[i] {
			p := t.parent[i]
			t.children[p] = slices.DeleteFunc(t.children[p], func(c int) bool { return c == i })
			t.parent[i] = -1
			t.orphans++
			visit(i)
		}
	}
}

// compare orders siblings: by start, the longer first.
func (t *tree) compare(a, b int) int {
	x, y := &t.spans[a], &t.spans[b]
	return cmp.Or(x.Start.Compare(y.Start), cmp.Compare(y.Duration, x.Duration), cmp.Compare(x.SpanID, y.SpanID))
}

// extent is from the first start to the last end.
func (t *tree) extent() (start time.Time, duration time.Duration) {
	var end time.Time
	for i := range t.spans {
		s := &t.spans[i]
		if i == 0 || s.Start.Before(start) {
			start = s.Start
		}
		if i == 0 || s.End().After(end) {
			end = s.End()
		}
	}
	return start, end.Sub(start)
}

// root is the span that everything began with: the topmost one above the first span of a service, because a browser can
// add to a trace what it likes; without a service, the earliest one. It is -1 in an empty trace.
func (t *tree) root() int {
	i := t.firstTrusted()
	if i < 0 {
		if len(t.order) == 0 {
			return -1
		}
		i = t.order[0]
	}
	for t.parent[i] >= 0 {
		i = t.parent[i]
	}
	return i
}

// assemble makes a trace of its spans, which must have distinct ids and belong to the caller. It fails only with the error
// of ctx.
func assemble(ctx context.Context, id string, spans []Span) (*Trace, error) {
	t := newTree(spans)
	if err := t.adjustClocks(ctx); err != nil {
		return nil, err
	}
	start, duration := t.extent()
	ordered := make([]Span, 0, len(spans))
	for _, i := range t.order {
		ordered = append(ordered, spans[i])
	}
	return &Trace{TraceID: id, Start: start, Duration: duration, Spans: ordered, CriticalPath: t.criticalPath(), Orphans: t.orphans}, nil
}
