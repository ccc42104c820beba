package signals

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"go.uber.org/goleak"

	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
	"github.com/tallyboard/tallyboard/services/tallyboard/internal/launch"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, // Fiber and fasthttp leave these running for good or for their pause
		goleak.IgnoreAnyFunction("github.com/gofiber/fiber/v2/utils.StartTimeStampUpdater.func1.1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"))
}

const (
	clickTrace = "4bf92f3577b34da6a3ce929d0e0e4736"
	clickSpan  = "00f067aa0ba902b7"
	fetchSpan  = "53995c3f42cd8ad8"
)

// click is what a browser exports of one action with one fetch.
func click(began time.Time) string {
	nano := func(offset time.Duration) string { return strconv.FormatInt(began.Add(offset).UnixNano(), 10) }
	return fmt.Sprintf(`{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"task-service"}}]},"scopeSpans":[{"spans":[
		{"traceId":%[1]q,"spanId":%[2]q,"name":"create task","kind":1,"startTimeUnixNano":%[4]q,"endTimeUnixNano":%[5]q,
		 "attributes":[{"key":"ui.action","value":{"stringValue":"create task"}},{"key":"person.name","value":{"stringValue":"Grace Hopper"}}]},
		{"traceId":%[1]q,"spanId":%[3]q,"parentSpanId":%[2]q,"name":"POST /api/v1/projects/{key}/tasks","kind":3,"startTimeUnixNano":%[4]q,"endTimeUnixNano":%[5]q}]}]}]}`,
		clickTrace, clickSpan, fetchSpan, nano(0), nano(200*time.Millisecond))
}

// whole reports whether a change's trace has reached its last row, and every part has exported its spans.
func whole(v *traceView) bool {
	process := v.find("stats-service", "consumer", "process", nil)
	return v.Orphans == 0 && v.find("edge", "server", "", nil) != nil && v.find("task-service", "server", "", nil) != nil &&
		v.find("task-service", "producer", "publish", nil) != nil && process != nil && v.find("stats-service", "client", "COMMIT", process) != nil
}

func TestOneClickIsOneTrace(t *testing.T) {
	t.Parallel()
	p := start(t, nil)
	project, _ := p.call(t, "POST", "/api/v1/projects", `{"key":"ONE","name":"One"}`, http.StatusCreated, nil).trace()
	p.awaitTrace(t, project, whole)
	before := p.traces(t)

	began := time.Now()
	created := p.call(t, "POST", "/api/v1/projects/ONE/tasks", `{"title":"Followed"}`, http.StatusCreated, nil,
		"traceparent: 00-"+clickTrace+"-"+fetchSpan+"-01")
	if id, recorded := created.trace(); id != clickTrace || !recorded {
		t.Fatalf("traceresponse %q", created.header.Get(telemetry.HeaderTraceresponse))
	}
	p.call(t, "POST", "/otlp/v1/traces", click(began), http.StatusOK, nil, "Origin: "+p.url)

	v := p.awaitTrace(t, clickTrace, func(v *traceView) bool { return whole(v) && v.find("browser", "client", "", nil) != nil })
	if roots := v.roots(); len(roots) != 1 || roots[0].Service != "browser" || roots[0].Name != "create task" {
		t.Errorf("roots %v, want the browser's action", roots)
	}
	if v.Orphans != 0 {
		t.Errorf("%d orphans", v.Orphans)
	}
	var parent *span
	for _, step := range []struct{ service, kind, name string }{
		{"browser", "internal", "create task"},
		{"browser", "client", "POST"},
		{"edge", "server", "POST"},
		{"task-service", "server", "POST /api/v1/projects/{key}/tasks"},
		{"task-service", "producer", "publish tasks."},
		{"stats-service", "consumer", "process tasks."},
		{"stats-service", "client", "COMMIT"},
	} {
		next := v.find(step.service, step.kind, step.name, parent)
		if next == nil {
			t.Fatalf("no %v below %v in %v", step, parent, v.Spans)
		}
		parent = next
	}
	service := v.find("task-service", "server", "POST", nil)
	for _, name := range []string{"INSERT tasks", "INSERT events"} {
		if insert := v.find("task-service", "client", name, nil); insert == nil || !v.below(insert, service) {
			t.Errorf("no %s below the server span: %v", name, v.Spans)
		}
	}
	process := v.find("stats-service", "consumer", "process", nil)
	publish := v.find("task-service", "producer", "publish", nil)
	if len(process.Links) != 1 || process.Links[0].SpanID != publish.SpanID {
		t.Errorf("the consumer's span links to %v, want the producer's %s", process.Links, publish.SpanID)
	}
	if action := v.find("browser", "internal", "", nil); action.Attributes["person.name"] != nil {
		t.Error("an attribute that is not on the list came through from the browser")
	}
	for _, id := range p.traces(t) {
		if id != clickTrace && !slices.Contains(before, id) && !readsOnly(t, p, id) {
			t.Errorf("stray trace %s", id)
		}
	}
}

