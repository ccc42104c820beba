// Package bugs drills services that are broken on purpose, one seeded bug after the other, and demands that each is caught:
// a drill that finds nothing in sound services says little unless it finds what is wrong with broken ones.
package bugs

import (
	"time"

	"github.com/tallyboard/tallyboard/services/drill/internal/faults"
	"github.com/tallyboard/tallyboard/services/internal/kit/seeded"
)

// plan says how to look for a bug.
type plan struct {
	bug      seeded.Bug
	kinds    []faults.Kind
	targets  []string // of the faults; empty: any
	duration time.Duration
	calm     time.Duration // that what was written has to arrive everywhere; 0: as in any run with a bug
	// shows are the rules that the bug breaks. What else a run finds does not count: neither what is only late, which a slow
	// machine explains as well, nor a fault that could not be injected, nor a process that grew.
	shows []string
}

// stagnates is how long a bug that keeps statistics from ever arriving is waited for: longer than they must stand still to be
// more than late, with what was under way before.
const stagnates = 20 * time.Second

// lateness are the rules that break when something has not arrived in time. No bug counts as caught by them.
var lateness = []string{"relayed", "caught up", "recovery"}

// How people, and each service, reach the database, as targets of faults.
var (
	tasksToDatabase = []string{"task-1" + faults.AllDatabase, "task-2" + faults.AllDatabase}
	statsToDatabase = []string{"stats-1" + faults.AllDatabase, "stats-2" + faults.AllDatabase}
)

// plans are one for each bug. The same schedules find nothing in sound services (drill bugs -control).
var plans = []plan{
	{ // Two people who change the same version at once suffice; slow statements make it more often.
		bug: seeded.SkipVersionCheck, duration: 6 * time.Second, shows: []string{"linearizable", "acknowledged"},
		kinds: []faults.Kind{faults.Delay}, targets: tasksToDatabase,
	},
	{ // Cut off between the two commits, and two changes of one task that overtake each other there.
		bug: seeded.EventAfterCommit, duration: 10 * time.Second, shows: []string{"history", "positions", "acknowledged"},
		kinds: []faults.Kind{faults.Delay, faults.Cut}, targets: tasksToDatabase,
	},
	{ // One replica's slow transactions take their ids early and commit late.
		bug: seeded.RowIDCursor, duration: 5 * time.Second, shows: []string{"positions"},
		kinds: []faults.Kind{faults.Delay}, targets: tasksToDatabase,
	},
	{ // Held up for longer than the lease, at work again while another leads.
		bug: seeded.RelayWithoutFencing, duration: 16 * time.Second, shows: []string{"marks", "positions", "projection"},
		kinds: []faults.Kind{faults.CutOffLeader, faults.PauseLeader}, targets: []string{faults.TaskLeader},
	},
	{ // Many interruptions, of which some fall between the two commits; slow statements make room for them.
		bug: seeded.CursorInAnotherTransaction, duration: 14 * time.Second, shows: []string{"projection"},
		kinds: []faults.Kind{faults.Cut, faults.Cut, faults.HalfClose}, targets: statsToDatabase,
	},
	{ // The new stream counts from 1 again, and nothing in it seems to be new.
		bug: seeded.StreamSequenceCursor, duration: 4 * time.Second, shows: []string{"standstill"}, calm: stagnates,
		kinds: []faults.Kind{faults.Delete},
	},
}
