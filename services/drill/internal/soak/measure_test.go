package soak

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tallyboard/tallyboard/services/drill/internal/drill"
	"github.com/tallyboard/tallyboard/services/drill/internal/ledger"
	"github.com/tallyboard/tallyboard/services/drill/internal/workload"
)

const ms = time.Millisecond

func TestHistogram(t *testing.T) {
	t.Parallel()
	var h Histogram
	if h.Quantile(0.99) != 0 {
		t.Error("an empty histogram has a quantile")
	}
	for i := 1; i <= 1000; i++ {
		h.Add(time.Duration(i) * ms)
	}
	for share, want := range map[float64]time.Duration{0.5: 500 * ms, 0.95: 950 * ms, 0.99: 990 * ms, 1: 1000 * ms} {
		if got := h.Quantile(share); got < want || float64(got) > float64(want)*growth {
			t.Errorf("quantile %g is %s, want %s and at most a twentieth more", share, got, want)
		}
	}
	h.Add(0)
	h.Add(time.Hour)
	if l := h.Latency(); l.Count != 1002 || l.Most != time.Hour || h.Quantile(0) > shortest {
		t.Errorf("%+v", l)
	}
}

func TestBudget(t *testing.T) {
	t.Parallel()
	b := budget(Count{Requests: 10_000, Failed: 5, Timed: 9_000, Late: 180})
	for name, v := range map[string][2]float64{
		"failed": {b.FailedShare, 0.0005}, "half of the budget": {b.AvailabilityUsed, 0.5}, "late": {b.LateShare, 0.02}, "twice the budget": {b.LatencyUsed, 2},
	} {
		if math.Abs(v[0]-v[1]) > 1e-9 {
			t.Errorf("%s: %g, want %g", name, v[0], v[1])
		}
	}
	if none := budget(Count{}); none != (Budget{}) {
		t.Errorf("nothing used %+v", none)
	}
}

func TestMeterTellsSidesApart(t *testing.T) {
	t.Parallel()
	var m meter
	attempt := func(client int, kind ledger.Kind, start, end int, failed bool) {
		m.observe(workload.Attempt{Client: client, Kind: kind, Start: time.Duration(start) * ms, End: time.Duration(end) * ms, Failed: failed})
	}
	attempt(1, ledger.Read, 0, 10, false)
	m.begins(100 * ms)
	attempt(1, ledger.Update, 90, 400, false) // began before the fault, ended in it
	attempt(2, ledger.Update, 120, 130, true)
	attempt(-1, ledger.Create, 120, 130, true) // the drill's own
	m.missed()
	m.ends(500 * ms)
	attempt(1, ledger.Import, 450, 900, false) // began in it; nobody promises how long imports take
	attempt(1, ledger.Read, 510, 800, false)
	m.missed()
	if want := (Count{Requests: 3, Failed: 1, Timed: 1, Late: 1, Missed: 1}); m.counts[during] != want {
		t.Errorf("during: %+v, want %+v", m.counts[during], want)
	}
	if want := (Count{Requests: 2, Timed: 2, Late: 1, Missed: 1}); m.counts[outside] != want {
		t.Errorf("outside: %+v, want %+v", m.counts[outside], want)
	}
	if n := m.times[during][writing].n; n != 1 {
		t.Errorf("%d writes were timed during the fault", n)
	}
	if len(m.failed) != 1 || m.failed[0] != (failure{2, 130 * ms}) || len(m.spans) != 1 || m.spans[0] != (window{100 * ms, 500 * ms}) {
		t.Errorf("%+v, %+v", m.failed, m.spans)
	}
	if over := m.turn(); over.count.Requests != 5 || over.faults != 1 || m.turn().count.Requests != 0 {
		t.Errorf("the minute: %+v", over.count)
	}
}

func TestUntilAcknowledged(t *testing.T) {
	t.Parallel()
	op := func(start, end int, o ledger.Outcome) ledger.Op {
		return ledger.Op{Client: 1, Kind: ledger.Read, Start: time.Duration(start) * ms, End: time.Duration(end) * ms, Outcome: o}
	}
	got := untilAcknowledged([]ledger.Op{
		op(0, 10, ledger.Acknowledged),
		op(90, 150, ledger.Acknowledged),  // into the first
		op(10, 900, ledger.Acknowledged),  // over both
		op(250, 290, ledger.Acknowledged), // between them
		op(350, 360, ledger.Acknowledged), // within the second
		op(350, 360, ledger.Refused),
		op(950, 990, ledger.Acknowledged),
	}, []window{{100 * ms, 200 * ms}, {300 * ms, 400 * ms}})
	if d, o := got[during][reading].n, got[outside][reading].n; d != 3 || o != 3 {
		t.Errorf("%d during faults and %d outside them, want 3 and 3", d, o)
	}
}

func TestTheilSen(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 1))
	var points []point
	for i := range 60 {
		value := 50 + 12*float64(i)/60 + random.Float64() // 12 an hour, with noise
		if i%7 == 0 {
			value += 500 // and what has nothing to do with it
		}
		points = append(points, point{at: time.Duration(i) * time.Minute, value: value})
	}
	if got, ok := theilSen(points, anyPair); !ok || math.Abs(got-12) > 1 {
		t.Errorf("slope %g, %t, want about 12", got, ok)
	}
	if _, ok := theilSen(points[:1], anyPair); ok {
		t.Error("one point has a slope")
	}
}

// Processes that are restarted each minute, and grow by 30 MiB in their first: that is no growth over the run. What they
// begin with grows by 10 MiB an hour: that is.
func TestMemoryOfProcessesThatAreRestarted(t *testing.T) {
	t.Parallel()
	var samples []sample
	for at := time.Duration(0); at < 30*time.Minute; at += sampleEvery {
		age := at % (time.Minute + 7*time.Second)
		mib := 10 + 30*age.Minutes() + 10*at.Hours()
		samples = append(samples, sample{at: at, age: age, Level: drill.Level{Heap: int64(mib * (1 << 20)), Memory: int64(2 * mib * (1 << 20))}})
	}
	m := trend("task-1", samples, 29*time.Minute)
	if !m.RunHeap.Judged || math.Abs(m.RunHeap.PerHour-10) > 5 || math.Abs(m.RunRSS.PerHour-20) > 10 {
		t.Errorf("from restart to restart %+v and %+v, want about 10 and 20", m.RunHeap, m.RunRSS)
	}
	if m.LifeHeap.Judged {
		t.Errorf("judged by %s", m.LifeHeap.Span)
	}
	if none := trend("task-2", nil, 0); none.RunHeap.Judged || none.LifeHeap.Judged {
		t.Errorf("judged without a sample: %+v", none)
	}
}

func TestMemoryThatLeaks(t *testing.T) {
	t.Parallel()
	var samples []sample
	for at := time.Duration(0); at < 4*time.Minute; at += sampleEvery {
		samples = append(samples, sample{at: at, age: at, Level: drill.Level{Heap: int64(120 * at.Hours() * (1 << 20))}})
	}
	m := trend("task-1", samples, time.Minute)
	if !m.LifeHeap.Judged || math.Abs(m.LifeHeap.PerHour-120) > 1 {
		t.Errorf("within its life %+v, want 120", m.LifeHeap)
	}
	r := Result{Memory: []Memory{m}}
	if got := r.memoryTarget(); got.Verdict != Missed {
		t.Errorf("%+v", got)
	}
}
