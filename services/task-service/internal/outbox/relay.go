// Package outbox carries committed events out of the database: it gives each its position in the total order and
// publishes it to JetStream in that order.
//
// One relay at a time does so, elected through a lease and fenced by its epoch: a relay that was paused and overtaken
// cannot give a position any more. Giving positions and publishing run beside each other, so that positions go on while
// NATS is slow or away; publishing resumes behind the last acknowledged position. What is published twice is recognised
// by its position, and what NATS loses is read from the events table: the relay owes NATS speed, not completeness.
package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/internal/kit/db"
	"github.com/tallyboard/tallyboard/services/internal/kit/jsbus"
	"github.com/tallyboard/tallyboard/services/internal/kit/lease"
	"github.com/tallyboard/tallyboard/services/internal/kit/seeded"
	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
	"github.com/tallyboard/tallyboard/services/task-service/internal/eventspan"
	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
)

// LeaseName is the lease a relay of shard 0 holds.
const LeaseName = "relay-0"

// wakeSubject carries wake-ups from replicas that wrote events to the one that leads.
const wakeSubject = "wake.relay"

// Config of the relay.
type Config struct {
	// AssignBatch is how many events get their position in one transaction.
	AssignBatch int `env:"RELAY_ASSIGN_BATCH" envDefault:"1000"`
	// AssignPause is the least time between the beginnings of two such transactions. The first change of a quiet moment
	// waits for nothing; under load batches grow, and each commit less for positions, publishing and statistics is one
	// more for those who write.
	AssignPause time.Duration `env:"RELAY_ASSIGN_PAUSE" envDefault:"20ms"`
	// PublishBatch is how many events are read and published at once.
	PublishBatch int `env:"RELAY_PUBLISH_BATCH" envDefault:"500"`
	// PublishTimeout bounds the publishing of one batch.
	PublishTimeout time.Duration `env:"RELAY_PUBLISH_TIMEOUT" envDefault:"10s"`
	// MaxMessage is the size in bytes above which an event is not published; consumers read it from the database. It
	// stays below the server's max_payload (1 MiB by default).
	MaxMessage int `env:"RELAY_MAX_MESSAGE" envDefault:"1000000"`
	// Poll is how often committed events are looked for without a wake-up, as a safety net.
	Poll time.Duration `env:"RELAY_POLL" envDefault:"1s"`
	// BackoffMin and BackoffMax bound the pauses after a failure; they double from one to the other.
	BackoffMin time.Duration `env:"RELAY_BACKOFF_MIN" envDefault:"100ms"`
	BackoffMax time.Duration `env:"RELAY_BACKOFF_MAX" envDefault:"5s"`
	// WindUp is how long a stopping leader may take to bring out what has been committed.
	WindUp time.Duration `env:"RELAY_WIND_UP" envDefault:"2s"`
	// BacklogEvery is how often the backlog is measured, on every replica.
	BacklogEvery time.Duration `env:"RELAY_BACKLOG_EVERY" envDefault:"5s"`
	// ForgetKeysAfter is how long an idempotency key is remembered, and ForgetKeysEvery how often old ones are removed.
	ForgetKeysAfter time.Duration `env:"IDEMPOTENCY_KEEP" envDefault:"24h"`
	ForgetKeysEvery time.Duration `env:"IDEMPOTENCY_SWEEP" envDefault:"10m"`
	// Lease says how fast a standby takes over.
	Lease lease.Config
}

// Store is the outbox side of the events table, per shard of the total order. What writes fails with apperr.Conflict if a
// relay with a higher epoch has fenced this one off.
type Store interface {
	// Fence makes epoch the only one that may write from now on. It fails if a higher one has done so.
	Fence(ctx context.Context, shard int, epoch int64) error
	// Assign gives the next positions to up to limit committed events without one, in one transaction. It returns how
	// many, and the last position given so far.
	Assign(ctx context.Context, shard int, epoch int64, limit int) (n int, last int64, err error)
	// Unpublished returns up to which position events are published, and up to limit of those that follow.
	Unpublished(ctx context.Context, shard, limit int) (published int64, events []history.Event, err error)
	// MarkPublished records that all events up to pos are published.
	MarkPublished(ctx context.Context, shard int, epoch, pos int64) error
	// Backlog returns how many events have no position, when the oldest of them was recorded (zero without any), and the
	// last positions given and published.
	Backlog(ctx context.Context, shard int) (withoutPos int64, oldest time.Time, given, published int64, err error)
}

