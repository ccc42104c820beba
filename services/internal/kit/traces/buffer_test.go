package traces

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
)

// newTestBuffer returns a buffer whose clock stands at origin, and the clock.
func newTestBuffer(cfg BufferConfig) (b *Buffer, now *time.Time) {
	now = new(origin)
	cfg.Now = func() time.Time { return *now }
	return NewBuffer(cfg), now
}

// upload sends spans as services do.
func upload(t testing.TB, b *Buffer, spans ...sp) {
	t.Helper()
	for _, s := range spans {
		if err := b.UploadTraces(t.Context(), otlp(t, s)); err != nil {
			t.Fatal(err)
		}
	}
}

// browse sends spans as browsers do.
func browse(t testing.TB, b *Buffer, spans ...sp) (dropped int) {
	t.Helper()
	kept, rejected := sanitize(otlp(t, spans...), b.cfg.Now())
	return rejected + b.add(kept, true)
}

// ids are the traces a search for everything finds.
func ids(t testing.TB, b *Buffer) []string {
	t.Helper()
	found, err := b.Search(t.Context(), Query{Limit: MaxLimit})
	if err != nil {
		t.Fatal(err)
	}
	out := make([]string, len(found))
	for i, s := range found {
		out[i] = s.TraceID
	}
	return out
}

// checkBytes compares the running sums with what is there.
func checkBytes(t testing.TB, b *Buffer) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	kept, waiting := 0, 0
	for _, e := range b.entries {
		sum := 0
		for i := range e.spans {
			sum += sizeOf(&e.spans[i])
		}
		if sum != e.bytes {
			t.Errorf("trace %s has %d bytes, not %d", e.id, sum, e.bytes)
		}
		if e.waiting {
			waiting += sum
		} else {
			kept += sum
		}
	}
	if kept != b.kept.bytes || waiting != b.waiting.bytes {
		t.Errorf("%d and %d bytes, not %d and %d", kept, waiting, b.kept.bytes, b.waiting.bytes)
	}
}

func TestBufferIsASource(t *testing.T) {
	t.Parallel()
	b, _ := newTestBuffer(BufferConfig{})
	for _, s := range slices.Concat(oneClick(), failedRequest(), batch()) {
		if s.service == BrowserService {
			s.service = "evil" // must not matter
			if dropped := browse(t, b, s); dropped != 0 {
				t.Fatalf("%s was dropped", s.name)
			}
			continue
		}
		upload(t, b, s)
	}
	exercise(t, b)
}

func TestTheOldestTraceLeavesAsAWhole(t *testing.T) {
	t.Parallel()
	b, _ := newTestBuffer(BufferConfig{Traces: 3})
	for i := range 5 {
		name := fmt.Sprint("t", i)
		upload(t, b, sp{trace: name, id: "a", service: "edge", from: i, to: i + 1}, sp{trace: name, id: "b", parent: "a", service: "edge", from: i, to: i + 1})
	}
	if got, want := ids(t, b), []string{traceID("t4"), traceID("t3"), traceID("t2")}; !slices.Equal(got, want) {
		t.Errorf("kept %v, want %v", got, want)
	}
	if _, err := b.Trace(t.Context(), traceID("t0")); !apperr.Is(err, apperr.NotFound) {
		t.Errorf("the first gives %v, want not found", err)
	}
	checkBytes(t, b)
	if len(b.entries) != 3 {
		t.Errorf("%d entries", len(b.entries))
	}
}

func TestBytesAreBounded(t *testing.T) {
	t.Parallel()
	const limit = 100_000
	b, _ := newTestBuffer(BufferConfig{Bytes: limit})
	long := strings.Repeat("x", maxText)
	for i := range 100 {
		for k := range 20 {
			upload(t, b, sp{trace: fmt.Sprint("t", i), id: fmt.Sprint("s", k), service: "edge", attributes: map[string]any{"text": long, "n": int64(1)}})
		}
		if b.kept.bytes > limit {
			t.Fatalf("%d bytes after trace %d", b.kept.bytes, i)
		}
	}
	checkBytes(t, b)
	if len(b.entries) < 2 || len(b.entries) > 10 {
		t.Errorf("%d traces are left", len(b.entries))
	}
	trace, err := b.Trace(t.Context(), traceID("t99"))
	if err != nil || trace.Dropped == 0 || len(trace.Spans)+trace.Dropped != 20 {
		t.Errorf("no trace may have more than its share: %+v, %v", trace, err)
	}
}

