package check

import (
	"slices"

	"github.com/tallyboard/tallyboard/services/drill/internal/ledger"
)

// granted demands that the answer to an acknowledged operation on tasks shows the tasks that were named, each with what was
// asked for. That the answer is what the history has, is for answered to say.
func granted(op *ledger.Op) (out []Violation) {
	switch op.Kind {
	case ledger.Create, ledger.Update, ledger.Move, ledger.Bulk, ledger.Trash, ledger.Restore, ledger.Read:
	default:
		return nil // an answer that shows no tasks
	}
	if len(op.Answer) != max(1, len(op.Tasks)) {
		return []Violation{violation("%s %s of %d tasks was answered with %d", op.Kind, op.ID, len(op.Tasks), len(op.Answer)).of(op)}
	}
	for _, t := range op.Answer {
		if len(op.Tasks) > 0 && !slices.Contains(op.Tasks, t.ID) {
			out = append(out, violation("%s %s was answered with %s, which it did not name", op.Kind, op.ID, t.Key).of(op))
		}
		if what := ungranted(op, t); what != "" {
			out = append(out, violation("%s %s was answered with %s without what was asked for: %s", op.Kind, op.ID, t.Key, what).of(op))
		}
	}
	return out
}

// ungranted names what a task in an answer does not have of what was asked for; "" if nothing.
func ungranted(op *ledger.Op, t ledger.Task) string {
	asked := op.Asked
	switch {
	case asked.Title != "" && t.Title != asked.Title:
		return "title"
	case asked.Description != "" && t.Description != asked.Description:
		return "description"
	case asked.State != "" && t.State != asked.State:
		return "state"
	case asked.Estimate != nil && (t.Estimate == nil || *t.Estimate != *asked.Estimate):
		return "estimate"
	case len(asked.Labels) > 0 && !sameSet(t.Labels, asked.Labels), asked.AddLabel != "" && !slices.Contains(t.Labels, asked.AddLabel):
		return "labels"
	case op.Kind == ledger.Trash && t.Trashed == nil:
		return "it is not in the trash"
	case op.Kind == ledger.Restore && t.Trashed != nil:
		return "it is still in the trash"
	}
	return ""
}

// sameSet compares lists without duplicates whatever their order.
func sameSet(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}
