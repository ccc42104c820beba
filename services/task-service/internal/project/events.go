package project

import (
	"fmt"
	"time"

	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
)

// fields that events carry, in their order: the value (nil: empty) and how to set it from JSON.
var fields = []struct {
	name string
	get  func(p *Project) any
	set  func(p *Project, value []byte) error
}{
	{history.FieldName, func(p *Project) any { return textOrNil(p.Name) }, func(p *Project, v []byte) error { return decode(v, &p.Name) }},
	{history.FieldDescription, func(p *Project) any { return textOrNil(p.Description) }, func(p *Project, v []byte) error { return decode(v, &p.Description) }},
	{history.FieldArchived, func(p *Project) any {
		if p.Archived == nil {
			return nil
		}
		return *p.Archived
	}, func(p *Project, v []byte) error { return decode(v, &p.Archived) }},
	{history.FieldStates, func(p *Project) any { return listOrNil(p.States) }, func(p *Project, v []byte) error { return decode(v, &p.States) }},
	{history.FieldLabels, func(p *Project) any { return listOrNil(p.Labels) }, func(p *Project, v []byte) error { return decode(v, &p.Labels) }},
	{history.FieldMembers, func(p *Project) any { return listOrNil(p.Members) }, func(p *Project, v []byte) error { return decode(v, &p.Members) }},
}

func textOrNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func listOrNil[T any](l []T) any {
	if len(l) == 0 {
		return nil
	}
	return l
}

func decode[T any](value []byte, v *T) error {
	var out T
	if err := history.Decode(value, &out); err != nil {
		return err
	}
	*v = out
	return nil
}

func differences(before, after *Project) []history.Change {
	var out []history.Change
	for _, f := range fields {
		c := history.NewChange(f.name, f.get(before), f.get(after))
		if string(c.Before) != string(c.After) {
			out = append(out, c)
		}
	}
	return out
}

func (p *Project) event(by By, at time.Time, kind history.Kind, changes []history.Change) history.Event {
	return history.Event{
		ProjectID: p.ID, Aggregate: history.OfProject, AggregateID: p.ID, Seq: p.Seq, Kind: kind, Actor: by.Actor,
		Changes: changes, Occurred: at, Recorded: by.Now.UTC().Truncate(time.Microsecond),
	}
}

// TakePending returns the events recorded since the last call, oldest first; none means that nothing changed.
func (p *Project) TakePending() []history.Event {
	events := p.pending
	p.pending = nil
	return events
}

// ViewChanged records that a view was saved (before is nil for a new one) or, with after nil, removed, and sets the times of
// after. The settings' version stays; stores write Seq, and Updated, behind which no later event or view falls back however
// slow its replica's clock.
func (p *Project) ViewChanged(by By, before, after *View) {
	kind := history.ViewSaved
	if after == nil {
		kind = history.ViewRemoved
	}
	at := history.NotBefore(by.Now.UTC().Truncate(time.Microsecond), p.Updated)
	c := history.Change{Field: history.FieldView}
	if before != nil {
		c.Before = history.NewChange("", *before, nil).Before
	}
	if after != nil {
		if after.Updated = at; before == nil {
			after.Created = at
		}
		c.After = history.NewChange("", nil, *after).After
	}
	p.Seq++
	p.Updated = at
	p.pending = append(p.pending, p.event(by, at, kind, []history.Change{c}))
}

// Undo takes settings back to how they were before e, which must be their newest event (Seq). existed is false if e
// created the project. Version and Updated stay those of the present.
func Undo(p *Project, e history.Event) (existed bool, err error) {
	if e.Aggregate != history.OfProject || e.AggregateID != p.ID || e.Seq != p.Seq {
		return false, fmt.Errorf("project: undo event %d of %s: the newest is %d of %s", e.Seq, e.AggregateID, p.Seq, p.ID)
	}
	switch e.Kind {
	case history.ProjectCreated:
		return false, nil
	case history.ProjectChanged:
		for _, f := range fields {
			if c, ok := e.Change(f.name); ok {
				if err := f.set(p, c.Before); err != nil {
					return false, fmt.Errorf("project: %s of event %d: %w", f.name, e.Seq, err)
				}
			}
		}
	}
	p.Seq--
	return true, nil
}
