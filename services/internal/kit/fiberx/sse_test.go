package fiberx

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
)

// subscription is an open event stream.
type subscription struct {
	status int
	header http.Header
	body   *bufio.Reader
	conn   io.Closer
}

// subscribe opens an event stream. The connection is closed at the end of the test at the latest.
func subscribe(t *testing.T, address, header string) subscription {
	t.Helper()
	conn := dial(t, address)
	if _, err := fmt.Fprintf(conn, "GET /stream HTTP/1.1\r\nHost: x\r\n%s\r\n", header); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil) //nolint:bodyclose // closed with its connection
	if err != nil {
		t.Fatal(err)
	}
	return subscription{res.StatusCode, res.Header, bufio.NewReader(res.Body), conn}
}

// next reads one block of the stream, without its blank line.
func next(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	var block []string
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatalf("after %q: %v", block, err)
		}
		if line = strings.TrimSuffix(line, "\n"); line == "" {
			return strings.Join(block, "|")
		}
		block = append(block, line)
	}
}

func streaming(t *testing.T, opts StreamOptions, fn func(id string) func(w *SSEWriter) error) (string, *logBuffer) {
	t.Helper()
	app, log := newApp(Config{RequestTimeout: 50 * time.Millisecond})
	opts.Log = log.logger()
	app.Get("/stream", func(c *fiber.Ctx) error { return Stream(c, opts, fn(c.Get("Last-Event-ID"))) })
	return serve(t, app), log
}

