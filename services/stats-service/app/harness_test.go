package app_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
	"go.uber.org/goleak"

	"github.com/tallyboard/tallyboard/services/internal/kit/boot"
	"github.com/tallyboard/tallyboard/services/internal/kit/testkit"
	"github.com/tallyboard/tallyboard/services/stats-service/api"
	"github.com/tallyboard/tallyboard/services/stats-service/app"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// Fiber and fasthttp keep one clock each for the life of the process, and a sweeper that looks every 10 s whether to end.
		goleak.IgnoreAnyFunction("github.com/gofiber/fiber/v2/utils.StartTimeStampUpdater.func1.1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"))
}

// patience is how long a test waits for what must happen; far more than it takes.
const patience = 30 * time.Second

// service is a running stats-service.
type service struct {
	t    *testing.T
	url  string
	log  *logBuffer
	stop func() // ends it and checks that it ended well
}

func environ(database, nats string, more ...string) []string {
	return append([]string{
		"DATABASE_URL=" + database, "NATS_URL=" + nats, "LISTEN=127.0.0.1:0", "LOG_LEVEL=debug", "MIGRATE=true",
		// Faster than in production, so that tests wait less; order and completeness do not depend on them.
		"LEASE_TTL=1500ms", "LEASE_RENEW=300ms", "LEASE_RETRY=200ms", "SCHEMA_POLL=50ms", "STATS_POLL_INTERVAL=50ms",
		"STATS_STREAM_POLL=100ms", "NATS_RECONNECT_WAIT=200ms", "NATS_PING_INTERVAL=500ms", "DB_CONNECT_TIMEOUT=2s",
	}, more...)
}

// start runs the service as main does, from its variables, and returns when it is listening.
func start(t *testing.T, environ []string) *service {
	t.Helper()
	return startTraced(t, environ, nil)
}

// startTraced is start with a receiver of spans; nil: none are recorded.
func startTraced(t *testing.T, environ []string, spans *testkit.Spans) *service {
	t.Helper()
	cfg, err := boot.LoadConfig[app.Config](environ)
	if err != nil {
		t.Fatal(err)
	}
	s := &service{t: t, log: &logBuffer{}}
	ctx, cancel := context.WithCancel(context.Background())
	addr, ended := make(chan string, 1), make(chan error, 1)
	deps := app.Deps{Log: s.log, Version: "test", Ready: func(a string) { addr <- a }}
	if spans != nil {
		deps.Spans = spans
	}
	go func() { ended <- app.Run(ctx, cfg, deps) }()
	s.stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("the service ended with: %v", err)
			}
		case <-time.After(patience):
			t.Error("the service does not end")
		}
		if t.Failed() {
			t.Logf("log of %s:\n%s", s.url, s.log)
		}
	})
	t.Cleanup(s.stop)
	select {
	case a := <-addr:
		s.url = "http://" + a
	case err := <-ended:
		ended <- nil
		t.Fatalf("the service did not start: %v", err)
	case <-time.After(patience):
		t.Fatalf("the service is not listening; its log:\n%s", s.log)
	}
	return s
}

// client opens a connection per request, so that none is left when a test ends.
var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// description finds the operation of a request in api/openapi.yaml.
var description = sync.OnceValues(func() (routers.Router, error) {
	doc, err := openapi3.NewLoader().LoadFromData(api.Spec)
	if err != nil {
		return nil, err
	}
	if err := doc.Validate(context.Background()); err != nil {
		return nil, err
	}
	doc.Servers = nil // "/" stands for wherever it was served from, which the router takes for a prefix
	return legacy.NewRouter(doc)
})

// answer is what came back, without its body.
type answer struct {
	code   int
	header http.Header
}

// send sends a request and checks the answer against the API's description.
func (s *service) send(method, path string, header ...string) (answer, []byte) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, s.url+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := client.Do(req)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer res.Body.Close() //nolint:errcheck // it has been read
	body, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	s.check(req, res, body)
	return answer{res.StatusCode, res.Header}, body
}

func (s *service) check(req *http.Request, res *http.Response, body []byte) {
	s.t.Helper()
	router, err := description()
	if err != nil {
		s.t.Fatal(err)
	}
	route, params, err := router.FindRoute(req)
	if err != nil { // operations endpoints and documentation are not described
		if res.StatusCode == http.StatusOK && strings.HasPrefix(req.URL.Path, "/api/v1/stats/projects/") {
			s.t.Errorf("%s %s is not described: %v", req.Method, req.URL, err)
		}
		return
	}
	err = openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: req, PathParams: params, Route: route},
		Status:                 res.StatusCode, Header: res.Header, Body: io.NopCloser(bytes.NewReader(body)),
		Options: &openapi3filter.Options{IncludeResponseStatus: true},
	})
	if err != nil {
		s.t.Errorf("%s %s is not answered as described: %v\n%s", req.Method, req.URL, err, body)
	}
}

// get decodes the answer to a GET that succeeds.
func (s *service) get(path string, out any) {
	s.t.Helper()
	res, body := s.send(http.MethodGet, path)
	if res.code != http.StatusOK {
		s.t.Fatalf("GET %s: %d %s", path, res.code, body)
	}
	if err := json.Unmarshal(body, out); err != nil {
		s.t.Fatalf("GET %s: %v\n%s", path, err, body)
	}
}

// sse is one event of a stream.
type sse struct {
	id, event string
	data      map[string]any
}

// watch opens a stream; the channel is closed when it ends.
func (s *service) watch(path string) <-chan sse {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	res, err := client.Do(req) //nolint:bodyclose // closed by the goroutine below
	if err != nil {
		cancel()
		s.t.Fatal(err)
	}
	out, done := make(chan sse, 1000), make(chan struct{})
	go func() {
		defer close(done)
		defer close(out)
		defer res.Body.Close() //nolint:errcheck // a stream
		var e sse
		for lines := bufio.NewScanner(res.Body); lines.Scan(); {
			name, value, _ := strings.Cut(lines.Text(), ": ")
			switch name {
			case "id":
				e.id = value
			case "event":
				e.event = value
			case "data":
				if json.Unmarshal([]byte(value), &e.data) != nil {
					e.data = nil
				}
			case "":
				if e.event != "" {
					out <- e
				}
				e = sse{}
			}
		}
	}()
	s.t.Cleanup(func() { cancel(); <-done })
	return out
}

// next returns the next event, which must be of a kind.
func next(t *testing.T, from <-chan sse, kind string) sse {
	t.Helper()
	select {
	case e, open := <-from:
		if !open || e.event != kind {
			t.Fatalf("event %+v (open %t), want %s", e, open, kind)
		}
		return e
	case <-time.After(patience):
		t.Fatalf("no %s within %s", kind, patience)
		return sse{}
	}
}

// eventually waits until ok, looking every few milliseconds.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not within %s: %s", patience, what)
		}
	}
}

// logBuffer collects log lines.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}
