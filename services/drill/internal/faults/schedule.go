// Package faults breaks a cluster: it makes a schedule from a seed and carries it out, one fault after the other.
//
// A new kind of fault is a Kind with its targets in targets and its doing in Injector.Do.
package faults

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// Kind of fault.
type Kind string

// The kinds.
const (
	Kill         Kind = "kill"             // SIGKILL, and a new start later
	KillLeader   Kind = "kill leader"      // the replica that gives positions, or the one that applies them
	CutOffLeader Kind = "leader cut off"   // what it sends to the database arrives only after another has taken over
	PowerCut     Kind = "power cut"        // every process is killed, and started again
	Pause        Kind = "pause"            // SIGSTOP, SIGCONT
	PauseLeader  Kind = "pause leader"     // long enough that another replica takes over meanwhile
	Rolling      Kind = "rolling restart"  // SIGTERM and a new start, replica by replica
	Delay        Kind = "network delay"    // of every byte
	Slow         Kind = "network slow"     // few bytes a second
	Hold         Kind = "network silent"   // nothing arrives, connections stay open
	Cut          Kind = "network cut"      // connections are reset
	HalfClose    Kind = "network half-cut" // connections end in one direction
	Delete       Kind = "stream deleted"
	Copy         Kind = "stream copied" // NATS is killed, its files are copied aside, it starts again
	RestoreOld   Kind = "stream restored"
	Redeliver    Kind = "redelivery" // old messages come again, in another order and under new ids
	DiskFull     Kind = "disk full"  // no byte can be written for a while
)

// Fault is one entry of a schedule.
type Fault struct {
	Kind   Kind          `json:"kind"`
	Target string        `json:"target"`
	Before time.Duration `json:"before"` // pause in front of it
	For    time.Duration `json:"for"`    // how long it lasts; nothing for what is over at once
	Amount int           `json:"amount"` // milliseconds of delay, bytes a second, connections' side, or messages
	// Together says that it begins at the same time as the one in front of it.
	Together bool `json:"together,omitempty"`
}

func (f Fault) String() string { return fmt.Sprintf("%s of %s for %s", f.Kind, f.Target, f.For) }

// Parts are the names of what can be hit.
type Parts struct {
	Tasks, Stats, NATS []string
	Database, Edge     string
	Disks              []string // servers that have a disk of their own; none: the kind DiskFull is left out
}

// Names of targets that stand for several links, or for whoever leads at that moment.
const (
	AllDatabase = "→database"
	AllNATS     = "→nats"
	TaskLeader  = "task leader"
	StatsLeader = "stats leader"
)

// round is what a full schedule repeats: every kind, killing more often.
var round = []Kind{
	Kill, Pause, Delay, Cut, Kill, Delete, Hold, Redeliver, Rolling, HalfClose, KillLeader, Copy, Slow, PauseLeader, Kill, PowerCut, CutOffLeader, RestoreOld, DiskFull,
}

// Kinds returns every kind that a schedule can be asked for.
func Kinds() []Kind {
	all := slices.Clone(round)
	slices.Sort(all)
	return slices.Compact(all)
}

// Schedule returns n faults, the same for the same seed, parts and kinds. Each round has every kind once, shuffled; the
// targets of a kind are taken in turn, from a random one on. only restricts it to some kinds; empty: all. Before the first
// fault a copy of the stream must be there: restored ones are as old as the last copy.
func Schedule(seed uint64, p Parts, only []Kind, n int) []Fault {
	random := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // the same again with the same seed
	kinds := slices.Clone(round)
	if len(only) > 0 {
		kinds = slices.Clone(only)
	}
	kinds = slices.DeleteFunc(kinds, func(k Kind) bool { return len(targets(k, p)) == 0 })
	if len(kinds) == 0 {
		return nil
	}
	next := map[Kind]int{}
	order := map[Kind][]string{}
	var out []Fault
	for len(out) < n {
		random.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
		for _, k := range kinds {
			if order[k] == nil {
				order[k] = targets(k, p)
				random.Shuffle(len(order[k]), func(i, j int) { order[k][i], order[k][j] = order[k][j], order[k][i] })
			}
			target := order[k][next[k]%len(order[k])]
			next[k]++
			f := draw(random, k, target)
			// Two at a time, never three: of those, nobody could say which one was too much.
			f.Together = random.IntN(togetherOneIn) == 0 && len(out) > 0 && !out[len(out)-1].Together && compatible(out[len(out)-1], f, p)
			out = append(out, f)
		}
	}
	return out[:n]
}

