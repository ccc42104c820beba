package stats

import (
	"cmp"
	"context"
	"slices"

	"github.com/google/uuid"
)

// Overdue lists open tasks whose due date has passed.
type Overdue struct {
	Today        Date          `json:"today"`
	Count        int           `json:"count"`
	DueToday     int           `json:"dueToday"`
	DueNext7Days int           `json:"dueNext7Days"` // from tomorrow on
	Items        []OverdueItem `json:"items"`        // longest overdue first
	ItemsOmitted int           `json:"itemsOmitted"`
}

// OverdueItem is a task that should be done.
type OverdueItem struct {
	Task        uuid.UUID   `json:"task"`
	Key         string      `json:"key"`
	Title       string      `json:"title"`
	State       uuid.UUID   `json:"state"`
	Priority    int         `json:"priority"`
	Assignees   []uuid.UUID `json:"assignees"`
	Due         Date        `json:"due"`
	DaysOverdue int         `json:"daysOverdue"`

	number int64
}

// ComputeOverdue lists tasks in backlog, todo and doing states whose due date is before today in the viewer's zone: a
// task is due until the end of its day.
func ComputeOverdue(ctx context.Context, src Source, in Input) (Overdue, error) {
	b, err := newBoard(ctx, src)
	if err != nil {
		return Overdue{}, err
	}
	out := Overdue{Today: in.today()}
	nextWeek := out.Today.Add(7)
	items := []OverdueItem{}
	err = eachMatching(ctx, src, in.Filter, func(t *Task) {
		if t.Due == "" || !b.category(t.State).Open() {
			return
		}
		switch {
		case t.Due < out.Today:
			items = append(items, OverdueItem{
				Task: t.ID, Key: taskKey(in.Key, t.Number), State: t.State, Priority: t.Priority,
				Assignees: cloneIDs(t.Assignees), Due: t.Due, DaysOverdue: out.Today.Sub(t.Due), number: t.Number,
			})
		case t.Due == out.Today:
			out.DueToday++
		case t.Due <= nextWeek:
			out.DueNext7Days++
		}
	})
	if err != nil {
		return Overdue{}, err
	}
	slices.SortFunc(items, func(a, b OverdueItem) int {
		return cmp.Or(cmp.Compare(a.Due, b.Due), cmp.Compare(a.number, b.number))
	})
	out.Count = len(items)
	out.Items, out.ItemsOmitted = cut(items)
	return out, titled(ctx, src, out.Items, func(i *OverdueItem) (uuid.UUID, *string) { return i.Task, &i.Title })
}
