package launch

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// product runs the product in this process, on data of its own, and returns its address.
func product(t *testing.T, change func(*Config), environ ...string) (url string) {
	t.Helper()
	cfg := Config{Host: "127.0.0.1", DataDir: dataDir(t), PostgresDir: binariesDir(t), SyncInterval: time.Second, MaxStore: 1 << 28,
		ReadyTimeout: time.Minute, StopTimeout: 20 * time.Second, TraceBuffer: 100, TraceBufferBytes: 8 << 20}
	if change != nil {
		change(&cfg)
	}
	ctx, stop := context.WithCancel(context.Background())
	ready, ended := make(chan string, 1), make(chan error, 1)
	go func() {
		ended <- Run(ctx, cfg, Deps{Environ: environ, Out: io.Discard, Log: slog.New(slog.DiscardHandler), LogOut: io.Discard,
			UI: fstest.MapFS{}, Version: "test", Ready: func(url string) { ready <- url }})
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("stop: %v", err)
		}
		http.DefaultClient.CloseIdleConnections()
	})
	select {
	case url = <-ready:
	case err := <-ended:
		ended <- nil
		t.Fatalf("it ended before it was ready: %v", err)
	}
	return url
}

// post sends JSON with headers ("Name: value") and returns the status and the answer's traceresponse.
func post(t *testing.T, url, body string, headers ...string) (status int, traceresponse string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // what matters was read
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, res.Header.Get("Traceresponse")
}

// shown is a trace as the API shows it.
type shown struct {
	Orphans int
	Spans   []shownSpan
}

type shownSpan struct {
	SpanID, Service, Name, Kind string
	ParentID                    *string
}

// find returns the first span that fits.
func (s shown) find(service, kind, name string) (shownSpan, bool) {
	i := slices.IndexFunc(s.Spans, func(x shownSpan) bool {
		return x.Service == service && x.Kind == kind && strings.HasPrefix(x.Name, name)
	})
	if i < 0 {
		return shownSpan{}, false
	}
	return s.Spans[i], true
}

// look fetches a trace; the status is 404 while there is none.
func look(t *testing.T, url, id string) (status int, trace shown) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/api/v1/traces/"+id, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // what matters was read
	var into any = &trace
	if err := json.NewDecoder(res.Body).Decode(into); err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, trace
}

func TestTraceOfAWriteLeadsFromTheBrowserToTheConsumer(t *testing.T) {
	t.Parallel()
	url := product(t, nil, "OTEL_SERVICE_NAME=everything")
	if status, _ := post(t, url+"/api/v1/projects", `{"key":"RUN","name":"Run"}`); status != http.StatusCreated {
		t.Fatalf("a project: %d", status)
	}
	applied(t, url, 1) // what a new applier finds in the database at its first look belongs to no trace
	const id, root, fetch = "0af7651916cd43dd8448eb211c80319c", "00f067aa0ba902b7", "b7ad6b7169203331"
	status, response := post(t, url+"/api/v1/projects/RUN/tasks", `{"title":"Traced"}`, "traceparent: 00-"+id+"-"+fetch+"-00", "tracestate: x=y")
	if status != http.StatusCreated || !strings.HasPrefix(response, "00-"+id+"-") || !strings.HasSuffix(response, "-01") {
		t.Fatalf("a task: %d, traceresponse %q", status, response)
	}
	now := time.Now().UnixNano()
	span := func(id, parent, name string, kind int) string {
		return fmt.Sprintf(`{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":%q,"parentSpanId":%q,"name":%q,"kind":%d,"startTimeUnixNano":"%d","endTimeUnixNano":"%d"}`,
			id, parent, name, kind, now-1e9, now)
	}
	body := `{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"task-service"}}]},"scopeSpans":[{"spans":[` +
		span(root, "", "create task", 1) + "," + span(fetch, root, "POST", 3) + `]}]}]}`
	if status, _ := post(t, url+"/otlp/v1/traces", body, "Origin: "+url); status != http.StatusOK {
		t.Fatalf("spans of the browser: %d", status)
	}
	if status, _ := post(t, url+"/otlp/v1/traces", body); status != http.StatusForbidden {
		t.Errorf("spans of nobody: %d", status)
	}
	var got shown
	chain := []struct{ service, kind, name string }{
		{"browser", "internal", "create task"}, {"browser", "client", "POST"}, {"edge", "server", "POST /api/v1/"},
		{"task-service", "server", "POST /api/v1/projects/{"}, {"task-service", "producer", "publish tasks."}, {"stats-service", "consumer", "process tasks."},
	}
	missing := "everything"
	for deadline := time.Now().Add(30 * time.Second); missing != "" && time.Now().Before(deadline); {
		_, got = look(t, url, id)
		missing = ""
		parent := ""
		for _, link := range chain {
			span, ok := got.find(link.service, link.kind, link.name)
			switch {
			case !ok:
				missing = fmt.Sprint(link, " is not there")
			case (span.ParentID == nil) != (parent == "") || span.ParentID != nil && *span.ParentID != parent:
				missing = fmt.Sprint(link, " is not below the one before it")
			}
			parent = span.SpanID
		}
		for _, service := range []string{"task-service", "stats-service"} {
			if _, ok := got.find(service, "client", ""); !ok {
				missing = "no statement of " + service
			}
		}
	}
	if missing != "" || got.Orphans != 0 {
		t.Errorf("%s; %d orphans of %+v", missing, got.Orphans, got.Spans)
	}
}

