package project

import (
	"slices"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
)

// AddStates adds columns, for imports; a name that exists is left as it is.
func (p *Project) AddStates(by By, in []NewState) error {
	return p.Edit(by, func(p *Project) error {
		for _, n := range in {
			_, open := p.StateNamed(n.Name)
			if open || n.Archived && p.archivedNamed(n.Name) {
				continue
			}
			if err := p.addState(n); err != nil {
				return err
			}
		}
		return nil
	})
}

func (p *Project) archivedNamed(name string) bool {
	return slices.ContainsFunc(p.States, func(s State) bool { return s.Archived && Fold(s.Name) == Fold(name) })
}

// AddLabels adds labels, for imports; a name that exists is left as it is.
func (p *Project) AddLabels(by By, in []NewLabel) error {
	return p.Edit(by, func(p *Project) error {
		for _, n := range in {
			if _, there := p.LabelNamed(n.Name); there {
				continue
			}
			if err := p.addLabel(n); err != nil {
				return err
			}
		}
		return nil
	})
}

func (p *Project) addState(in NewState) error {
	s := State{Category: in.Category, WIPLimit: in.WIPLimit}
	var err error
	if s.Name, err = cleanName(in.Name, MaxStateName); err != nil {
		return err
	}
	if _, taken := p.StateNamed(s.Name); taken {
		return apperr.New(apperr.Conflict, "Project %s already has a state called %q.", p.Key, s.Name)
	}
	if !in.Category.Valid() {
		return apperr.InvalidField("category", "must be one of backlog, todo, doing, done, cancelled")
	}
	if err := checkLimit(in.WIPLimit); err != nil {
		return err
	}
	if s.ID, err = newID(); err != nil {
		return err
	}
	if s.Archived = in.Archived; s.Archived {
		p.States = append(p.States, s)
		return nil
	}
	at := p.behindCategory(s.Category)
	if in.Position != nil {
		if at, err = p.statePosition(*in.Position, p.openStates()); err != nil {
			return err
		}
	}
	p.States = slices.Insert(p.States, at, s)
	return nil
}

// openStates counts the states that are not archived; they come first.
func (p *Project) openStates() int {
	i := slices.IndexFunc(p.States, func(s State) bool { return s.Archived })
	if i < 0 {
		return len(p.States)
	}
	return i
}

// behindCategory returns the index behind the last open state whose category does not come after c.
func (p *Project) behindCategory(c Category) int {
	at := 0
	for i, s := range p.States[:p.openStates()] {
		if s.Category.order() <= c.order() {
			at = i + 1
		}
	}
	return at
}

func (p *Project) statePosition(position, most int) (int, error) {
	if position < 0 || position > most {
		return 0, apperr.InvalidField("position", "must be a number from 0 to %d", most)
	}
	return position, nil
}

func (p *Project) changeState(id uuid.UUID, ch StatePatch) error {
	i := slices.IndexFunc(p.States, func(s State) bool { return s.ID == id })
	if i < 0 {
		return apperr.New(apperr.NotFound, "There is no such state in project %s.", p.Key)
	}
	s := p.States[i]
	if ch.Category != nil && *ch.Category != s.Category {
		e := apperr.InvalidField("category", "of a state never changes, because history and statistics count on it; add a new state and move the tasks")
		e.Code = apperr.Unprocessable
		return e
	}
	if ch.Name != nil {
		name, err := cleanName(*ch.Name, MaxStateName)
		if err != nil {
			return err
		}
		s.Name = name
	}
	if ch.WIPLimit != nil {
		if err := checkLimit(*ch.WIPLimit); err != nil {
			return err
		}
		s.WIPLimit = *ch.WIPLimit
	}
	wasArchived := s.Archived
	if ch.Archived != nil {
		s.Archived = *ch.Archived
	}
	if other, taken := p.StateNamed(s.Name); taken && other.ID != id && !s.Archived {
		return apperr.New(apperr.Conflict, "Project %s already has a state called %q.", p.Key, s.Name)
	}
	p.States[i] = s
	if wasArchived != s.Archived {
		p.States = slices.Delete(p.States, i, i+1)
		i = len(p.States)
		if !s.Archived {
			i = p.behindCategory(s.Category)
		}
		p.States = slices.Insert(p.States, i, s)
	}
	if ch.Position != nil {
		if s.Archived {
			return apperr.InvalidField("position", "an archived state has none")
		}
		at, err := p.statePosition(*ch.Position, p.openStates()-1)
		if err != nil {
			return err
		}
		p.States = slices.Insert(slices.Delete(p.States, i, i+1), at, s)
	}
	return nil
}

func (p *Project) addLabel(in NewLabel) error {
	l := Label{}
	var err error
	if l.Name, err = cleanName(in.Name, MaxLabelName); err != nil {
		return err
	}
	if _, taken := p.LabelNamed(l.Name); taken {
		return apperr.New(apperr.Conflict, "Project %s already has a label called %q.", p.Key, l.Name)
	}
	if l.Color, err = cleanColor(in.Color, len(p.Labels)); err != nil {
		return err
	}
	if l.ID, err = newID(); err != nil {
		return err
	}
	p.Labels = append(p.Labels, l)
	return nil
}

func (p *Project) changeLabel(id uuid.UUID, ch LabelPatch) error {
	i, err := p.labelIndex(id)
	if err != nil {
		return err
	}
	l := p.Labels[i]
	if ch.Name != nil {
		if l.Name, err = cleanName(*ch.Name, MaxLabelName); err != nil {
			return err
		}
		if other, taken := p.LabelNamed(l.Name); taken && other.ID != id {
			return apperr.New(apperr.Conflict, "Project %s already has a label called %q.", p.Key, l.Name)
		}
	}
	if ch.Color != nil {
		if l.Color, err = cleanColor(*ch.Color, i); err != nil {
			return err
		}
	}
	p.Labels[i] = l
	if ch.Position != nil {
		at := *ch.Position
		if at < 0 || at >= len(p.Labels) {
			return apperr.InvalidField("position", "must be a number from 0 to %d", len(p.Labels)-1)
		}
		p.Labels = slices.Insert(slices.Delete(p.Labels, i, i+1), at, l)
	}
	return nil
}

// removeLabel takes the label out of the settings. Tasks keep its id, which nothing shows any more, so that removing a
// label of a million tasks is one small change and history stays true.
func (p *Project) removeLabel(id uuid.UUID) error {
	i, err := p.labelIndex(id)
	if err != nil {
		return err
	}
	p.Labels = slices.Delete(p.Labels, i, i+1)
	return nil
}

func (p *Project) labelIndex(id uuid.UUID) (int, error) {
	i := slices.IndexFunc(p.Labels, func(l Label) bool { return l.ID == id })
	if i < 0 {
		return 0, apperr.New(apperr.NotFound, "There is no such label in project %s.", p.Key)
	}
	return i, nil
}
