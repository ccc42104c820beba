package fiberx

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
)

// Defaults of StreamOptions.
const (
	defaultHeartbeat    = 15 * time.Second
	defaultRetry        = 2 * time.Second
	defaultWriteTimeout = 10 * time.Second
	defaultMaxStreams   = 5000
)

// errStreamsClosed ends a stream's context when its server shuts down.
var errStreamsClosed = errors.New("streams are closed: the server is shutting down")

// Streams are the open event streams of a server. They are closed before Fiber is shut down, which would otherwise wait
// for each until its time is over.
type Streams struct {
	max    int
	ctx    context.Context
	cancel context.CancelCauseFunc
	mu     sync.Mutex
	open   int
	idle   chan struct{} // closed when closing and open is 0
	closed bool
}

// NewStreams returns a registry that admits up to limit streams at once; 0 means 5000.
func NewStreams(limit int) *Streams {
	if limit <= 0 {
		limit = defaultMaxStreams
	}
	s := &Streams{max: limit, idle: make(chan struct{})}
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	return s
}

// Open returns the number of open streams.
func (s *Streams) Open() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open
}

// Close refuses new streams, ends the contexts of the open ones and waits for them until ctx is done.
func (s *Streams) Close(ctx context.Context) error {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		s.cancel(errStreamsClosed)
		if s.open == 0 {
			close(s.idle)
		}
	}
	s.mu.Unlock()
	select {
	case <-s.idle:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("close event streams: %d still open: %w", s.Open(), ctx.Err())
	}
}

func (s *Streams) enter() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.open >= s.max {
		return apperr.New(apperr.Unavailable, "No more live streams can be opened here just now.").WithRetryAfter(2 * time.Second)
	}
	s.open++
	return nil
}

func (s *Streams) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open--; s.closed && s.open == 0 {
		close(s.idle)
	}
}

// StreamOptions tune one event stream. Zero values take the defaults named.
type StreamOptions struct {
	// Streams is the registry that ends the stream at shutdown. Without one, only the client ends it.
	Streams *Streams
	// Heartbeat is the silence after which a comment is sent, 15 s: it keeps proxies from closing the stream, and shows
	// that the client is gone.
	Heartbeat time.Duration
	// Retry tells the browser how long to wait before it reconnects, 2 s.
	Retry time.Duration
	// WriteTimeout is how long a client may take none of what is sent before it is cut off, 10 s.
	WriteTimeout time.Duration
	// Log receives panics of fn; nil means slog.Default().
	Log *slog.Logger
}

func (o StreamOptions) withDefaults() StreamOptions {
	if o.Heartbeat <= 0 {
		o.Heartbeat = defaultHeartbeat
	}
	if o.Retry <= 0 {
		o.Retry = defaultRetry
	}
	if o.WriteTimeout <= 0 {
		o.WriteTimeout = defaultWriteTimeout
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return o
}

// Stream answers with server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). It returns at
// once; fn then runs on its own goroutine until it returns, and must return when w.Context() is done: the client is gone
// or the server shuts down. fn must not use c, which belongs to the next request by then: copy what it needs before.
// w.Context() carries the values of c.UserContext(), not its deadline. An error from Stream itself means that nothing was
// sent. What fn returns ends the stream; the client reconnects with Last-Event-ID.
func Stream(c *fiber.Ctx, opts StreamOptions, fn func(w *SSEWriter) error) error {
	opts = opts.withDefaults()
	if opts.Streams != nil {
		if err := opts.Streams.enter(); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(c.UserContext()))
	conn := c.Context().Conn()
	c.Set(fiber.HeaderContentType, "text/event-stream; charset=utf-8")
	c.Set(fiber.HeaderCacheControl, "no-store, no-transform")
	c.Set("X-Accel-Buffering", "no") // nginx passes each event on at once
	// The connection gets write deadlines of its own, so no other request may follow on it.
	c.Context().SetConnectionClose()
	c.Context().SetBodyStreamWriter(func(out *bufio.Writer) {
		defer cancel(context.Canceled)
		if opts.Streams != nil {
			defer opts.Streams.leave()
			stop := context.AfterFunc(opts.Streams.ctx, func() { cancel(context.Cause(opts.Streams.ctx)) }) //nolint:contextcheck // two contexts end a stream
			defer stop()
		}
		w := &SSEWriter{ctx: ctx, cancel: cancel, out: out, conn: conn, timeout: opts.WriteTimeout}
		w.run(opts, fn)
	})
	return nil
}

// SSEWriter writes one event stream. Its methods may be called from several goroutines; after an error the stream is
// over and its context done.
type SSEWriter struct {
	ctx     context.Context
	cancel  context.CancelCauseFunc
	conn    net.Conn
	timeout time.Duration

	mu   sync.Mutex
	out  *bufio.Writer
	last time.Time
	err  error
	over bool // fn has returned; out is no longer ours
}

// Context is done when the client is gone, the server shuts down or the stream has ended.
func (w *SSEWriter) Context() context.Context { return w.ctx }

// Event sends one event and flushes it. id and event may be empty and must not contain line breaks; data may.
func (w *SSEWriter) Event(id, event string, data []byte) error {
	if strings.ContainsAny(id, "\r\n\x00") || strings.ContainsAny(event, "\r\n") {
		return errors.New("sse: id and event must not contain line breaks")
	}
	return w.write(func(out *bufio.Writer) {
		field(out, "id", id)
		field(out, "event", event)
		writeData(out, data)
		out.WriteByte('\n') //nolint:errcheck // bufio keeps the error for Flush
	})
}

// Comment sends a comment line, which clients ignore.
func (w *SSEWriter) Comment(text string) error {
	text = strings.NewReplacer("\r", " ", "\n", " ").Replace(text)
	return w.write(func(out *bufio.Writer) {
		out.WriteString(": ")   //nolint:errcheck // bufio keeps the error for Flush
		out.WriteString(text)   //nolint:errcheck // likewise
		out.WriteString("\n\n") //nolint:errcheck // likewise
	})
}

// write runs fill and flushes, under a deadline that a client which reads nothing cannot outlast.
func (w *SSEWriter) write(fill func(*bufio.Writer)) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return w.err
	}
	if w.over {
		return errors.New("sse: the stream has ended")
	}
	if err := context.Cause(w.ctx); err != nil {
		return err
	}
	err := w.conn.SetWriteDeadline(time.Now().Add(w.timeout))
	if err == nil {
		fill(w.out)
		err = w.out.Flush()
	}
	if err != nil {
		w.err = fmt.Errorf("sse: the client is gone: %w", err)
		w.cancel(w.err)
		return w.err
	}
	w.last = time.Now()
	return nil
}

