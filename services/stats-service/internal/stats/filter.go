package stats

import (
	"slices"

	"github.com/google/uuid"
)

// Filter chooses tasks by their present attributes. Values of one attribute are alternatives, attributes must all
// match; the zero value matches every task. [uuid.Nil] among assignees or labels matches tasks without any.
type Filter struct {
	Assignees  []uuid.UUID
	Priorities []int
	Labels     []uuid.UUID
}

// Empty reports whether the filter matches every task.
func (f Filter) Empty() bool {
	return len(f.Assignees) == 0 && len(f.Priorities) == 0 && len(f.Labels) == 0
}

// Match reports whether the filter chooses the task.
func (f Filter) Match(t *Task) bool {
	return (len(f.Priorities) == 0 || slices.Contains(f.Priorities, t.Priority)) &&
		matchAny(f.Assignees, t.Assignees) && matchAny(f.Labels, t.Labels)
}

func matchAny(wanted, have []uuid.UUID) bool {
	if len(wanted) == 0 {
		return true
	}
	for _, w := range wanted {
		if w == uuid.Nil && len(have) == 0 || w != uuid.Nil && slices.Contains(have, w) {
			return true
		}
	}
	return false
}
