package traces

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// path writes a critical path as "span from-to".
func path(trace *Trace) []string {
	names := map[string]string{}
	for _, s := range trace.Spans {
		names[s.SpanID] = s.Name
	}
	out := make([]string, len(trace.CriticalPath))
	for i, p := range trace.CriticalPath {
		from := p.Start.Sub(origin)
		out[i] = fmt.Sprintf("%s %d-%d", names[p.SpanID], from.Milliseconds(), (from + p.Duration).Milliseconds())
	}
	return out
}

// work is a span whose name is its id, of one service so that no clock is in doubt.
func work(id, parent string, from, to int) sp {
	return sp{trace: "t", id: id, parent: parent, service: "task-service", name: id, from: from, to: to}
}

func TestCriticalPath(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name  string
		spans []sp
		want  string
	}{
		{"one span", []sp{work("a", "", 0, 10)}, "a 0-10"},
		{"no time", []sp{work("a", "", 5, 5)}, ""},
		{"one after the other", []sp{work("a", "", 0, 10), work("b", "a", 1, 4), work("c", "a", 5, 9)}, "a 0-1, b 1-4, a 4-5, c 5-9, a 9-10"},
		{"beside each other: the last counts", []sp{work("a", "", 0, 10), work("b", "a", 1, 6), work("c", "a", 2, 9)}, "a 0-2, c 2-9, a 9-10"},
		{"nested", []sp{work("a", "", 0, 10), work("b", "a", 1, 9), work("c", "b", 2, 8)}, "a 0-1, b 1-2, c 2-8, b 8-9, a 9-10"},
		{"handed over without a pause", []sp{work("a", "", 0, 10), work("b", "a", 0, 5), work("c", "a", 5, 10)}, "b 0-5, c 5-10"},
		{"work after the answer, through a queue", []sp{
			work("a", "", 0, 10), work("b", "a", 2, 6), work("publish", "a", 20, 22), work("process", "publish", 30, 50), work("insert", "process", 32, 48),
		}, "a 0-2, b 2-6, a 6-10, publish 20-22, process 30-32, insert 32-48, process 48-50"},
		{"two consumers: the last row counts", []sp{
			work("a", "", 0, 10), work("publish", "a", 11, 12), work("deliver", "publish", 13, 15), work("process", "publish", 13, 40),
		}, "a 0-10, publish 11-12, process 13-40"},
		{"a child that goes on after its parent", []sp{work("a", "", 0, 10), work("b", "a", 5, 30)}, "a 0-5, b 5-30"},
		{"a child of a child that began before its parent", []sp{work("a", "", 0, 20), work("b", "a", 5, 10), work("c", "b", 3, 8)}, "a 0-3, c 3-8, b 8-10, a 10-20"},
		{"what hangs on nothing does not count", []sp{work("a", "", 0, 10), work("x", "lost", 2, 90)}, "a 0-10"},
	}
	for _, c := range cases {
		slices.Reverse(c.spans) // the order of arrival must not matter
		got := strings.Join(path(assembled(t, spansOf(t, c.spans...))), ", ")
		if got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

// TestAnyTraceHasAConsistentPath makes traces at random, broken ones among them.
func TestAnyTraceHasAConsistentPath(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2)) // the same traces each time
	services := []string{"browser", "edge", "task-service", "stats-service"}
	for range 2000 {
		spans := make([]sp, 1+random.IntN(12))
		for i := range spans {
			from := random.IntN(1000)
			spans[i] = sp{
				trace: "t", id: fmt.Sprint("s", i), service: services[random.IntN(len(services))], kind: []Kind{Internal, Server, Client, Consumer}[random.IntN(4)],
				from: from, to: from + random.IntN(100),
			}
			if parent := random.IntN(len(spans) + 2); parent < len(spans) { // of itself, of one that comes later, and around in circles
				spans[i].parent = fmt.Sprint("s", parent)
			} else if parent == len(spans) {
				spans[i].parent = "lost"
			}
		}
		trace := assembled(t, spansOf(t, spans...))
		if len(trace.Spans) != len(spans) {
			t.Fatalf("%d of %d spans are left of %+v", len(trace.Spans), len(spans), spans)
		}
		byID, seen := map[string]Span{}, map[string]bool{}
		for _, s := range trace.Spans {
			byID[s.SpanID] = s
			if s.Start.Before(trace.Start) || s.End().After(trace.Start.Add(trace.Duration)) {
				t.Fatalf("span %+v outside its trace", s)
			}
		}
		for _, s := range trace.Spans { // a parent stands first, unless there is none or the parents go in circles
			if _, there := byID[s.ParentID]; there && !seen[s.ParentID] && trace.Orphans == 0 {
				t.Fatalf("span %s stands before its parent", s.SpanID)
			}
			seen[s.SpanID] = true
		}
		at := trace.Start
		for _, p := range trace.CriticalPath {
			s := byID[p.SpanID]
			if p.Duration <= 0 || p.Start.Before(at) || p.Start.Before(s.Start) || p.Start.Add(p.Duration).After(s.End()) {
				t.Fatalf("path %v of %+v", path(trace), spans)
			}
			at = p.Start.Add(p.Duration)
		}
	}
}

func TestOrphansAndCircles(t *testing.T) {
	t.Parallel()
	cases := []struct {
		spans   []sp
		orphans int
	}{
		{[]sp{work("a", "", 0, 10), work("b", "a", 1, 2)}, 0},
		{[]sp{work("a", "", 0, 10), work("b", "lost", 1, 2), work("c", "b", 1, 2)}, 1},
		{[]sp{work("a", "a", 0, 10)}, 1},
		{[]sp{work("a", "b", 0, 10), work("b", "a", 1, 2), work("c", "a", 1, 2)}, 1},
	}
	for i, c := range cases {
		trace := assembled(t, spansOf(t, c.spans...))
		if trace.Orphans != c.orphans || len(trace.Spans) != len(c.spans) {
			t.Errorf("case %d: %d orphans and %d spans", i, trace.Orphans, len(trace.Spans))
		}
	}
}

// assembled makes a trace of spans.
func assembled(t testing.TB, spans []Span) *Trace {
	t.Helper()
	trace, err := assemble(t.Context(), traceID("t"), spans)
	if err != nil {
		t.Fatal(err)
	}
	return trace
}
