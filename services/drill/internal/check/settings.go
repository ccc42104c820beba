package check

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/tallyboard/tallyboard/services/drill/internal/ledger"
)

// setting is the settings of a project as an event left them.
type setting struct {
	event *Event
	op    *ledger.Op // who asked for it; nil: nobody known
	set   ledger.Settings
}

// Settings demands that the settings and views of each project are what its events make of them, one after the other: each
// event begins where the one before it ended. What was acknowledged is there, as it was answered and asked for, and nothing
// else with it. The settings themselves are always sound, and no task is in a state that is archived or gone.
func Settings(b *Book) []Violation {
	out := slices.Clone(b.unsettled)
	for _, p := range b.Found.Projects {
		steps := b.settings[p.ID]
		if len(steps) == 0 {
			out = append(out, violation("project %s is there without any history", p.Key))
			continue
		}
		last := steps[len(steps)-1]
		if d := settingsDiffer(last.set, p.settings()); d != "" {
			out = append(out, violation("history and rows of project %s differ: %s", p.Key, d).of(last.op))
		}
		for _, s := range steps {
			if what := unsound(s.set); what != "" {
				out = append(out, violation("version %d of project %s: %s", s.set.Version, p.Key, what).of(s.op))
			}
		}
		out = append(out, b.homeless(p, last.set)...)
	}
	for i := range b.Ops {
		if op := &b.Ops[i]; op.Kind.OfSettings() && op.Outcome == ledger.Acknowledged {
			out = append(out, b.set(op)...)
		}
	}
	return append(out, b.views()...)
}

// settings of a project's rows.
func (p Project) settings() ledger.Settings {
	return ledger.Settings{ID: p.ID, Name: p.Name, Version: p.Version, States: p.States, Labels: p.Labels, Members: p.Members}
}

