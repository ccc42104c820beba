package traces

import (
	"context"
	"slices"
	"time"
)

// BrowserService is the service.name of browsers, whose clocks and words are not trusted.
const BrowserService = "browser"

const (
	// minSkew is the smallest difference of clocks that is corrected. Below it, rounding explains a child that begins
	// before its parent, and a correction would only confuse.
	minSkew = time.Millisecond
	// maxAway is how far spans that hang on nothing may stand from the others before their clock is taken for wrong.
	maxAway = 10 * time.Minute
	// unbounded stands for a shift without limit; sums of two of them are still durations.
	unbounded time.Duration = 1 << 61
)

// clocks knows which spans were timed by the same clock, and how these relate.
type clocks struct {
	of     []int // clock of each span
	count  int
	placed []bool // by clock: whether its times fit the reference
	edges  []edge
}

// edge is a call from a span timed by one clock to a span timed by another.
type edge struct{ parent, child int }

// adjustClocks shifts spans whose clock differs from that of the services, so that causes stand before effects: a span
// that was waited for lies within the one that waited, and a message is taken out after it was put in. The clock of the
// first service (no browser) is the reference; from there it goes along the calls. Instances of services have one clock
// each; spans of browsers have one per unbroken piece of the tree, because nothing tells two browsers apart.
//
// The shift is the smallest that is certain: none if the times are possible as they are; if they are not, the middle of
// what would be possible, which assumes that a request travels as long as its answer, as NTP does (RFC 5905 §8).
// Jaeger corrects each span for itself; here all spans of a clock move together and keep their distances.
//
// Each clock costs a look at all calls and spans, so it ends with the error of ctx between two clocks.
func (t *tree) adjustClocks(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c := t.clocks()
	reference := t.firstTrusted()
	if reference < 0 || c.count < 2 {
		return nil
	}
	c.placed[c.of[reference]] = true
	for moving := c.next(); moving >= 0; moving = c.next() {
		if err := ctx.Err(); err != nil {
			return err
		}
		t.shift(c, moving, t.skew(c, moving))
		c.placed[moving] = true
	}
	t.retrieve(c)
	t.sort()
	return nil
}

// firstTrusted is the first span of a service, from the top of a tree; -1 if there are only browsers. Trees that are whole
// go before those whose top is missing. Times are not looked at: they may be wrong.
func (t *tree) firstTrusted() int {
	first, top := -1, -1
	for _, i := range t.order {
		if t.parent[i] < 0 {
			top = i
		}
		if t.spans[i].Service == BrowserService {
			continue
		}
		if t.spans[top].ParentID == "" {
			return i
		}
		if first < 0 {
			first = i
		}
	}
	return first
}

func (t *tree) clocks() *clocks {
	type key struct{ service, instance string }
	c := &clocks{of: make([]int, len(t.spans))}
	known := map[key]int{}
	for _, i := range t.order {
		s, p := &t.spans[i], t.parent[i]
		id := key{s.Service, s.Instance}
		clock, seen := known[id]
		switch {
		case p >= 0 && t.spans[p].Service == s.Service && t.spans[p].Instance == s.Instance:
			clock = c.of[p]
		case s.Service == BrowserService || !seen:
			clock = c.count
			known[id] = clock
			c.count++
		}
		c.of[i] = clock
		if p >= 0 && c.of[p] != clock {
			c.edges = append(c.edges, edge{p, i})
		}
	}
	c.placed = make([]bool, c.count)
	return c
}

// next is a clock that is not placed and has a call to or from one that is; -1 if there is none.
func (c *clocks) next() int {
	for _, e := range c.edges {
		p, ch := c.of[e.parent], c.of[e.child]
		switch {
		case c.placed[p] && !c.placed[ch]:
			return ch
		case c.placed[ch] && !c.placed[p]:
			return p
		}
	}
	return -1
}

// skew is what to add to the times of a clock, judged by its calls from and to clocks that are placed.
func (t *tree) skew(c *clocks, moving int) time.Duration {
	low, high := -unbounded, unbounded
	for _, e := range c.edges {
		p, ch := c.of[e.parent], c.of[e.child]
		if p == ch || (p != moving || !c.placed[ch]) && (ch != moving || !c.placed[p]) {
			continue
		}
		l, h := t.possible(e)
		if ch == moving { // that is for the parent; the child moves the other way
			l, h = -h, -l
		}
		low, high = max(low, min(l, unbounded)), min(high, max(h, -unbounded))
	}
	switch {
	case low <= minSkew && high >= -minSkew:
		return 0
	case high == unbounded:
		return low
	case low == -unbounded:
		return high
	}
	return low + (high-low)/2
}

// possible is what may be added to the times of an edge's parent, from least to most.
func (t *tree) possible(e edge) (low, high time.Duration) {
	p, c := &t.spans[e.parent], &t.spans[e.child]
	high = c.Start.Sub(p.Start)
	switch {
	case c.Kind == Consumer || p.Kind == Producer: // nobody waits for it
		return -unbounded, high
	case c.Duration > p.Duration: // nobody waited to its end: the caller gave up
		return c.Start.Sub(p.End()), high
	}
	return c.End().Sub(p.End()), high
}

func (t *tree) shift(c *clocks, clock int, by time.Duration) {
	if by == 0 {
		return
	}
	for i := range t.spans {
		if c.of[i] == clock {
			t.spans[i].move(by)
		}
	}
}

// move shifts a span and its events. The slice of events may belong to others and is not changed.
func (s *Span) move(by time.Duration) {
	s.Start, s.Adjusted = s.Start.Add(by), s.Adjusted+by
	s.Events = slices.Clone(s.Events)
	for i := range s.Events {
		s.Events[i].Time = s.Events[i].Time.Add(by)
	}
}

// retrieve brings browsers that no call connects with a service, and that are far away, to the start of the others: the
// trace would otherwise seem to last from one clock to the other.
func (t *tree) retrieve(c *clocks) {
	var start, end time.Time
	first := make([]time.Time, c.count)
	for i := range t.spans {
		s, clock := &t.spans[i], c.of[i]
		if c.placed[clock] {
			if start.IsZero() || s.Start.Before(start) {
				start = s.Start
			}
			if s.End().After(end) {
				end = s.End()
			}
		}
		if first[clock].IsZero() || s.Start.Before(first[clock]) {
			first[clock] = s.Start
		}
	}
	for i := range t.spans {
		clock := c.of[i]
		if c.placed[clock] || t.spans[i].Service != BrowserService {
			continue
		}
		if away := first[clock]; away.Before(start.Add(-maxAway)) || away.After(end.Add(maxAway)) {
			t.spans[i].move(start.Sub(away))
		}
	}
}
