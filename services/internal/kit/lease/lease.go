// Package lease elects one leader at a time among replicas, by a row in the database they share.
//
// The row names a holder, an expiry and an epoch that grows with each change of holder. The database's clock alone
// decides expiry, so instances' clocks do not matter. A leader that was paused for longer than its lease may still
// believe in it: what it writes must be fenced by the epoch, such as "… AND EXISTS (SELECT 1 FROM task_leases WHERE
// name = ? AND epoch = ? FOR SHARE)" in the same transaction.
//
// The stores of this package use a table of this shape, named by the service:
//
//	name       VARCHAR(64)  PRIMARY KEY
//	holder     VARCHAR(128) NOT NULL
//	epoch      BIGINT       NOT NULL
//	expires_at DATETIME(6)  NOT NULL   -- PostgreSQL: timestamptz
//
// A missing row is inserted by the first Acquire; released and expired rows stay, for their epoch.
package lease

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"
)

// Store keeps leases. Implementations decide expiry by the database's clock. Acquire is called several times a second by
// every standby, and should cost no more than a read while another holds the lease.
type Store interface {
	// Acquire takes the lease if it is free, expired or already holder's, and returns its epoch. A change of holder and a
	// take-over after expiry raise the epoch. ok is false while another holder has it.
	Acquire(ctx context.Context, name, holder string, ttl time.Duration) (epoch int64, ok bool, err error)
	// Renew extends the lease by ttl from now; ok is false if it is not holder's at this epoch any more.
	Renew(ctx context.Context, name, holder string, epoch int64, ttl time.Duration) (ok bool, err error)
	// Release gives the lease up, if it is still holder's at this epoch, so that another can take it at once.
	Release(ctx context.Context, name, holder string, epoch int64) error
}

// Config says which lease to hold and how eagerly. Zero durations take the defaults of the tags.
type Config struct {
	// Name is the lease's name, up to 64 bytes.
	Name string `env:"-"`
	// Holder names this instance, up to 128 bytes; no two running instances share it.
	Holder string `env:"-"`
	// TTL is how long a lease lives without renewal: the longest pause in leadership after a crash, plus Retry.
	TTL time.Duration `env:"LEASE_TTL" envDefault:"3s"`
	// Renew is the pause between renewals, each of them a durable commit. TTL must be at least three times as long.
	Renew time.Duration `env:"LEASE_RENEW" envDefault:"1s"`
	// Retry is the pause between looks of a standby, which only read; it is jittered by half.
	Retry time.Duration `env:"LEASE_RETRY" envDefault:"300ms"`
	// Log receives changes of leadership; nil means slog.Default().
	Log *slog.Logger `env:"-"`
}

// ErrLost is the cause of the leader's context when the lease was lost or could not be renewed in time.
var ErrLost = errors.New("lease lost")

func (c Config) withDefaults() (Config, error) {
	if c.TTL <= 0 {
		c.TTL = 3 * time.Second
	}
	if c.Renew <= 0 {
		c.Renew = c.TTL / 3
	}
	if c.Retry <= 0 {
		c.Retry = c.TTL / 10
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	switch {
	case c.Name == "" || len(c.Name) > 64:
		return c, errors.New("lease: name must have 1 to 64 bytes")
	case c.Holder == "" || len(c.Holder) > 128:
		return c, errors.New("lease: holder must have 1 to 128 bytes")
	case c.TTL < 3*c.Renew:
		return c, fmt.Errorf("lease: TTL (%s) must be at least three times the renewal pause (%s)", c.TTL, c.Renew)
	}
	return c, nil
}

// Run competes for the lease until ctx is done, and calls lead each time it is won. lead's context ends, with ErrLost as
// its cause, before the lease can be another's by our clock; lead must return soon after. When lead returns by itself, the
// lease is released and competed for again; a returned error is logged. Errors of the store are logged once per outage and
// retried. Run waits for lead and releases the lease before it returns; its own error is about cfg only.
func Run(ctx context.Context, s Store, cfg Config, lead func(ctx context.Context, epoch int64) error) error {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return err
	}
	failing := false
	for ctx.Err() == nil {
		asked := time.Now()
		attempt, cancel := context.WithTimeout(ctx, cfg.TTL)
		epoch, ok, err := s.Acquire(attempt, cfg.Name, cfg.Holder, cfg.TTL)
		cancel()
		switch {
		case err != nil && ctx.Err() == nil:
			if !failing {
				cfg.Log.WarnContext(ctx, "lease cannot be asked for", "lease", cfg.Name, "error", err)
			}
			failing = true
		case err == nil:
			failing = false
		}
		if err == nil && ok {
			cfg.Log.InfoContext(ctx, "lease won", "lease", cfg.Name, "epoch", epoch)
			holdAndLead(ctx, s, cfg, epoch, asked, lead)
		}
		pause(ctx, cfg.Retry/2+rand.N(cfg.Retry)) //nolint:gosec // jitter needs no secrecy
	}
	return nil
}