func TestOfATraceThatIsNotRecordedNothingIsKept(t *testing.T) {
	t.Parallel()
	url := product(t, nil, "TRACE_SAMPLE_RATIO=0")
	const id = "0af7651916cd43dd8448eb211c80319d"
	status, response := post(t, url+"/api/v1/projects", `{"key":"RUN","name":"Run"}`, "traceparent: 00-"+id+"-b7ad6b7169203331-01")
	if status != http.StatusCreated || !strings.HasPrefix(response, "00-"+id+"-") || !strings.HasSuffix(response, "-00") {
		t.Fatalf("%d, traceresponse %q", status, response)
	}
	awaitEvents(t, url, 1) // the consumer has had it
	if status, trace := look(t, url, id); status != http.StatusNotFound {
		t.Errorf("%d: %+v", status, trace)
	}
}

// collector is an OTLP receiver that notes which services' spans of one trace it has got.
type collector struct {
	trace    string
	mu       sync.Mutex
	services map[string]int
	vitals   bool
}

func (c *collector) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.URL.Path != "/v1/traces" {
		c.vitals = c.vitals || strings.Contains(string(body), "browser.web_vital.cls")
		return
	}
	var data tracepb.TracesData // has the fields of ExportTraceServiceRequest
	if err := proto.Unmarshal(body, &data); err != nil {
		return
	}
	for _, resource := range data.GetResourceSpans() {
		for _, kv := range resource.GetResource().GetAttributes() {
			if kv.GetKey() != "service.name" {
				continue
			}
			for _, scope := range resource.GetScopeSpans() {
				for _, span := range scope.GetSpans() {
					if hex.EncodeToString(span.GetTraceId()) == c.trace {
						c.services[kv.GetValue().GetStringValue()]++
					}
				}
			}
		}
	}
}

// TestWithACollectorEverythingLeavesBeforeTheEnd has the exporters wait for longer than the test, so that what arrives
// is what is flushed at the end.
func TestWithACollectorEverythingLeavesBeforeTheEnd(t *testing.T) {
	t.Parallel()
	received := &collector{trace: "0af7651916cd43dd8448eb211c80319e", services: map[string]int{}}
	server := httptest.NewServer(received)
	defer server.Close()
	cmd, url := child(t, dataDir(t), "OTEL_EXPORTER_OTLP_ENDPOINT="+server.URL, "OTEL_EXPORTER_OTLP_COMPRESSION=none",
		"OTEL_BSP_SCHEDULE_DELAY=3600000", "OTEL_METRIC_EXPORT_INTERVAL=3600000", "OTEL_SERVICE_NAME=everything")
	status, _ := post(t, url+"/api/v1/projects", `{"key":"RUN","name":"Run"}`, "traceparent: 00-"+received.trace+"-b7ad6b7169203331-00")
	if status != http.StatusCreated {
		t.Fatalf("a project: %d", status)
	}
	now := time.Now().UnixNano()
	for path, body := range map[string]string{
		"/otlp/v1/traces": fmt.Sprintf(`{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":%q,"spanId":"b7ad6b7169203331","name":"POST","kind":3,`+
			`"startTimeUnixNano":"%d","endTimeUnixNano":"%d"}]}]}]}`, received.trace, now, now),
		"/otlp/v1/metrics": `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"browser.web_vital.cls","histogram":{"aggregationTemporality":1,` +
			`"dataPoints":[{"count":"1","sum":0,"bucketCounts":[1,0,0,0,0,0,0,0,0,0],"explicitBounds":[0,0.01,0.025,0.05,0.1,0.15,0.25,0.5,1],"timeUnixNano":"1"}]}}]}]}]}`,
	} {
		if status, _ := post(t, url+path, body, "Origin: "+url); status != http.StatusOK {
			t.Errorf("%s: %d", path, status)
		}
	}
	awaitEvents(t, url, 1)
	for deadline := time.Now().Add(30 * time.Second); status != http.StatusOK && time.Now().Before(deadline); {
		status, _ = look(t, url, received.trace)
	}
	if status != http.StatusOK {
		t.Errorf("the trace is not in memory beside the collector: %d", status)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("after an interrupt: %v", err)
	}
	received.mu.Lock()
	defer received.mu.Unlock()
	for _, service := range []string{"browser", "edge", "task-service", "stats-service"} {
		if received.services[service] == 0 {
			t.Errorf("no span of %s arrived: %v", service, received.services)
		}
	}
	if !received.vitals {
		t.Error("the browser's measurements did not arrive")
	}
}

