package bench

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Result of one measured span of one operation.
type Result struct {
	Rate     float64 // completed operations per second
	P50, P99 time.Duration
	Errors   int
	Count    int
}

// operation is one request of one of several concurrent clients; n counts that client's requests.
type operation func(ctx context.Context, client, n int) error

// drive runs op from clients goroutines, each as fast as it is answered (a closed loop), for the warm-up and the span,
// and reports what completed within the span.
func drive(ctx context.Context, clients int, warmUp, span time.Duration, op operation) (Result, error) {
	ctx, cancel := context.WithTimeout(ctx, warmUp+span+30*time.Second)
	defer cancel()
	begin := time.Now().Add(warmUp)
	end := begin.Add(span)
	times := make([][]time.Duration, clients)
	fails := make([]int, clients)
	var firstErr error
	var once sync.Once
	var wg sync.WaitGroup
	for c := range clients {
		times[c] = make([]time.Duration, 0, 1<<14)
		wg.Go(func() {
			for n := 0; ; n++ {
				t := time.Now()
				if t.After(end) || ctx.Err() != nil {
					return
				}
				err := op(ctx, c, n)
				done := time.Now()
				if err != nil {
					once.Do(func() { firstErr = err })
				}
				if done.Before(begin) || done.After(end) {
					continue
				}
				if err != nil {
					fails[c]++
					continue
				}
				times[c] = append(times[c], done.Sub(t))
			}
		})
	}
	wg.Wait()
	all := slices.Concat(times...)
	slices.Sort(all)
	r := Result{Count: len(all), Rate: float64(len(all)) / span.Seconds()}
	for _, f := range fails {
		r.Errors += f
	}
	if len(all) == 0 {
		return r, fmt.Errorf("no operation completed: %w", firstErr)
	}
	r.P50, r.P99 = all[len(all)/2], all[len(all)*99/100]
	if r.Errors > 0 {
		return r, fmt.Errorf("%d of %d operations failed, the first with: %w", r.Errors, r.Errors+r.Count, firstErr)
	}
	return r, nil
}

// median of an odd or even number of values; 0 of none.
func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(v))
	if n := len(s); n%2 == 0 {
		return (s[n/2-1] + s[n/2]) / 2
	}
	return s[len(s)/2]
}
