package stats

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"github.com/google/uuid"
)

// Summary counts the tasks that are not in the trash.
type Summary struct {
	FirstDay   *Date           `json:"firstDay,omitempty"` // day the oldest task was created
	Total      int             `json:"total"`
	Open       int             `json:"open"` // in backlog, todo and doing states
	Done       int             `json:"done"`
	Cancelled  int             `json:"cancelled"`
	Overdue    int             `json:"overdue"`
	Created    int             `json:"created"`   // in the period
	Completed  int             `json:"completed"` // in the period
	ByCategory []CategoryCount `json:"byCategory"`
	ByState    []StateCount    `json:"byState"`    // board order
	ByPriority []PriorityCount `json:"byPriority"` // 0 to 4
	ByAssignee []IDCount       `json:"byAssignee"` // most first
	ByLabel    []IDCount       `json:"byLabel"`    // most first
}

// CategoryCount counts the tasks in states of a category.
type CategoryCount struct {
	Category Category `json:"category"`
	Count    int      `json:"count"`
}

// StateCount counts the tasks in a state.
type StateCount struct {
	State
	Count int `json:"count"`
}

// PriorityCount counts the tasks of a priority.
type PriorityCount struct {
	Priority int `json:"priority"`
	Count    int `json:"count"`
	Open     int `json:"open"`
}

// IDCount counts the tasks of a person or label; a nil ID those without.
type IDCount struct {
	ID    *uuid.UUID `json:"id"`
	Count int        `json:"count"`
	Open  int        `json:"open"`
}

// priorities is how many priorities there are, 0 to 4.
const priorities = 5

// ComputeSummary counts present tasks by state, priority, assignee and label. A task of two people counts for both.
func ComputeSummary(ctx context.Context, src Source, in Input) (Summary, error) {
	b, err := newBoard(ctx, src)
	if err != nil {
		return Summary{}, err
	}
	var s Summary
	today := in.today()
	byState := make([]int, len(b.order))
	byCategory := make(map[Category]int)
	byPriority := make([]PriorityCount, priorities)
	assignees, labels := make(tally), make(tally)
	err = eachMatching(ctx, src, in.Filter, func(t *Task) {
		category := b.category(t.State)
		open := category.Open()
		s.Total++
		byCategory[category]++
		if i, ok := b.index[t.State]; ok {
			byState[i]++
		}
		if t.Priority >= 0 && t.Priority < priorities {
			byPriority[t.Priority].Count++
			byPriority[t.Priority].Open += one(open)
		}
		assignees.add(t.Assignees, open)
		labels.add(t.Labels, open)
		s.Overdue += one(open && t.Due != "" && t.Due < today)
		s.Created += one(in.Days.Contains(t.Created))
		s.Completed += one(t.Completed != nil && in.Days.Contains(*t.Completed))
		if day := DateOf(t.Created, in.Days.zone); s.FirstDay == nil || day < *s.FirstDay {
			s.FirstDay = &day
		}
	})
	if err != nil {
		return Summary{}, err
	}
	for _, c := range Categories {
		s.ByCategory = append(s.ByCategory, CategoryCount{c, byCategory[c]})
		if c.Open() {
			s.Open += byCategory[c]
		}
	}
	s.Done, s.Cancelled = byCategory[Done], byCategory[Cancelled]
	s.ByState = make([]StateCount, 0, len(b.order))
	for i, state := range b.order {
		if !state.Archived || byState[i] > 0 {
			s.ByState = append(s.ByState, StateCount{state, byState[i]})
		}
	}
	for p := range byPriority {
		byPriority[p].Priority = p
	}
	s.ByPriority, s.ByAssignee, s.ByLabel = byPriority, assignees.sorted(), labels.sorted()
	return s, nil
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

// tally counts by id; uuid.Nil stands for none.
type tally map[uuid.UUID]*IDCount

func (t tally) add(ids []uuid.UUID, open bool) {
	if len(ids) == 0 {
		t.count(uuid.Nil, open)
	}
	for _, id := range ids {
		t.count(id, open)
	}
}

func (t tally) count(id uuid.UUID, open bool) {
	c := t[id]
	if c == nil {
		c = &IDCount{}
		if id != uuid.Nil {
			c.ID = &id
		}
		t[id] = c
	}
	c.Count++
	c.Open += one(open)
}

func (t tally) sorted() []IDCount {
	out := make([]IDCount, 0, len(t))
	for _, c := range t {
		out = append(out, *c)
	}
	slices.SortFunc(out, func(a, b IDCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(b.Open, a.Open), compareIDs(a.ID, b.ID))
	})
	return out
}

// compareIDs puts nil last.
func compareIDs(a, b *uuid.UUID) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	return bytes.Compare(a[:], b[:])
}
