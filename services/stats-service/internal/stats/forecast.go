package stats

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
)

// Limits of forecasts.
const (
	ForecastRuns    = 10_000
	ForecastHorizon = 1830             // days ahead that a run looks at most
	MaxForecast     = 100_000          // items asked for at most
	MaxSeed         = int64(1)<<53 - 1 // what JSON numbers hold exactly
)

// ForecastInput asks "when are Items done" and "how many are done by By".
type ForecastInput struct {
	Input
	Items *int  // nil: all open tasks
	By    Date  // after today, within the horizon
	Seed  int64 // 0 to MaxSeed
}

// Forecast answers both by Monte Carlo simulation: each run draws days of the sample with replacement and adds up how
// many tasks were completed on them, beginning with tomorrow.
type Forecast struct {
	Runs        int             `json:"runs"`
	Seed        int64           `json:"seed"`
	HorizonDays int             `json:"horizonDays"`
	Possible    bool            `json:"possible"` // false: nothing was completed in the sample
	Sample      ForecastSample  `json:"sample"`
	Remaining   Remaining       `json:"remaining"`
	When        ForecastWhen    `json:"when"`
	HowMany     ForecastHowMany `json:"howMany"`
}

// ForecastSample is what the runs draw from: the whole days of the period before today.
type ForecastSample struct {
	From            Date    `json:"from"`
	To              Date    `json:"to"`
	Days            int     `json:"days"`
	Completed       int     `json:"completed"`
	CompletedPerDay float64 `json:"completedPerDay"`
}

// Remaining counts open tasks.
type Remaining struct {
	Backlog int `json:"backlog"`
	Todo    int `json:"todo"`
	Doing   int `json:"doing"`
	Total   int `json:"total"`
}

// ForecastWhen has the earliest days by which a share of the runs was done; nil is beyond the horizon, or impossible.
type ForecastWhen struct {
	Items         int        `json:"items"`
	P50           *Date      `json:"p50"`
	P70           *Date      `json:"p70"`
	P85           *Date      `json:"p85"`
	P95           *Date      `json:"p95"`
	BeyondHorizon float64    `json:"beyondHorizon"` // share of runs, 0 to 1
	Distribution  []RunsDate `json:"distribution"`
}

// RunsDate is how many runs were done on a day.
type RunsDate struct {
	Date Date `json:"date"`
	Runs int  `json:"runs"`
}

// ForecastHowMany has the largest numbers that a share of the runs reached; nil is impossible.
type ForecastHowMany struct {
	By           Date        `json:"by"`
	Days         int         `json:"days"`
	P50          *int        `json:"p50"`
	P70          *int        `json:"p70"`
	P85          *int        `json:"p85"`
	P95          *int        `json:"p95"`
	Distribution []RunsItems `json:"distribution"`
}

// RunsItems is how many runs completed that many.
type RunsItems struct {
	Items int `json:"items"`
	Runs  int `json:"runs"`
}

// ComputeForecast simulates from the throughput of the period.
func ComputeForecast(ctx context.Context, src Source, in ForecastInput) (Forecast, error) {
	b, err := newBoard(ctx, src)
	if err != nil {
		return Forecast{}, err
	}
	today := in.today()
	whole := min(in.Days.Len(), max(0, today.Sub(in.Days.From()))) // days of the period before today
	perDay := make([]int, whole)
	out := Forecast{Runs: ForecastRuns, Seed: in.Seed, HorizonDays: ForecastHorizon}
	out.Sample = ForecastSample{From: in.Days.From(), To: in.Days.From().Add(max(0, whole-1)), Days: whole}
	err = eachMatching(ctx, src, in.Filter, func(t *Task) {
		switch b.category(t.State) {
		case Backlog:
			out.Remaining.Backlog++
		case Todo:
			out.Remaining.Todo++
		case Doing:
			out.Remaining.Doing++
		}
		if t.Completed == nil {
			return
		}
		if i := in.Days.Index(*t.Completed); i >= 0 && i < whole {
			perDay[i]++
			out.Sample.Completed++
		}
	})
	if err != nil {
		return Forecast{}, err
	}
	out.Remaining.Total = out.Remaining.Backlog + out.Remaining.Todo + out.Remaining.Doing
	if whole > 0 {
		out.Sample.CompletedPerDay = float64(out.Sample.Completed) / float64(whole)
	}
	items := out.Remaining.Total
	if in.Items != nil {
		items = *in.Items
	}
	out.When = ForecastWhen{Items: items, Distribution: []RunsDate{}}
	out.HowMany = ForecastHowMany{By: in.By, Days: in.By.Sub(today), Distribution: []RunsItems{}}
	if out.Possible = out.Sample.Completed > 0; !out.Possible && items > 0 {
		out.When.BeyondHorizon = 1
		return out, nil
	}
	simulate(ctx, &out, perDay, today)
	return out, ctx.Err()
}

