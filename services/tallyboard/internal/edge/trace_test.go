package edge

import (
	"bufio"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
)

// A caller's trace.
const (
	callerTrace = "0af7651916cd43dd8448eb211c80319c"
	callerSpan  = "b7ad6b7169203331"
)

// recording returns telemetry that records the given share of traces, and what it has recorded.
func recording(t *testing.T, ratio float64) (*telemetry.Telemetry, *tracetest.SpanRecorder) {
	t.Helper()
	recorder := tracetest.NewSpanRecorder()
	root := sdktrace.NeverSample()
	if ratio > 0 {
		root = sdktrace.AlwaysSample()
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder), sdktrace.WithSampler(sdktrace.ParentBased(root)))
	t.Cleanup(func() {
		if err := provider.Shutdown(t.Context()); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
	})
	tel := telemetry.Nop()
	tel.Tracer, tel.TracerProvider = provider.Tracer("test"), provider
	tel.Sampler = telemetry.Sampler{Ratio: ratio, Key: []byte("secret")}
	return tel, recorder
}

// service is a service that remembers the headers it was called with, and answers as told.
type service struct {
	mu     sync.Mutex
	header http.Header
	answer http.HandlerFunc
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.header = r.Header.Clone()
	s.mu.Unlock()
	w.Header().Set("Traceresponse", "00-11111111111111111111111111111111-2222222222222222-00")
	w.Header().Set("X-Trace-Id", "11111111111111111111111111111111")
	if s.answer != nil {
		s.answer(w, r)
	}
}

func (s *service) got(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.header.Values(name), ",")
}

// ask sends a request with headers ("Name: value") and returns the answer.
func ask(t *testing.T, method, url string, headers ...string) answer {
	t.Helper()
	return send(t, method, url, "", headers...)
}

// spansOf waits until n spans have ended: the client reads the end of an answer before the edge notes it.
func spansOf(t *testing.T, recorder *tracetest.SpanRecorder, n int) []sdktrace.ReadOnlySpan {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		if spans := recorder.Ended(); len(spans) >= n {
			return spans
		}
	}
	t.Fatalf("%d spans, want %d", len(recorder.Ended()), n)
	return nil
}

func TestEdgeSpanStandsBetweenCallerAndService(t *testing.T) {
	t.Parallel()
	tel, recorder := recording(t, 1)
	task := &service{answer: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusCreated) }}
	front := setupWith(t, Deps{Telemetry: tel}, task, says("stats"))
	a := ask(t, "POST", front.URL+"/api/v1/projects/WEB/tasks?q=secret", "traceparent: 00-"+callerTrace+"-"+callerSpan+"-00",
		"tracestate: other=noted", "baggage: user=ada", "X-Amzn-Trace-Id: Root=1-67891233-abcdef012345678912345678")
	span := spansOf(t, recorder, 1)[0]
	own := span.SpanContext()
	if own.TraceID().String() != callerTrace || span.Parent().SpanID().String() != callerSpan || span.SpanKind() != trace.SpanKindServer {
		t.Errorf("span %v below %v, kind %v", own, span.Parent(), span.SpanKind())
	}
	if want := fmt.Sprintf("00-%s-%s-01", callerTrace, own.SpanID()); task.got("traceparent") != want || a.header.Get("Traceresponse") != want {
		t.Errorf("passed on %q, answered %q, want %q", task.got("traceparent"), a.header.Get("Traceresponse"), want)
	}
	if task.got("tracestate") != "" || task.got("baggage") != "" || task.got("X-Amzn-Trace-Id") == "" {
		t.Errorf("tracestate %q, baggage %q, X-Amzn-Trace-Id %q", task.got("tracestate"), task.got("baggage"), task.got("X-Amzn-Trace-Id"))
	}
	if got := a.header.Values("X-Trace-Id"); len(got) != 1 || got[0] != callerTrace {
		t.Errorf("X-Trace-Id %q", got)
	}
	if id := a.header.Get("X-Request-ID"); len(id) != 32 || task.got("X-Request-Id") != id {
		t.Errorf("request id %q, the service has %q", id, task.got("X-Request-Id"))
	}
	if span.Name() != "POST /api/v1/{+}" {
		t.Errorf("name %q", span.Name())
	}
	attrs := map[string]string{}
	for _, kv := range span.Attributes() {
		attrs[string(kv.Key)] = kv.Value.String()
	}
	want := map[string]string{
		"http.request.method": "POST", "url.scheme": "http", "server.address": "127.0.0.1", "network.protocol.version": "1.1",
		"http.response.status_code": "201",
	}
	if fmt.Sprint(attrs) != fmt.Sprint(want) {
		t.Errorf("attributes %v, want %v", attrs, want)
	}
}

