package importer

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/account"
	"github.com/tallyboard/tallyboard/services/task-service/internal/exporter"
	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// mapping turns the ids of an export into those of this installation.
type mapping struct {
	r      *run
	doc    *scanned
	states map[uuid.UUID]uuid.UUID
	labels map[uuid.UUID]uuid.UUID
	people map[uuid.UUID]uuid.UUID
}

// mapping creates the states and labels that are missing. People are created when a task names them.
func (r *run) mapping(ctx context.Context, doc *scanned) (*mapping, error) {
	m := &mapping{r: r, doc: doc, states: map[uuid.UUID]uuid.UUID{}, labels: map[uuid.UUID]uuid.UUID{}, people: map[uuid.UUID]uuid.UUID{}}
	names := map[uuid.UUID]string{}
	var states []project.NewState
	for _, s := range doc.project.States {
		name := s.Name
		if have, ok := r.stateLike(name, s.Archived); ok && have.Category != s.Category {
			name = cut(s.Name, project.MaxStateName-len(s.Category)-3) + " (" + string(s.Category) + ")"
		}
		names[s.ID] = name
		if _, ok := r.stateLike(name, s.Archived); !ok {
			states = append(states, project.NewState{Name: name, Category: s.Category, WIPLimit: s.WIPLimit, Archived: s.Archived})
		}
	}
	if err := r.addStates(ctx, states); err != nil {
		return nil, err
	}
	for _, s := range doc.project.States {
		found, _ := r.stateLike(names[s.ID], s.Archived) // added above
		m.states[s.ID] = found.ID
	}
	var labels []project.NewLabel
	for _, l := range doc.project.Labels {
		if _, ok := r.project.LabelNamed(l.Name); !ok {
			labels = append(labels, project.NewLabel{Name: l.Name, Color: l.Color})
		}
	}
	if err := r.addLabels(ctx, labels); err != nil {
		return nil, err
	}
	for _, l := range doc.project.Labels {
		found, _ := r.project.LabelNamed(l.Name) // added above
		m.labels[l.ID] = found.ID
	}
	return m, nil
}

// stateLike returns the state of a name, for one that was archived also an archived one.
func (r *run) stateLike(name string, archived bool) (project.State, bool) {
	if s, ok := r.project.StateNamed(name); ok {
		return s, true
	}
	i := slices.IndexFunc(r.project.States, func(s project.State) bool {
		return archived && s.Archived && project.Fold(s.Name) == project.Fold(name)
	})
	if i < 0 {
		return project.State{}, false
	}
	return r.project.States[i], true
}

// person finds who had the id by handle, or creates them. Somebody the export does not list is who imports.
func (m *mapping) person(ctx context.Context, id uuid.UUID) (uuid.UUID, error) {
	if found, ok := m.people[id]; ok {
		return found, nil
	}
	p, listed := m.doc.people[id]
	if !listed {
		return m.r.w.Actor, nil
	}
	found, ok := m.r.people.byHandle[p.Handle]
	if ok {
		m.people[id] = found.ID
		return found.ID, nil
	}
	created := account.Person{ID: id, Handle: m.r.freeHandle(pick(p.Handle, p.Name)), Name: cut(pick(p.Name, p.Handle), account.MaxName), Kind: account.Imported, Created: m.r.now}
	fresh, err := uuid.NewV7()
	if err != nil {
		return uuid.Nil, err
	}
	created.ID = fresh
	stored, err := m.r.addPerson(ctx, created, created.Name)
	m.people[id] = stored
	return stored, err
}

// convert makes an imported task of an exported one. A fault of the file is apperr.Invalid.
func (m *mapping) convert(ctx context.Context, t exporter.Task) (task.Imported, error) {
	k := m.doc.tasks[t.Task.ID]
	var events []history.Event
	for _, e := range t.Events {
		keep, err := m.event(ctx, k.id, &e)
		if err != nil {
			return task.Imported{}, err
		}
		if keep {
			events = append(events, e)
		}
	}
	env := task.Env{
		Project: m.r.project, Actor: m.r.w.Actor, Now: m.r.now, Known: func(uuid.UUID) bool { return true },
		Canonical: func(rule string) (string, error) { return rule, nil }, // it was checked when it was made
	}
	out, err := task.Rebuild(env, k.id, k.source, events)
	if err != nil {
		return task.Imported{}, err
	}
	out.Task.Rank = k.rank
	for _, c := range t.Comments {
		c.ID, c.TaskID = commentID(k.id, c.ID), k.id
		if c.Body, err = task.CommentBody(c.Body); err != nil {
			return task.Imported{}, err
		}
		if c.Author, err = m.person(ctx, c.Author); err != nil {
			return task.Imported{}, err
		}
		if c.Mentions, err = m.persons(ctx, c.Mentions); err != nil {
			return task.Imported{}, err
		}
		out.Comments = append(out.Comments, c)
	}
	for _, l := range t.Relations {
		from, to := m.doc.tasks[l.From], m.doc.tasks[l.To]
		if from == nil || to == nil || from.id != k.id {
			continue // the other end was not exported
		}
		if l.Kind != task.Blocks && l.Kind != task.Relates && l.Kind != task.Duplicates {
			return task.Imported{}, apperr.New(apperr.Invalid, "It has a relation of the unknown kind %q.", shorten(string(l.Kind)))
		}
		l.From, l.To = from.id, to.id
		if l.Kind == task.Relates && slices.Compare(l.From[:], l.To[:]) > 0 {
			l.From, l.To = l.To, l.From
		}
		out.Relations = append(out.Relations, l)
	}
	return out, nil
}

