package stats_test

import (
	"context"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/tallyboard/tallyboard/services/stats-service/internal/stats"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/store/statstest"
)

// steady completes perDay[i] tasks on day i from March 1st, and leaves open ones.
func steady(perDay []int, open int) *statstest.World {
	w := statstest.New()
	n := 0
	for i, k := range perDay {
		for range k {
			n++
			w.Create(n, statstest.Done, statstest.At("2026-03-01T12:00:00Z").AddDate(0, 0, i))
		}
	}
	for range open {
		n++
		w.Create(n, statstest.Todo, statstest.At("2026-03-01T13:00:00Z"))
	}
	return w
}

func forecastInput(days int) stats.ForecastInput {
	from := stats.Date("2026-03-01")
	return stats.ForecastInput{
		Input: stats.Input{Key: "WEB", Now: statstest.At("2026-03-11T12:00:00Z"), Days: must(stats.NewDays(from, from.Add(days-1), time.UTC))},
		By:    "2026-03-21", Seed: 42,
	}
}

// TestForecastCertain has the same throughput every day, so that every run agrees: 2 a day, 20 open, 10 days.
func TestForecastCertain(t *testing.T) {
	t.Parallel()
	f := must(stats.ComputeForecast(context.Background(), steady([]int{2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 9}, 20).Fold(), forecastInput(11)))
	if f.Sample.Days != 10 || f.Sample.Completed != 20 || f.Sample.To != "2026-03-10" {
		t.Errorf("today counts in the sample: %+v", f.Sample)
	}
	if !f.Possible || f.Remaining.Total != 20 || *f.When.P50 != "2026-03-21" || *f.When.P95 != "2026-03-21" || f.When.BeyondHorizon != 0 {
		t.Errorf("when %+v", f.When)
	}
	if *f.HowMany.P50 != 20 || *f.HowMany.P95 != 20 || f.HowMany.Days != 10 || f.HowMany.Distribution[0].Runs != stats.ForecastRuns {
		t.Errorf("how many %+v", f.HowMany)
	}
}

// TestForecastBinomial draws from nine empty days and one with a completion: how many in 10 days is binomial(10, 0.1).
func TestForecastBinomial(t *testing.T) {
	t.Parallel()
	f := must(stats.ComputeForecast(context.Background(), steady([]int{0, 0, 0, 0, 1, 0, 0, 0, 0, 0}, 1).Fold(), forecastInput(10)))
	if f.Seed != 42 {
		t.Errorf("seed %d", f.Seed)
	}
	for _, d := range f.HowMany.Distribution {
		want := 10_000 * binomial(10, d.Items, 0.1)
		if sigma := math.Sqrt(want); math.Abs(float64(d.Runs)-want) > 5*sigma+5 {
			t.Errorf("%d runs completed %d, expected about %.0f", d.Runs, d.Items, want)
		}
	}
	// P(at least 0)=1, P(≥1)=0.651, P(≥2)=0.264; the wait for one is geometric: P(≤6)=0.469, P(≤7)=0.522
	if *f.HowMany.P50 != 1 || *f.HowMany.P70 != 0 || *f.HowMany.P95 != 0 {
		t.Errorf("how many p50 %d p70 %d p95 %d", *f.HowMany.P50, *f.HowMany.P70, *f.HowMany.P95)
	}
	if *f.When.P50 != "2026-03-18" {
		t.Errorf("when p50 %s, want 7 days from March 11", *f.When.P50)
	}
}

func binomial(n, k int, p float64) float64 {
	c := 1.0
	for i := range k {
		c = c * float64(n-i) / float64(i+1)
	}
	return c * math.Pow(p, float64(k)) * math.Pow(1-p, float64(n-k))
}

func TestForecastSeed(t *testing.T) {
	t.Parallel()
	src := steady([]int{0, 3, 1, 0, 2, 5, 0, 0, 1, 1}, 40).Fold()
	in := forecastInput(10)
	a, b := must(stats.ComputeForecast(context.Background(), src, in)), must(stats.ComputeForecast(context.Background(), src, in))
	if !reflect.DeepEqual(a, b) {
		t.Error("the same seed gave another answer")
	}
	in.By = "2026-04-30"
	if c := must(stats.ComputeForecast(context.Background(), src, in)); !reflect.DeepEqual(a.When, c.When) {
		t.Error("another date changed the answer to the other question")
	}
	in.Seed++
	if c := must(stats.ComputeForecast(context.Background(), src, in)); reflect.DeepEqual(a.When.Distribution, c.When.Distribution) {
		t.Error("another seed gave the same runs")
	}
}

// TestForecastEdges has nothing to draw from, nothing to do, and more to do than the horizon allows.
func TestForecastEdges(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := must(stats.ComputeForecast(ctx, steady([]int{0, 0}, 3).Fold(), forecastInput(10)))
	if f.Possible || f.When.P50 != nil || f.HowMany.P50 != nil || f.When.BeyondHorizon != 1 || f.When.Items != 3 {
		t.Errorf("no throughput: %+v", f)
	}
	f = must(stats.ComputeForecast(ctx, steady([]int{0, 0}, 0).Fold(), forecastInput(10)))
	if f.Possible || f.When.P95 == nil || *f.When.P95 != "2026-03-11" {
		t.Errorf("nothing to do is done today: %+v", f.When)
	}
	items := 100_000
	in := forecastInput(10)
	in.Items = &items
	f = must(stats.ComputeForecast(ctx, steady([]int{0, 1}, 0).Fold(), in))
	if !f.Possible || f.When.P50 != nil || f.When.BeyondHorizon != 1 || len(f.When.Distribution) != 0 {
		t.Errorf("beyond the horizon: %+v", f.When)
	}
	in = forecastInput(10)
	in.Days = must(stats.NewDays("2026-03-11", "2026-03-11", time.UTC))
	f = must(stats.ComputeForecast(ctx, steady([]int{0, 1}, 2).Fold(), in))
	if f.Possible || f.Sample.Days != 0 {
		t.Errorf("a period of today alone has no whole day: %+v", f.Sample)
	}
}
