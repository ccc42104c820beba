package stats

import "context"

// Throughput counts tasks created and completed per day.
type Throughput struct {
	Created         int             `json:"created"`
	Completed       int             `json:"completed"`
	CompletedPerDay float64         `json:"completedPerDay"` // mean over all days of the period
	Days            []ThroughputDay `json:"days"`
}

// ThroughputDay is one day's count.
type ThroughputDay struct {
	Date      Date `json:"date"`
	Created   int  `json:"created"`
	Completed int  `json:"completed"`
}

// ComputeThroughput counts creations and completions on each day of the period.
func ComputeThroughput(ctx context.Context, src Source, in Input) (Throughput, error) {
	out := Throughput{Days: make([]ThroughputDay, in.Days.Len())}
	for i := range out.Days {
		out.Days[i].Date = in.Days.Date(i)
	}
	err := eachMatching(ctx, src, in.Filter, func(t *Task) {
		if i := in.Days.Index(t.Created); i >= 0 && i < len(out.Days) {
			out.Days[i].Created++
			out.Created++
		}
		if t.Completed == nil {
			return
		}
		if i := in.Days.Index(*t.Completed); i >= 0 && i < len(out.Days) {
			out.Days[i].Completed++
			out.Completed++
		}
	})
	if err != nil {
		return Throughput{}, err
	}
	out.CompletedPerDay = float64(out.Completed) / float64(in.Days.Len())
	return out, nil
}
