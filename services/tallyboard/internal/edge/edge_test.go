package edge

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func setup(t *testing.T, task, stats http.Handler) *httptest.Server {
	t.Helper()
	return setupWith(t, Deps{Telemetry: telemetry.Nop()}, task, stats)
}

// setupWith starts an edge with services behind it.
func setupWith(t *testing.T, deps Deps, task, stats http.Handler) *httptest.Server {
	t.Helper()
	ts, ss := httptest.NewServer(task), httptest.NewServer(stats)
	addr := func(s *httptest.Server) string { return strings.TrimPrefix(s.URL, "http://") }
	deps.Log = slog.New(slog.DiscardHandler)
	front := httptest.NewServer(New(Config{TaskAddr: addr(ts), StatsAddr: addr(ss), DialTimeout: time.Second, IdleConns: 4}, deps))
	t.Cleanup(func() { front.Close(); ts.Close(); ss.Close() })
	return front
}

func says(text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, text, " ", r.URL.Path, " ", r.Host) })
}

// answer is a response that was read to its end.
type answer struct {
	status int
	header http.Header
	body   string
}

func get(t *testing.T, url string) answer {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // what matters was read
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(b)}
}

func TestRoutesByPath(t *testing.T) {
	t.Parallel()
	front := setup(t, says("task"), says("stats"))
	host := strings.TrimPrefix(front.URL, "http://")
	for path, want := range map[string]string{
		"/":                             "task / ",
		"/api/v1/projects":              "task /api/v1/projects ",
		"/api/v1/stats":                 "task /api/v1/stats ",
		"/api/v1/stats/verify":          "stats /api/v1/stats/verify ",
		"/api/v1/stats/projects/WEB/ok": "stats /api/v1/stats/projects/WEB/ok ",
	} {
		if got := get(t, front.URL+path).body; got != want+host {
			t.Errorf("GET %s: got %q, want %q", path, got, want+host)
		}
	}
}

func TestServiceAwayIsAProblem(t *testing.T) {
	t.Parallel()
	front := httptest.NewServer(New(Config{TaskAddr: "127.0.0.1:1", StatsAddr: "127.0.0.1:1", DialTimeout: time.Second, IdleConns: 1},
		Deps{Log: slog.New(slog.DiscardHandler), Telemetry: telemetry.Nop()}))
	defer front.Close()
	res := get(t, front.URL+"/api/v1/stats/verify")
	if res.status != http.StatusServiceUnavailable || res.header.Get("Retry-After") == "" || res.header.Get("Content-Type") != "application/problem+json" {
		t.Fatalf("got %d %v", res.status, res.header)
	}
	var p struct {
		Code   string `json:"code"`
		Detail string `json:"detail"`
	}
	if err := json.Unmarshal([]byte(res.body), &p); err != nil || p.Code != "unavailable" || !strings.Contains(p.Detail, "stats-service") {
		t.Fatalf("got %q, %v", res.body, err)
	}
}

func TestStreamsPassAtOnce(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	front := setup(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, "data: first\n\n")
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
		<-release
	}), says("stats"))
	res, err := http.Get(front.URL + "/api/v1/projects/WEB/events")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()                                  //nolint:errcheck // what matters was read
	line, err := bufio.NewReader(res.Body).ReadString('\n') // would hang if the edge buffered
	close(release)
	if err != nil || line != "data: first\n" {
		t.Fatalf("got %q, %v", line, err)
	}
}

// closing is the body of a request that the server has closed by the time anybody looks whether it has ended: when the
// answer begins.
type closing struct {
	io.Reader

	begun <-chan struct{}
}

func (c *closing) Read(p []byte) (int, error) {
	if n, err := c.Reader.Read(p); err == nil {
		return n, nil
	}
	<-c.begun
	return 0, http.ErrBodyReadAfterClose
}

func (*closing) Close() error { return nil }

// noticing is a recorder that tells when the answer begins.
type noticing struct {
	*httptest.ResponseRecorder

	begin func()
}

func (n *noticing) WriteHeader(status int) {
	n.ResponseRecorder.WriteHeader(status)
	n.begin()
}

func TestAnAnswerThatBeginsWithTheLastByteOfItsRequestArrivesWhole(t *testing.T) {
	t.Parallel()
	const rest = 8 << 20 // more than any buffer on the way holds
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadFull(r.Body, make([]byte, r.ContentLength)); err != nil {
			panic(http.ErrAbortHandler)
		}
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush() // whoever reads notices
		_, _ = w.Write(make([]byte, rest))        // likewise
	}))
	defer service.Close()
	front := New(Config{TaskAddr: strings.TrimPrefix(service.URL, "http://"), DialTimeout: time.Second, IdleConns: 1},
		Deps{Log: slog.New(slog.DiscardHandler), Telemetry: telemetry.Nop()})
	begun := make(chan struct{})
	const file = "id,title\n"
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/api/v1/projects/P/import", &closing{strings.NewReader(file), begun})
	r.ContentLength = int64(len(file))
	w := &noticing{httptest.NewRecorder(), sync.OnceFunc(func() { close(begun) })}
	front.ServeHTTP(w, r)
	if w.Code != http.StatusOK || w.Body.Len() != rest {
		t.Errorf("%d, %d of %d bytes", w.Code, w.Body.Len(), rest)
	}
}

func TestAChangeGoesOnWithoutItsPage(t *testing.T) {
	t.Parallel()
	began, release := make(chan struct{}), make(chan struct{})
	cancelled, outcome := make(chan struct{}), make(chan error, 1)
	front := setup(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		began <- struct{}{}
		if r.Method == http.MethodGet {
			<-r.Context().Done()
			close(cancelled)
			return
		}
		<-release
		outcome <- r.Context().Err()
	}), says("stats"))
	ctx, leave := context.WithCancel(t.Context())
	var pages sync.WaitGroup
	for _, method := range []string{http.MethodPost, http.MethodGet} {
		req, err := http.NewRequestWithContext(ctx, method, front.URL+"/api/v1/projects", nil)
		if err != nil {
			t.Fatal(err)
		}
		pages.Go(func() {
			if res, err := http.DefaultClient.Do(req); err == nil {
				t.Errorf("%s was answered: %s", method, res.Status)
				res.Body.Close() //nolint:errcheck // nobody reads it
			}
		})
		<-began
	}
	leave()
	pages.Wait()
	<-cancelled // a read ends with its page
	close(release)
	if err := <-outcome; err != nil {
		t.Errorf("the change ended with its page: %v", err)
	}
}
