package consumer

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/jsbus"
	"github.com/tallyboard/tallyboard/services/internal/kit/seeded"
	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/stats"
)

// WakeSubject is the core NATS subject on which a project's new position is announced, in decimal.
func WakeSubject(project uuid.UUID) string { return "wake.stats." + project.String() }

// applier is a consumer's time in office. Deliveries and the poll take turns.
type applier struct {
	*Consumer
	epoch int64
	stop  context.CancelCauseFunc // ends the office from inside a delivery

	mu     sync.Mutex
	cursor int64 // position of the last event applied, as far as we know
	known  bool  // cursor has been read

	sequence uint64 // see seeded.go
}

// deliver applies what NATS brought. It acknowledges after the commit; a batch that cannot be applied because the office
// ends is given back.
func (a *applier) deliver(ctx context.Context, batch []jsbus.Delivery) {
	events := make([]stats.Event, 0, len(batch))
	for _, d := range batch {
		if seeded.Is(seeded.StreamSequenceCursor) && a.passed(d) {
			continue
		}
		if d.NumDelivered > 1 {
			a.metrics.redelivered.Add(ctx, 1)
			mark(ctx, eventRedelivered, jsbus.AttrDeliveryCount.Int64(int64(d.NumDelivered)))
		}
		e, err := decode(d.Data)
		if err != nil {
			// Not poison yet: the database has the event, and the poll finds that it is missing.
			about := ctx
			if len(batch) > 1 {
				about = telemetry.ContextWithTraceparent(ctx, d.Header.Get("traceparent"))
			}
			a.metrics.undecodable.Add(about, 1)
			a.log.WarnContext(about, "message cannot be read; its event will come from the database", "subject", d.Subject, "error", err)
			continue
		}
		events = append(events, e)
	}
	slices.SortFunc(events, func(x, y stats.Event) int { return int(min(1, max(-1, x.Pos-y.Pos))) })
	events = slices.CompactFunc(events, func(x, y stats.Event) bool { return x.Pos == y.Pos })
	describe(ctx, events)
	err := a.insist(ctx, func(ctx context.Context) error { return a.advance(ctx, events) })
	answer := func(d jsbus.Delivery) error { return d.Ack() }
	if err != nil {
		markFailure(ctx, err)
		answer = func(d jsbus.Delivery) error { return d.Nak() }
		if errors.Is(err, stats.ErrFenced) {
			a.stop(err)
		}
	}
	for _, d := range batch {
		if err := answer(d); err != nil { // it will come again, and be skipped
			a.log.DebugContext(ctx, "acknowledgement not sent", "error", err)
			return
		}
	}
}

// insist runs fn until it succeeds, the office ends or another applier has taken over.
func (a *applier) insist(ctx context.Context, fn func(context.Context) error) error {
	pause := a.cfg.RetryPause / 20
	for attempt := 1; ; attempt++ {
		err := fn(ctx)
		if err == nil || errors.Is(err, stats.ErrFenced) {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		a.metrics.failures.Add(ctx, 1)
		mark(ctx, eventRetry, errorType(err))
		if attempt == 1 {
			a.log.WarnContext(ctx, "events cannot be applied; trying again until they can", "error", err)
		}
		timer := time.NewTimer(pause/2 + rand.N(pause)) //nolint:gosec // jitter needs no secrecy
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
		pause = min(2*pause, a.cfg.RetryPause)
	}
}

// advance applies events that NATS brought, in order of position, and those missing in front of and between them.
func (a *applier) advance(ctx context.Context, events []stats.Event) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(events) > 0 {
		a.setSource(SourceNATS)
	}
	for {
		if err := a.locate(ctx); err != nil {
			return err
		}
		skipped := 0
		for skipped < len(events) && events[skipped].Pos <= a.cursor {
			skipped++
		}
		if events = events[skipped:]; skipped > 0 {
			a.metrics.skipped.Add(ctx, int64(skipped))
			mark(ctx, eventSkipped, attrCount.Int(skipped))
		}
		if len(events) == 0 {
			return nil
		}
		var next []stats.Event
		if events[0].Pos > a.cursor+1 {
			missing, err := a.missing(ctx, events[0].Pos-1)
			if err != nil {
				return err
			}
			if len(missing) == 0 {
				// The stream is ahead of the database: it belongs to another one, or this one was restored.
				a.log.WarnContext(ctx, "messages beyond the last event of the database are ignored; delete the stream if the database was restored",
					"position", events[0].Pos, "cursor", a.cursor)
				return nil
			}
			a.metrics.gapFills.Add(ctx, int64(len(missing)))
			mark(ctx, eventGapFill, attrCount.Int(len(missing)), attrPos.Int64(missing[0].Pos))
			next = missing
		} else {
			n := 1
			for n < len(events) && n < a.cfg.BatchSize && events[n].Pos == events[n-1].Pos+1 {
				n++
			}
			next = events[:n]
		}
		if err := a.apply(ctx, next); err != nil {
			return err
		}
	}
}

