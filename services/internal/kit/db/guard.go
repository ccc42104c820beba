package db

import (
	"sync"
	"sync/atomic"
	"time"
)

// guardPause is how long a pool leaves a server alone in two cases, whatever its load:
//
//   - it has refused this service's identity: attempts to log in are counted by servers, lock accounts and fill logs;
//   - it has turned read-only: all connections to it are given up, for behind the same name there may be another server
//     by now (a fail-over of RDS or Aurora leaves the former writer up, and connections stick to it), but no more often.
const guardPause = time.Second

// guard is what the connections of one pool learn from each other.
type guard struct {
	pulse *Pulse        // of the instance; may be nil
	idle  time.Duration // after which a connection is not used again; zero: no such limit

	mu       sync.Mutex
	refused  error // why the server lets nobody in; nil: it does
	at       time.Time
	readOnly time.Time // when connections were given up last

	generation atomic.Int64 // connections of earlier ones are given up
}

// admit returns the refusal that a new connection would only meet again, while it is fresh.
func (g *guard) admit() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.refused != nil && time.Since(g.at) < guardPause {
		return g.refused
	}
	return nil
}

// note takes the outcome of an attempt to connect.
func (g *guard) note(err error) {
	if err != nil && !IsRefused(err) {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.refused, g.at = err, time.Now()
}

// giveUp reports whether a server that has turned read-only makes all connections useless; if so they are of an earlier
// generation from now on.
func (g *guard) giveUp() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	if now.Sub(g.readOnly) < guardPause {
		return false
	}
	g.readOnly = now
	g.generation.Add(1)
	return true
}
