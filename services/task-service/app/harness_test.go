package app_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tallyboard/tallyboard/services/internal/kit/boot"
	"github.com/tallyboard/tallyboard/services/internal/kit/testkit"
	"github.com/tallyboard/tallyboard/services/task-service/app"
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

// replica is a running service.
type replica struct {
	t    *testing.T
	url  string
	log  *logBuffer
	stop func() // ends it and checks that it ended well

	traceID     string // of the last answer
	traceparent string // of the next requests
}

// env are variables beside DATABASE_URL and NATS_URL.
type env map[string]string

// start runs the service as main does, from its variables, and returns when it is listening.
func start(t *testing.T, database, nats string, more env) *replica {
	t.Helper()
	return startTraced(t, database, nats, more, nil)
}

// startTraced is start with a receiver of spans; nil: none are recorded.
func startTraced(t *testing.T, database, nats string, more env, spans *testkit.Spans) *replica {
	t.Helper()
	environ := []string{
		"DATABASE_URL=" + database, "NATS_URL=" + nats, "LISTEN=127.0.0.1:0", "LOG_LEVEL=debug", "MIGRATE=true",
		// Faster than in production, so that tests wait less; order and completeness do not depend on them.
		"LEASE_TTL=1500ms", "LEASE_RENEW=300ms", "LEASE_RETRY=200ms", "SCHEMA_POLL=50ms", "RELAY_POLL=200ms",
		"NATS_RECONNECT_WAIT=200ms", "NATS_PING_INTERVAL=500ms", "DB_CONNECT_TIMEOUT=2s",
	}
	for k, v := range more {
		environ = append(environ, k+"="+v)
	}
	cfg, err := boot.LoadConfig[app.Config](environ)
	if err != nil {
		t.Fatal(err)
	}
	r := &replica{t: t, log: &logBuffer{}}
	ctx, cancel := context.WithCancel(context.Background())
	addr, ended := make(chan string, 1), make(chan error, 1)
	deps := app.Deps{Log: r.log, Version: "test", Ready: func(a string) { addr <- a }}
	if spans != nil {
		deps.Spans = spans
	}
	go func() { ended <- app.Run(ctx, cfg, deps) }()
	r.stop = sync.OnceFunc(func() {
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
			t.Logf("log of %s:\n%s", r.url, r.log)
		}
	})
	t.Cleanup(r.stop)
	select {
	case a := <-addr:
		r.url = "http://" + a
	case err := <-ended:
		ended <- nil
		t.Fatalf("the service did not start: %v", err)
	case <-time.After(patience):
		t.Fatalf("the service is not listening; its log:\n%s", r.log)
	}
	return r
}

// client opens a connection per request, so that none is left when a test ends.
var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// send sends a request with a JSON body and decodes the answer into out, if given.
func (r *replica) send(method, path string, body, out any) int {
	r.t.Helper()
	var in io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			r.t.Fatal(err)
		}
		in = bytes.NewReader(b)
	}
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, r.url+path, in)
	if err != nil {
		r.t.Fatal(err)
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if r.traceparent != "" {
		req.Header.Set("Traceparent", r.traceparent)
	}
	if method == http.MethodPatch {
		req.Header.Set("If-Match", "*")
	}
	res, err := client.Do(req) //nolint:bodyclose // closing does
	if err != nil {
		r.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer closing(res.Body)
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatalf("%s %s: %v", method, path, err)
	}
	r.traceID = res.Header.Get("X-Trace-Id")
	if out != nil {
		if err := json.Unmarshal(answer, out); err != nil {
			r.t.Fatalf("%s %s: %s %s: %v", method, path, res.Status, answer, err)
		}
	}
	return res.StatusCode
}

// get returns the body of an answer that says OK.
func (r *replica) get(path string) (body string) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url+path, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Accept", "application/openmetrics-text; version=1.0.0")
	res, err := client.Do(req) //nolint:bodyclose // closing does
	if err != nil {
		r.t.Fatalf("GET %s: %v", path, err)
	}
	defer closing(res.Body)
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatalf("GET %s: %v", path, err)
	}
	if res.StatusCode != http.StatusOK {
		r.t.Fatalf("GET %s: status %d: %s", path, res.StatusCode, answer)
	}
	return string(answer)
}

// project is the key of the one project a test needs.
const project = "WEB"

func (r *replica) createProject() {
	r.t.Helper()
	var problem any
	if status := r.send(http.MethodPost, "/api/v1/projects", map[string]any{"key": project, "name": "Website"}, &problem); status != http.StatusCreated {
		r.t.Fatalf("creating a project: %d %v", status, problem)
	}
}

