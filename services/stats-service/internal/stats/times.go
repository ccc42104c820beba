package stats

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
)

// MaxPoints is how many points a scatter plot gets at most, the latest.
const MaxPoints = 2000

// Times are lead and cycle times of the tasks completed in the period.
type Times struct {
	Lead          Distribution `json:"lead"`
	Cycle         Distribution `json:"cycle"`
	Points        []TimePoint  `json:"points"` // in order of completion
	PointsOmitted int          `json:"pointsOmitted"`
}

// TimePoint is one completed task.
type TimePoint struct {
	Task         uuid.UUID `json:"task"`
	Key          string    `json:"key"`
	Completed    time.Time `json:"completed"`
	LeadSeconds  float64   `json:"leadSeconds"`
	CycleSeconds float64   `json:"cycleSeconds"`
	Started      bool      `json:"started"` // false: never in a doing state, so cycle is lead

	number int64
}

// ComputeTimes describes lead and cycle times of tasks completed in the period.
func ComputeTimes(ctx context.Context, src Source, in Input) (Times, error) {
	var lead, cycle []float64
	points := []TimePoint{}
	err := eachMatching(ctx, src, in.Filter, func(t *Task) {
		if t.Completed == nil || !in.Days.Contains(*t.Completed) {
			return
		}
		p := TimePoint{
			Task: t.ID, Completed: *t.Completed, LeadSeconds: seconds(t.Lead()), CycleSeconds: seconds(t.Cycle()),
			Started: t.Started != nil, number: t.Number,
		}
		lead, cycle = append(lead, p.LeadSeconds), append(cycle, p.CycleSeconds)
		points = append(points, p)
	})
	if err != nil {
		return Times{}, err
	}
	slices.SortFunc(points, func(a, b TimePoint) int {
		return cmp.Or(a.Completed.Compare(b.Completed), bytes.Compare(a.Task[:], b.Task[:]))
	})
	omitted := max(0, len(points)-MaxPoints)
	points = slices.Clone(points[omitted:])
	for i := range points {
		points[i].Key = taskKey(in.Key, points[i].number)
	}
	return Times{Lead: newDistribution(lead), Cycle: newDistribution(cycle), Points: points, PointsOmitted: omitted}, nil
}