// adjust applies a project's events one after the other.
func (b *Book) adjust(id string, events []*Event) {
	s := ledger.Settings{ID: id}
	for _, e := range events {
		if e.Kind == "project.created" || e.Kind == "project.changed" {
			s.Version++
			b.versions[e] = s.Version
			for _, c := range e.Changes {
				if what, err := adopt(&s, c); err != nil || what != "" {
					b.unsettled = append(b.unsettled, Violation{Text: fmt.Sprintf("event %d of project %s: field %s: %s%v", e.Seq, b.keys[id], c.Field, what, errText(err))}.of(b.ops[e.Trace]))
				}
			}
		}
		b.settings[id] = append(b.settings[id], setting{event: e, op: b.ops[e.Trace], set: s})
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// adopt applies a change of a field. what says in which way it does not begin with what is there.
func adopt(s *ledger.Settings, c Change) (what string, err error) {
	switch c.Field {
	case "name":
		return replace(&s.Name, c, func(a, b string) bool { return a == b })
	case "states":
		return replace(&s.States, c, same)
	case "labels":
		return replace(&s.Labels, c, same)
	case "members":
		return replace(&s.Members, c, sameMembers)
	}
	return "", nil
}

func replace[T any](to *T, c Change, equal func(a, b T) bool) (what string, err error) {
	var before, after T
	if err := into(&before, c.Before); err != nil {
		return "", err
	}
	if err := into(&after, c.After); err != nil {
		return "", err
	}
	if !equal(*to, before) {
		what = fmt.Sprintf("it was %v, the event changes %v", *to, before)
	}
	*to = after
	return what, nil
}

// same compares lists in which no list and an empty one are the same.
func same[T any](a, b []T) bool { return len(a) == len(b) && (len(a) == 0 || reflect.DeepEqual(a, b)) }

// sameMembers compares members, who have no order.
func sameMembers(a, b []ledger.Member) bool {
	byPerson := func(x, y ledger.Member) int { return strings.Compare(x.Person, y.Person) }
	return same(slices.SortedFunc(slices.Values(a), byPerson), slices.SortedFunc(slices.Values(b), byPerson))
}

// settingsDiffer names the first member in which two pictures of a project's settings differ; "" if none.
func settingsDiffer(a, b ledger.Settings) string {
	switch {
	case a.ID != b.ID:
		return fmt.Sprintf("id %s and %s", a.ID, b.ID)
	case a.Version != b.Version:
		return fmt.Sprintf("version %d and %d", a.Version, b.Version)
	case a.Name != b.Name:
		return fmt.Sprintf("name %q and %q", a.Name, b.Name)
	case !same(a.States, b.States):
		return fmt.Sprintf("states %v and %v", a.States, b.States)
	case !same(a.Labels, b.Labels):
		return fmt.Sprintf("labels %v and %v", a.Labels, b.Labels)
	case !sameMembers(a.Members, b.Members):
		return fmt.Sprintf("members %v and %v", a.Members, b.Members)
	}
	return ""
}

// unsound says which rule of any project's settings is broken; "" if none.
func unsound(s ledger.Settings) string {
	ids, names, labels := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, st := range s.States {
		switch {
		case ids[st.ID]:
			return fmt.Sprintf("state %s is there twice", st.ID)
		case !st.Archived && names[st.Name]:
			return fmt.Sprintf("two states are called %q", st.Name)
		}
		ids[st.ID] = true
		names[st.Name] = names[st.Name] || !st.Archived
	}
	for _, l := range s.Labels {
		if ids[l.ID] || labels[l.Name] {
			return fmt.Sprintf("label %q is there twice", l.Name)
		}
		ids[l.ID], labels[l.Name] = true, true
	}
	owned := false
	for _, m := range s.Members {
		if ids[m.Person] {
			return fmt.Sprintf("%s is a member twice", m.Person)
		}
		ids[m.Person] = true
		owned = owned || m.Role == "owner"
	}
	switch {
	case !slices.Contains(slices.Collect(maps.Values(names)), true):
		return "no state is open"
	case !owned:
		return "nobody owns it"
	}
	return ""
}

// homeless finds tasks in states that are archived or not there.
func (b *Book) homeless(p Project, s ledger.Settings) (out []Violation) {
	open := map[string]bool{}
	for _, st := range s.States {
		open[st.ID] = !st.Archived
	}
	for _, t := range b.Found.Tasks {
		if t.Project == p.ID && !open[t.State] {
			out = append(out, violation("task %s is in state %s, which is archived or gone", t.Key, t.State))
		}
	}
	return out
}

// settingsAt returns the step that made a version of a project's settings, and the settings before it.
func (b *Book) settingsAt(project string, version int64) (is setting, was ledger.Settings, ok bool) {
	steps := b.settings[project]
	i, found := slices.BinarySearchFunc(steps, version, func(s setting, v int64) int { return cmp.Compare(s.set.Version, v) })
	if !found {
		return is, was, false
	}
	if i > 0 { // the first with this version: views that follow make none
		was = steps[i-1].set
	}
	return steps[i], was, true
}

// set compares the answer to an acknowledged operation on settings with their history, and with what was asked for.
func (b *Book) set(op *ledger.Op) []Violation {
	if op.Settings == nil {
		return []Violation{violation("%s %s was answered without the project", op.Kind, op.ID).of(op)}
	}
	is, was, there := b.settingsAt(op.Settings.ID, op.Settings.Version)
	if !there {
		return []Violation{violation("%s %s was answered with version %d of %s, which the history does not have", op.Kind, op.ID, op.Settings.Version, op.Project).of(op)}
	}
	var out []Violation
	if d := settingsDiffer(is.set, *op.Settings); d != "" {
		out = append(out, violation("history and answer of %s %s differ: %s", op.Kind, op.ID, d).of(op, is.op))
	}
	if op.Kind == ledger.ReadProject {
		return out
	}
	if what := unset(op, *op.Settings); what != "" {
		out = append(out, violation("%s %s was answered without what was asked for: %s", op.Kind, op.ID, what).of(op))
	}
	own := slices.ContainsFunc(b.traced[op.Trace], func(e *Event) bool { return e.Kind == "project.changed" && e.Aggregate == op.Settings.ID })
	switch {
	case is.op == op:
		if d := settingsDiffer(without(op, was, op.Settings.Version), without(op, is.set, op.Settings.Version)); d != "" {
			out = append(out, violation("%s %s changed more than was asked for: %s", op.Kind, op.ID, d).of(op))
		}
	case own: // but another version
		out = append(out, violation("%s %s was answered with version %d of %s, which somebody else made", op.Kind, op.ID, op.Settings.Version, op.Project).of(op, is.op))
	case op.Kind != ledger.SetMember && op.Kind != ledger.ArchiveState: // those may be so already
		out = append(out, violation("%s %s was acknowledged, and the history of %s does not have it", op.Kind, op.ID, op.Project).of(op))
	}
	return out
}

// unset names what settings do not have of what was asked for; "" if nothing.
func unset(op *ledger.Op, s ledger.Settings) string {
	state := slices.IndexFunc(s.States, func(st ledger.State) bool {
		return st.ID == op.Part || op.Kind == ledger.AddState && st.Name == op.Asked.Name
	})
	label := slices.IndexFunc(s.Labels, func(l ledger.Label) bool {
		return l.ID == op.Part || op.Kind == ledger.AddLabel && l.Name == op.Asked.Name
	})
	member := slices.IndexFunc(s.Members, func(m ledger.Member) bool { return m.Person == op.Part })
	asked := op.Asked
	switch op.Kind {
	case ledger.Rename:
		if s.Name != asked.Name {
			return "name"
		}
	case ledger.AddState, ledger.ChangeState, ledger.ArchiveState:
		if state < 0 {
			return "state"
		}
		return stateUnset(op, s.States[state], state)
	case ledger.AddLabel, ledger.ChangeLabel:
		switch {
		case label < 0:
			return "label"
		case s.Labels[label].Name != asked.Name, asked.Color != "" && s.Labels[label].Color != asked.Color, asked.Position != nil && *asked.Position != label:
			return fmt.Sprintf("it is %v at %d", s.Labels[label], label)
		}
	case ledger.RemoveLabel:
		if label >= 0 {
			return "the label is there"
		}
	case ledger.SetMember:
		if member < 0 || s.Members[member].Role != asked.Role {
			return "role"
		}
	case ledger.RemoveMember:
		if member >= 0 {
			return "the member is there"
		}
	}
	return ""
}

func stateUnset(op *ledger.Op, st ledger.State, at int) string {
	asked := op.Asked
	archived := op.Kind == ledger.ArchiveState
	if asked.Archived != nil {
		archived = *asked.Archived
	}
	switch {
	case asked.Name != "" && st.Name != asked.Name,
		asked.Category != "" && st.Category != asked.Category,
		asked.WIPLimit != nil && (st.WIPLimit == nil || *st.WIPLimit != *asked.WIPLimit),
		asked.Position != nil && *asked.Position != at,
		(archived || asked.Archived != nil) && st.Archived != archived:
		return fmt.Sprintf("it is %v at %d", st, at)
	}
	return ""
}

// without returns settings as one version, in no order, and without what an operation was to change.
func without(op *ledger.Op, s ledger.Settings, version int64) ledger.Settings {
	s.Version = version
	if op.Kind == ledger.Rename {
		s.Name = ""
	}
	s.States = slices.DeleteFunc(slices.Clone(s.States), func(st ledger.State) bool {
		return st.ID == op.Part || op.Kind == ledger.AddState && st.Name == op.Asked.Name
	})
	s.Labels = slices.DeleteFunc(slices.Clone(s.Labels), func(l ledger.Label) bool {
		return l.ID == op.Part || op.Kind == ledger.AddLabel && l.Name == op.Asked.Name
	})
	s.Members = slices.DeleteFunc(slices.Clone(s.Members), func(m ledger.Member) bool { return m.Person == op.Part })
	return s
}
