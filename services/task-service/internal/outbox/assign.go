package outbox

import (
	"context"
	"fmt"
	"time"
)

// assign gives positions whenever it is woken, and looks for itself now and then.
func (r *Relay) assign(ctx context.Context, epoch int64) error {
	for wait(ctx, r.wake, r.cfg.Poll) {
		began := time.Now()
		if err := r.retrying(ctx, "give positions", func() error { return r.assignAll(ctx, epoch) }); err != nil {
			return err
		}
		if rest := r.cfg.AssignPause - time.Since(began); rest > 0 {
			wait(ctx, nil, rest)
		}
	}
	return ctx.Err()
}

// assignAll gives positions until no event is without one. An event that commits meanwhile brings a wake-up of its own.
func (r *Relay) assignAll(ctx context.Context, epoch int64) error {
	for {
		n, last, err := r.store.Assign(ctx, r.shard, epoch, r.cfg.AssignBatch)
		if err != nil {
			return fmt.Errorf("assign: %w", err)
		}
		if n > 0 {
			r.metrics.assigned.Add(ctx, int64(n))
			r.feed.Announce(last)
			signal(r.given)
		}
		if n < r.cfg.AssignBatch {
			return nil
		}
	}
}
