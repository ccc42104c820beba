package jsbus

import "github.com/nats-io/nats.go"

// attempts is what is known of the attempts to connect since the connection was lost. A Bus's mu guards it.
type attempts struct {
	conn   *nats.Conn      // what is connecting; known before Connect returns
	reason string          // why the last one failed, see Config.reason
	told   map[string]bool // the reasons that the log has already
}

// onAttempt hears of an attempt to connect that failed.
func (b *Bus) onAttempt(nc *nats.Conn, err error) {
	b.mu.Lock()
	b.attempts.conn = nc
	b.mu.Unlock()
	b.failed(err)
}

// notice looks, in the pause between two attempts, why the last one failed: of a server that was reached and then not
// trusted the client tells by itself only at the start.
func (b *Bus) notice() {
	b.mu.Lock()
	nc := b.attempts.conn
	b.mu.Unlock()
	if nc != nil {
		b.failed(nc.LastError())
	}
}

// failed keeps why an attempt failed, and tells each reason once until there is a connection.
func (b *Bus) failed(err error) {
	if err == nil || b.closing.Load() {
		return
	}
	reason := b.cfg.reason(err)
	b.mu.Lock()
	news := !b.up && !b.attempts.told[reason]
	if !b.up {
		b.attempts.reason = reason
		if b.attempts.told == nil {
			b.attempts.told = map[string]bool{}
		}
		b.attempts.told[reason] = true
	}
	b.mu.Unlock()
	if !news {
		return
	}
	attrs := []any{"error", err}
	if reason != "" {
		attrs = append(attrs, "reason", reason)
	}
	b.log.Warn("NATS cannot be used; trying again until it can", attrs...)
}

// Reason says in a sentence for operators why there is no connection, as far as there is more to say than that NATS cannot
// be reached: what is wrong with its certificate, or that it refuses this identity. It holds no address and no secret.
func (b *Bus) Reason() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.attempts.reason
}
