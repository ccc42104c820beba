package opstatus

import (
	"math"
	"testing"

	"github.com/tallyboard/tallyboard/services/internal/kit/fiberx"
)

// counted returns a route with n requests in one bucket.
func counted(route string, bucket int, n, errors uint64) Route {
	r := Route{Route: route, Count: n, Errors: errors, Buckets: make([]uint64, len(fiberx.RouteBounds)+1)}
	r.Buckets[bucket] = n
	return r
}

func TestInstancesAreMerged(t *testing.T) {
	t.Parallel()
	got := Summarize([]Status{
		{Service: "task-service", Routes: []Route{counted("GET /b", 0, 90, 0), counted("GET /a", 3, 1, 1)}},
		{Service: "task-service", Routes: []Route{counted("GET /b", 9, 10, 2), {Route: "GET /b", Count: 5, Buckets: []uint64{5}}}},
		{Service: "stats-service", Routes: []Route{counted("GET /b", len(fiberx.RouteBounds), 1, 0)}},
	})
	if len(got) != 3 || got[0].Service != "stats-service" || got[1].Route != "GET /a" || got[2].Route != "GET /b" {
		t.Fatalf("got %+v", got)
	}
	b := got[2]
	if b.Count != 100 || b.Errors != 2 || !(b.P50Ms > 0 && b.P50Ms <= 0.5) || !(b.P95Ms > 250 && b.P95Ms <= 500) || b.P99Ms < b.P95Ms {
		t.Errorf("got %+v", b)
	}
	if beyond := got[0].P99Ms; beyond != 10_000 {
		t.Errorf("what lies beyond the last bound is %v ms", beyond)
	}
}

func TestQuantilesAreLinearWithinABucket(t *testing.T) {
	t.Parallel()
	r := counted("GET /", 4, 100, 0) // over 5 up to 10 ms
	for q, want := range map[float64]float64{0.5: 7.5, 0.99: 9.95, 1: 10} {
		if got := quantile(r.Buckets, q); math.Abs(got-want) > 1e-9 {
			t.Errorf("quantile %v is %v ms, want %v", q, got, want)
		}
	}
	if got := quantile(make([]uint64, len(fiberx.RouteBounds)+1), 0.5); got != 0 {
		t.Errorf("nothing took %v ms", got)
	}
}