// readsOnly reports whether a trace is of this test's own looking at things: nothing but requests that read.
func readsOnly(t *testing.T, p *product, id string) bool {
	t.Helper()
	v := p.awaitTrace(t, id, func(*traceView) bool { return true })
	return !slices.ContainsFunc(v.Spans, func(s span) bool {
		return s.Kind == "producer" || s.Kind == "consumer" || s.Kind == "server" && s.Attributes["http.request.method"] != "GET"
	})
}

func TestForgedWishIsNotGranted(t *testing.T) {
	t.Parallel()
	p := start(t, nil, "TRACE_SAMPLE_RATIO=0")
	p.call(t, "POST", "/api/v1/projects", `{"key":"OFF","name":"Off"}`, http.StatusCreated, nil)
	created := p.call(t, "POST", "/api/v1/projects/OFF/tasks", `{"title":"Unseen"}`, http.StatusCreated, nil,
		"traceparent: 00-"+clickTrace+"-"+fetchSpan+"-01")
	if id, recorded := created.trace(); id != clickTrace || recorded {
		t.Errorf("traceresponse %q, want the id and flags 00", created.header.Get(telemetry.HeaderTraceresponse))
	}
	p.awaitApplied(t, "OFF", 1)
	p.call(t, "POST", "/otlp/v1/traces", click(time.Now()), http.StatusOK, nil, "Origin: "+p.url)
	// The consumer's work is done and what a browser sent is in: had anything been recorded, it would be here within one flush.
	p.call(t, "PATCH", "/api/v1/tasks/OFF-1", `{"priority":1}`, http.StatusOK, nil, `If-Match: "1"`)
	p.awaitApplied(t, "OFF", 1)
	for _, id := range p.traces(t) {
		v := p.awaitTrace(t, id, func(*traceView) bool { return true })
		for _, s := range v.Spans {
			if s.Service != "browser" {
				t.Errorf("recorded although nothing is sampled: %v", s)
			}
		}
	}
}

func TestTraceOutlivesAnAbsenceOfNATS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	queue := startNATS(t, dir, server.RANDOM_PORT)
	port := queue.Addr().(*net.TCPAddr).Port //nolint:errcheck // it listens on TCP
	p := start(t, func(c *launch.Config) { c.NATSURL = queue.ClientURL() })
	p.call(t, "POST", "/api/v1/projects", `{"key":"AWAY","name":"Away"}`, http.StatusCreated, nil)
	p.call(t, "POST", "/api/v1/projects/AWAY/tasks", `{"title":"Before"}`, http.StatusCreated, nil)
	p.awaitApplied(t, "AWAY", 1)

	queue.Shutdown()
	queue.WaitForShutdown()
	id, recorded := p.call(t, "POST", "/api/v1/projects/AWAY/tasks", `{"title":"Meanwhile"}`, http.StatusCreated, nil).trace()
	if !recorded {
		t.Fatal("not recorded")
	}
	p.awaitApplied(t, "AWAY", 2) // read from the database
	startNATS(t, dir, port)
	v := p.awaitTrace(t, id, func(v *traceView) bool { return v.find("task-service", "producer", "publish", nil) != nil })
	if v.Orphans != 0 || len(v.roots()) != 1 {
		t.Errorf("%d orphans, roots %v", v.Orphans, v.roots())
	}
}

// startNATS runs a server of the test's own, which it may stop and start again on the same port and data.
func startNATS(t *testing.T, dir string, port int) *server.Server {
	t.Helper()
	srv, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: port, JetStream: true, StoreDir: dir, NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	go srv.Start()
	t.Cleanup(func() { srv.Shutdown(); srv.WaitForShutdown() })
	if !srv.ReadyForConnections(patience) {
		t.Fatal("NATS was not ready")
	}
	return srv
}
