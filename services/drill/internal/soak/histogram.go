package soak

import (
	"math"
	"time"
)

// A histogram's buckets: each is a twentieth wider than the one before, so that a quantile is at most that much too large.
const (
	shortest = 100 * time.Microsecond // upper bound of the first bucket
	growth   = 1.05
	buckets  = 280 // the last one begins at 80 s, more than anybody waits
)

// Histogram counts durations in buckets of growing width, in bounded memory. The zero value is empty.
type Histogram struct {
	counts [buckets]int64
	n      int64
	most   time.Duration
}

// Add counts a duration.
func (h *Histogram) Add(d time.Duration) {
	h.counts[bucket(d)]++
	h.n++
	h.most = max(h.most, d)
}

func bucket(d time.Duration) int {
	if d <= shortest {
		return 0
	}
	i := int(math.Ceil(math.Log(float64(d)/float64(shortest)) / math.Log(growth)))
	return min(i, buckets-1)
}

// Quantile returns an upper bound of the duration that a share of all do not exceed; 0 if there is none.
func (h *Histogram) Quantile(share float64) time.Duration {
	rank := int64(math.Ceil(share * float64(h.n)))
	var seen int64
	for i, n := range h.counts {
		if seen += n; seen >= rank && seen > 0 {
			return min(h.most, time.Duration(float64(shortest)*math.Pow(growth, float64(i))))
		}
	}
	return 0
}

// Latency is what a report says of a histogram.
type Latency struct {
	Count int64         `json:"count"`
	P50   time.Duration `json:"p50"` // nanoseconds, as all durations
	P95   time.Duration `json:"p95"`
	P99   time.Duration `json:"p99"`
	Most  time.Duration `json:"most"`
}

// Latency sums up.
func (h *Histogram) Latency() Latency {
	return Latency{Count: h.n, P50: h.Quantile(0.50), P95: h.Quantile(0.95), P99: h.Quantile(0.99), Most: h.most}
}
