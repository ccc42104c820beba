package traces

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
)

// exercise is what every source must do once it has received oneClick, failedRequest and batch.
func exercise(t *testing.T, source Source) {
	t.Helper()
	t.Run("trace", func(t *testing.T) { t.Parallel(); exerciseTrace(t, source) })
	t.Run("unknown trace", func(t *testing.T) {
		t.Parallel()
		if _, err := source.Trace(t.Context(), traceID("none")); !apperr.Is(err, apperr.NotFound) {
			t.Errorf("an unknown trace gives %v, want not found", err)
		}
		for _, id := range []string{"", "1", traceID("click")[1:], "../../../../../../../etc/passwd..", "00000000000000000000000000000000"} {
			if _, err := source.Trace(t.Context(), id); !apperr.Is(err, apperr.Invalid) {
				t.Errorf("the id %q gives %v, want invalid", id, err)
			}
		}
	})
	t.Run("search", func(t *testing.T) { t.Parallel(); exerciseSearch(t, source) })
	t.Run("graph", func(t *testing.T) { t.Parallel(); exerciseGraph(t, source) })
	t.Run("caller gone", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := source.Search(ctx, Query{}); apperr.CodeOf(err) != apperr.Canceled {
			t.Errorf("a search of a caller who is gone gives %v, want canceled", err)
		}
	})
}

func exerciseTrace(t *testing.T, source Source) {
	t.Helper()
	got, err := source.Trace(t.Context(), traceID("click"))
	if err != nil {
		t.Fatal(err)
	}
	if got.TraceID != traceID("click") || len(got.Spans) != 11 || got.Orphans != 0 || got.Dropped != 0 || !got.Start.Equal(origin) || got.Duration != ms(100) {
		t.Errorf("%s: %d spans, %d orphans, %d dropped, %v from %v", got.TraceID, len(got.Spans), got.Orphans, got.Dropped, got.Duration, got.Start)
	}
	names := make([]string, len(got.Spans))
	for i, s := range got.Spans {
		names[i] = s.Name
	}
	want := []string{
		"move task", "PATCH", "PATCH", "PATCH /api/v1/tasks/{ref}", "SELECT tasks", "UPDATE tasks", "publish tasks.WEB",
		"deliver tasks.WEB", "live update", "process tasks.WEB", "INSERT stats",
	}
	if !slices.Equal(names, want) {
		t.Errorf("spans in the order %q", names)
	}
	serve := find(t, got, "serve")
	if serve.Service != "task-service" || serve.Instance != "task-service-1" || serve.Kind != Server || serve.ParentID != spanID("edge") ||
		!serve.Start.Equal(origin.Add(ms(8))) || serve.Duration != ms(42) || serve.Error || serve.Adjusted != 0 {
		t.Errorf("server span %+v", serve)
	}
	if serve.Attributes["http.response.status_code"] != int64(200) || serve.Attributes[AttrTaskKey] != "WEB-42" {
		t.Errorf("attributes %v", serve.Attributes)
	}
	process := find(t, got, "process")
	if process.Kind != Consumer || process.ParentID != spanID("publish") || len(process.Links) != 1 ||
		process.Links[0] != (Link{traceID("click"), spanID("publish")}) {
		t.Errorf("consumer span %+v", process)
	}
	deliver := find(t, got, "deliver")
	if len(deliver.Events) != 1 || deliver.Events[0].Name != "sse.deliver" || !deliver.Events[0].Time.Equal(origin.Add(ms(78))) ||
		deliver.Events[0].Attributes["subscribers"] != int64(2) {
		t.Errorf("events %+v", deliver.Events)
	}
	if last := got.CriticalPath[len(got.CriticalPath)-1]; last.SpanID != spanID("process") || !last.Start.Add(last.Duration).Equal(origin.Add(ms(100))) {
		t.Errorf("the critical path ends with %+v", last)
	}
	failed, err := source.Trace(t.Context(), traceID("fail"))
	if err != nil {
		t.Fatal(err)
	}
	if s := find(t, failed, "select"); !s.Error || s.StatusMessage != "internal" {
		t.Errorf("failed span %+v", s)
	}
}

func find(t *testing.T, trace *Trace, id string) Span {
	t.Helper()
	for _, s := range trace.Spans {
		if s.SpanID == spanID(id) {
			return s
		}
	}
	t.Fatalf("no span %s", id)
	return Span{}
}

