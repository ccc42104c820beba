package stats

import (
	"context"

	"github.com/google/uuid"
)

// Flow is a cumulative flow diagram: tasks per state at the end of each day.
type Flow struct {
	States []State   `json:"states"` // board order; archived ones only if tasks were in them in the period
	Days   []FlowDay `json:"days"`
}

// FlowDay has one count per state, in the order of Flow.States.
type FlowDay struct {
	Date   Date  `json:"date"`
	Counts []int `json:"counts"`
}

// ComputeFlow counts tasks per state at the end of each day, from their transitions: a task counts in the state it was
// in then, and not at all while it was in the trash. The filter looks at present attributes.
func ComputeFlow(ctx context.Context, src Source, in Input) (Flow, error) {
	b, err := newBoard(ctx, src)
	if err != nil {
		return Flow{}, err
	}
	chosen, err := choose(ctx, src, in.Filter)
	if err != nil {
		return Flow{}, err
	}
	days := in.Days.Len()
	counts := make([][]int, days) // first the changes of each day, then their sums
	for i := range counts {
		counts[i] = make([]int, len(b.order))
	}
	err = src.Transitions(ctx, func(t *Transition) error {
		day := max(0, in.Days.Index(t.At))
		if day >= days || !chosen(t.Task) {
			return nil
		}
		if i, ok := b.index[t.From]; ok {
			counts[day][i]--
		}
		if i, ok := b.index[t.To]; ok {
			counts[day][i]++
		}
		return nil
	})
	if err != nil {
		return Flow{}, err
	}
	used := make([]bool, len(b.order))
	for day := range counts {
		for i := range b.order {
			if day > 0 {
				counts[day][i] += counts[day-1][i]
			}
			used[i] = used[i] || counts[day][i] != 0
		}
	}
	return trimFlow(b, counts, used, in.Days), nil
}

// trimFlow leaves archived states out that no task was in.
func trimFlow(b board, counts [][]int, used []bool, days Days) Flow {
	out := Flow{States: []State{}, Days: make([]FlowDay, len(counts))}
	var keep []int
	for i, s := range b.order {
		if !s.Archived || used[i] {
			keep = append(keep, i)
			out.States = append(out.States, s)
		}
	}
	for day := range counts {
		row := make([]int, len(keep))
		for j, i := range keep {
			row[j] = counts[day][i]
		}
		out.Days[day] = FlowDay{Date: days.Date(day), Counts: row}
	}
	return out
}

// choose returns which tasks, trashed ones included, the filter chooses.
func choose(ctx context.Context, src Source, f Filter) (func(uuid.UUID) bool, error) {
	if f.Empty() {
		return func(uuid.UUID) bool { return true }, nil
	}
	chosen := make(map[uuid.UUID]bool)
	err := src.Tasks(ctx, func(t *Task) error {
		if f.Match(t) {
			chosen[t.ID] = true
		}
		return nil
	})
	return func(id uuid.UUID) bool { return chosen[id] }, err
}
