package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
	"github.com/google/uuid"
	"github.com/valyala/fasthttp/fasthttputil"
	"go.uber.org/goleak"

	"github.com/tallyboard/tallyboard/services/internal/access"
	"github.com/tallyboard/tallyboard/services/internal/kit/fiberx"
	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
	"github.com/tallyboard/tallyboard/services/task-service/api"
)

func TestMain(m *testing.M) {
	openapi3filter.RegisterBodyDecoder(mimeNDJSON, openapi3filter.PlainBodyDecoder)
	openapi3filter.RegisterBodyDecoder("text/event-stream", openapi3filter.PlainBodyDecoder)
	openapi3filter.RegisterBodyDecoder("text/html", openapi3filter.PlainBodyDecoder)
	openapi3filter.RegisterBodyDecoder(mimeCSV, openapi3filter.PlainBodyDecoder)
	openapi3filter.RegisterBodyDecoder(mimeYAML, openapi3filter.PlainBodyDecoder)
	goleak.VerifyTestMain(m,
		// Fiber and fasthttp keep one clock each for the life of the process, and a sweeper that looks every 10 s whether to end.
		goleak.IgnoreAnyFunction("github.com/gofiber/fiber/v2/utils.StartTimeStampUpdater.func1.1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"))
}

// smallBodies is the limit of ordinary bodies in these tests, in bytes.
const smallBodies = 1 << 16

// Harness is a server on a listener in memory and a client that holds every answer against the description.
type Harness struct {
	t       *testing.T
	base    string
	client  *http.Client
	log     *logBuffer
	router  routers.Router
	streams *fiberx.Streams
	dial    func() (net.Conn, error)
}

// serve starts a server with the dependencies; the guard and the log are filled in.
func serve(t *testing.T, d Deps) *Harness {
	t.Helper()
	return serveTraced(t, d, telemetry.Nop())
}

// serveTraced is serve with telemetry.
func serveTraced(t *testing.T, d Deps, tel *telemetry.Telemetry) *Harness {
	t.Helper()
	log := &logBuffer{}
	d.Log = slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if d.Guard == nil {
		d.Guard = access.NewGuard(access.LocalOwner{}, nil)
	}
	if d.Tasks == nil {
		d.Tasks = &fakeTasks{}
	}
	d.Streams = fiberx.NewStreams(0)
	app := fiberx.New(fiberx.Config{Service: "test", BodyLimit: smallBodies, QuietPaths: QuietPaths}, d.Log, tel)
	if err := Mount(app, d); err != nil {
		t.Fatal(err)
	}
	listener := fasthttputil.NewInmemoryListener()
	served := make(chan error, 1)
	go func() { served <- app.Listener(listener) }()
	transport := &http.Transport{
		DialContext:        func(context.Context, string, string) (net.Conn, error) { return listener.Dial() },
		DisableCompression: true,
	}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := d.Streams.Close(ctx); err != nil {
			t.Error(err)
		}
		if err := app.ShutdownWithContext(ctx); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	h := NewHarness(t, "http://board.test", transport)
	h.log, h.streams, h.dial = log, d.Streams, listener.Dial
	return h
}

// NewHarness returns a client of the server at base.
func NewHarness(t *testing.T, base string, transport http.RoundTripper) *Harness {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(api.Spec)
	if err != nil {
		t.Fatal(err)
	}
	doc.Servers = nil
	router, err := legacy.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	noRedirects := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Harness{t: t, base: base, client: &http.Client{Transport: transport, CheckRedirect: noRedirects}, router: router}
}

// Answer is a response with its body read.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// header is a request header, as "Name: value".
type header = string

// Do sends a request; body is JSON text unless a Content-Type header says otherwise.
func (h *Harness) Do(method, target, body string, headers ...header) Answer {
	h.t.Helper()
	return h.Send(h.Request(method, target, strings.NewReader(body), headers...), []byte(body))
}

func (h *Harness) Request(method, target string, body io.Reader, headers ...header) *http.Request {
	h.t.Helper()
	if r, ok := body.(*strings.Reader); ok && r.Len() == 0 {
		body = nil
	}
	req, err := http.NewRequestWithContext(h.t.Context(), method, h.base+target, body)
	if err != nil {
		h.t.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		req.Header.Set(name, value)
	}
	return req
}

func (h *Harness) Send(req *http.Request, sent []byte) Answer {
	h.t.Helper()
	res, err := h.client.Do(req)
	if err != nil {
		h.t.Fatalf("%s %s: %v", req.Method, req.URL, err)
	}
	defer res.Body.Close() //nolint:errcheck // read to its end
	body, err := io.ReadAll(res.Body)
	if err != nil {
		h.t.Fatalf("%s %s: read the answer: %v", req.Method, req.URL, err)
	}
	a := Answer{Status: res.StatusCode, Header: res.Header, Body: body}
	h.check(req, sent, a)
	return a
}

// check holds an answer against the description.
func (h *Harness) check(req *http.Request, sent []byte, a Answer) {
	h.t.Helper()
	if a.Header.Get("X-Trace-Id") == "" {
		h.t.Errorf("%s %s: no X-Trace-Id", req.Method, req.URL)
	}
	clone := req.Clone(context.Background())
	clone.URL.Host, clone.URL.Scheme = "", ""
	clone.Body = io.NopCloser(bytes.NewReader(sent))
	route, params, err := h.router.FindRoute(clone)
	if err != nil { // not in the description: the UI, or a method a resource does not have
		return
	}
	err = openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: clone, PathParams: params, Route: route},
		Status:                 a.Status, Header: a.Header, Body: io.NopCloser(bytes.NewReader(a.Body)),
		Options: &openapi3filter.Options{IncludeResponseStatus: true},
	})
	if err != nil {
		h.t.Errorf("%s %s: the answer %d breaks the description: %v\n%.600s", req.Method, req.URL, a.Status, err, a.Body)
	}
}

// JSON decodes the body.
func (a Answer) JSON(t *testing.T, v any) {
	t.Helper()
	if err := json.Unmarshal(a.Body, v); err != nil {
		t.Fatalf("decode %.300q: %v", a.Body, err)
	}
}

// Problem returns the problem document and fails unless it has the status.
func (a Answer) Problem(t *testing.T, status int) fiberx.Problem {
	t.Helper()
	var p fiberx.Problem
	if a.Status != status || a.Header.Get("Content-Type") != fiberx.MIMEProblem {
		t.Fatalf("answer %d %s %.300s, want a problem with %d", a.Status, a.Header.Get("Content-Type"), a.Body, status)
	}
	a.JSON(t, &p)
	return p
}

// logBuffer keeps log lines; it is safe for concurrent use.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func mustID(t testing.TB) uuid.UUID {
	t.Helper()
	id, err := uuid.NewV7()
	if err != nil {
		t.Fatal(err)
	}
	return id
}