// togetherOneIn is how many faults there are to one that begins together with its predecessor, if it can.
const togetherOneIn = 3

// compatible reports whether two faults can be carried out and mended at the same time.
func compatible(a, b Fault, p Parts) bool {
	touched := map[string]bool{}
	for _, name := range a.touches(p) {
		touched[name] = true
	}
	for _, name := range b.touches(p) {
		if touched[name] {
			return false
		}
	}
	return true
}

// touches names what a fault must have for itself.
func (f Fault) touches(p Parts) []string {
	switch f.Kind {
	case Kill, Pause:
		return []string{f.Target}
	case DiskFull: // of two that are away, nobody could say which one does not work again
		return append([]string{p.Database}, p.NATS...)
	case PauseLeader, KillLeader:
		if f.Target == TaskLeader {
			return p.Tasks
		}
		return p.Stats
	case Rolling:
		return append(append([]string(nil), p.Tasks...), p.Stats...)
	case PowerCut:
		return append(append(append([]string{p.Database, p.Edge}, p.Tasks...), p.Stats...), p.NATS...)
	case Delete, Copy, RestoreOld, Redeliver:
		return p.NATS
	case Delay, Slow, Hold, CutOffLeader:
		return []string{"conditions of links"} // whoever ends first would mend both
	case Cut, HalfClose:
	}
	return nil
}

// Next splits the faults that are carried out together off the front of a schedule.
func Next(schedule []Fault) (now, later []Fault) {
	n := min(1, len(schedule))
	for n < len(schedule) && schedule[n].Together {
		n++
	}
	return schedule[:n], schedule[n:]
}

// targets lists what a kind can hit.
func targets(k Kind, p Parts) []string {
	services := append(append([]string(nil), p.Tasks...), p.Stats...)
	switch k {
	case Kill:
		return append(append(services, p.Database, p.Edge, p.Database), p.NATS...) // the database twice: it matters most
	case Pause:
		return append(append(services, p.Database), p.NATS...)
	case PauseLeader, KillLeader, CutOffLeader:
		return []string{TaskLeader, StatsLeader}
	case DiskFull:
		return slices.Clone(p.Disks)
	case Rolling:
		return []string{"all services"}
	case PowerCut:
		return []string{"everything"}
	case Delete, Copy, RestoreOld, Redeliver:
		return []string{"stream"}
	}
	out := []string{AllDatabase, AllNATS}
	for _, s := range services {
		out = append(out, s+"→", s+AllDatabase, s+AllNATS)
	}
	return out
}

// draw fills in how long and how much.
func draw(random *rand.Rand, k Kind, target string) Fault {
	between := func(from, to time.Duration) time.Duration { return from + time.Duration(random.Int64N(int64(to-from))) }
	f := Fault{Kind: k, Target: target, Before: between(200*time.Millisecond, time.Second)}
	switch k {
	case Kill, KillLeader, PowerCut:
		f.For = between(100*time.Millisecond, 1500*time.Millisecond)
	case DiskFull:
		f.For = between(2*time.Second, 4*time.Second)
	case Pause:
		f.For = between(500*time.Millisecond, 2500*time.Millisecond)
	case PauseLeader, CutOffLeader:
		f.For = between(4500*time.Millisecond, 5500*time.Millisecond) // over LEASE_TTL, 3 s, and LEASE_RETRY, so that another leads
	case Delay:
		f.For, f.Amount = between(time.Second, 2*time.Second), 20+random.IntN(180)
	case Slow:
		f.For, f.Amount = between(time.Second, 2*time.Second), 4_000+random.IntN(30_000)
	case Hold:
		f.For = between(time.Second, 3*time.Second)
	case Cut, HalfClose:
		f.For, f.Amount = between(300*time.Millisecond, time.Second), random.IntN(2)
	case Redeliver:
		f.Amount = 50 + random.IntN(150)
	case Rolling, Delete, Copy, RestoreOld:
	}
	return f
}
