package soak

import (
	"strings"
	"time"

	"github.com/tallyboard/tallyboard/services/drill/internal/faults"
	"github.com/tallyboard/tallyboard/services/drill/internal/ledger"
)

// ReplicaKills is what clients had to send again because a single replica was killed.
type ReplicaKills struct {
	Kills    int         `json:"kills"`    // with nothing else broken at the same time
	Worst    int         `json:"worst"`    // requests of one client for one kill
	WorstAt  string      `json:"worstAt"`  // that kill
	Clients  map[int]int `json:"clients"`  // how many clients had to send how many again, over all kills
	Together int         `json:"together"` // kills with something else broken at the same time; not judged
}

// failure is a request that its client had to send again.
type failure struct {
	client int
	at     time.Duration // when it failed
}

// replicaKills counts, for each kill, the requests that failed between it and the moment when all was well.
func replicaKills(all []ledger.Fault, failures []failure, clients int) ReplicaKills {
	out := ReplicaKills{Clients: map[int]int{}}
	for i, f := range all {
		replica := killedReplica(f)
		switch {
		case replica == "":
			continue
		case !aloneAt(all, i):
			out.Together++
			continue
		}
		out.Kills++
		again := map[int]int{}
		for _, x := range failures {
			if x.at >= f.Start && x.at <= f.Healed+f.Whole {
				again[x.client]++
			}
		}
		for client := 1; client <= clients; client++ {
			n := again[client]
			out.Clients[n]++
			if n > out.Worst {
				out.Worst, out.WorstAt = n, f.Kind+" of "+replica+" at "+f.Start.Round(time.Second/10).String()
			}
		}
	}
	return out
}

// killedReplica names the replica that a fault killed alone; "" if none.
func killedReplica(f ledger.Fault) string {
	name := f.Target
	switch faults.Kind(f.Kind) {
	case faults.KillLeader:
		name = f.Detail
	case faults.Kill:
	default:
		return ""
	}
	if strings.HasPrefix(name, "task-") || strings.HasPrefix(name, "stats-") {
		return name
	}
	return ""
}

// aloneAt reports whether nothing else was broken while fault i was.
func aloneAt(all []ledger.Fault, i int) bool {
	f := all[i]
	for j, o := range all {
		if j != i && o.Start < f.Healed+f.Whole && f.Start < o.Healed+o.Whole {
			return false
		}
	}
	return true
}

// DatabaseKills is how long everything took to be well after the killed database accepted connections.
type DatabaseKills struct {
	Kills        int           `json:"kills"` // with nothing else broken at the same time
	WorstServing time.Duration `json:"worstServing"`
	WorstWhole   time.Duration `json:"worstWhole"`
	Together     int           `json:"together"`      // kills with something else at the same time, power cuts among them; not judged
	TogetherMost time.Duration `json:"togetherWorst"` // until everything was well, from the moment when the last was mended
}

func databaseKills(all []ledger.Fault) DatabaseKills {
	var out DatabaseKills
	for i, f := range all {
		kind := faults.Kind(f.Kind)
		switch {
		case kind != faults.PowerCut && (kind != faults.Kill || f.Target != database):
		case kind == faults.PowerCut, !aloneAt(all, i):
			out.Together++
			out.TogetherMost = max(out.TogetherMost, f.Whole)
		default:
			out.Kills++
			out.WorstServing, out.WorstWhole = max(out.WorstServing, f.Serving), max(out.WorstWhole, f.Whole)
		}
	}
	return out
}

// database is the name of the database among the targets of faults.
const database = "database"