// run sends the preamble and heartbeats around fn.
func (w *SSEWriter) run(opts StreamOptions, fn func(w *SSEWriter) error) {
	retry := strconv.FormatInt(opts.Retry.Milliseconds(), 10)
	if w.write(func(out *bufio.Writer) { field(out, "retry", retry); out.WriteByte('\n') }) != nil { //nolint:errcheck // see Event
		return
	}
	var beats sync.WaitGroup
	beats.Go(func() { w.heartbeat(opts.Heartbeat) })
	defer func() {
		if v := recover(); v != nil {
			opts.Log.ErrorContext(w.ctx, "event stream failed", "error", fmt.Sprintf("panic: %v", v), "stack", string(debug.Stack()))
		}
		w.cancel(context.Canceled)
		beats.Wait()
		w.finish()
	}()
	if err := fn(w); err != nil && w.ctx.Err() == nil {
		opts.Log.WarnContext(w.ctx, "event stream ended early", "error", err)
	}
}

// finish leaves the connection to the server, which writes the end of the body. The deadline of the last event may be over
// by then, and a body without its end is an error to browsers.
func (w *SSEWriter) finish() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
	if w.err == nil {
		w.err = w.conn.SetWriteDeadline(time.Now().Add(w.timeout))
	}
}

// heartbeat sends a comment whenever nothing was sent for a while.
func (w *SSEWriter) heartbeat(every time.Duration) {
	timer := time.NewTimer(every)
	defer timer.Stop()
	for {
		select {
		case <-w.ctx.Done():
			return
		case <-timer.C:
		}
		w.mu.Lock()
		quiet := time.Since(w.last)
		w.mu.Unlock()
		if quiet >= every {
			if w.Comment("heartbeat") != nil {
				return
			}
			quiet = 0
		}
		timer.Reset(every - quiet)
	}
}

func field(out *bufio.Writer, name, value string) {
	if value == "" {
		return
	}
	out.WriteString(name)  //nolint:errcheck // bufio keeps the error for Flush
	out.WriteString(": ")  //nolint:errcheck // likewise
	out.WriteString(value) //nolint:errcheck // likewise
	out.WriteByte('\n')    //nolint:errcheck // likewise
}

// writeData writes a data line per line of data; any of the three line ends of the format would split it.
func writeData(out *bufio.Writer, data []byte) {
	if bytes.IndexByte(data, '\r') >= 0 {
		data = bytes.ReplaceAll(bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n")), []byte("\r"), []byte("\n"))
	}
	for line := range bytes.SplitSeq(data, []byte("\n")) {
		out.WriteString("data: ") //nolint:errcheck // bufio keeps the error for Flush
		out.Write(line)           //nolint:errcheck // likewise
		out.WriteByte('\n')       //nolint:errcheck // likewise
	}
}