// missing returns events behind the cursor and up to a position, from the database.
func (a *applier) missing(ctx context.Context, until int64) ([]stats.Event, error) {
	if seeded.Is(seeded.StreamSequenceCursor) {
		return nil, nil // events of the database have no number in the stream
	}
	return a.store.Events(ctx, a.cursor, until, a.cfg.BatchSize)
}

// locate reads the cursor if it is not known.
func (a *applier) locate(ctx context.Context) error {
	if a.known {
		return nil
	}
	c, err := a.store.Cursor(ctx)
	if err != nil {
		return err
	}
	a.cursor, a.known = c.Pos, true
	return nil
}

// apply applies events that follow on the cursor.
func (a *applier) apply(ctx context.Context, events []stats.Event) error {
	out, err := a.store.Apply(ctx, a.epoch, events)
	if errors.Is(err, stats.ErrGap) {
		before := a.cursor
		a.known = false
		if located := a.locate(ctx); located != nil {
			return located
		}
		if a.cursor == before {
			return err // the history itself has a hole: nothing can be applied beyond it
		}
		return nil // a rebuild has put another cursor in place: go on from there
	}
	if err != nil {
		a.known = false // the commit may or may not have been done
		return err
	}
	a.cursor = out.To
	a.metrics.record(ctx, out, events, time.Now())
	if out.Parked > 0 {
		mark(ctx, eventParked, attrCount.Int(out.Parked), attrPos.Int64(out.To))
		a.log.WarnContext(ctx, "events set aside; see the parked tasks of the status", "events", out.Parked, "position", out.To)
	}
	Announce(a.bus, out.Projects)
	a.applied(out.Projects)
	return nil
}

// Notifier sends best-effort hints.
type Notifier interface {
	Notify(subject string, data []byte)
}

// Announce tells all instances that the statistics of projects have changed.
func Announce(n Notifier, projects map[uuid.UUID]int64) {
	for project, pos := range projects {
		n.Notify(WakeSubject(project), strconv.AppendInt(nil, pos, 10))
	}
}

// follow reads events from the database: all there are at the beginning, and later those that NATS did not bring.
func (a *applier) follow(ctx context.Context) error {
	if seeded.Is(seeded.StreamSequenceCursor) {
		<-ctx.Done() // events of the database have no number in the stream
		return ctx.Err()
	}
	err := a.insist(ctx, func(ctx context.Context) error {
		_, err := a.catchUp(ctx, nothingOwed) // the first look applies all
		return err
	})
	if err != nil {
		return err
	}
	ticker := time.NewTicker(a.cfg.PollInterval)
	defer ticker.Stop()
	owed := nothingOwed
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
		err := a.insist(ctx, func(ctx context.Context) (err error) {
			owed, err = a.catchUp(ctx, owed)
			return err
		})
		if err != nil {
			return err
		}
	}
}

// nothingOwed says that the last look found no event beyond the cursor.
const nothingOwed int64 = -1

// catchUp applies everything the database has beyond the cursor. What NATS is about to bring it leaves to NATS: events
// are read only if the last look found the cursor where it is now, and events beyond it (owed is that cursor), or if the
// last ones came from the database, too. It returns the cursor if events are left to NATS, and nothingOwed if not.
func (a *applier) catchUp(ctx context.Context, owed int64) (int64, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	first := !a.known
	a.known = false // also notices a cursor that a rebuild has put in place
	if err := a.locate(ctx); err != nil {
		return owed, err
	}
	head, err := a.store.Head(ctx)
	switch {
	case err != nil:
		return owed, err
	case head <= a.cursor:
		return nothingOwed, nil
	case !first && a.cursor != owed && a.Source() != SourceDatabase:
		return a.cursor, nil
	}
	return nothingOwed, a.applyUntil(ctx, head)
}
