package soak

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/tallyboard/tallyboard/services/drill/internal/ledger"
	"github.com/tallyboard/tallyboard/services/drill/internal/workload"
)

// side tells whether a request met a fault: it was under way between a fault's beginning and the moment when all was well.
type side int

const (
	outside side = iota
	during
	sides
)

// action tells reading from changing.
type action int

const (
	reading action = iota
	writing
	actions
)

func actionOf(k ledger.Kind) action {
	if k.Reads() {
		return reading
	}
	return writing
}

// timed says of which operations it is promised how long they take.
func timed(k ledger.Kind) bool { return k != ledger.Import }

// meter measures requests as clients see them. It is safe for concurrent use.
type meter struct {
	mu     sync.Mutex
	broken bool          // a fault is on
	since  time.Duration // the present fault's beginning
	well   time.Duration // the last fault's end
	spans  []window      // in which faults were on
	counts [sides]Count
	times  [sides][actions]Histogram

	failed []failure // few, compared with all requests

	minute minute
}

// window is a time in which something was broken or not yet well.
type window struct{ from, until time.Duration }

// minute is what happened since the last line of status.
type minute struct {
	count  Count
	times  [actions]Histogram
	faults int
}

// observe counts an attempt that has just ended.
func (m *meter) observe(a workload.Attempt) {
	if a.Client <= 0 { // the drill's own
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	at := outside
	if m.broken || a.Start < m.well {
		at = during
	}
	took := a.End - a.Start
	one := Count{Requests: 1}
	switch {
	case a.Failed:
		one.Failed = 1
		m.failed = append(m.failed, failure{a.Client, a.End})
	case timed(a.Kind):
		one.Timed = 1
		if took > promptWithin {
			one.Late = 1
		}
		m.times[at][actionOf(a.Kind)].Add(took)
		m.minute.times[actionOf(a.Kind)].Add(took)
	}
	m.counts[at] = m.counts[at].plus(one)
	m.minute.count = m.minute.count.plus(one)
}

// missed counts a turn that was not taken.
func (m *meter) missed() {
	m.mu.Lock()
	defer m.mu.Unlock()
	at := outside
	if m.broken {
		at = during
	}
	m.counts[at].Missed++
	m.minute.count.Missed++
}

func (m *meter) begins(at time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.broken, m.since = true, at
	m.minute.faults++
}

func (m *meter) ends(at time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.broken, m.well = false, at
	m.spans = append(m.spans, window{m.since, at})
}

// turn returns the minute that is over and begins another one.
func (m *meter) turn() minute {
	m.mu.Lock()
	defer m.mu.Unlock()
	over := m.minute
	m.minute = minute{}
	return over
}

// untilAcknowledged measures acknowledged operations from their first attempt to the answer of the last: what people wait.
func untilAcknowledged(ops []ledger.Op, broken []window) (out [sides][actions]Histogram) {
	for i := range ops {
		op := &ops[i]
		if op.Client <= 0 || op.Outcome != ledger.Acknowledged || !timed(op.Kind) {
			continue
		}
		at := outside
		next, _ := slices.BinarySearchFunc(broken, op.Start, func(w window, t time.Duration) int { return cmp.Compare(w.until, t) })
		if next < len(broken) && broken[next].from <= op.End {
			at = during
		}
		out[at][actionOf(op.Kind)].Add(op.End - op.Start)
	}
	return out
}