func TestATraceHasSoManySpans(t *testing.T) {
	t.Parallel()
	b, _ := newTestBuffer(BufferConfig{MaxSpans: 3})
	for i := range 5 {
		upload(t, b, sp{trace: "t", id: fmt.Sprint("s", i), service: "edge"})
	}
	upload(t, b, sp{trace: "t", id: "s1", service: "edge"}) // again: neither new nor dropped
	trace, err := b.Trace(t.Context(), traceID("t"))
	if err != nil || len(trace.Spans) != 3 || trace.Dropped != 2 {
		t.Errorf("%+v, %v", trace, err)
	}
	checkBytes(t, b)
}

func TestLateSpansJoinTheirTrace(t *testing.T) {
	t.Parallel()
	b, now := newTestBuffer(BufferConfig{})
	upload(t, b, failedRequest()[1:2]...)
	if found, err := b.Search(t.Context(), Query{}); err != nil || len(found) != 1 || found[0].Name != "GET /api/v1/tasks" || found[0].Spans != 1 {
		t.Fatalf("%+v, %v", found, err)
	}
	if trace, err := b.Trace(t.Context(), traceID("fail")); err != nil || trace.Orphans != 1 {
		t.Errorf("%+v, %v", trace, err)
	}
	*now = now.Add(time.Hour)
	upload(t, b, failedRequest()[0])
	if found, err := b.Search(t.Context(), Query{}); err != nil || len(found) != 1 || found[0].Name != "GET" || found[0].Spans != 2 {
		t.Errorf("what was known of the trace is still told: %+v, %v", found, err)
	}
	if trace, err := b.Trace(t.Context(), strings.ToUpper(traceID("fail"))); err != nil || trace.Orphans != 0 {
		t.Errorf("%+v, %v", trace, err)
	}
}

func TestLinksAreKnownFromBothEnds(t *testing.T) {
	t.Parallel()
	b, _ := newTestBuffer(BufferConfig{Traces: 200})
	upload(t, b, oneClick()...)
	upload(t, b, batch()...)
	upload(t, b, sp{trace: "replay", id: "a", service: "stats-service", kind: Consumer, links: [][2]string{{"click", "publish"}, {"click", "serve"}}})
	linkedBy := func() []string {
		trace, err := b.Trace(t.Context(), traceID("click"))
		if err != nil {
			t.Fatal(err)
		}
		return trace.LinkedBy
	}
	if got, want := linkedBy(), []string{traceID("replay"), traceID("batch")}; !slices.Equal(got, want) {
		t.Errorf("linked by %v, want %v", got, want)
	}
	for i := range 150 {
		upload(t, b, sp{trace: fmt.Sprint("n", i), id: "a", service: "edge", links: [][2]string{{"click", "publish"}}})
	}
	if got := linkedBy(); len(got) != maxLinkedBy || got[0] != traceID("n149") {
		t.Errorf("%d links, the first from %s", len(got), got[0])
	}
	for i := range 200 {
		upload(t, b, sp{trace: fmt.Sprint("m", i), id: "a", service: "edge"})
	}
	if len(b.linkedBy) != 0 {
		t.Errorf("links of traces that left: %v", b.linkedBy)
	}
}

func TestABrowserAloneIsNotShownFromTheBuffer(t *testing.T) {
	t.Parallel()
	b, _ := newTestBuffer(BufferConfig{})
	for _, s := range browserAlone() {
		if s.service == BrowserService {
			browse(t, b, s)
		} else {
			upload(t, b, s)
		}
	}
	exerciseBrowserAlone(t, b)
}

func TestABrowserAloneIsForgotten(t *testing.T) {
	t.Parallel()
	b, now := newTestBuffer(BufferConfig{Traces: 5})
	upload(t, b, failedRequest()...)
	for i := range maxWaiting + 50 {
		browse(t, b, sp{trace: fmt.Sprint("b", i), id: "a", name: "ui"})
	}
	if got := ids(t, b); len(got) != 1 || len(b.entries) != 1+maxWaiting {
		t.Errorf("%d are shown and %d kept", len(got), len(b.entries))
	}
	if _, err := b.Trace(t.Context(), traceID("b100")); !apperr.Is(err, apperr.NotFound) {
		t.Errorf("a trace only a browser knows gives %v, want not found", err)
	}
	upload(t, b, sp{trace: "b100", id: "serve", parent: "a", service: "edge", kind: Server})
	if trace, err := b.Trace(t.Context(), traceID("b100")); err != nil || len(trace.Spans) != 2 {
		t.Errorf("once a service tells of it: %+v, %v", trace, err)
	}
	checkBytes(t, b)
	*now = now.Add(waitFor + time.Second)
	browse(t, b, sp{trace: "later", id: "a"})
	if len(b.entries) != 3 || b.waiting.order.Len() != 1 {
		t.Errorf("%d entries, of which %d wait", len(b.entries), b.waiting.order.Len())
	}
	checkBytes(t, b)
}

