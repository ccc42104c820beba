package httpapi

import (
	"context"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/tallyboard/tallyboard/services/internal/access"
	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
	"github.com/tallyboard/tallyboard/services/internal/kit/traces"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

const someTrace = "4bf92f3577b34da6a3ce929d0e0e4736"

// fakeTraces is a source with one trace that notes what it was asked.
type fakeTraces struct {
	asked chan traces.Query
	since chan time.Time
	err   error
}

var traceStart = time.Date(2026, 11, 2, 8, 15, 0, 5e6, time.UTC)

func (f *fakeTraces) Trace(_ context.Context, id string) (*traces.Trace, error) {
	if _, err := traces.CheckTraceID(id); err != nil || f.err != nil {
		return nil, cmpError(err, f.err)
	}
	if id != someTrace {
		return nil, apperr.New(apperr.NotFound, "There is no such trace.")
	}
	return &traces.Trace{
		TraceID: id, Start: traceStart, Duration: 12345 * time.Microsecond, Orphans: 1, Dropped: 2,
		Spans: []traces.Span{{
			SpanID: "00f067aa0ba902b7", Service: "browser", Name: "move task", Kind: traces.Internal, Start: traceStart, Duration: time.Millisecond,
			Adjusted: -time.Second,
		}, {
			SpanID: "00f067aa0ba902b8", ParentID: "00f067aa0ba902b7", Service: "task-service", Instance: "i", Name: "SELECT", Kind: traces.Client,
			Start: traceStart.Add(1500 * time.Nanosecond), Duration: time.Millisecond, Error: true, StatusMessage: "internal",
			Attributes: map[string]any{"s": "x", "n": int64(7), "big": int64(1 << 60), "f": 0.5, "b": true, "l": []any{"a", int64(-1 << 60)}},
			Events:     []traces.Event{{Name: "e", Time: traceStart.Add(time.Millisecond)}},
			Links:      []traces.Link{{TraceID: "0af7651916cd43dd8448eb211c80319c", SpanID: "b7ad6b7169203331"}},
		}},
		CriticalPath: []traces.Segment{{SpanID: "00f067aa0ba902b8", Start: traceStart.Add(time.Millisecond), Duration: 2 * time.Millisecond}},
		LinkedBy:     []string{"0af7651916cd43dd8448eb211c80319c"},
	}, nil
}

func cmpError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (f *fakeTraces) Search(_ context.Context, q traces.Query) ([]traces.Summary, error) {
	f.asked <- q
	return []traces.Summary{
		{
			TraceID: someTrace, Name: "move task", Service: "browser", Start: traceStart, Duration: time.Second, Spans: 14,
			Services: []string{"browser", "edge"}, Status: 200, Route: "PATCH /api/v1/tasks/{ref}",
		},
		{TraceID: someTrace, Name: "relay", Service: "task-service", Start: traceStart},
	}, f.err
}

func (f *fakeTraces) Graph(_ context.Context, since time.Time) (*traces.Graph, error) {
	f.since <- since
	return &traces.Graph{
		Nodes: []traces.Node{{Service: "edge", Calls: 3, Errors: 1, P95: 1500 * time.Microsecond}},
		Edges: []traces.Edge{{From: "browser", To: "edge", Kind: traces.EdgeHTTP, Calls: 3, Errors: 1, P95: time.Millisecond}},
	}, f.err
}

func (*fakeTraces) Settings() traces.Settings {
	return traces.Settings{Source: traces.SourceBuffer, Capacity: 2000}
}

func newFakeTraces() *fakeTraces {
	return &fakeTraces{asked: make(chan traces.Query, 1), since: make(chan time.Time, 1)}
}

// sameJSON compares a body with JSON text.
func sameJSON(t *testing.T, got []byte, want string) {
	t.Helper()
	var a, b any
	if err := json.Unmarshal([]byte(want), &b); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(got, &a); err != nil || !reflect.DeepEqual(a, b) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestATraceIsShown(t *testing.T) {
	t.Parallel()
	h := serve(t, Deps{Traces: newFakeTraces()})
	a := h.Do("GET", "/api/v1/traces/"+someTrace, "")
	if a.Status != 200 || a.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%d %q", a.Status, a.Header.Get("Cache-Control"))
	}
	sameJSON(t, a.Body, `{"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","start":"2026-11-02T08:15:00.005Z","durationMs":12.345,"orphans":1,"dropped":2,
		"linkedBy":["0af7651916cd43dd8448eb211c80319c"],"criticalPath":[{"spanId":"00f067aa0ba902b8","offsetMs":1,"durationMs":2}],"spans":[
		{"spanId":"00f067aa0ba902b7","parentId":null,"service":"browser","instance":"","name":"move task","kind":"internal","start":"2026-11-02T08:15:00.005Z",
		 "offsetMs":0,"durationMs":1,"adjustedMs":-1000,"error":false,"statusMessage":"","attributes":{},"events":[],"links":[]},
		{"spanId":"00f067aa0ba902b8","parentId":"00f067aa0ba902b7","service":"task-service","instance":"i","name":"SELECT","kind":"client",
		 "start":"2026-11-02T08:15:00.0050015Z","offsetMs":0.002,"durationMs":1,"adjustedMs":0,"error":true,"statusMessage":"internal",
		 "attributes":{"s":"x","n":7,"big":"1152921504606846976","f":0.5,"b":true,"l":["a","-1152921504606846976"]},
		 "events":[{"name":"e","offsetMs":1,"attributes":{}}],"links":[{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331"}]}]}`)
	if p := h.Do("GET", "/api/v1/traces/"+strings.Repeat("1", 32), "").Problem(t, 404); p.Code != string(apperr.NotFound) {
		t.Errorf("unknown trace: %+v", p)
	}
	for _, id := range []string{"1", strings.Repeat("g", 32), strings.Repeat("0", 32), "%2e%2e%2f"} {
		if p := h.Do("GET", "/api/v1/traces/"+id, "").Problem(t, 400); len(p.Errors) != 1 || p.Errors[0].Name != "traceId" {
			t.Errorf("id %q: %+v", id, p)
		}
	}
}

func TestTracesAreSearched(t *testing.T) {
	t.Parallel()
	source := newFakeTraces()
	h := serve(t, Deps{Traces: source})
	a := h.Do("GET", "/api/v1/traces", "")
	if q := <-source.asked; a.Status != 200 || !reflect.DeepEqual(q, traces.Query{Limit: traces.DefaultLimit}) {
		t.Errorf("%d, asked for %+v", a.Status, q)
	}
	sameJSON(t, a.Body, `{"source":"buffer","traces":[
		{"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","name":"move task","service":"browser","start":"2026-11-02T08:15:00.005Z","durationMs":1000,"spans":14,
		 "services":["browser","edge"],"error":false,"status":200,"route":"PATCH /api/v1/tasks/{ref}"},
		{"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","name":"relay","service":"task-service","start":"2026-11-02T08:15:00.005Z","durationMs":0,"spans":0,
		 "services":[],"error":false,"status":null,"route":null}]}`)
	h.Do("GET", "/api/v1/traces?task=web-42&service=edge&route=GET+/api/v1/tasks&minMs=5&maxMs=5&error=false"+
		"&since=2026-11-02T08:15:00Z&until=2026-11-02T09:15:00.5%2B01:00&limit=100", "")
	no := false
	want := traces.Query{
		Task: "WEB-42", Service: "edge", Route: "GET /api/v1/tasks", MinDuration: 5 * time.Millisecond, MaxDuration: 5 * time.Millisecond, Error: &no,
		Since: time.Date(2026, 11, 2, 8, 15, 0, 0, time.UTC), Until: time.Date(2026, 11, 2, 8, 15, 0, 5e8, time.UTC), Limit: 100,
	}
	got := <-source.asked
	got.Until = got.Until.UTC()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("asked for %+v, want %+v", got, want)
	}
	for query, fields := range map[string]string{
		"task=42": "task", "task=" + uuid.Nil.String(): "task", "task=": "task", "minMs=-1": "minMs", "minMs=1.5": "minMs", "maxMs=9e9": "maxMs",
		"minMs=6&maxMs=5": "maxMs", "error=yes": "error", "since=yesterday": "since", "until=2026-11-02": "until",
		"since=2026-11-02T08:15:00Z&until=2026-11-02T08:15:00Z": "until", "limit=0": "limit", "limit=101": "limit", "trace=1": "trace",
		"service=": "service", "limit=x&error=1": "error,limit",
	} {
		p := h.Do("GET", "/api/v1/traces?"+query, "").Problem(t, 400)
		names := make([]string, len(p.Errors))
		for i, e := range p.Errors {
			names[i] = e.Name
		}
		if strings.Join(names, ",") != fields {
			t.Errorf("%s: %+v, want %s", query, p, fields)
		}
	}
}