func TestStreamSendsEvents(t *testing.T) {
	t.Parallel()
	address, _ := streaming(t, StreamOptions{Retry: 3 * time.Second}, func(id string) func(w *SSEWriter) error {
		return func(w *SSEWriter) error {
			return errors.Join(
				w.Event("42", "task", []byte(`{"a":1}`)),
				w.Event("", "", []byte("one\r\ntwo\rthree\n")),
				w.Comment("caught\nup"),
				w.Event(id, "echo", nil))
		}
	})
	s := subscribe(t, address, "Last-Event-ID: 7\r\n")
	r := s.body
	if s.status != http.StatusOK || !strings.HasPrefix(s.header.Get("Content-Type"), "text/event-stream") ||
		s.header.Get("X-Accel-Buffering") != "no" || !strings.Contains(s.header.Get("Cache-Control"), "no-store") {
		t.Errorf("%d %v", s.status, s.header)
	}
	for _, want := range []string{
		"retry: 3000", `id: 42|event: task|data: {"a":1}`, "data: one|data: two|data: three|data: ", ": caught up", "id: 7|event: echo|data: ",
	} {
		if got := next(t, r); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if rest, err := io.ReadAll(r); err != nil || len(rest) > 0 {
		t.Errorf("after the end: %q, %v", rest, err)
	}
}

func TestAStreamThatWasQuietEndsWell(t *testing.T) {
	t.Parallel()
	arrived := make(chan struct{}) // what was sent before: the server writes it after Flush has returned
	address, _ := streaming(t, StreamOptions{}, func(string) func(w *SSEWriter) error {
		return func(w *SSEWriter) error {
			<-arrived
			return w.conn.SetWriteDeadline(time.Now().Add(-time.Second)) // as if the last event had been sent long ago
		}
	})
	r := subscribe(t, address, "").body
	next(t, r)
	close(arrived)
	if rest, err := io.ReadAll(r); err != nil || len(rest) > 0 {
		t.Errorf("at the end: %q, %v", rest, err)
	}
}

func TestStreamRefusesLineBreaksInNames(t *testing.T) {
	t.Parallel()
	address, _ := streaming(t, StreamOptions{}, func(string) func(w *SSEWriter) error {
		return func(w *SSEWriter) error {
			for _, err := range []error{w.Event("1\ndata: x", "", nil), w.Event("", "a\rb", nil), w.Event("a\x00", "", nil)} {
				if err == nil {
					return w.Event("", "accepted", nil)
				}
			}
			return w.Event("", "refused", nil)
		}
	})
	r := subscribe(t, address, "").body
	next(t, r)
	if got := next(t, r); got != "event: refused|data: " {
		t.Error(got)
	}
}

func TestStreamOutlivesTheRequestsDeadlineAndBeats(t *testing.T) {
	t.Parallel()
	address, _ := streaming(t, StreamOptions{Heartbeat: 30 * time.Millisecond}, func(string) func(w *SSEWriter) error {
		return func(w *SSEWriter) error { <-w.Context().Done(); return nil }
	})
	s := subscribe(t, address, "")
	r, conn := s.body, s.conn
	next(t, r)
	for range 5 { // three deadlines long
		if got := next(t, r); got != ": heartbeat" {
			t.Fatalf("got %q", got)
		}
	}
	conn.Close() //nolint:errcheck // the shutdown in serve's cleanup fails if the stream does not notice
}

func TestStreamEndsWhenTheClientIsGone(t *testing.T) {
	t.Parallel()
	ended := make(chan error, 1)
	address, _ := streaming(t, StreamOptions{Heartbeat: 10 * time.Millisecond}, func(string) func(w *SSEWriter) error {
		return func(w *SSEWriter) error {
			<-w.Context().Done()
			ended <- w.Event("", "late", nil)
			return nil
		}
	})
	s := subscribe(t, address, "")
	r, conn := s.body, s.conn
	next(t, r)
	conn.Close() //nolint:errcheck // that is the test
	select {
	case err := <-ended:
		if err == nil {
			t.Error("an event was sent to nobody")
		}
	case <-time.After(patience):
		t.Error("not noticed")
	}
}

func TestStreamCutsOffAClientThatReadsNothing(t *testing.T) {
	t.Parallel()
	ended := make(chan error, 1)
	address, _ := streaming(t, StreamOptions{WriteTimeout: 100 * time.Millisecond}, func(string) func(w *SSEWriter) error {
		return func(w *SSEWriter) error {
			big := []byte(strings.Repeat("x", 1<<20))
			for {
				if err := w.Event("", "", big); err != nil {
					ended <- err
					return err
				}
			}
		}
	})
	conn := dial(t, address)
	if _, err := io.WriteString(conn, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if err == nil {
			t.Error("ended without an error")
		}
	case <-time.After(patience):
		t.Error("still writing")
	}
}

func TestStreamsCloseBeforeTheServerDoes(t *testing.T) {
	t.Parallel()
	streams := NewStreams(3)
	causes := make(chan error, 3)
	address, _ := streaming(t, StreamOptions{Streams: streams}, func(string) func(w *SSEWriter) error {
		return func(w *SSEWriter) error {
			<-w.Context().Done()
			causes <- context.Cause(w.Context())
			return nil
		}
	})
	var readers []*bufio.Reader
	for range 3 {
		r := subscribe(t, address, "").body
		next(t, r)
		readers = append(readers, r)
	}
	if s := subscribe(t, address, ""); s.status != http.StatusServiceUnavailable || s.header.Get("Retry-After") == "" {
		t.Errorf("a fourth stream: %d", s.status)
	}
	if n := streams.Open(); n != 3 {
		t.Errorf("%d open", n)
	}
	if err := streams.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, r := range readers {
		if _, err := io.ReadAll(r); err != nil {
			t.Errorf("a stream did not end cleanly: %v", err)
		}
		if err := <-causes; !errors.Is(err, errStreamsClosed) {
			t.Errorf("cause %v", err)
		}
	}
	if s := subscribe(t, address, ""); s.status != http.StatusServiceUnavailable {
		t.Errorf("a stream after the close: %d", s.status)
	}
	if err := streams.Close(t.Context()); err != nil {
		t.Errorf("second close: %v", err)
	}
}

func TestStreamsCloseGivesUpWithItsContext(t *testing.T) {
	t.Parallel()
	streams := NewStreams(0)
	if err := streams.enter(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := streams.Close(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	streams.leave()
	if err := streams.Close(t.Context()); err != nil {
		t.Errorf("after the last left: %v", err)
	}
}

func TestStreamLogsAPanicAndEnds(t *testing.T) {
	t.Parallel()
	address, log := streaming(t, StreamOptions{}, func(string) func(w *SSEWriter) error {
		return func(*SSEWriter) error { panic("boom") }
	})
	r := subscribe(t, address, "").body
	next(t, r)
	if _, err := io.ReadAll(r); err != nil {
		t.Error(err)
	}
	lines := log.lines(t, "event stream failed")
	if len(lines) != 1 || lines[0]["error"] != "panic: boom" || !strings.Contains(fmt.Sprint(lines[0]["stack"]), "sse_test.go") {
		t.Errorf("logged %v", lines)
	}
}

func TestWritersMayBeSharedByGoroutines(t *testing.T) {
	t.Parallel()
	address, _ := streaming(t, StreamOptions{}, func(string) func(w *SSEWriter) error {
		return func(w *SSEWriter) error {
			var writers sync.WaitGroup
			for i := range 8 {
				writers.Go(func() {
					for range 50 {
						if err := w.Event("", "n", fmt.Appendf(nil, "%d%d%d", i, i, i)); err != nil {
							return
						}
					}
				})
			}
			writers.Wait()
			return nil
		}
	})
	r := subscribe(t, address, "").body
	next(t, r)
	for range 400 {
		if got := next(t, r); len(got) != len("event: n|data: 000") {
			t.Fatalf("torn event %q", got)
		}
	}
}