func (r *replica) createTask(title string) (ref string) {
	r.t.Helper()
	var answer struct{ Key, Detail string }
	if status := r.send(http.MethodPost, "/api/v1/projects/"+project+"/tasks", map[string]any{"title": title}, &answer); status != http.StatusCreated {
		r.t.Fatalf("creating a task: %d %s", status, answer.Detail)
	}
	return answer.Key
}

// sse is one event of a live stream.
type sse struct {
	id    string
	event string
	data  map[string]any
}

func (e sse) pos() int64 {
	pos, err := strconv.ParseInt(e.id, 10, 64)
	if err != nil {
		return -1
	}
	return pos
}

// watch opens a live stream, as soon as a replica that has just started has one; the channel is closed when it ends.
func (r *replica) watch(lastID string) <-chan sse {
	r.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var res *http.Response
	eventually(r.t, "watching", func() bool {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url+"/api/v1/projects/"+project+"/events", nil)
		if err != nil {
			r.t.Fatal(err)
		}
		if lastID != "" {
			req.Header.Set("Last-Event-ID", lastID)
		}
		if res, err = client.Do(req); err != nil { //nolint:bodyclose // closed by the goroutine below
			cancel()
			r.t.Fatal(err)
		}
		if res.StatusCode != http.StatusOK {
			closing(res.Body)
		}
		if res.StatusCode != http.StatusOK && res.StatusCode != http.StatusServiceUnavailable {
			cancel()
			r.t.Fatalf("watching: %s", res.Status)
		}
		return res.StatusCode == http.StatusOK
	})
	out := make(chan sse, 1000)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(out)
		defer closing(res.Body)
		readEvents(res.Body, out)
	}()
	r.t.Cleanup(func() { cancel(); <-done })
	return out
}

func readEvents(body io.Reader, out chan<- sse) {
	var e sse
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ": ")
		switch name {
		case "id":
			e.id = value
		case "event":
			e.event = value
		case "data":
			e.data = map[string]any{}
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
}

// next returns the next event whose kind is one of kinds.
func next(t *testing.T, from <-chan sse, kinds ...string) sse {
	t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case e, open := <-from:
			if !open {
				t.Fatalf("the stream ended before %v", kinds)
			}
			if slices.Contains(kinds, e.event) {
				return e
			}
		case <-deadline:
			t.Fatalf("no %v within %s", kinds, patience)
		}
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

// link is a TCP forwarder that can be cut, between the service and a server it needs.
type link struct {
	t        *testing.T
	addr, to string
	mu       sync.Mutex
	listener net.Listener
	conns    map[net.Conn]struct{}
	wait     sync.WaitGroup
}

// newLink returns a link to an address, cut at first, and the address it will listen on.
func newLink(t *testing.T, to string) *link {
	t.Helper()
	l := &link{t: t, to: to, conns: map[net.Conn]struct{}{}}
	l.mend()
	l.cut()
	t.Cleanup(l.cut)
	return l
}

func (l *link) mend() {
	l.t.Helper()
	addr := l.addr
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		l.t.Fatal(err)
	}
	l.addr = listener.Addr().String()
	l.mu.Lock()
	l.listener = listener
	l.mu.Unlock()
	l.wait.Go(func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return
			}
			l.wait.Go(func() { l.forward(in) })
		}
	})
}

func (l *link) forward(in net.Conn) {
	out, err := net.Dial("tcp", l.to)
	if err != nil {
		closing(in)
		return
	}
	l.mu.Lock()
	l.conns[in], l.conns[out] = struct{}{}, struct{}{}
	cut := l.listener == nil
	l.mu.Unlock()
	if cut {
		closing(in, out)
	}
	var both sync.WaitGroup
	pump := func(to, from net.Conn) {
		_, _ = io.Copy(to, from) // ends when either side or the link does
		closing(to, from)
	}
	both.Go(func() { pump(out, in) })
	both.Go(func() { pump(in, out) })
	both.Wait()
	l.mu.Lock()
	delete(l.conns, in)
	delete(l.conns, out)
	l.mu.Unlock()
}

func (l *link) cut() {
	l.mu.Lock()
	if l.listener != nil {
		closing(l.listener)
		l.listener = nil
	}
	for c := range l.conns {
		closing(c)
	}
	l.mu.Unlock()
	l.wait.Wait()
}

// closing closes what is of no more use; that it was closed already, or failed, changes nothing for a test.
func closing(all ...io.Closer) {
	for _, c := range all {
		_ = c.Close()
	}
}