// holdAndLead runs lead for as long as the lease can be renewed.
func holdAndLead(ctx context.Context, s Store, cfg Config, epoch int64, granted time.Time, lead func(context.Context, int64) error) {
	leading, lose := context.WithCancelCause(ctx)
	defer lose(nil)
	done := make(chan error, 1)
	go func() {
		defer func() {
			if v := recover(); v != nil {
				done <- fmt.Errorf("panic: %v", v)
			}
		}()
		done <- lead(leading, epoch)
	}()
	lost := renew(ctx, s, cfg, epoch, granted, done, lose)
	if lost.err != nil && ctx.Err() == nil {
		cfg.Log.WarnContext(ctx, "leader stopped", "lease", cfg.Name, "epoch", epoch, "error", lost.err)
	}
	if lost.gone {
		return
	}
	// Nothing of ctx may cut this short: a lease that is not released keeps a standby waiting for its TTL.
	release, cancel := context.WithTimeout(context.WithoutCancel(ctx), cfg.TTL/2)
	defer cancel()
	if err := s.Release(release, cfg.Name, cfg.Holder, epoch); err != nil {
		cfg.Log.WarnContext(ctx, "lease could not be released; it expires by itself", "lease", cfg.Name, "error", err)
	}
}

type outcome struct {
	err  error // why lead ended
	gone bool  // the lease is another's, or may be
}

// renew extends the lease until lead is done. It has ended lead's context before the lease's end by our clock, which
// started when the lease was asked for and so runs ahead of the database's.
func renew(ctx context.Context, s Store, cfg Config, epoch int64, granted time.Time, done <-chan error, lose context.CancelCauseFunc) outcome {
	safety := cfg.TTL / 10 // for lead to notice
	ticker := time.NewTicker(cfg.Renew)
	defer ticker.Stop()
	deadline := time.NewTimer(time.Until(granted.Add(cfg.TTL - safety)))
	defer deadline.Stop()
	uncancelled := context.WithoutCancel(ctx)
	for {
		select {
		case err := <-done:
			return outcome{err: err}
		case <-deadline.C:
			lose(fmt.Errorf("%w: it could not be renewed in time", ErrLost))
			return outcome{err: errors.Join(ErrLost, <-done), gone: true}
		case <-ticker.C:
		}
		asked := time.Now()
		// Not ctx: when we are stopping, the lease is kept while lead winds up.
		attempt, cancel := context.WithDeadline(uncancelled, granted.Add(cfg.TTL-safety))
		ok, err := s.Renew(attempt, cfg.Name, cfg.Holder, epoch, cfg.TTL)
		cancel()
		switch {
		case err != nil: // try again until the deadline
		case !ok:
			lose(fmt.Errorf("%w: another instance has it", ErrLost))
			return outcome{err: errors.Join(ErrLost, <-done), gone: true}
		default:
			granted = asked
			deadline.Reset(time.Until(granted.Add(cfg.TTL - safety)))
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
