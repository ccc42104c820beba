package outbox

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tallyboard/tallyboard/services/internal/kit/lease"
)

// TestOverstay demands that a lost lease is believed in for one more time-to-live, and that a stop is a stop.
func TestOverstay(t *testing.T) {
	t.Parallel()
	const ttl = 5 * time.Second
	for cause, want := range map[error]time.Duration{lease.ErrLost: ttl, context.Canceled: 0} {
		t.Run(cause.Error(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := &Relay{}
				r.cfg.Lease.TTL = ttl
				leading, lose := context.WithCancelCause(t.Context())
				believing, end := r.overstay(leading)
				defer end()
				began := time.Now()
				lose(cause)
				<-believing.Done()
				if took := time.Since(began); took != want || !errors.Is(context.Cause(believing), cause) {
					t.Errorf("after %s: %v", took, context.Cause(believing))
				}
			})
		})
	}
}
