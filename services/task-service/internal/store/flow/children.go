package flow

import (
	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
)

// PlacedState is a state with its position on the board.
type PlacedState struct {
	project.State
	Position int32
}

// PlacedLabel is a label with its position in the project's list.
type PlacedLabel struct {
	project.Label
	Position int32
}

// ChildDiff is what differs in the lists of two versions of a project's settings.
type ChildDiff struct {
	States      []PlacedState // to be inserted or updated
	GoneStates  []uuid.UUID
	Labels      []PlacedLabel
	GoneLabels  []uuid.UUID
	Members     []project.Member
	GoneMembers []uuid.UUID
}

// Children compares the lists of two versions.
func Children(before, after *project.Project) ChildDiff {
	var d ChildDiff
	states := func(p *project.Project) []PlacedState {
		out := make([]PlacedState, len(p.States))
		for i, s := range p.States {
			out[i] = PlacedState{s, int32(i)}
		}
		return out
	}
	d.States, d.GoneStates = differ(states(before), states(after), func(s PlacedState) uuid.UUID { return s.ID },
		func(a, b PlacedState) bool {
			return a.Position == b.Position && a.Name == b.Name && a.Archived == b.Archived && sameLimit(a.WIPLimit, b.WIPLimit)
		})
	labels := func(p *project.Project) []PlacedLabel {
		out := make([]PlacedLabel, len(p.Labels))
		for i, l := range p.Labels {
			out[i] = PlacedLabel{l, int32(i)}
		}
		return out
	}
	d.Labels, d.GoneLabels = differ(labels(before), labels(after), func(l PlacedLabel) uuid.UUID { return l.ID },
		func(a, b PlacedLabel) bool { return a == b })
	d.Members, d.GoneMembers = differ(before.Members, after.Members, func(m project.Member) uuid.UUID { return m.PersonID },
		func(a, b project.Member) bool { return a == b })
	return d
}

func sameLimit(a, b *int) bool {
	return (a == nil) == (b == nil) && (a == nil || *a == *b)
}

// differ returns what is new or other in after, and the ids only before has.
func differ[T any](before, after []T, id func(T) uuid.UUID, same func(a, b T) bool) (put []T, gone []uuid.UUID) {
	old := make(map[uuid.UUID]T, len(before))
	for _, v := range before {
		old[id(v)] = v
	}
	for _, v := range after {
		was, there := old[id(v)]
		if !there || !same(was, v) {
			put = append(put, v)
		}
		delete(old, id(v))
	}
	for _, v := range before {
		if _, left := old[id(v)]; left {
			gone = append(gone, id(v))
		}
	}
	return put, gone
}
