package stats

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
)

// MaxItems is how many tasks an answer lists at most.
const MaxItems = 200

// Ageing shows the age of work in progress against how long finished work took, and work in progress against its limits.
type Ageing struct {
	Cycle        Distribution `json:"cycle"` // of tasks completed in the period
	States       []WIP        `json:"states"`
	Count        int          `json:"count"`
	OverP85      int          `json:"overP85"`
	Items        []AgeingItem `json:"items"` // oldest first
	ItemsOmitted int          `json:"itemsOmitted"`
}

// WIP is a state's work in progress.
type WIP struct {
	State
	Count     int  `json:"count"` // chosen by the filter
	Total     int  `json:"total"` // what the limit is about
	OverLimit bool `json:"overLimit"`
}

// AgeingItem is a task in a doing state.
type AgeingItem struct {
	Task           uuid.UUID   `json:"task"`
	Key            string      `json:"key"`
	Title          string      `json:"title"`
	State          uuid.UUID   `json:"state"`
	Priority       int         `json:"priority"`
	Assignees      []uuid.UUID `json:"assignees"`
	Started        time.Time   `json:"started"`
	AgeSeconds     float64     `json:"ageSeconds"`     // since first entry into a doing state
	InStateSeconds float64     `json:"inStateSeconds"` // since entry into its present state
	OverP85        bool        `json:"overP85"`
}

// ComputeAgeing lists tasks in doing states with their work-item age: the time since they were started.
func ComputeAgeing(ctx context.Context, src Source, in Input) (Ageing, error) {
	b, err := newBoard(ctx, src)
	if err != nil {
		return Ageing{}, err
	}
	var cycle []float64
	items := []AgeingItem{}
	count, total := make([]int, len(b.order)), make([]int, len(b.order))
	err = src.Tasks(ctx, func(t *Task) error {
		i, known := b.index[t.State]
		if !t.Live() || !known {
			return nil
		}
		total[i]++
		if !in.Filter.Match(t) {
			return nil
		}
		count[i]++
		if t.Completed != nil && in.Days.Contains(*t.Completed) {
			cycle = append(cycle, seconds(t.Cycle()))
		}
		if b.order[i].Category == Doing && t.Started != nil {
			items = append(items, AgeingItem{
				Task: t.ID, Key: taskKey(in.Key, t.Number), State: t.State, Priority: t.Priority,
				Assignees: cloneIDs(t.Assignees), Started: *t.Started,
				AgeSeconds: since(in.Now, *t.Started), InStateSeconds: since(in.Now, t.Entered),
			})
		}
		return nil
	})
	if err != nil {
		return Ageing{}, err
	}
	out := Ageing{Cycle: newDistribution(cycle), Count: len(items), States: []WIP{}}
	for i, s := range b.order {
		if (s.Category == Doing || s.WIPLimit != nil) && (!s.Archived || total[i] > 0) {
			over := s.WIPLimit != nil && total[i] > *s.WIPLimit
			out.States = append(out.States, WIP{State: s, Count: count[i], Total: total[i], OverLimit: over})
		}
	}
	for i := range items {
		items[i].OverP85 = out.Cycle.P85 != nil && items[i].AgeSeconds > *out.Cycle.P85
		out.OverP85 += one(items[i].OverP85)
	}
	slices.SortFunc(items, func(a, b AgeingItem) int {
		return cmp.Or(a.Started.Compare(b.Started), cmp.Compare(a.Key, b.Key))
	})
	out.Items, out.ItemsOmitted = cut(items)
	return out, titled(ctx, src, out.Items, func(i *AgeingItem) (uuid.UUID, *string) { return i.Task, &i.Title })
}

// since is never negative: the clock that wrote then may be ahead of ours.
func since(now, then time.Time) float64 { return max(0, seconds(now.Sub(then))) }

// cloneIDs never returns nil, which JSON would show as null.
func cloneIDs(ids []uuid.UUID) []uuid.UUID { return append([]uuid.UUID{}, ids...) }

func cut[T any](items []T) (kept []T, omitted int) {
	if len(items) <= MaxItems {
		return items, 0
	}
	return slices.Clone(items[:MaxItems]), len(items) - MaxItems
}

// titled fills in the titles of the items listed.
func titled[T any](ctx context.Context, src Source, items []T, at func(*T) (uuid.UUID, *string)) error {
	if len(items) == 0 {
		return nil
	}
	ids := make([]uuid.UUID, len(items))
	for i := range items {
		ids[i], _ = at(&items[i])
	}
	titles, err := src.Titles(ctx, ids)
	if err != nil {
		return err
	}
	for i := range items {
		id, title := at(&items[i])
		*title = titles[id]
	}
	return nil
}