// awaitEvents waits until stats-service has applied n events.
func awaitEvents(t *testing.T, url string, n int) {
	t.Helper()
	var status struct{ Cursor, LagPositions int }
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		call(t, "GET", url+"/api/v1/stats/status", "", 200, &status)
		if status.Cursor >= n && status.LagPositions == 0 {
			return
		}
	}
	t.Fatalf("statistics stand at %+v", status)
}

func TestWithoutABufferThereAreNoTraces(t *testing.T) {
	t.Parallel()
	url := product(t, func(c *Config) { c.TraceBuffer = 0 })
	status, response := post(t, url+"/api/v1/projects", `{"key":"RUN","name":"Run"}`)
	if status != http.StatusCreated || !strings.HasSuffix(response, "-00") {
		t.Errorf("%d, traceresponse %q", status, response)
	}
	var settings struct{ Source string }
	if call(t, "GET", url+"/api/v1/traces/settings", "", 200, &settings); settings.Source != "none" {
		t.Errorf("the source is %q", settings.Source)
	}
	if status, _ := post(t, url+"/otlp/v1/traces", `{"resourceSpans":[]}`, "Origin: "+url); status != http.StatusOK {
		t.Errorf("spans of a browser are refused: %d", status)
	}
}

func TestPartsShareWhatJoinsThem(t *testing.T) {
	t.Parallel()
	c := Config{Host: "127.0.0.1"}
	environ := c.environ([]string{"OTEL_SERVICE_NAME=x", "HTTP_TRACE_TRUST=none"}, "postgres://x", "")
	for name, want := range map[string]string{"OTEL_SERVICE_NAME": "", "HTTP_TRACE_TRUST": "sampling", "ALLOWED_HOSTS": "localhost,127.0.0.1,::1"} {
		if got, _ := lookup(environ, name); got != want {
			t.Errorf("%s=%q, want %q", name, got, want)
		}
	}
	if key, _ := lookup(environ, "TRACE_SAMPLE_KEY"); len(key) != 2*sampleKeyBytes {
		t.Errorf("the sampling key is %q", key)
	}
	environ = c.environ([]string{"TRACE_SAMPLE_KEY_FILE=/key", "ALLOWED_HOSTS="}, "postgres://x", "")
	if key, set := lookup(environ, "TRACE_SAMPLE_KEY"); set {
		t.Errorf("a key beside that of the file: %q", key)
	}
	if hosts, _ := lookup(environ, "ALLOWED_HOSTS"); hosts != "" {
		t.Errorf("hosts %q, though none are asked for", hosts)
	}
}

func TestAServerOfOnesOwnIsTrustedByItsAuthorities(t *testing.T) {
	t.Parallel()
	given := []string{"DATABASE_CA_FILE=/ca.crt", "DATABASE_PASSWORD_FILE=/password", "NATS_CA_FILE=/nats.crt"}
	own := Config{DatabaseURL: "postgres://app@db.example/tally", DatabasePassword: "secret", DatabaseCAFile: "/ca.crt", NATSURL: "nats://nats.example"}
	for migrations, c := range map[string]Config{
		"postgres://app:secret@db.example/tally?sslmode=verify-full&sslrootcert=%2Fca.crt": own,
		"mysql://app:secret@db.example/tally?ca-file=%2Fca.crt": {
			DatabaseURL: "mysql://app@db.example/tally", DatabasePassword: "secret", DatabaseCAFile: "/ca.crt",
		},
	} {
		if got, err := c.database(t.Context(), nil, Deps{}); err != nil || got != migrations {
			t.Errorf("migrations go by %q, %v", got, err)
		}
	}
	environ := own.environ(given, "postgres://x", "nats://nats.example")
	embedded := Config{}.environ(given, "postgres://x", "")
	for _, name := range []string{"DATABASE_CA_FILE", "DATABASE_PASSWORD_FILE"} {
		if _, set := lookup(environ, name); !set {
			t.Errorf("the services do not get %s", name)
		}
		if _, set := lookup(embedded, name); set {
			t.Errorf("%s of another server is for the embedded one, too", name)
		}
	}
	if file, _ := lookup(environ, "NATS_CA_FILE"); file != "/nats.crt" {
		t.Errorf("the services get NATS_CA_FILE=%q", file)
	}
}

// applied waits until the statistics have come to a position.
func applied(t *testing.T, url string, pos int64) {
	t.Helper()
	const patience, pause = 30 * time.Second, 20 * time.Millisecond
	tick := time.NewTicker(pause)
	defer tick.Stop()
	var status struct {
		Cursor int64 `json:"cursor"`
	}
	for deadline := time.Now().Add(patience); status.Cursor < pos; <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("statistics are at %d", status.Cursor)
		}
		res, err := http.Get(url + "/api/v1/stats/status")
		if err != nil {
			continue
		}
		_ = json.NewDecoder(res.Body).Decode(&status) // an answer that cannot be read is none
		_ = res.Body.Close()
	}
}
