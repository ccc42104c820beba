package boot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"
	"time"
)

// SignalContext returns a context that ends at the first SIGINT or SIGTERM. From then on signals have their default
// effect again, so that a second Ctrl+C ends a shutdown that hangs.
func SignalContext() (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// Closer ends the parts of a service in the reverse order of their start. A service that adds, in this order,
// telemetry, pools, NATS, relay, consumers, Fiber, event streams and "not ready" gets the order a clean shutdown needs:
// not ready → event streams → Fiber → consumers drain → relay stops → NATS drains → pools close → telemetry is flushed.
// The zero value is ready to use, and logs to slog.Default().
type Closer struct {
	// Log receives a line per part; nil means slog.Default().
	Log *slog.Logger

	mu    sync.Mutex
	steps []step
}

type step struct {
	name    string
	timeout time.Duration
	fn      func(context.Context) error
}

// Add registers what ends a part. fn gets a fresh context that ends after timeout; Close goes on after timeout even if
// fn does not return.
func (c *Closer) Add(name string, timeout time.Duration, fn func(context.Context) error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.steps = append(c.steps, step{name, timeout, fn})
}

// Close runs what was added, the last first, each once: a second Close does nothing. A part that fails, panics or
// takes too long does not keep the others from ending; their errors are joined. ctx bounds the whole and carries values;
// pass one that is not done already.
func (c *Closer) Close(ctx context.Context) error {
	c.mu.Lock()
	steps := c.steps
	c.steps = nil
	c.mu.Unlock()
	log := c.Log
	if log == nil {
		log = slog.Default()
	}
	var errs []error
	for _, s := range slices.Backward(steps) {
		start := time.Now()
		if err := s.run(ctx); err != nil {
			log.WarnContext(ctx, "part did not stop cleanly", "part", s.name, "duration", time.Since(start), "error", err)
			errs = append(errs, fmt.Errorf("stop %s: %w", s.name, err))
			continue
		}
		log.InfoContext(ctx, "part stopped", "part", s.name, "duration", time.Since(start))
	}
	return errors.Join(errs...)
}

func (s step) run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		defer func() {
			if v := recover(); v != nil {
				done <- fmt.Errorf("panic: %v", v)
			}
		}()
		done <- s.fn(ctx)
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	select { // fn may have ended at the same moment
	case err := <-done:
		return err
	default:
		return fmt.Errorf("not done after %s: %w", s.timeout, ctx.Err())
	}
}