// cancelEvery is how many runs go between two looks at the context.
const cancelEvery = 256

// simulate fills in the answers. Both questions draw from generators of their own, so that asking for another date
// leaves the answer to the other question alone.
func simulate(ctx context.Context, out *Forecast, perDay []int, today Date) {
	dice := rand.New(rand.NewPCG(uint64(out.Seed), 1)) //nolint:gosec // a simulation, not a secret
	lengths := make([]int, 0, ForecastRuns)            // days each run took; beyond the horizon: one more than it
	for run := range ForecastRuns {
		if run%cancelEvery == 0 && ctx.Err() != nil {
			return
		}
		day, left := 0, out.When.Items
		for ; left > 0 && day < ForecastHorizon; day++ {
			left -= perDay[dice.IntN(len(perDay))]
		}
		if left > 0 {
			day = ForecastHorizon + 1
		}
		lengths = append(lengths, day)
	}
	slices.Sort(lengths)
	out.When.fill(lengths, today)
	if !out.Possible {
		return
	}
	dice = rand.New(rand.NewPCG(uint64(out.Seed), 2)) //nolint:gosec // as above
	totals := make([]int, 0, ForecastRuns)
	for run := range ForecastRuns {
		if run%cancelEvery == 0 && ctx.Err() != nil {
			return
		}
		sum := 0
		for range out.HowMany.Days {
			sum += perDay[dice.IntN(len(perDay))]
		}
		totals = append(totals, sum)
	}
	slices.Sort(totals)
	out.HowMany.fill(totals)
}

// fill takes the days each run took, sorted upwards.
func (w *ForecastWhen) fill(days []int, today Date) {
	by := func(share float64) *Date {
		n := days[reach(share, len(days))-1]
		if n > ForecastHorizon {
			return nil
		}
		d := today.Add(n)
		return &d
	}
	w.P50, w.P70, w.P85, w.P95 = by(0.50), by(0.70), by(0.85), by(0.95)
	for _, group := range groups(days) {
		if group.value > ForecastHorizon {
			w.BeyondHorizon = float64(group.runs) / float64(len(days))
			continue
		}
		w.Distribution = append(w.Distribution, RunsDate{today.Add(group.value), group.runs})
	}
}

// fill takes the number each run completed, sorted upwards.
func (h *ForecastHowMany) fill(totals []int) {
	atLeast := func(share float64) *int { n := totals[len(totals)-reach(share, len(totals))]; return &n }
	h.P50, h.P70, h.P85, h.P95 = atLeast(0.50), atLeast(0.70), atLeast(0.85), atLeast(0.95)
	for _, group := range groups(totals) {
		h.Distribution = append(h.Distribution, RunsItems{group.value, group.runs})
	}
}

// reach is how many of n runs make up a share of them.
func reach(share float64, n int) int { return max(1, int(math.Ceil(share*float64(n)-1e-9))) }

type group struct{ value, runs int }

// groups counts equal neighbours.
func groups(sorted []int) []group {
	var out []group
	for _, v := range sorted {
		if n := len(out); n > 0 && out[n-1].value == v {
			out[n-1].runs++
			continue
		}
		out = append(out, group{v, 1})
	}
	return out
}
