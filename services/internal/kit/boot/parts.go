package boot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Readiness is what decides whether requests may come.
type Readiness struct {
	Current  atomic.Bool // the schema is
	Stopping atomic.Bool // the service is
}

// Ready reports whether the schema is current and the service is not stopping.
func (r *Readiness) Ready() bool { return r.Current.Load() && !r.Stopping.Load() }

// Parts are the goroutines that run beside requests. Each ends when it is stopped by name, in the order of the shutdown,
// and not with the service's context; one that fails before calls Fail, which ends the service.
type Parts struct {
	Fail context.CancelCauseFunc

	mu      sync.Mutex
	running map[string]part
}

type part struct {
	cancel context.CancelFunc
	done   chan struct{}
}

// Start runs fn on its own goroutine until it is stopped. fn gets ctx without its end.
func (p *Parts) Start(ctx context.Context, name string, fn func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	started := part{cancel: cancel, done: make(chan struct{})}
	p.mu.Lock()
	if p.running == nil {
		p.running = map[string]part{}
	}
	p.running[name] = started
	p.mu.Unlock()
	go func() {
		defer close(started.done)
		defer cancel()
		if err := fn(ctx); err != nil {
			p.Fail(fmt.Errorf("%s: %w", name, err))
		}
	}()
}

// Stop returns what ends a part, if it was started, and waits for it.
func (p *Parts) Stop(name string) func(context.Context) error {
	return func(ctx context.Context) error {
		p.mu.Lock()
		running, started := p.running[name]
		p.mu.Unlock()
		if !started {
			return nil
		}
		running.cancel()
		select {
		case <-running.done:
			return nil
		case <-ctx.Done():
			return fmt.Errorf("%s does not end: %w", name, ctx.Err())
		}
	}
}

// Outcome returns why the service ends: the failure of a part, then err, and nil if it was asked to.
func Outcome(working context.Context, err error) error {
	switch cause := context.Cause(working); {
	case cause == nil:
		return err
	case errors.Is(cause, context.Canceled), errors.Is(cause, context.DeadlineExceeded):
		return nil
	default:
		return cause
	}
}

// CloseListener closes a listener that a server may have closed already.
func CloseListener(listener net.Listener) func(context.Context) error {
	return func(context.Context) error {
		if err := listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			return fmt.Errorf("close listener: %w", err)
		}
		return nil
	}
}

// WarnIfPublic says what listening beyond this machine means before there are accounts.
func WarnIfPublic(log *slog.Logger, addr net.Addr) {
	if tcp, ok := addr.(*net.TCPAddr); ok && !tcp.IP.IsLoopback() {
		log.Warn("listening beyond this machine: there are no accounts yet, whoever reaches the port is the owner",
			"address", addr.String())
	}
}

// Once returns a function that calls ready with addr the first time, if there is one to call.
func Once(ready func(string), addr string) func() {
	return sync.OnceFunc(func() {
		if ready != nil {
			ready(addr)
		}
	})
}

// Pause waits for d or until ctx is done.
func Pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