func TestTraceBeginsAtTheEdgeWithoutACaller(t *testing.T) {
	t.Parallel()
	for _, header := range []string{"X-None: x", "traceparent: 00-nonsense-01", "traceparent: 00-" + strings.Repeat("0", 32) + "-" + callerSpan + "-01"} {
		tel, recorder := recording(t, 1)
		task := &service{}
		front := setupWith(t, Deps{Telemetry: tel}, task, says("stats"))
		a := ask(t, "GET", front.URL+"/api/v1/me", header)
		span := spansOf(t, recorder, 1)[0]
		if span.Parent().IsValid() || a.header.Get("X-Trace-Id") != span.SpanContext().TraceID().String() ||
			task.got("traceparent") != a.header.Get("Traceresponse") || !strings.HasSuffix(task.got("traceparent"), "-01") {
			t.Errorf("%s: parent %v, answer %v, passed on %q", header, span.Parent(), a.header, task.got("traceparent"))
		}
	}
}

func TestCallerDecidesNothingAboutRecording(t *testing.T) {
	t.Parallel()
	tel, recorder := recording(t, 0)
	task := &service{}
	front := setupWith(t, Deps{Telemetry: tel}, task, says("stats"))
	for _, flags := range []string{"00", "01", "03", "ff"} {
		a := ask(t, "GET", front.URL+"/api/v1/me", "traceparent: 00-"+callerTrace+"-"+callerSpan+"-"+flags)
		passed := trace.SpanContextFromContext(telemetry.ContextWithTraceparent(t.Context(), task.got("traceparent")))
		if !passed.IsValid() || passed.IsSampled() || !strings.HasSuffix(a.header.Get("Traceresponse"), "-00") {
			t.Errorf("flags %s: passed on %q, answered %q", flags, task.got("traceparent"), a.header.Get("Traceresponse"))
		}
	}
	if a := ask(t, "GET", front.URL+"/api/v1/me"); !strings.HasSuffix(a.header.Get("Traceresponse"), "-00") || len(a.header.Get("X-Trace-Id")) != 32 {
		t.Errorf("a trace of our own: %v", a.header)
	}
	if n := len(recorder.Ended()); n != 0 {
		t.Errorf("%d spans", n)
	}
}

func TestOneAnswerForAllRequestsOfATrace(t *testing.T) {
	t.Parallel()
	tel, _ := recording(t, 0.5)
	task := &service{}
	front := setupWith(t, Deps{Telemetry: tel}, task, says("stats"))
	recorded := 0
	for i := range 40 {
		parent := fmt.Sprintf("00-%031x%x-%s-", i+1, i%16, callerSpan)
		first := ask(t, "GET", front.URL+"/api/v1/me", "traceparent: "+parent+"00").header.Get("Traceresponse")
		second := ask(t, "GET", front.URL+"/api/v1/stats/x", "traceparent: "+parent+"01").header.Get("Traceresponse")
		if first[len(first)-2:] != second[len(second)-2:] {
			t.Errorf("%s: %q and %q", parent, first, second)
		}
		if strings.HasSuffix(first, "01") {
			recorded++
		}
	}
	if recorded == 0 || recorded == 40 {
		t.Errorf("%d of 40 are recorded at a ratio of one half", recorded)
	}
}

func TestProbesFilesAndSignalsMakeNoSpan(t *testing.T) {
	t.Parallel()
	tel, recorder := recording(t, 1)
	task, stats := &service{}, &service{}
	front := setupWith(t, Deps{Telemetry: tel}, task, stats)
	for path, s := range map[string]*service{
		"/health": task, "/livez": task, "/metrics": task, "/pool-stats": task, "/api/v1/stats/health": stats,
		"/api/v1/stats/metrics": stats, "/api/v1/stats/status": stats, "/assets/index-abc.js": task,
		"/api/v1/traces": task, "/api/v1/traces/" + callerTrace: task, "/api/v1/operations": task,
	} {
		a := ask(t, "GET", front.URL+path, "traceparent: 00-"+callerTrace+"-"+callerSpan+"-01")
		if got := s.got("traceparent"); !strings.HasPrefix(got, "00-"+callerTrace+"-") || !strings.HasSuffix(got, "-00") || a.header.Get("Traceresponse") != got {
			t.Errorf("%s: passed on %q, answered %q", path, got, a.header.Get("Traceresponse"))
		}
	}
	send(t, "POST", front.URL+tracesPath, "{}", "Origin: "+front.URL, "Content-Type: application/json")
	if n := len(recorder.Started()); n != 0 {
		t.Errorf("%d spans", n)
	}
}