// KeyStore forgets idempotency records.
type KeyStore interface {
	// ForgetIdempotency removes up to limit records made before a moment and returns how many.
	ForgetIdempotency(ctx context.Context, before time.Time, limit int) (int64, error)
}

// Bus is NATS as the relay uses it; see jsbus.Bus.
type Bus interface {
	Publish(ctx context.Context, msgs []jsbus.Msg) (published int, err error)
	Connected() bool
	Notify(subject string, data []byte)
	Listen(subject string, fn func([]byte)) (stop func(), err error)
}

// Feed is told in this process what other replicas learn from NATS: the live hub.
type Feed interface {
	// Announce says that positions up to pos have been given.
	Announce(pos int64)
	// Observe hands over events that are about to be published, in order of position, some perhaps again.
	Observe(events []history.Event)
}

// Deps are what the relay works with.
type Deps struct {
	Store     Store
	Keys      KeyStore
	Bus       Bus
	Leases    lease.Store
	Feed      Feed
	Telemetry *telemetry.Telemetry
}

// Relay is one replica's candidate. Make it with New, run it with Run, and call Wake after each commit.
type Relay struct {
	cfg     Config
	shard   int // the only one so far
	store   Store
	keys    KeyStore
	bus     Bus
	leases  lease.Store
	feed    Feed
	log     *slog.Logger
	metrics *metrics
	leading atomic.Bool
	wake    chan struct{} // the leader has work
	hint    chan struct{} // another replica's leader has
	given   chan struct{} // positions have been given: there is something to publish
	spans   eventspan.Budget

	takeovers, published atomic.Int64 // since the start

	mu      sync.Mutex
	backlog backlog
}

// New returns a relay that has not started.
func New(cfg Config, d Deps) (*Relay, error) {
	r := &Relay{
		cfg: cfg, store: d.Store, keys: d.Keys, bus: d.Bus, leases: d.Leases, feed: d.Feed, log: d.Telemetry.Logger(),
		wake: make(chan struct{}, 1), hint: make(chan struct{}, 1), given: make(chan struct{}, 1),
	}
	r.cfg.Lease.Name = LeaseName
	r.cfg.Lease.Log = r.log
	var err error
	if r.metrics, err = newMetrics(d.Telemetry.Meter, r); err != nil {
		return nil, fmt.Errorf("relay metrics: %w", err)
	}
	return r, nil
}

// Wake says that events have been committed. It never blocks.
func (r *Relay) Wake() {
	if r.leading.Load() {
		signal(r.wake)
	} else {
		signal(r.hint)
	}
}

// Leading reports whether this replica's relay is the elected one.
func (r *Relay) Leading() bool { return r.leading.Load() }

// Status is what the operations page shows of a replica's relay.
type Status struct {
	Leading      bool
	Known        bool          // the backlog could be measured; otherwise the four below are zero
	Unpositioned int64         // committed events without a position
	OldestAge    time.Duration // of the oldest of these
	Given        int64         // last position given
	Published    int64         // last position published
	Takeovers    int64         // times this replica became the leader
	Sent         int64         // events that this replica had acknowledged by JetStream
}

// Status returns the relay's state. The backlog is as of the last measurement, at most Config.BacklogEvery ago.
func (r *Relay) Status() Status {
	r.mu.Lock()
	b := r.backlog
	r.mu.Unlock()
	return Status{
		Leading: r.leading.Load(), Known: b.known, Unpositioned: b.withoutPos, OldestAge: b.age(), Given: b.given,
		Published: b.published, Takeovers: r.takeovers.Load(), Sent: r.published.Load(),
	}
}

