package outbox

import (
	"context"
	"time"
)

// keysPerSweep is how many idempotency records one statement removes, so that it holds no lock for long.
const keysPerSweep = 1000

// sweepKeys forgets idempotency keys that no client retries any more.
func (r *Relay) sweepKeys(ctx context.Context) {
	for {
		if err := r.forgetKeys(ctx); err != nil && ctx.Err() == nil {
			r.log.WarnContext(ctx, "old idempotency keys could not be forgotten; trying again later", "error", err)
		}
		if !wait(ctx, nil, r.cfg.ForgetKeysEvery) {
			return
		}
	}
}

func (r *Relay) forgetKeys(ctx context.Context) error {
	before := time.Now().Add(-r.cfg.ForgetKeysAfter)
	for {
		n, err := r.keys.ForgetIdempotency(ctx, before, keysPerSweep)
		if err != nil || n < keysPerSweep {
			return err
		}
	}
}