func TestFailuresAreInTheTrace(t *testing.T) {
	t.Parallel()
	tel, recorder := recording(t, 1)
	task := &service{answer: func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/v1/breaks" {
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, "half of it")
			http.NewResponseController(w).Flush() //nolint:errcheck // it breaks off anyway
			panic(http.ErrAbortHandler)
		}
		w.WriteHeader(http.StatusInternalServerError)
	}}
	front := setupWith(t, Deps{Telemetry: tel}, task, says("stats"))
	ask(t, "GET", front.URL+"/api/v1/fails")
	span := spansOf(t, recorder, 1)[0]
	if span.Status().Code != codes.Error || attr(span, "error.type") != "500" {
		t.Errorf("status %v, error.type %q", span.Status(), attr(span, "error.type"))
	}
	if res, err := http.Get(front.URL + "/api/v1/breaks"); err == nil {
		if _, err := bufio.NewReader(res.Body).ReadString(0); err == nil {
			t.Error("half an answer passes for a whole one")
		}
		res.Body.Close() //nolint:errcheck // what matters was read
	}
	span = spansOf(t, recorder, 2)[1]
	if span.Status().Code != codes.Error || attr(span, "error.type") != "aborted" {
		t.Errorf("broken off: status %v, error.type %q", span.Status(), attr(span, "error.type"))
	}

	tel, recorder = recording(t, 1)
	away := httptest.NewServer(New(Config{TaskAddr: "127.0.0.1:1", StatsAddr: "127.0.0.1:1", DialTimeout: time.Second, IdleConns: 1},
		Deps{Log: tel.Logger(), Telemetry: tel}))
	defer away.Close()
	a := ask(t, "GET", away.URL+"/api/v1/me", "traceparent: 00-"+callerTrace+"-"+callerSpan+"-00")
	span = spansOf(t, recorder, 1)[0]
	if attr(span, "error.type") != "503" || a.header.Get("Traceresponse") != telemetry.Traceresponse(span.SpanContext()) ||
		a.header.Get("X-Trace-Id") != callerTrace || !strings.Contains(a.body, `"traceId":"`+callerTrace+`"`) {
		t.Errorf("service away: %v %s", a.header, a.body)
	}
}

func attr(span sdktrace.ReadOnlySpan, key string) string {
	for _, kv := range span.Attributes() {
		if string(kv.Key) == key {
			return kv.Value.String()
		}
	}
	return ""
}

func TestSpanOfAStreamEndsWhenItBegins(t *testing.T) {
	t.Parallel()
	tel, recorder := recording(t, 1)
	release := make(chan struct{})
	front := setupWith(t, Deps{Telemetry: tel}, &service{answer: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		fmt.Fprint(w, "data: first\n\n")
		http.NewResponseController(w).Flush() //nolint:errcheck // the client would notice
		<-release
	}}, says("stats"))
	res, err := http.Get(front.URL + "/api/v1/projects/WEB/events")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // what matters was read
	span := spansOf(t, recorder, 1)[0]
	close(release)
	if got := res.Header.Get("Traceresponse"); got != telemetry.Traceresponse(span.SpanContext()) || attr(span, "http.response.status_code") != "200" {
		t.Errorf("answered %q, span %v %v", got, span.SpanContext(), span.Attributes())
	}
}

func TestNamesOfSpansAreFew(t *testing.T) {
	t.Parallel()
	for request, want := range map[string]string{
		"GET /":                              "GET /{*}",
		"GET /api/v1/traces-else":            "GET /api/v1/{+}",
		"GET /projects/WEB":                  "GET /{*}",
		"PATCH /api/v1/tasks/WEB-42":         "PATCH /api/v1/{+}",
		"GET /api/v1/stats/projects/WEB/cfd": "GET /api/v1/stats/{+}",
		"BREW /coffee":                       "_OTHER /{*}",
	} {
		method, path, _ := strings.Cut(request, " ")
		if got := spanName(httptest.NewRequest(method, path, http.NoBody)); got != want {
			t.Errorf("%s: %q, want %q", request, got, want)
		}
	}
}
