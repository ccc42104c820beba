package outbox

import (
	"context"
	"errors"
	"time"

	"github.com/tallyboard/tallyboard/services/internal/kit/lease"
)

// overstay returns a context that ends one time-to-live of the lease later than ctx does if the lease is lost: see
// [seeded.RelayWithoutFencing]. Any leader may be held up between looking at its lease and writing; this one certainly is.
// It is what a fence makes harmless, and shows that there is none.
func (r *Relay) overstay(ctx context.Context) (context.Context, context.CancelFunc) {
	believing, end := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		cause := context.Cause(ctx)
		if errors.Is(cause, lease.ErrLost) {
			timer := time.NewTimer(r.cfg.Lease.TTL)
			defer timer.Stop()
			select {
			case <-timer.C:
			case <-believing.Done():
			}
		}
		end(cause)
	})
	return believing, func() { stop(); end(nil) }
}