func exerciseSearch(t *testing.T, source Source) {
	t.Helper()
	yes, no := true, false
	cases := []struct {
		name string
		q    Query
		want []string
	}{
		{"all, newest first", Query{}, []string{"batch", "fail", "click"}},
		{"limit", Query{Limit: 2}, []string{"batch", "fail"}},
		{"task", Query{Task: "web-42"}, []string{"click"}},
		{"no such task", Query{Task: "WEB-4"}, nil},
		{"service", Query{Service: "edge"}, []string{"fail", "click"}},
		{"no such service", Query{Service: "nobody"}, nil},
		{"route", Query{Route: "GET /api/v1/tasks"}, []string{"fail"}},
		{"route with another method", Query{Route: "PUT /api/v1/tasks"}, nil},
		{"at least", Query{MinDuration: ms(100)}, []string{"batch", "click"}},
		{"at most", Query{MaxDuration: ms(100)}, []string{"fail", "click"}},
		{"between", Query{MinDuration: ms(31), MaxDuration: ms(399)}, []string{"click"}},
		{"failed", Query{Error: &yes}, []string{"fail"}},
		{"not failed", Query{Error: &no}, []string{"batch", "click"}},
		{"since", Query{Since: origin.Add(ms(1000))}, []string{"batch", "fail"}},
		{"until", Query{Until: origin.Add(ms(1000))}, []string{"click"}},
		{"together", Query{Service: "task-service", Error: &yes, Route: "GET /api/v1/tasks", Since: origin, MinDuration: ms(30)}, []string{"fail"}},
		{"together, but not all", Query{Task: "WEB-42", Error: &yes}, nil},
	}
	for _, c := range cases {
		found, err := source.Search(t.Context(), c.q)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		got := make([]string, 0, len(found))
		for _, s := range found {
			got = append(got, s.TraceID)
		}
		want := make([]string, 0, len(c.want))
		for _, name := range c.want {
			want = append(want, traceID(name))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: found %v, want %v", c.name, got, want)
		}
	}
	found, err := source.Search(t.Context(), Query{Task: "WEB-42"})
	if err != nil || len(found) != 1 {
		t.Fatalf("%v, %v", found, err)
	}
	got := found[0]
	if got.Name != "move task" || got.Service != "browser" || !got.Start.Equal(origin) || got.Duration != ms(100) || got.Spans != 11 || got.Error ||
		got.Status != 200 || got.Route != "PATCH /api/v1/tasks/{ref}" ||
		!slices.Equal(got.Services, []string{"browser", "edge", "stats-service", "task-service"}) {
		t.Errorf("summary %+v", got)
	}
}

func exerciseGraph(t *testing.T, source Source) {
	t.Helper()
	got, err := source.Graph(t.Context(), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	want := []Edge{
		{"browser", "edge", EdgeHTTP, 1, 0, ms(46)},
		{"edge", "task-service", EdgeHTTP, 2, 1, 27*time.Millisecond + time.Duration(0.95*15*1e6)},
		{"stats-service", "mysql", EdgeDB, 1, 0, ms(16)},
		{"task-service", "browser", EdgeMessaging, 1, 0, ms(6)},
		{"task-service", "mysql", EdgeDB, 3, 1, 0},
		{"task-service", "stats-service", EdgeMessaging, 2, 0, 0},
	}
	if len(got.Edges) != len(want) {
		t.Fatalf("%d edges: %+v", len(got.Edges), got.Edges)
	}
	for i, e := range got.Edges {
		if want[i].P95 == 0 {
			want[i].P95 = e.P95
		}
		if e != want[i] {
			t.Errorf("edge %+v, want %+v", e, want[i])
		}
	}
	nodes := map[string][2]int{"browser": {2, 0}, "edge": {2, 0}, "mysql": {4, 1}, "stats-service": {2, 0}, "task-service": {3, 1}}
	for _, n := range got.Nodes {
		if nodes[n.Service] != [2]int{n.Calls, n.Errors} || n.P95 <= 0 {
			t.Errorf("node %+v, want %v", n, nodes[n.Service])
		}
		delete(nodes, n.Service)
	}
	if len(nodes) > 0 {
		t.Errorf("nodes missing: %v", nodes)
	}
	later, err := source.Graph(t.Context(), origin.Add(ms(900)))
	if err != nil || len(later.Nodes) != 4 {
		t.Errorf("graph of what came later: %+v, %v", later, err)
	}
}

// browserAlone is what a source has received for exerciseBrowserAlone: a trace of which only a browser has told, one of
// which only a service has, and one of which both have.
func browserAlone() []sp {
	return []sp{
		{trace: "alone", id: "ui", service: BrowserService, name: "made up", from: 0, to: 9000},
		{trace: "alone", id: "fetch", parent: "ui", service: BrowserService, name: "GET", kind: Client, from: 1, to: 8},
		{trace: "quiet", id: "serve", service: "edge", name: "GET", kind: Server, from: 0, to: 20},
		{trace: "both", id: "fetch", service: BrowserService, name: "GET", kind: Client, from: 100, to: 150},
		{trace: "both", id: "serve", parent: "fetch", service: "edge", name: "GET", kind: Server, from: 110, to: 140},
	}
}

// exerciseBrowserAlone is that no source shows what only a browser has told: anyone can send that.
func exerciseBrowserAlone(t *testing.T, source Source) {
	t.Helper()
	if trace, err := source.Trace(t.Context(), traceID("alone")); !apperr.Is(err, apperr.NotFound) {
		t.Errorf("a trace only a browser knows gives %+v, %v, want not found", trace, err)
	}
	if trace, err := source.Trace(t.Context(), traceID("both")); err != nil || len(trace.Spans) != 2 {
		t.Errorf("a trace a service knows, too, gives %+v, %v", trace, err)
	}
	cases := []struct {
		name string
		q    Query
		want []string
	}{
		{"all", Query{}, []string{traceID("both"), traceID("quiet")}},
		{"of browsers", Query{Service: BrowserService}, []string{traceID("both")}},
		{"slow", Query{MinDuration: ms(1000)}, nil},
	}
	for _, c := range cases {
		found, err := source.Search(t.Context(), c.q)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		var got []string
		for _, s := range found {
			got = append(got, s.TraceID)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: found %v, want %v", c.name, got, c.want)
		}
	}
	g, err := source.Graph(t.Context(), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	calls := map[string]int{}
	for _, n := range g.Nodes {
		calls[n.Service] = n.Calls
	}
	if len(calls) != 2 || calls[BrowserService] != 1 || calls["edge"] != 2 {
		t.Errorf("calls in the graph: %v", calls)
	}
}