// Run takes part in the election, and leads when elected, until ctx is done. A leader then brings out what has been
// committed and gives the lease up. It needs neither database nor NATS to start.
func (r *Relay) Run(ctx context.Context) error {
	stop, err := r.bus.Listen(wakeSubject, func([]byte) {
		if r.leading.Load() {
			signal(r.wake)
		}
	})
	if err != nil { // polling covers for it
		r.log.WarnContext(ctx, "relay hears no wake-ups of other replicas", "error", err)
		stop = func() {}
	}
	defer stop()
	var parts errgroup.Group
	parts.Go(func() error { r.passHintsOn(ctx); return nil })
	parts.Go(func() error { r.watchBacklog(ctx); return nil })
	parts.Go(func() error { return lease.Run(ctx, r.leases, r.cfg.Lease, r.lead) })
	if err := parts.Wait(); err != nil {
		return fmt.Errorf("relay: %w", err)
	}
	return nil
}

// passHintsOn tells the leader elsewhere that there are events, not more often than it would look.
func (r *Relay) passHintsOn(ctx context.Context) {
	for wait(ctx, r.hint, 0) {
		r.bus.Notify(wakeSubject, nil)
		if r.leading.Load() { // elected meanwhile
			signal(r.wake)
		}
		if r.cfg.AssignPause > 0 { // without an end wait waits for ctx alone
			wait(ctx, nil, r.cfg.AssignPause)
		}
	}
}

// lead does the relay's work under a lease. It returns when the lease is lost, when another relay has fenced this one
// off, or when a failure is not one that waiting mends; the election goes on then.
func (r *Relay) lead(ctx context.Context, epoch int64) error {
	if seeded.Is(seeded.RelayWithoutFencing) {
		believing, end := r.overstay(ctx)
		defer end()
		ctx = believing
	}
	if err := r.retrying(ctx, "fence", func() error { return r.store.Fence(ctx, r.shard, epoch) }); err != nil {
		return err
	}
	r.takeovers.Add(1)
	r.metrics.takeovers.Add(ctx, 1)
	r.leading.Store(true)
	defer r.leading.Store(false)
	signal(r.wake)
	signal(r.given)
	parts, working := errgroup.WithContext(ctx)
	parts.Go(func() error { return r.assign(working, epoch) })
	parts.Go(func() error { return r.publish(working, epoch) })
	parts.Go(func() error { r.sweepKeys(working); return nil })
	err := parts.Wait()
	if ctx.Err() != nil && !errors.Is(context.Cause(ctx), lease.ErrLost) {
		return r.windUp(context.WithoutCancel(ctx), epoch)
	}
	return err
}

// windUp brings out what was committed before this replica stopped. What remains is the next leader's.
func (r *Relay) windUp(ctx context.Context, epoch int64) error {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.WindUp)
	defer cancel()
	if err := r.assignAll(ctx, epoch); err != nil {
		return fmt.Errorf("wind up: %w", err)
	}
	for more := true; more; {
		var err error
		if more, err = r.publishBatch(ctx, epoch); err != nil {
			r.log.InfoContext(ctx, "relay leaves events for its successor to publish", "error", err)
			return nil
		}
	}
	return nil
}

// retrying calls fn until it succeeds, with growing pauses, as long as its error is one that waiting may mend.
func (r *Relay) retrying(ctx context.Context, what string, fn func() error) error {
	pause := backoff{min: r.cfg.BackoffMin, max: r.cfg.BackoffMax}
	for {
		err := fn()
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case !transient(err):
			return fmt.Errorf("%s: %w", what, err)
		case pause.first():
			r.log.WarnContext(ctx, "relay is held up; trying again until the database is back", "step", what, "error", err)
		}
		if !wait(ctx, nil, pause.next()) {
			return ctx.Err()
		}
	}
}

// transient reports whether waiting may mend a failure of the database.
func transient(err error) bool {
	code := apperr.CodeOf(err)
	return code == apperr.Unavailable || code == apperr.Timeout || db.IsUnavailable(err) || db.IsRetryable(err)
}

func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default: // it has been signalled and nobody has looked yet
	}
}
