package opstatus

import (
	"slices"
	"strings"

	"github.com/tallyboard/tallyboard/services/internal/kit/fiberx"
)

// RouteSummary is what all instances of a service together saw of one route. The percentiles are estimates from
// buckets, in milliseconds, linear within a bucket.
type RouteSummary struct {
	Service string  `json:"service"`
	Route   string  `json:"route"`
	Count   uint64  `json:"count"`
	Errors  uint64  `json:"errors"`
	P50Ms   float64 `json:"p50Ms"`
	P95Ms   float64 `json:"p95Ms"`
	P99Ms   float64 `json:"p99Ms"`
}

// Summarize adds up the routes of all instances, by service and route.
func Summarize(statuses []Status) []RouteSummary {
	type key struct{ service, route string }
	merged := map[key]*Route{}
	for _, s := range statuses {
		for _, r := range s.Routes {
			if len(r.Buckets) != len(fiberx.RouteBounds)+1 {
				continue // an instance of another version, with other buckets
			}
			sum := merged[key{s.Service, r.Route}]
			if sum == nil {
				sum = &Route{Route: r.Route, Buckets: make([]uint64, len(r.Buckets))}
				merged[key{s.Service, r.Route}] = sum
			}
			sum.Count += r.Count
			sum.Errors += r.Errors
			for i, n := range r.Buckets {
				sum.Buckets[i] += n
			}
		}
	}
	out := make([]RouteSummary, 0, len(merged))
	for k, r := range merged {
		out = append(out, RouteSummary{
			Service: k.service, Route: k.route, Count: r.Count, Errors: r.Errors,
			P50Ms: quantile(r.Buckets, 0.50), P95Ms: quantile(r.Buckets, 0.95), P99Ms: quantile(r.Buckets, 0.99),
		})
	}
	slices.SortFunc(out, func(a, b RouteSummary) int {
		if c := strings.Compare(a.Service, b.Service); c != 0 {
			return c
		}
		return strings.Compare(a.Route, b.Route)
	})
	return out
}

// quantile estimates the duration, in milliseconds, that the share q of the requests did not exceed. What lies beyond the
// last bound counts as that bound.
func quantile(buckets []uint64, q float64) float64 {
	var total uint64
	for _, n := range buckets {
		total += n
	}
	if total == 0 {
		return 0
	}
	rank, below, lower := q*float64(total), 0.0, 0.0
	for i, upper := range fiberx.RouteBounds {
		n := float64(buckets[i])
		if n > 0 && below+n >= rank {
			return 1e3 * (lower + (upper-lower)*(rank-below)/n)
		}
		below, lower = below+n, upper
	}
	return 1e3 * lower
}
