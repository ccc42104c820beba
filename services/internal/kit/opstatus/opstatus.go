// Package opstatus lets any instance of a service tell how all instances of all services are: each answers a question
// on NATS with its own Status, and the operations page gathers the answers. Nothing is stored, and an instance that does
// not answer in time is not in the list.
package opstatus

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tallyboard/tallyboard/services/internal/kit/db"
	"github.com/tallyboard/tallyboard/services/internal/kit/fiberx"
	"github.com/tallyboard/tallyboard/services/internal/kit/jsbus"
)

// Subject is where instances are asked.
const Subject = "ops.status"

// ErrAway says that NATS cannot be asked now; the caller still knows itself.
var ErrAway = jsbus.ErrAway

// States of Status.NATS.
const (
	NATSConnected = "connected"
	NATSAway      = "away"
)

// Status is the state of one instance. Counters count since it started.
type Status struct {
	Service   string    `json:"service"`
	Instance  string    `json:"instance"`
	Version   string    `json:"version"`
	StartedAt time.Time `json:"startedAt"`
	// Ready is what its /health says.
	Ready bool `json:"ready"`
	// NATS is NATSConnected or NATSAway.
	NATS  string `json:"nats"`
	Pools []Pool `json:"pools"`
	// Relay is nil in a service without one, as are Consumer and Live.
	Relay    *Relay    `json:"relay"`
	Consumer *Consumer `json:"consumer"`
	Live     *Live     `json:"live"`
	// Routes count this instance's requests; see Summarize.
	Routes     []Route `json:"routes"`
	Goroutines int     `json:"goroutines"`
	HeapBytes  uint64  `json:"heapBytes"`
}

// Pool is the state of one pool of database connections.
type Pool struct {
	Name   string `json:"name"`
	Engine string `json:"engine"`
	Max    int    `json:"max"`
	InUse  int    `json:"inUse"`
	Idle   int    `json:"idle"`
	// WaitCount counts how often a caller had to wait for a connection, WaitMs how long in all, in milliseconds.
	WaitCount int64   `json:"waitCount"`
	WaitMs    float64 `json:"waitMs"`
}

// PoolOf is a pool's state under its name.
func PoolOf(name string, s db.PoolStats) Pool {
	return Pool{
		Name: name, Engine: s.Engine, Max: s.Max, InUse: s.InUse, Idle: s.Idle, WaitCount: s.WaitCount, WaitMs: s.WaitMillis,
	}
}

// Relay is the state of the outbox's relay.
type Relay struct {
	// Leader is whether this instance publishes; the others stand by.
	Leader bool `json:"leader"`
	// Unpositioned counts committed events without a position, OldestAgeSeconds is the age of the oldest. They are nil
	// while they have not been measured, as are Given and Published: just after the start, or while the database is away.
	Unpositioned     *int64   `json:"unpositioned"`
	OldestAgeSeconds *float64 `json:"oldestAgeSeconds"`
	// Given is the last position given, Published the last one acknowledged by NATS.
	Given     *int64 `json:"given"`
	Published *int64 `json:"published"`
	// Takeovers counts how often this instance became the leader.
	Takeovers int64 `json:"takeovers"`
}

// Consumer is the state of the projections' consumer.
type Consumer struct {
	// Leader is whether this instance applies events; the others stand by.
	Leader bool `json:"leader"`
	// Cursor is the last position applied, Lag how many positions the history is ahead, LagSeconds by how much time.
	Cursor     int64   `json:"cursor"`
	Lag        int64   `json:"lag"`
	LagSeconds float64 `json:"lagSeconds"`
	// Parked counts events set aside.
	Parked int64 `json:"parked"`
	// Source is where events come from now, "stream" or "database".
	Source string `json:"source"`
	// LastVerify is the last comparison with a recount, nil before the first.
	LastVerify *Verify `json:"lastVerify"`
}

// Verify is the result of a comparison of the projections with a recount.
type Verify struct {
	At          time.Time `json:"at"`
	Equal       bool      `json:"equal"`
	Differences int       `json:"differences"`
}

// Live is the state of the live feed to browsers.
type Live struct {
	// Subscribers is the number of open streams.
	Subscribers int `json:"subscribers"`
	// Stale is whether updates may be missing because NATS is away.
	Stale bool `json:"stale"`
}

// Route is what an instance counted of one of its routes; fiberx.RouteStats returns them.
type Route = fiberx.RouteStat

// Answer answers each question with status, until stop is called. status must be quick: it is called on the
// connection's goroutine.
func Answer(bus *jsbus.Bus, status func() Status) (stop func(), err error) {
	return bus.Reply(Subject, func() ([]byte, error) {
		data, err := json.Marshal(status())
		if err != nil {
			return nil, fmt.Errorf("encode status: %w", err)
		}
		return data, nil
	})
}

// Collect asks every instance and returns what arrives within wait, by service and instance. The caller's own status is
// among them if it answers itself. Without a connection the error is ErrAway; what cannot be read is left out.
func Collect(ctx context.Context, bus *jsbus.Bus, wait time.Duration) ([]Status, error) {
	answers, err := bus.Gather(ctx, Subject, nil, wait)
	if err != nil {
		return nil, fmt.Errorf("collect statuses: %w", err)
	}
	statuses := make([]Status, 0, len(answers))
	for _, data := range answers {
		var s Status
		if json.Unmarshal(data, &s) == nil && s.Service != "" {
			statuses = append(statuses, s)
		}
	}
	slices.SortFunc(statuses, compare)
	return slices.CompactFunc(statuses, func(a, b Status) bool { return compare(a, b) == 0 }), nil
}

func compare(a, b Status) int {
	if c := strings.Compare(a.Service, b.Service); c != 0 {
		return c
	}
	return strings.Compare(a.Instance, b.Instance)
}
