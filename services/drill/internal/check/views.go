package check

import (
	"errors"
	"maps"
	"slices"

	"github.com/tallyboard/tallyboard/services/drill/internal/ledger"
)

// View is a row of views.
type View struct {
	ledger.View
	Project string `json:"project"`
}

// errNoView says that an event of a view does not say which, or against its kind.
var errNoView = errors.New("it does not tell of a view as its kind demands")

// saved is a change of a view as its event tells it.
type saved struct {
	event         *Event
	before, after *ledger.View // nil: not there
}

// views compares saved views with their events, and both with what was asked for and answered.
func (b *Book) views() []Violation {
	there, changes, out := b.replayViews()
	for _, v := range b.Found.Views {
		told, ok := there[v.ID]
		switch {
		case !ok:
			out = append(out, violation("view %s %q is there without an event", v.ID, v.Name))
		case told != v.View:
			out = append(out, violation("view %s is %+v; its events say %+v", v.ID, v.View, told))
		}
		delete(there, v.ID)
	}
	for _, id := range slices.Sorted(maps.Keys(there)) {
		out = append(out, violation("events tell of view %s %q, which is not there", id, there[id].Name))
	}
	for i := range b.Ops {
		if op := &b.Ops[i]; op.Kind.OfViews() && op.Outcome == ledger.Acknowledged {
			out = append(out, viewSet(op, changes[op.Trace])...)
		}
	}
	return out
}

// replayViews applies the events of views in each project. changes are by trace.
func (b *Book) replayViews() (there map[string]ledger.View, changes map[string]saved, out []Violation) {
	there, changes = map[string]ledger.View{}, map[string]saved{}
	for _, project := range slices.Sorted(maps.Keys(b.settings)) {
		for _, s := range b.settings[project] {
			e := s.event
			if e.Kind != "view.saved" && e.Kind != "view.removed" {
				continue
			}
			change, err := readSaved(e)
			if err != nil {
				out = append(out, violation("event %d of project %s: %v", e.Seq, b.keys[project], err).of(s.op))
				continue
			}
			changes[e.Trace] = change
			of := change.after
			if of == nil {
				of = change.before
			}
			was, known := there[of.ID]
			switch {
			case known != (change.before != nil), known && was != *change.before:
				out = append(out, violation("event %d of project %s changes view %s from %+v; it was %+v", e.Seq, b.keys[project], of.ID, change.before, was).of(s.op))
			case change.after != nil && change.after.Version != was.Version+1:
				out = append(out, violation("event %d of project %s makes version %d of view %s behind %d", e.Seq, b.keys[project], change.after.Version, of.ID, was.Version).of(s.op))
			}
			if delete(there, of.ID); change.after != nil {
				there[of.ID] = *change.after
			}
		}
	}
	return there, changes, out
}

// readSaved reads an event of a view. One of both pictures is there.
func readSaved(e *Event) (s saved, err error) {
	s.event = e
	for _, c := range e.Changes {
		if c.Field != "view" {
			continue
		}
		if err := into(&s.before, c.Before); err != nil {
			return s, err
		}
		if err := into(&s.after, c.After); err != nil {
			return s, err
		}
	}
	if s.before == nil && s.after == nil || (s.after == nil) != (e.Kind == "view.removed") {
		return s, errNoView
	}
	return s, nil
}

// viewSet compares an acknowledged operation on a view with its event.
func viewSet(op *ledger.Op, is saved) []Violation {
	if is.event == nil {
		return []Violation{violation("%s %s of view %s was acknowledged, and the history of %s does not have it", op.Kind, op.ID, op.Part, op.Project).of(op)}
	}
	if op.Kind == ledger.RemoveView {
		if is.after != nil || is.before.ID != op.Part {
			return []Violation{violation("%s %s of view %s left another event: %+v", op.Kind, op.ID, op.Part, is.before).of(op)}
		}
		return nil
	}
	if is.after == nil || op.View == nil || op.Asked.View == nil {
		return []Violation{violation("%s %s was answered without the view, or has removed it", op.Kind, op.ID).of(op)}
	}
	var out []Violation
	if *op.View != *is.after || op.View.ID != op.Part {
		out = append(out, violation("history and answer of %s %s differ: %+v and %+v", op.Kind, op.ID, *is.after, *op.View).of(op))
	}
	asked := *op.Asked.View
	if asked.ID, asked.Version = op.View.ID, op.View.Version; asked != *op.View {
		out = append(out, violation("%s %s was asked for %+v and answered with %+v", op.Kind, op.ID, asked, *op.View).of(op))
	}
	if (op.Kind == ledger.AddView) != (is.before == nil) {
		out = append(out, violation("%s %s changed %+v", op.Kind, op.ID, is.before).of(op))
	}
	if v := op.Asked.IfVersion; v > 0 && (is.before == nil || is.before.Version != v) {
		out = append(out, violation("%s %s was to replace version %d, and replaced %+v", op.Kind, op.ID, v, is.before).of(op))
	}
	return out
}