func TestABrowserOccupiesSoMuch(t *testing.T) {
	t.Parallel()
	b, _ := newTestBuffer(BufferConfig{Bytes: 800_000})
	long := strings.Repeat("x", maxBrowserText)
	for i := range 200 {
		for k := range 10 {
			browse(t, b, sp{trace: fmt.Sprint("b", i), id: fmt.Sprint("s", k), name: long, attributes: map[string]any{"ui.a": long, "ui.b": long}})
		}
	}
	if b.waiting.bytes > 100_000 {
		t.Errorf("%d bytes wait", b.waiting.bytes)
	}
	upload(t, b, sp{trace: "t", id: "serve", service: "edge"})
	dropped := 0
	for i := range maxBrowserSpans + 10 {
		dropped += browse(t, b, sp{trace: "t", id: fmt.Sprint("s", i)})
	}
	upload(t, b, sp{trace: "t", id: "more", service: "edge"})
	trace, err := b.Trace(t.Context(), traceID("t"))
	if err != nil || dropped < 10 || trace.Dropped != dropped || len(trace.Spans) != maxBrowserSpans+10+2-dropped {
		t.Errorf("%d dropped; %d spans, %v", dropped, len(trace.Spans), err)
	}
	checkBytes(t, b)
}

func TestABrowserTakesNobodysPlace(t *testing.T) {
	t.Parallel()
	b, _ := newTestBuffer(BufferConfig{})
	browse(t, b, sp{trace: "fail", id: "serve", parent: "edge", name: "nothing to see", from: 1002, to: 1003}) // before the service's own arrives
	upload(t, b, failedRequest()...)
	browse(t, b, sp{trace: "fail", id: "select", name: "nothing either", from: 1002, to: 1003}) // and after
	trace, err := b.Trace(t.Context(), traceID("fail"))
	if err != nil || len(trace.Spans) != 3 || !find(t, trace, "serve").Error || find(t, trace, "serve").Service != "task-service" || !find(t, trace, "select").Error {
		t.Errorf("%+v, %v", trace, err)
	}
	checkBytes(t, b)
}

func TestABrowserDoesNotNameATrace(t *testing.T) {
	t.Parallel()
	b, _ := newTestBuffer(BufferConfig{})
	upload(t, b, failedRequest()...)
	browse(t, b, sp{
		trace: "fail", id: "x", name: "GET /nice", kind: Server, from: 500, to: 501,
		attributes: with(request("GET", "/nice", 200), AttrTaskKey, "WEB-1"),
	})
	if found, err := b.Search(t.Context(), Query{Task: "WEB-1"}); err != nil || len(found) != 0 {
		t.Errorf("a browser puts its trace among those of any task: %+v, %v", found, err)
	}
	found, err := b.Search(t.Context(), Query{})
	if err != nil || len(found) != 1 || found[0].Name != "GET" || found[0].Service != "edge" || found[0].Route != "GET /api/v1/tasks" || found[0].Status != 500 {
		t.Errorf("%+v, %v", found, err)
	}
}

func TestTheBufferIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	b, _ := newTestBuffer(BufferConfig{Traces: 20})
	var work sync.WaitGroup
	for w := range 4 {
		work.Go(func() {
			for i := range 100 {
				upload(t, b, sp{trace: fmt.Sprint("t", i%30), id: fmt.Sprint("s", w, i), service: "edge", links: [][2]string{{fmt.Sprint("t", i%7), "s"}}})
				browse(t, b, sp{trace: fmt.Sprint("t", i%30), id: fmt.Sprint("s", (w+1)%4, i)})
			}
		})
		work.Go(func() {
			for i := range 50 {
				if _, err := b.Search(t.Context(), Query{}); err != nil {
					t.Error(err)
				}
				if _, err := b.Trace(t.Context(), traceID(fmt.Sprint("t", i%30))); err != nil && !apperr.Is(err, apperr.NotFound) {
					t.Error(err)
				}
				if _, err := b.Graph(t.Context(), time.Time{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	work.Wait()
	checkBytes(t, b)
}

func TestNone(t *testing.T) {
	t.Parallel()
	var s Source = None{}
	if _, err := s.Trace(t.Context(), traceID("t")); !apperr.Is(err, apperr.NotFound) {
		t.Errorf("%v", err)
	}
	if _, err := s.Trace(t.Context(), "t"); !apperr.Is(err, apperr.Invalid) {
		t.Errorf("%v", err)
	}
	if found, err := s.Search(t.Context(), Query{}); err != nil || found == nil || len(found) != 0 {
		t.Errorf("%v, %v", found, err)
	}
	if g, err := s.Graph(t.Context(), time.Time{}); err != nil || len(g.Nodes) != 0 || s.Settings().Source != SourceNone {
		t.Errorf("%v, %v", g, err)
	}
}
