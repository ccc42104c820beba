package soak

import (
	"fmt"
	"time"

	"github.com/tallyboard/tallyboard/services/drill/internal/check"
	"github.com/tallyboard/tallyboard/services/drill/internal/ledger"
)

// What a soak must hold.
const (
	mostViolations = 0
	faultsWithin   = 30 * time.Minute // in this time …
	leastFaults    = 200              // … as many faults
	mostAgain      = 1                // requests of one client sent again for one killed replica
	databaseWithin = 5 * time.Second  // from a killed database's first connection until all is well
	leastCatchUp   = 5_000            // events a second
	leastBacklog   = 20_000           // events of which the catching up is measured
	mostSlope      = 60               // MiB an hour that a process may grow, behind collections
)

// Result is what a soak found; it is kept as JSON. Durations are nanoseconds.
type Result struct {
	Name        string        `json:"name"`
	Began       time.Time     `json:"began"`
	Interrupted bool          `json:"interrupted"`
	Broken      string        `json:"broken,omitempty"` // what kept the run from coming to its end
	Took        time.Duration `json:"took"`
	FaultsFor   time.Duration `json:"faultsFor"` // in which faults were injected
	FaultyFor   time.Duration `json:"faultyFor"` // of it: from a fault's beginning until all was well
	Events      int           `json:"events"`
	Tasks       int           `json:"tasks"`
	Operations  struct {
		Acknowledged int `json:"acknowledged"`
		Refused      int `json:"refused"`
		Unknown      int `json:"unknown"`
		SentAgain    int `json:"sentAgain"`
	} `json:"operations"`
	Requests struct {
		All     Budget `json:"all"`
		During  Budget `json:"during"`
		Outside Budget `json:"outside"`
	} `json:"requests"`
	Latency       []LatencyPair     `json:"latency"`
	ReplicaKills  ReplicaKills      `json:"replicaKills"`
	DatabaseKills DatabaseKills     `json:"databaseKills"`
	CatchUps      []CatchUp         `json:"catchUps"`
	Memory        []Memory          `json:"memory"`
	Levels        []check.Level     `json:"levels"`
	Faults        []ledger.Fault    `json:"faults"`
	Violations    []check.Violation `json:"violations"`
	Targets       []Target          `json:"targets"`
}

// LatencyPair is a latency during faults and outside them.
type LatencyPair struct {
	Of      string  `json:"of"`
	During  Latency `json:"during"`
	Outside Latency `json:"outside"`
}

func pair(of string, during, outside *Histogram) LatencyPair {
	return LatencyPair{Of: of, During: during.Latency(), Outside: outside.Latency()}
}

// Target is something that was to be reached.
type Target struct {
	Name    string  `json:"name"`
	Want    string  `json:"want"`
	Got     string  `json:"got"`
	Verdict Verdict `json:"verdict"`
}

// Verdict on a target.
type Verdict string

// The verdicts.
const (
	Held     Verdict = "held"
	Missed   Verdict = "MISSED"
	Unjudged Verdict = "not judged" // there was nothing to measure, or too little
)

func verdict(held bool) Verdict {
	if held {
		return Held
	}
	return Missed
}

// judge sets the targets.
func (r *Result) judge() {
	least := int(leastFaults * r.FaultsFor / faultsWithin)
	r.Targets = []Target{
		{"faults", fmt.Sprintf("≥ %d in %s", least, r.FaultsFor.Round(time.Second)), fmt.Sprint(len(r.Faults)), verdict(len(r.Faults) >= least)},
		{"violations", fmt.Sprint(mostViolations), fmt.Sprint(len(r.Violations)), verdict(len(r.Violations) <= mostViolations)},
		r.replicaTarget(), r.databaseTarget(), r.catchUpTarget(), r.memoryTarget(),
	}
	if r.Broken != "" {
		r.Targets[1].Got, r.Targets[1].Verdict = "not checked", Missed
	}
}

func (r *Result) replicaTarget() Target {
	t := Target{"requests of a client sent again per killed replica", fmt.Sprintf("≤ %d", mostAgain), "no replica was killed alone", Unjudged}
	if k := r.ReplicaKills; k.Kills > 0 {
		t.Got, t.Verdict = fmt.Sprintf("worst %d, in %d kills", k.Worst, k.Kills), verdict(k.Worst <= mostAgain)
		if k.Worst > 0 {
			t.Got += " (" + k.WorstAt + ")"
		}
	}
	return t
}

func (r *Result) databaseTarget() Target {
	t := Target{"all well after a killed database accepts connections", "≤ " + databaseWithin.String(), "the database was not killed alone", Unjudged}
	if k := r.DatabaseKills; k.Kills > 0 {
		t.Got, t.Verdict = fmt.Sprintf("worst %.2f s, in %d kills", k.WorstWhole.Seconds(), k.Kills), verdict(k.WorstWhole <= databaseWithin)
	}
	return t
}

func (r *Result) catchUpTarget() Target {
	t := Target{"statistics catch up", fmt.Sprintf("≥ %d events/s, of ≥ %d", leastCatchUp, leastBacklog), "not measured", Unjudged}
	for _, c := range r.CatchUps { // the last one that left a backlog counts
		switch {
		case c.Error != "":
			t.Got, t.Verdict = c.Error, Missed
			return t
		case c.Behind >= leastBacklog:
			t.Got, t.Verdict = fmt.Sprintf("%.0f events/s, of %d", c.PerSecond, c.Behind), verdict(c.PerSecond >= leastCatchUp)
		}
	}
	if len(r.CatchUps) > 0 && t.Verdict == Unjudged {
		t.Got, t.Verdict = "no outage left a backlog large enough", Missed
	}
	return t
}

func (r *Result) memoryTarget() Target {
	t := Target{"growth of a process's memory", fmt.Sprintf("≤ %d MiB/h", mostSlope), "the run was too short", Unjudged}
	if process, how, most := r.steepest(); process != "" {
		t.Got, t.Verdict = fmt.Sprintf("steepest %+.1f MiB/h, %s %s", most, process, how), verdict(most <= mostSlope)
	}
	return t
}

// steepest returns the largest slope that is judged, of which process and how it was measured; no process if there is none.
func (r *Result) steepest() (process, how string, most float64) {
	for _, m := range r.Memory {
		if s := m.RunHeap; s.Judged && (process == "" || s.PerHour > most) {
			process, how, most = m.Process, "from restart to restart", s.PerHour
		}
		if s := m.LifeHeap; s.Judged && (process == "" || s.PerHour > most) {
			process, how, most = m.Process, "within its last life", s.PerHour
		}
	}
	return process, how, most
}
