package soak

import (
	"context"
	"sync"
	"time"

	"github.com/tallyboard/tallyboard/services/drill/internal/cluster"
	"github.com/tallyboard/tallyboard/services/drill/internal/drill"
)

// How memory is watched.
const (
	sampleEvery = 2 * time.Second
	warm        = 20 * time.Second // age from which a process has what it needs to work
	ageWithin   = 5 * time.Second  // ages within which two processes count as equally old
)

// Spans below which a slope says nothing: one collection more or less would decide it.
const (
	shortestRun  = 5 * time.Minute
	shortestLife = time.Minute
)

// sample is what a process occupied at a moment.
type sample struct {
	at, age time.Duration
	drill.Level
}

// watcher samples all replicas.
type watcher struct {
	mu      sync.Mutex
	samples map[string][]sample // by process
	rested  time.Duration       // from here on nothing was broken
}

// watch samples until ctx ends. What cannot be measured, because it is being killed or hangs, is left out.
func (w *watcher) watch(ctx context.Context, services []*cluster.Service, since func() time.Duration) {
	var all sync.WaitGroup
	for _, s := range services {
		all.Go(func() {
			starts, born := s.Starts(), since() // the load has not begun: all are fresh
			ticker := time.NewTicker(sampleEvery)
			defer ticker.Stop()
			for {
				if n := s.Starts(); n != starts {
					starts, born = n, since()
				}
				l, err := drill.Measure(ctx, s)
				if at := since(); err == nil && l.Memory > 0 && s.Starts() == starts {
					w.add(s.Name(), sample{at: at, age: at - born, Level: l})
				}
				select {
				case <-ctx.Done():
					return
				case <-ticker.C:
				}
			}
		})
	}
	all.Wait()
}

func (w *watcher) add(process string, s sample) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.samples[process] = append(w.samples[process], s)
}

func (w *watcher) rest(at time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rested = at
}

// now returns the last sample of each process.
func (w *watcher) now() map[string]sample {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := map[string]sample{}
	for name, all := range w.samples {
		out[name] = all[len(all)-1]
	}
	return out
}

// Memory is how what a process occupies changes with time. Faults restart processes every minute or so, so that a slope over
// all samples would show little but how young they were. Two slopes are honest: from restart to restart, between moments when
// the process was equally old (that finds what grows with the data, and comes back at each start), and within the one life
// behind the last fault, while the load goes on (that finds what leaks with requests and time). Both are Theil-Sen's.
type Memory struct {
	Process  string  `json:"process"`
	Samples  int     `json:"samples"`
	HeapMiB  float64 `json:"heapMiB"` // median, behind a collection
	RSSMiB   float64 `json:"rssMiB"`  // median, resident
	RunHeap  Slope   `json:"runHeap"` // at equal age, over the run
	RunRSS   Slope   `json:"runRss"`
	LifeHeap Slope   `json:"lifeHeap"` // within the last life
	LifeRSS  Slope   `json:"lifeRss"`
}

// Slope of memory.
type Slope struct {
	PerHour float64       `json:"perHour"` // MiB
	Span    time.Duration `json:"span"`    // between the first and the last sample
	Judged  bool          `json:"judged"`  // the span is long enough
}

// trend sums a process's samples up.
func trend(process string, samples []sample, rested time.Duration) Memory {
	heap := func(s sample) float64 { return float64(s.Heap) / (1 << 20) }
	rss := func(s sample) float64 { return float64(s.Memory) / (1 << 20) }
	m := Memory{Process: process, Samples: len(samples)}
	var heaps, residents []float64
	var life []sample
	for _, s := range samples {
		heaps, residents = append(heaps, heap(s)), append(residents, rss(s))
		if s.at >= rested && s.age >= warm {
			life = append(life, s)
		}
	}
	m.HeapMiB, m.RSSMiB = median(heaps), median(residents)
	apart := span(samples) / 3
	m.RunHeap = slope(samples, heap, sameAge(ageWithin, apart), shortestRun)
	m.RunRSS = slope(samples, rss, sameAge(ageWithin, apart), shortestRun)
	m.LifeHeap = slope(life, heap, anyPair, shortestLife)
	m.LifeRSS = slope(life, rss, anyPair, shortestLife)
	return m
}

func slope(samples []sample, value func(sample) float64, alike func(a, b point) bool, shortest time.Duration) Slope {
	points := make([]point, len(samples))
	for i, s := range samples {
		points[i] = point{at: s.at, age: s.age, value: value(s)}
	}
	perHour, ok := theilSen(points, alike)
	return Slope{PerHour: perHour, Span: span(samples), Judged: ok && span(samples) >= shortest}
}

func span(samples []sample) time.Duration {
	if len(samples) == 0 {
		return 0
	}
	return samples[len(samples)-1].at - samples[0].at
}
