package db

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// silence is how long statements may go unanswered, all of them, before a Pulse takes the database for cut off: longer
// than a disk's hiccup, and well below the time after which the edge gives a replica up (3 s).
const silence = 2 * time.Second

// Pulse knows whether the database still answers an instance at all. A network that loses packets and a server that
// hangs look the same: connections are open, statements are sent, and nothing comes back, for as long as deadlines are.
// An instance that notices can answer 503 at once, so that the edge asks another one.
//
// Nothing is sent to find out. Statements under way and the time of the last answer tell it: pollers (leases, the relay,
// health checks) ask several times a second, and while any of them is answered, a statement that takes long, or waits for
// a lock, is no silence. An error is an answer, also that nobody listens; a deadline that passed is none.
//
// One Pulse is shared by all pools of an instance. The nil Pulse feels all well. It is safe for concurrent use.
type Pulse struct {
	mu         sync.Mutex
	running    int       // statements under way
	since      time.Time // of the last answer, or when statements began to be under way
	unanswered bool      // what ended last ended without an answer
}

// Beats reports whether requests should be tried: not while statements are under way and none was answered for 2 s. What
// is under way finds out when the database is back; without any, somebody has to try.
func (p *Pulse) Beats() bool {
	if p == nil {
		return true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.running == 0 || time.Since(p.since) <= silence
}

func (p *Pulse) begin() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running == 0 && !p.unanswered {
		p.since = time.Now()
	}
	p.running++
}

func (p *Pulse) end(err error) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running--
	if p.unanswered = !isAnswer(err); !p.unanswered {
		p.since = time.Now()
	}
}

// isAnswer reports whether somebody answered, be it only the operating system of the server's machine.
func isAnswer(err error) bool {
	var network net.Error
	switch {
	case err == nil:
		return true
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return false
	case errors.As(err, &network) && network.Timeout():
		return false
	}
	return true
}

// pulseTracer feels the pulse of pgx's connections.
type pulseTracer struct{ pulse *Pulse }

var (
	_ pgx.QueryTracer    = pulseTracer{}
	_ pgx.BatchTracer    = pulseTracer{}
	_ pgx.CopyFromTracer = pulseTracer{}
	_ pgx.ConnectTracer  = pulseTracer{}
)

// feltKey marks the context of an operation that has begun; its value says whether it has ended, too: pgx tells of a
// batch that fails early twice.
type feltKey struct{}

func (t pulseTracer) begin(ctx context.Context) context.Context {
	t.pulse.begin()
	return context.WithValue(ctx, feltKey{}, new(bool))
}

func (t pulseTracer) end(ctx context.Context, err error) {
	if ended, ok := ctx.Value(feltKey{}).(*bool); ok && !*ended {
		*ended = true
		t.pulse.end(err)
	}
}

// TraceQueryStart implements pgx.QueryTracer.
func (t pulseTracer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	return t.begin(ctx)
}

// TraceQueryEnd implements pgx.QueryTracer.
func (t pulseTracer) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryEndData) {
	t.end(ctx, data.Err)
}

// TraceBatchStart implements pgx.BatchTracer.
func (t pulseTracer) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return t.begin(ctx)
}

// TraceBatchQuery implements pgx.BatchTracer.
func (t pulseTracer) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

// TraceBatchEnd implements pgx.BatchTracer.
func (t pulseTracer) TraceBatchEnd(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchEndData) {
	t.end(ctx, data.Err)
}

// TraceCopyFromStart implements pgx.CopyFromTracer.
func (t pulseTracer) TraceCopyFromStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceCopyFromStartData) context.Context {
	return t.begin(ctx)
}

// TraceCopyFromEnd implements pgx.CopyFromTracer.
func (t pulseTracer) TraceCopyFromEnd(ctx context.Context, _ *pgx.Conn, data pgx.TraceCopyFromEndData) {
	t.end(ctx, data.Err)
}

// TraceConnectStart implements pgx.ConnectTracer.
func (t pulseTracer) TraceConnectStart(ctx context.Context, _ pgx.TraceConnectStartData) context.Context {
	return t.begin(ctx)
}

// TraceConnectEnd implements pgx.ConnectTracer.
func (t pulseTracer) TraceConnectEnd(ctx context.Context, data pgx.TraceConnectEndData) {
	t.end(ctx, data.Err)
}
