package stats

import (
	"math"
	"slices"
	"time"
)

// Percentile returns the p-quantile (0 ≤ p ≤ 1) of values sorted upwards, which must not be empty. It interpolates
// linearly between closest ranks at h = (n−1)p: type 7 of Hyndman and Fan, Sample Quantiles in Statistical Packages, The
// American Statistician 50 (1996) 361–365; the default of R and of spreadsheets (PERCENTILE.INC).
func Percentile(sorted []float64, p float64) float64 {
	h := float64(len(sorted)-1) * p
	low := math.Floor(h)
	i := int(low)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (h-low)*(sorted[i+1]-sorted[i])
}

// Distribution of elapsed times, in seconds. The numbers are nil for an empty sample.
type Distribution struct {
	Count int      `json:"count"`
	Mean  *float64 `json:"mean"`
	Min   *float64 `json:"min"`
	P50   *float64 `json:"p50"`
	P75   *float64 `json:"p75"`
	P85   *float64 `json:"p85"`
	P95   *float64 `json:"p95"`
	Max   *float64 `json:"max"`
}

// newDistribution describes seconds; it sorts them.
func newDistribution(seconds []float64) Distribution {
	n := len(seconds)
	if n == 0 {
		return Distribution{}
	}
	slices.Sort(seconds)
	sum := 0.0
	for _, s := range seconds {
		sum += s
	}
	at := func(p float64) *float64 { v := Percentile(seconds, p); return &v }
	mean := sum / float64(n)
	return Distribution{
		Count: n, Mean: &mean, Min: at(0), P50: at(0.5), P75: at(0.75), P85: at(0.85), P95: at(0.95), Max: at(1),
	}
}

func seconds(d time.Duration) float64 { return d.Seconds() }
