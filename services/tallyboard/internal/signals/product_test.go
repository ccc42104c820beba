package signals

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
	"github.com/tallyboard/tallyboard/services/tallyboard/internal/launch"
	"github.com/tallyboard/tallyboard/services/tallyboard/internal/pgembed"
)

// patience bounds what must happen eventually; it is not a measurement.
const patience = 60 * time.Second

// product is a running `make run`.
type product struct {
	url  string
	logs *lockedBuffer
}

// lockedBuffer takes the logs of both services and of the edge.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// start runs the product on data of its own until the test ends. environ is added to what the services read.
func start(t *testing.T, change func(*launch.Config), environ ...string) *product {
	t.Helper()
	pkg, err := pgembed.Package()
	if err != nil {
		t.Fatal(err)
	}
	binaries, err := filepath.Abs(filepath.Join("..", "..", "postgres", "node_modules", filepath.FromSlash(pkg), "native"))
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "tallyboard-signals") //nolint:usetesting // t.TempDir is closed to the database's user
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	cfg := launch.Config{Host: "127.0.0.1", DataDir: dir, PostgresDir: binaries, SyncInterval: time.Second, MaxStore: 1 << 28,
		ReadyTimeout: patience, StopTimeout: 20 * time.Second, TraceBuffer: 2000, TraceBufferBytes: 32 << 20}
	if change != nil {
		change(&cfg)
	}
	p := &product{logs: &lockedBuffer{}}
	ready, ended := make(chan string, 1), make(chan error, 1)
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		ended <- launch.Run(ctx, cfg, launch.Deps{Environ: environ, Out: io.Discard, UI: fstest.MapFS{}, Version: "test",
			Log: slog.New(slog.NewJSONHandler(p.logs, nil)), LogOut: p.logs, Ready: func(url string) { ready <- url }})
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("stop: %v", err)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	select {
	case p.url = <-ready:
	case err := <-ended:
		ended <- err
		t.Fatalf("the product ended before it was ready: %v", err)
	}
	return p
}

// answer is a response that was read to its end.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// traceID returns the id of the answer's trace, and whether it is recorded.
func (a answer) trace() (id string, recorded bool) {
	parts := strings.Split(a.header.Get(telemetry.HeaderTraceresponse), "-")
	if len(parts) != 4 {
		return "", false
	}
	return parts[1], parts[3] == "01"
}

// send makes a request with headers given as "Name: value".
func (p *product) send(t *testing.T, method, path, body string, headers ...string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, p.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // what matters was read
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, b}
}

// call is send for an answer of a certain status, read into a value unless that is nil.
func (p *product) call(t *testing.T, method, path, body string, want int, into any, headers ...string) answer {
	t.Helper()
	a := p.send(t, method, path, body, headers...)
	if a.status != want {
		t.Fatalf("%s %s: status %d, want %d: %s", method, path, a.status, want, a.body)
	}
	if into != nil {
		if err := json.Unmarshal(a.body, into); err != nil {
			t.Fatalf("%s %s: %v: %s", method, path, err, a.body)
		}
	}
	return a
}

// span and traceView are what /api/v1/traces/{id} shows.
type span struct {
	SpanID     string         `json:"spanId"`
	ParentID   *string        `json:"parentId"`
	Service    string         `json:"service"`
	Name       string         `json:"name"`
	Kind       string         `json:"kind"`
	Attributes map[string]any `json:"attributes"`
	Links      []struct {
		TraceID string `json:"traceId"`
		SpanID  string `json:"spanId"`
	} `json:"links"`
}

type traceView struct {
	TraceID string `json:"traceId"`
	Orphans int    `json:"orphans"`
	Spans   []span `json:"spans"`
}

func (s span) String() string { return fmt.Sprintf("%s: %s (%s)", s.Service, s.Name, s.Kind) }

// find returns the first span of a service and kind whose name begins so, below a parent if one is given.
func (v *traceView) find(service, kind, name string, parent *span) *span {
	i := slices.IndexFunc(v.Spans, func(s span) bool {
		return s.Service == service && s.Kind == kind && strings.HasPrefix(s.Name, name) &&
			(parent == nil || s.ParentID != nil && *s.ParentID == parent.SpanID)
	})
	if i < 0 {
		return nil
	}
	return &v.Spans[i]
}

// below reports whether a span is another's child, or its child's, and so on.
func (v *traceView) below(s, ancestor *span) bool {
	for range v.Spans {
		switch {
		case s == nil || ancestor == nil || s.ParentID == nil:
			return false
		case *s.ParentID == ancestor.SpanID:
			return true
		}
		i := slices.IndexFunc(v.Spans, func(p span) bool { return p.SpanID == *s.ParentID })
		if i < 0 {
			return false
		}
		s = &v.Spans[i]
	}
	return false
}

func (v *traceView) roots() (out []span) {
	for _, s := range v.Spans {
		if s.ParentID == nil {
			out = append(out, s)
		}
	}
	return out
}

// awaitTrace reads a trace until it is as wanted.
func (p *product) awaitTrace(t *testing.T, id string, want func(*traceView) bool) *traceView {
	t.Helper()
	view := &traceView{}
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		a := p.send(t, "GET", "/api/v1/traces/"+id, "")
		if a.status == http.StatusOK {
			*view = traceView{}
			if err := json.Unmarshal(a.body, view); err != nil {
				t.Fatal(err)
			}
			if want(view) {
				return view
			}
		}
	}
	t.Fatalf("trace %s did not become what was expected: %d orphans, spans %v", id, view.Orphans, view.Spans)
	return nil
}

// traces lists the ids of the traces that are kept.
func (p *product) traces(t *testing.T) (ids []string) {
	t.Helper()
	var list struct {
		Traces []struct {
			TraceID string `json:"traceId"`
		} `json:"traces"`
	}
	p.call(t, "GET", "/api/v1/traces?limit=100", "", http.StatusOK, &list)
	for _, x := range list.Traces {
		ids = append(ids, x.TraceID)
	}
	return ids
}

// awaitApplied waits until statistics count n tasks of a project.
func (p *product) awaitApplied(t *testing.T, project string, n int) {
	t.Helper()
	var got struct{ Total int }
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		p.call(t, "GET", "/api/v1/stats/projects/"+project+"/summary", "", http.StatusOK, &got)
		if got.Total == n {
			return
		}
	}
	t.Fatalf("statistics count %d tasks, want %d", got.Total, n)
}
