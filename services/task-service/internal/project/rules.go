package project

import (
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
)

// By says who changes something and when.
type By struct {
	Actor uuid.UUID
	Now   time.Time
}

// Make returns a new project with its project.created event; its creator is an owner.
func Make(by By, in New) (*Project, error) {
	key, err := CleanKey(in.Key)
	if err != nil {
		return nil, err
	}
	id, err := newID()
	if err != nil {
		return nil, err
	}
	at := by.Now.UTC().Truncate(time.Microsecond)
	p := &Project{ID: id, Key: key, Created: at, CreatedBy: by.Actor, Updated: at, Members: []Member{{by.Actor, "owner"}}}
	if p.Name, err = cleanName(in.Name, MaxName); err != nil {
		return nil, err
	}
	if p.Description, err = cleanDescription(in.Description); err != nil {
		return nil, err
	}
	states := in.States
	if states == nil {
		states = DefaultStates()
	}
	for _, s := range states {
		if s.Position == nil { // as given, not by category
			end := len(p.States)
			s.Position = &end
		}
		if err := p.addState(s); err != nil {
			return nil, err
		}
	}
	for _, l := range in.Labels {
		if err := p.addLabel(l); err != nil {
			return nil, err
		}
	}
	for _, m := range in.Members {
		if m.PersonID == by.Actor {
			continue
		}
		if err := p.setMember(m.PersonID, m.Role); err != nil {
			return nil, err
		}
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	p.Version, p.Seq = 1, 1
	p.pending = append(p.pending, p.event(by, at, history.ProjectCreated, differences(&Project{}, p)))
	return p, nil
}

// Edit changes settings: fn works on a copy, and what it changed is recorded as one event and one version. Nothing
// changed, nothing recorded.
func (p *Project) Edit(by By, fn func(p *Project) error) error {
	if err := p.Writable(); err != nil {
		return err
	}
	return p.edit(by, fn)
}

func (p *Project) edit(by By, fn func(p *Project) error) error {
	next := *p
	next.States, next.Labels, next.Members = slices.Clone(p.States), slices.Clone(p.Labels), slices.Clone(p.Members)
	if err := fn(&next); err != nil {
		return err
	}
	slices.SortStableFunc(next.States, func(a, b State) int { // archived ones last
		switch {
		case a.Archived == b.Archived:
			return 0
		case a.Archived:
			return 1
		}
		return -1
	})
	if err := next.check(); err != nil {
		return err
	}
	changes := differences(p, &next)
	if len(changes) == 0 {
		return nil
	}
	at := history.NotBefore(by.Now.UTC().Truncate(time.Microsecond), p.Updated)
	next.Version++
	next.Seq++
	next.Updated = at
	*p = next
	p.pending = append(p.pending, p.event(by, at, history.ProjectChanged, changes))
	return nil
}

// Apply applies a patch. An archived project takes only Archived = false.
func (p *Project) Apply(by By, ch Patch) error {
	if p.Archived != nil && (ch.Archived == nil || *ch.Archived) && (ch.Name != nil || ch.Description != nil) {
		return p.Writable()
	}
	return p.edit(by, func(next *Project) (err error) {
		if ch.Name != nil {
			if next.Name, err = cleanName(*ch.Name, MaxName); err != nil {
				return err
			}
		}
		if ch.Description != nil {
			if next.Description, err = cleanDescription(*ch.Description); err != nil {
				return err
			}
		}
		if ch.Archived != nil && *ch.Archived != (next.Archived != nil) {
			next.Archived = nil
			if *ch.Archived {
				at := history.NotBefore(by.Now.UTC().Truncate(time.Microsecond), p.Updated)
				next.Archived = &at
			}
		}
		return nil
	})
}

// Writable refuses with apperr.Conflict if the project is archived.
func (p *Project) Writable() error {
	if p.Archived != nil {
		return apperr.New(apperr.Conflict, "Project %s is archived and can only be read. Take it out of the archive to change it.", p.Key)
	}
	return nil
}

// check holds what must be true of any project.
func (p *Project) check() error {
	open := 0
	for _, s := range p.States {
		if !s.Archived {
			open++
		}
	}
	switch {
	case open == 0:
		return apperr.New(apperr.Unprocessable, "A project needs at least one state that is not archived.")
	case open > MaxStates:
		return apperr.New(apperr.Unprocessable, "A project can have at most %d states.", MaxStates)
	case len(p.Labels) > MaxLabels:
		return apperr.New(apperr.Unprocessable, "A project can have at most %d labels.", MaxLabels)
	case len(p.Members) > MaxMembers:
		return apperr.New(apperr.Unprocessable, "A project can have at most %d members.", MaxMembers)
	case !slices.ContainsFunc(p.Members, func(m Member) bool { return m.Role == Roles[0] }):
		return apperr.New(apperr.Unprocessable, "A project needs at least one owner.")
	}
	return nil
}

// State returns a state by id, archived ones too.
func (p *Project) State(id uuid.UUID) (State, bool) {
	i := slices.IndexFunc(p.States, func(s State) bool { return s.ID == id })
	if i < 0 {
		return State{}, false
	}
	return p.States[i], true
}

// StateNamed returns the open state of a name, ignoring case.
func (p *Project) StateNamed(name string) (State, bool) {
	name = Fold(name)
	i := slices.IndexFunc(p.States, func(s State) bool { return !s.Archived && Fold(s.Name) == name })
	if i < 0 {
		return State{}, false
	}
	return p.States[i], true
}

// FirstState returns where tasks begin: the first open state of category backlog or todo, else the first open one.
func (p *Project) FirstState() State {
	first := State{}
	for _, s := range p.States {
		if s.Archived {
			continue
		}
		if s.Category == Backlog || s.Category == Todo {
			return s
		}
		if first.ID == uuid.Nil {
			first = s
		}
	}
	return first
}

// Label returns a label by id.
func (p *Project) Label(id uuid.UUID) (Label, bool) {
	i := slices.IndexFunc(p.Labels, func(l Label) bool { return l.ID == id })
	if i < 0 {
		return Label{}, false
	}
	return p.Labels[i], true
}

// LabelNamed returns the label of a name, ignoring case.
func (p *Project) LabelNamed(name string) (Label, bool) {
	name = Fold(name)
	i := slices.IndexFunc(p.Labels, func(l Label) bool { return Fold(l.Name) == name })
	if i < 0 {
		return Label{}, false
	}
	return p.Labels[i], true
}

// OwnedBy reports whether the person is an owner.
func (p *Project) OwnedBy(person uuid.UUID) bool {
	return slices.Contains(p.Members, Member{person, Roles[0]})
}

func (p *Project) setMember(person uuid.UUID, role string) error {
	if !slices.Contains(Roles, role) {
		return apperr.InvalidField("role", "must be one of %s", strings.Join(Roles, ", "))
	}
	i := slices.IndexFunc(p.Members, func(m Member) bool { return m.PersonID == person })
	if i < 0 {
		p.Members = append(p.Members, Member{person, role})
	} else {
		p.Members[i].Role = role
	}
	return nil
}

func (p *Project) removeMember(person uuid.UUID) error {
	i := slices.IndexFunc(p.Members, func(m Member) bool { return m.PersonID == person })
	if i < 0 {
		return apperr.New(apperr.NotFound, "This person is not a member of project %s.", p.Key)
	}
	p.Members = slices.Delete(p.Members, i, i+1)
	return nil
}