func TestTheGraphAndTheSettings(t *testing.T) {
	t.Parallel()
	source := newFakeTraces()
	h := serve(t, Deps{Traces: source, Config: Config{TraceLinkTemplate: "https://jaeger.test/trace/{traceId}"}})
	sameJSON(t, h.Do("GET", "/api/v1/traces/graph?since=2026-11-02T08:15:00Z", "").Body, `{"nodes":[{"service":"edge","calls":3,"errors":1,"p95Ms":1.5}],
		"edges":[{"from":"browser","to":"edge","kind":"http","calls":3,"errors":1,"p95Ms":1}]}`)
	if since := <-source.since; !since.Equal(time.Date(2026, 11, 2, 8, 15, 0, 0, time.UTC)) {
		t.Errorf("since %v", since)
	}
	h.Do("GET", "/api/v1/traces/graph?since=now", "").Problem(t, 400)
	sameJSON(t, h.Do("GET", "/api/v1/traces/settings", "").Body, `{"source":"buffer","capacity":2000,"externalUrl":"https://jaeger.test/trace/{traceId}"}`)
}

func TestWithoutTraces(t *testing.T) {
	t.Parallel()
	h := serve(t, Deps{})
	sameJSON(t, h.Do("GET", "/api/v1/traces/settings", "").Body, `{"source":"none","capacity":null,"externalUrl":null}`)
	sameJSON(t, h.Do("GET", "/api/v1/traces", "").Body, `{"source":"none","traces":[]}`)
	sameJSON(t, h.Do("GET", "/api/v1/traces/graph", "").Body, `{"nodes":[],"edges":[]}`)
	h.Do("GET", "/api/v1/traces/"+someTrace, "").Problem(t, 404)
	h.Do("GET", "/api/v1/operations", "").Problem(t, 503)
}

func TestTracesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	source := newFakeTraces()
	source.err = apperr.New(apperr.Unavailable, "Traces cannot be read: Jaeger is not reachable.").WithRetryAfter(5 * time.Second)
	h := serve(t, Deps{Traces: source})
	for _, path := range []string{"/api/v1/traces", "/api/v1/traces/graph", "/api/v1/traces/" + someTrace} {
		a := h.Do("GET", path, "")
		if p := a.Problem(t, 503); !strings.Contains(p.Detail, "Jaeger") || a.Header.Get("Retry-After") != "5" {
			t.Errorf("%s: %+v", path, p)
		}
	}
}

func TestOnlyAdministratorsSeeTracesAndOperations(t *testing.T) {
	t.Parallel()
	source := newFakeTraces()
	h := serve(t, Deps{Traces: source, Operations: &fakeOperations{}, Guard: access.NewGuard(member{}, nil)})
	for _, path := range []string{"/api/v1/traces", "/api/v1/traces/graph", "/api/v1/traces/settings", "/api/v1/traces/" + someTrace, "/api/v1/operations"} {
		h.Do("GET", path, "").Problem(t, 403)
	}
}

// member identifies everybody as somebody without rights on the site.
type member struct{}

func (member) Identify(context.Context, access.Credentials) (access.Caller, error) {
	return access.Caller{Person: uuid.Max, Handle: "ada"}, nil
}

