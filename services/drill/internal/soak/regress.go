package soak

import (
	"slices"
	"time"
)

// point is a value at a time of the run, of a process of an age.
type point struct {
	at, age time.Duration
	value   float64
}

// theilSen returns the median slope between all pairs of points that may be compared, per hour. One value in four may be
// anything without moving it far. ok is false if there is no pair.
func theilSen(points []point, alike func(a, b point) bool) (perHour float64, ok bool) {
	var slopes []float64
	for i, a := range points {
		for _, b := range points[i+1:] {
			if a.at != b.at && alike(a, b) {
				slopes = append(slopes, (b.value-a.value)/(b.at-a.at).Hours())
			}
		}
	}
	if len(slopes) == 0 {
		return 0, false
	}
	slices.Sort(slopes)
	if n := len(slopes); n%2 == 0 {
		return (slopes[n/2-1] + slopes[n/2]) / 2, true
	}
	return slopes[len(slopes)/2], true
}

// any compares all points.
func anyPair(point, point) bool { return true }

// sameAge returns what compares points of processes about as old, and far enough apart for a trend to show.
func sameAge(within, apart time.Duration) func(a, b point) bool {
	return func(a, b point) bool { return abs(a.age-b.age) <= within && abs(b.at-a.at) >= apart }
}

func abs(d time.Duration) time.Duration { return max(d, -d) }

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