func commentID(newTask, old uuid.UUID) uuid.UUID { return uuid.NewSHA1(newTask, old[:]) }

func (m *mapping) persons(ctx context.Context, ids []uuid.UUID) ([]uuid.UUID, error) {
	var out []uuid.UUID
	for _, id := range ids {
		found, err := m.person(ctx, id)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(out, found) {
			out = append(out, found)
		}
	}
	return out, nil
}

// event maps actor and changes. keep is false for an event of which nothing is left: moves of rank, which the new order
// replaces, and relations to tasks that were not exported.
func (m *mapping) event(ctx context.Context, id uuid.UUID, e *history.Event) (keep bool, err error) {
	if e.Actor, err = m.person(ctx, e.Actor); err != nil {
		return false, err
	}
	var changes []history.Change
	for _, c := range e.Changes {
		if c.Field == history.FieldRank || c.Field == history.FieldNumber {
			continue
		}
		if c.Before, err = m.value(ctx, id, c.Field, c.Before); err != nil {
			return false, err
		}
		if c.After, err = m.value(ctx, id, c.Field, c.After); err != nil {
			return false, err
		}
		if string(c.Before) != string(c.After) || c.Field == history.FieldComment {
			changes = append(changes, c)
		}
	}
	had := len(e.Changes)
	e.Changes = changes
	return len(changes) > 0 || had == 0, nil
}

// value maps the ids in a value of a change.
func (m *mapping) value(ctx context.Context, id uuid.UUID, field string, v json.RawMessage) (json.RawMessage, error) {
	if isNull(v) {
		return nil, nil
	}
	switch field {
	case history.FieldState:
		return one(v, func(old uuid.UUID) (any, error) { return found(m.states, old) })
	case history.FieldParent:
		return one(v, func(old uuid.UUID) (any, error) {
			if k := m.doc.tasks[old]; k != nil {
				return k.id, nil
			}
			return nil, nil
		})
	case history.FieldComment:
		return one(v, func(old uuid.UUID) (any, error) { return commentID(id, old), nil })
	case history.FieldLabels:
		return many(v, func(old []uuid.UUID) ([]uuid.UUID, error) {
			var out []uuid.UUID
			for _, l := range old {
				if n, ok := m.labels[l]; ok && !slices.Contains(out, n) { // removed ones are left behind
					out = append(out, n)
				}
			}
			return out, nil
		})
	case history.FieldAssignees, history.FieldMentions:
		return many(v, func(old []uuid.UUID) ([]uuid.UUID, error) { return m.persons(ctx, old) })
	case history.FieldRelation:
		var link struct {
			Kind string    `json:"kind"`
			Task uuid.UUID `json:"task"`
		}
		if err := json.Unmarshal(v, &link); err != nil {
			return nil, unreadable(field, err)
		}
		k := m.doc.tasks[link.Task]
		if k == nil {
			return nil, nil
		}
		link.Task = k.id
		return history.NewChange(field, nil, link).After, nil
	}
	return v, nil
}

func found(ids map[uuid.UUID]uuid.UUID, old uuid.UUID) (any, error) {
	id, ok := ids[old]
	if !ok {
		return nil, apperr.New(apperr.Invalid, "Its history names the state %s, which the file does not have.", old)
	}
	return id, nil
}

func one(v json.RawMessage, of func(uuid.UUID) (any, error)) (json.RawMessage, error) {
	var old uuid.UUID
	if err := json.Unmarshal(v, &old); err != nil {
		return nil, unreadable("an id", err)
	}
	id, err := of(old)
	if err != nil {
		return nil, err
	}
	return history.NewChange("", nil, id).After, nil
}

func many(v json.RawMessage, of func([]uuid.UUID) ([]uuid.UUID, error)) (json.RawMessage, error) {
	var old []uuid.UUID
	if err := json.Unmarshal(v, &old); err != nil {
		return nil, unreadable("a list of ids", err)
	}
	ids, err := of(old)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	return history.NewChange("", nil, ids).After, nil
}

func unreadable(what string, err error) error {
	return apperr.Wrap(err, apperr.Invalid, "Its history has a value that cannot be read: %s.", shorten(what))
}