func TestLinkTemplates(t *testing.T) {
	t.Parallel()
	for template, ok := range map[string]bool{
		"": true, "https://x.test/{traceId}": true, "http://x.test:16686/trace/{traceId}?a=1#b": true, "https://x.test/?q=%7B{traceId}%7D": true,
		"https://x.test/": false, "javascript:alert('{traceId}')": false, "/trace/{traceId}": false, "https://{traceId": false, "://{traceId}": false,
	} {
		if err := checkTraceLink(template); (err == nil) != ok {
			t.Errorf("%q: %v", template, err)
		}
	}
}

func TestSpansSayWhatARequestIsAbout(t *testing.T) {
	t.Parallel()
	projects := newFakeProjects(t)
	sample := sampleTask(t, projects.one)
	tasks := &fakeTasks{
		get:    func(task.Ref) (*task.Task, error) { return sample, nil },
		create: func(task.Write, task.New) (*task.Task, bool, error) { return sample, false, nil },
		change: func(task.Write, task.Patch) (*task.Task, bool, error) { return sample, false, nil },
		list:   func(task.ListInput) (task.Page, error) { return task.Page{}, nil },
	}
	spans := tracetest.NewSpanRecorder()
	tel := telemetry.Nop()
	tel.TracerProvider = sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))
	tel.Tracer, tel.Sampler = tel.TracerProvider.Tracer("test"), telemetry.Sampler{Ratio: 1}
	h := serveTraced(t, Deps{Tasks: tasks, Projects: projects, Traces: newFakeTraces(), Operations: &fakeOperations{}}, tel)
	cases := []struct{ method, path, body, task, project string }{
		{"GET", "/api/v1/tasks/WEB-42", "", "WEB-42", "WEB"},
		{"GET", "/api/v1/tasks/" + sample.ID.String(), "", "WEB-42", "WEB"},
		{"PATCH", "/api/v1/tasks/web-42", `{"title":"x"}`, "WEB-42", "WEB"},
		{"PATCH", "/api/v1/tasks/" + sample.ID.String(), `{"title":"x"}`, "WEB-42", "WEB"},
		{"POST", "/api/v1/projects/WEB/tasks", `{"title":"x"}`, "WEB-42", "WEB"},
		{"GET", "/api/v1/projects/WEB/tasks", "", "", "WEB"},
		{"PATCH", "/api/v1/tasks/NOPE-1", `{"title":"x"}`, "", ""},
		{"PATCH", "/api/v1/tasks/Ada's", `{"title":"x"}`, "", ""},
	}
	for i, c := range cases {
		h.Do(c.method, c.path, c.body, "If-Match: *")
		ended := spans.Ended()
		if len(ended) != i+1 {
			t.Fatalf("%s %s: %d spans", c.method, c.path, len(ended)-i)
		}
		got := map[string]string{}
		for _, a := range ended[i].Attributes() {
			got[string(a.Key)] = a.Value.AsString()
		}
		if got[traces.AttrTaskKey] != c.task || got[traces.AttrProjectKey] != c.project {
			t.Errorf("%s %s: %v", c.method, c.path, got)
		}
	}
	for _, path := range []string{"/api/v1/traces", "/api/v1/traces/graph", "/api/v1/traces/settings", "/api/v1/traces/" + someTrace, "/api/v1/operations"} {
		if h.Do("GET", path, ""); len(spans.Ended()) != len(cases) {
			t.Errorf("%s: who looks at traces makes some", path)
		}
	}
}
