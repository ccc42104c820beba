package consumer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"time"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/internal/kit/lease"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/stats"
)

// rebuildLease is the name of the lease that lets one rebuild run at a time.
const rebuildLease = "stats-rebuild"

// Sizes of a rebuild's steps.
const (
	rebuildBatch  = 1000  // events a transaction
	cleanPortion  = 5000  // rows deleted at a time
	progressEvery = 50000 // events between two log lines
)

// RebuildStore fills and swaps generations of projections.
type RebuildStore interface {
	Events(ctx context.Context, after, until int64, limit int) ([]stats.Event, error)
	BeginRebuild(ctx context.Context, fresh bool) (stats.Generation, error)
	ApplyTo(ctx context.Context, generation int64, events []stats.Event) (stats.Applied, error)
	Swap(ctx context.Context, generation int64) (swapped bool, err error)
	Clean(ctx context.Context, portion int) (more bool, err error)
}

// Rebuilt is what a rebuild did.
type Rebuilt struct {
	Generation int64
	Resumed    int64 // position an interrupted rebuild had reached
	Pos        int64
	Parked     int
}

// Rebuild replays all events into a new generation of the projections, makes it the active one in one step and deletes
// the old one. The service goes on answering and applying meanwhile. An interrupted rebuild goes on where it stopped,
// unless fresh. Only one runs at a time; another one waits for it and then does its own.
func Rebuild(ctx context.Context, store RebuildStore, leases lease.Store, holder string, fresh bool, log *slog.Logger) (out Rebuilt, err error) {
	ctx, done := context.WithCancelCause(ctx)
	defer done(nil)
	finished := errors.New("finished")
	cfg := lease.Config{Name: rebuildLease, Holder: holder, Log: log}
	runErr := lease.Run(ctx, leases, cfg, func(ctx context.Context, _ int64) error {
		out, err = rebuild(ctx, store, fresh, log)
		if !errors.Is(context.Cause(ctx), lease.ErrLost) { // then compete again and go on
			done(finished)
		}
		return err
	})
	if cause := context.Cause(ctx); runErr == nil && err == nil && !errors.Is(cause, finished) {
		err = cause
	}
	return out, errors.Join(err, runErr)
}

func rebuild(ctx context.Context, store RebuildStore, fresh bool, log *slog.Logger) (Rebuilt, error) {
	start := time.Now()
	generation, err := store.BeginRebuild(ctx, fresh)
	if err != nil {
		return Rebuilt{}, err
	}
	out := Rebuilt{Generation: generation.Number, Resumed: generation.Pos, Pos: generation.Pos}
	log.InfoContext(ctx, "rebuild begins", "generation", out.Generation, "position", out.Pos)
	for logged := out.Pos; ; {
		events, err := store.Events(ctx, out.Pos, math.MaxInt64, rebuildBatch)
		if err != nil {
			return out, err
		}
		if len(events) > 0 {
			applied, err := store.ApplyTo(ctx, out.Generation, events)
			if err != nil {
				return out, err
			}
			out.Pos = applied.To
			out.Parked += applied.Parked
		}
		if out.Pos-logged >= progressEvery {
			logged = out.Pos
			log.InfoContext(ctx, "rebuild goes on", "position", out.Pos, "duration", time.Since(start))
		}
		if len(events) == rebuildBatch {
			continue
		}
		swapped, err := store.Swap(ctx, out.Generation)
		if err != nil {
			return out, err
		}
		if swapped {
			break
		}
	}
	log.InfoContext(ctx, "rebuild is active", "generation", out.Generation, "position", out.Pos, "parked", out.Parked, "duration", time.Since(start))
	for {
		more, err := store.Clean(ctx, cleanPortion)
		if err != nil {
			return out, fmt.Errorf("the rebuild is active, but the old projections could not be deleted: %w", err)
		}
		if !more {
			return out, nil
		}
	}
}

// RetryStore tries parked events again.
type RetryStore interface {
	Retry(ctx context.Context, id uuid.UUID) (out stats.Retried, found bool, err error)
}

// Retry tries all parked events of a task or project again, and announces what changed. It fails with apperr.NotFound if
// none are parked.
func Retry(ctx context.Context, store RetryStore, n Notifier, id uuid.UUID) (stats.Retried, error) {
	total := stats.Retried{Projects: map[uuid.UUID]int64{}}
	for first := true; ; first = false {
		out, found, err := store.Retry(ctx, id)
		if err != nil {
			return total, err
		}
		if !found && first {
			return total, apperr.New(apperr.NotFound, "No events of %s are parked.", id)
		}
		total.Applied += out.Applied
		total.Remaining, total.Reason = out.Remaining, out.Reason
		maps.Copy(total.Projects, out.Projects)
		if n != nil {
			Announce(n, out.Projects)
		}
		if !found || out.Remaining == 0 || out.Reason != "" {
			return total, nil
		}
	}
}
