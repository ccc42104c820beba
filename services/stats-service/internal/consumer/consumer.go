// Package consumer keeps the projections up with the history. One instance at a time, elected by a lease, applies events
// in order of position; the others stand by.
//
// JetStream is the fast path and the table events the truth. The cursor is stored in the same transaction as what it
// accounts for: an event at or before it is skipped, the next one is applied, and for one beyond it the events in between
// are read from the database. So repeated, reordered and lost messages, a wiped or recreated stream and NATS being away
// for a day all end in the same state: while NATS is silent and events moves on, the applier reads from there.
package consumer

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/tallyboard/tallyboard/services/internal/kit/jsbus"
	"github.com/tallyboard/tallyboard/services/internal/kit/lease"
	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/stats"
)

// Durable is the name of the JetStream consumer.
const Durable = "stats"

// leaseName is the name of the lease that elects the applier.
const leaseName = "stats-applier"

// Store is where events are read and projections written.
type Store interface {
	Cursor(ctx context.Context) (stats.Cursor, error)
	Head(ctx context.Context) (int64, error)
	Events(ctx context.Context, after, until int64, limit int) ([]stats.Event, error)
	Apply(ctx context.Context, epoch int64, events []stats.Event) (stats.Applied, error)
	Status(ctx context.Context, parked int) (stats.Status, error)
}

// Bus delivers events and carries wake-ups.
type Bus interface {
	Consume(ctx context.Context, durable string, h func(ctx context.Context, batch []jsbus.Delivery)) error
	Notify(subject string, data []byte)
}

// Config says how eagerly events are applied. Zero values take the defaults of the tags.
type Config struct {
	// BatchSize is how many events that NATS brought one transaction applies at most; of those read from the database while
	// catching up, up to four times as many.
	BatchSize int `env:"STATS_BATCH_SIZE" envDefault:"500"`
	// PollInterval is how often the applier looks into the database for events that NATS did not bring. The first look that
	// finds some leaves them to NATS, the next one reads them.
	PollInterval time.Duration `env:"STATS_POLL_INTERVAL" envDefault:"1s"`
	// MonitorInterval is how often each instance measures the lag for its metrics.
	MonitorInterval time.Duration `env:"STATS_MONITOR_INTERVAL" envDefault:"5s"`
	// RetryPause is the longest pause after a failure of the database; the first one is a twentieth of it.
	RetryPause time.Duration `env:"STATS_RETRY_PAUSE" envDefault:"2s"`
	// Lease has the times of the election.
	Lease lease.Config
}

func (c Config) withDefaults() Config {
	if c.BatchSize <= 0 {
		c.BatchSize = 500
	}
	if c.PollInterval <= 0 {
		c.PollInterval = time.Second
	}
	if c.MonitorInterval <= 0 {
		c.MonitorInterval = 5 * time.Second
	}
	if c.RetryPause <= 0 {
		c.RetryPause = 2 * time.Second
	}
	c.Lease.Name = leaseName
	return c
}

// Where an applier read its last events.
const (
	SourceNone     = "none" // this instance is not the applier
	SourceNATS     = "nats"
	SourceDatabase = "database"
)

// Consumer applies events while it holds the lease.
type Consumer struct {
	cfg     Config
	store   Store
	leases  lease.Store
	bus     Bus
	tel     *telemetry.Telemetry
	log     *slog.Logger
	metrics *metrics
	applied func(map[uuid.UUID]int64)

	leading atomic.Bool
	source  atomic.Pointer[string]
}

// New returns a consumer. applied is called after each commit with the projects that changed and the position of their
// last applied event; it must be quick.
func New(cfg Config, store Store, leases lease.Store, bus Bus, tel *telemetry.Telemetry, applied func(map[uuid.UUID]int64)) (*Consumer, error) {
	c := &Consumer{
		cfg: cfg.withDefaults(), store: store, leases: leases, bus: bus, tel: tel, log: tel.Logger(), applied: applied,
	}
	c.setSource(SourceNone)
	var err error
	c.metrics, err = newMetrics(tel.Meter)
	return c, err
}

// Leading reports whether this instance applies events.
func (c *Consumer) Leading() bool { return c.leading.Load() }

// Source returns where this instance's applier last read events.
func (c *Consumer) Source() string { return *c.source.Load() }

// Where the events of Status come from, in the words of the operations page.
const (
	fromStream   = "stream"
	fromDatabase = "database"
)

// Status is what the operations page shows of an instance's consumer. What this instance does not do itself is as of the
// last measurement, at most Config.MonitorInterval ago.
type Status struct {
	Leading bool
	Cursor  int64         // last position applied
	Lag     int64         // positions given but not applied
	LagTime time.Duration // age of the oldest event not applied
	Parked  int64         // tasks and projects whose events are set aside
	Source  string        // "stream" or "database"; "" while this instance stands by
}

// Status returns the consumer's state.
func (c *Consumer) Status() Status {
	lag, seconds := c.metrics.lag()
	s := Status{
		Leading: c.Leading(), Cursor: c.metrics.cursor.Load(), Lag: lag, Parked: c.metrics.parked.Load(),
		LagTime: time.Duration(seconds * float64(time.Second)),
	}
	switch c.Source() {
	case SourceNATS:
		s.Source = fromStream
	case SourceDatabase:
		s.Source = fromDatabase
	}
	return s
}

func (c *Consumer) setSource(s string) { c.source.Store(&s) }

// Run competes for the lease and applies events while it has it, until ctx is done. A batch under way is finished.
func (c *Consumer) Run(ctx context.Context) error {
	monitored := make(chan struct{})
	go func() {
		defer close(monitored)
		c.monitor(ctx)
	}()
	err := lease.Run(ctx, c.leases, c.cfg.Lease, c.lead)
	<-monitored
	return err
}

// lead applies events until the lease is lost.
func (c *Consumer) lead(ctx context.Context, epoch int64) error {
	c.leading.Store(true)
	c.setSource(SourceDatabase) // where it catches up first
	defer func() {
		c.leading.Store(false)
		c.setSource(SourceNone)
	}()
	a := &applier{Consumer: c, epoch: epoch}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return a.follow(ctx) })
	group.Go(func() error {
		// A fenced applier must not wait for the next message to notice.
		fenced, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		a.stop = cancel
		err := c.bus.Consume(fenced, Durable, a.deliver)
		if cause := context.Cause(fenced); errors.Is(cause, stats.ErrFenced) {
			return cause
		}
		return err
	})
	err := group.Wait()
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// monitor measures for the metrics of this instance, whoever applies.
func (c *Consumer) monitor(ctx context.Context) {
	ticker := time.NewTicker(c.cfg.MonitorInterval)
	defer ticker.Stop()
	for {
		status, err := c.store.Status(ctx, 0)
		if err == nil {
			c.metrics.observe(status, time.Now())
		} else if ctx.Err() == nil {
			c.metrics.miss()
			c.log.DebugContext(ctx, "lag could not be measured", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
