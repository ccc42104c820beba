package stats

import (
	"context"

	"github.com/google/uuid"
)

// Burnup compares the scope of a project with what is completed of it, at the end of each day.
type Burnup struct {
	Unestimated int         `json:"unestimated"` // tasks in scope now without an estimate
	Days        []BurnupDay `json:"days"`
}

// BurnupDay is one day's end.
type BurnupDay struct {
	Date            Date    `json:"date"`
	Scope           int     `json:"scope"`           // existing tasks, neither trashed nor cancelled, at that time
	Completed       int     `json:"completed"`       // completed by then and not reopened since
	ScopePoints     float64 `json:"scopePoints"`     // by present estimates
	CompletedPoints float64 `json:"completedPoints"` // by present estimates
}

// ComputeBurnup counts scope from transitions, so that growth and cuts show on the day they were made, and completion
// from the tasks' present completion, so that reopening takes it back in the past, too.
func ComputeBurnup(ctx context.Context, src Source, in Input) (Burnup, error) {
	b, err := newBoard(ctx, src)
	if err != nil {
		return Burnup{}, err
	}
	out := Burnup{Days: make([]BurnupDay, in.Days.Len())}
	days := out.Days // first the changes of each day, then their sums
	points := make(map[uuid.UUID]float64)
	err = src.Tasks(ctx, func(t *Task) error {
		if !in.Filter.Match(t) {
			return nil
		}
		estimate := 0.0
		if t.Estimate != nil {
			estimate = *t.Estimate
		}
		points[t.ID] = estimate
		if t.Live() && t.Estimate == nil && b.category(t.State) != Cancelled {
			out.Unestimated++
		}
		if t.Live() && t.Completed != nil {
			if day := max(0, in.Days.Index(*t.Completed)); day < len(days) {
				days[day].Completed++
				days[day].CompletedPoints += estimate
			}
		}
		return nil
	})
	if err != nil {
		return Burnup{}, err
	}
	inScope := func(state uuid.UUID) bool { c := b.category(state); return c != "" && c != Cancelled }
	err = src.Transitions(ctx, func(t *Transition) error {
		estimate, ok := points[t.Task]
		day := max(0, in.Days.Index(t.At))
		if !ok || day >= len(days) {
			return nil
		}
		if step := one(inScope(t.To)) - one(inScope(t.From)); step != 0 {
			days[day].Scope += step
			days[day].ScopePoints += float64(step) * estimate
		}
		return nil
	})
	if err != nil {
		return Burnup{}, err
	}
	for i := range days {
		days[i].Date = in.Days.Date(i)
		if i > 0 {
			days[i].Scope += days[i-1].Scope
			days[i].Completed += days[i-1].Completed
			days[i].ScopePoints += days[i-1].ScopePoints
			days[i].CompletedPoints += days[i-1].CompletedPoints
		}
	}
	return out, nil
}
