package drill

import (
	"context"
	"time"

	"github.com/tallyboard/tallyboard/services/drill/internal/check"
	"github.com/tallyboard/tallyboard/services/drill/internal/cluster"
	"github.com/tallyboard/tallyboard/services/drill/internal/workload"
)

// Companion accompanies a run: it measures while clients work, and does what a drill alone does not. Observe and Missed are
// called by all clients at once, the others one after the other, in this order.
type Companion interface {
	// Observe is told of each attempt of a client.
	Observe(a workload.Attempt)
	// Missed is told of each turn that a client missed because it still waited for an answer.
	Missed()
	// Started is called when everything runs and is at rest, before the load.
	Started(ctx context.Context, r *Conductor) error
	// FaultBegins and FaultEnds are told when faults begin, and when everything is well again (or given up).
	FaultBegins(at time.Duration)
	FaultEnds(at time.Duration)
	// AfterFaults is called when no more faults come, and the load goes on until it returns.
	AfterFaults(ctx context.Context, r *Conductor) error
	// AfterLoad is called when nobody writes any more and everything has arrived everywhere. It leaves it so, too.
	AfterLoad(ctx context.Context, r *Conductor) error
	// Judge is called in the end, with what the checker found; if the run itself failed, broken says how, and the record has
	// what is known. It reports, and returns an error if the run did not keep what the companion demands.
	Judge(r *Conductor, violations []check.Violation, broken error) error
}

// alone accompanies a drill: nobody.
type alone struct{}

// Alone returns a companion that does nothing, for others to embed.
func Alone() Companion { return alone{} }

func (alone) Observe(workload.Attempt)                      {}
func (alone) Missed()                                       {}
func (alone) Started(context.Context, *Conductor) error     { return nil }
func (alone) FaultBegins(time.Duration)                     {}
func (alone) FaultEnds(time.Duration)                       {}
func (alone) AfterFaults(context.Context, *Conductor) error { return nil }
func (alone) AfterLoad(context.Context, *Conductor) error   { return nil }

// Judge says of a broken run only that it is.
func (alone) Judge(_ *Conductor, _ []check.Violation, broken error) error { return broken }

// Cluster returns the system under load.
func (r *Conductor) Cluster() *cluster.Cluster { return r.cluster }

// Load returns the clients.
func (r *Conductor) Load() *workload.Load { return r.load }

// Record returns what is known so far. It is not to be changed.
func (r *Conductor) Record() *check.Record { return &r.record }

// Since is the run's clock.
func (r *Conductor) Since() time.Duration { return time.Since(r.began) }

// Logs is the folder of what is kept of a run that failed.
func (r *Conductor) Logs() string { return r.logs() }

// Sayf prints a line with the time of the run.
func (r *Conductor) Sayf(format string, args ...any) { r.sayf(format, args...) }

// Projects are the keys of the projects in which clients work.
func Projects() []string { return append([]string(nil), projects...) }
