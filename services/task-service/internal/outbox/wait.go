package outbox

import (
	"context"
	"math/rand/v2"
	"time"
)

// wait returns true when c is signalled or, if d is positive, after d; false when ctx is done.
func wait(ctx context.Context, c <-chan struct{}, d time.Duration) bool {
	var elapsed <-chan time.Time
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		elapsed = timer.C
	}
	select {
	case <-ctx.Done():
		return false
	case <-c:
	case <-elapsed:
	}
	return ctx.Err() == nil
}

// backoff makes pauses that double from min to max, jittered by half so that replicas do not move in step.
type backoff struct {
	min, max time.Duration
	last     time.Duration
}

// first reports whether no pause has been made since the last reset.
func (b *backoff) first() bool { return b.last == 0 }

// next returns the next pause.
func (b *backoff) next() time.Duration {
	b.last = min(max(2*b.last, b.min), b.max)
	return b.last/2 + rand.N(b.last/2+1) //nolint:gosec // jitter needs no secrecy
}

// least returns the shortest pause, from which next goes on.
func (b *backoff) least() time.Duration {
	b.last = b.min
	return b.min
}

// reset begins anew and reports whether there was a pause to end.
func (b *backoff) reset() (paused bool) {
	paused = b.last > 0
	b.last = 0
	return paused
}
