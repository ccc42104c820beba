package task

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/account"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
	"github.com/tallyboard/tallyboard/services/task-service/internal/quickadd"
)

// Create makes a task. It shares a transaction with other creates of the project that come at the same time, and returns
// after that is durable. Errors: apperr.Invalid for fields, NotFound for the project or a neighbour to be placed at,
// Unprocessable for a parent that does not fit, Conflict in an archived project, Unavailable when too many wait.
func (s *Service) Create(ctx context.Context, w Write, projectKey string, in New) (t *Task, replayed bool, err error) {
	if err := in.Place.check(uuid.Nil); err != nil {
		return nil, false, err
	}
	known, err := s.known(ctx, in.Assignees)
	if err != nil {
		return nil, false, err
	}
	d := Draft{Write: w, Build: func(p *project.Project) (*Task, Placement, error) {
		t, err := Make(s.env(p, w, known), in)
		return t, in.Place, err
	}}
	if in.Parent != uuid.Nil {
		d.Check = func(ctx context.Context, tx Tx, t *Task) error { return t.CheckParent(ctx, tx, in.Parent) }
	}
	o := s.creates.submit(ctx, strings.ToUpper(projectKey), d, in.Parent)
	if o.Err == nil && !o.Replayed {
		s.d.Wake()
	}
	return o.Task, o.Replayed, o.Err
}

// check refuses contradictions; self is the task to be placed.
func (p Placement) check(self uuid.UUID) error {
	named := 0
	for _, is := range []bool{p.After != uuid.Nil, p.Before != uuid.Nil, p.Top} {
		if is {
			named++
		}
	}
	switch {
	case named > 1:
		return apperr.InvalidField("after", "only one of after, before and top can be given")
	case self != uuid.Nil && (p.After == self || p.Before == self):
		return apperr.InvalidField("after", "a task cannot be placed beside itself")
	}
	return nil
}

// MaxQuick bounds a quick-add text, in characters: a title and its tokens.
const MaxQuick = 2 * MaxTitle

// QuickAdd makes a task from one line of text; see package quickadd.
func (s *Service) QuickAdd(ctx context.Context, w Write, projectKey, text string, v Viewer) (t *Task, replayed bool, err error) {
	preview, err := s.ParseQuick(ctx, projectKey, text, v)
	if err != nil {
		return nil, false, err
	}
	return s.Create(ctx, w, projectKey, preview.New)
}

// ParseQuick says what a line of text would make. Names that do not exist stay in the title. It does not check fields,
// as people are still typing; QuickAdd does.
func (s *Service) ParseQuick(ctx context.Context, projectKey, text string, v Viewer) (QuickPreview, error) {
	if !utf8.ValidString(text) {
		return QuickPreview{}, apperr.InvalidField("quick", "is not valid UTF-8")
	}
	if n := utf8.RuneCountInString(text); n > MaxQuick {
		return QuickPreview{}, apperr.InvalidField("quick", "has %d characters; at most %d are allowed", n, MaxQuick)
	}
	p, err := s.recent(ctx, projectKey)
	if err != nil {
		return QuickPreview{}, err
	}
	names := quickNames{s: s, ctx: ctx, project: p, viewer: v, parents: map[string]uuid.UUID{}}
	r := quickadd.Parse(text, quickadd.Options{Today: s.d.Clock().In(v.zone()), Known: names.known})
	if names.err != nil {
		return QuickPreview{}, names.err
	}
	in := New{Title: r.Title, Priority: Priority(r.Priority), Due: Date(r.Due), Parent: names.parents[r.Parent]}
	for _, h := range r.Assignees {
		in.Assignees = append(in.Assignees, names.person(h))
	}
	for _, l := range r.Labels {
		label, _ := p.LabelNamed(l) // known
		in.Labels = append(in.Labels, label.ID)
	}
	if r.State != "" {
		in.State = stateFor(p, r.State).ID
	}
	return QuickPreview{New: in, Tokens: r.Tokens}, nil
}

// quickNames looks the names of a quick-add text up.
type quickNames struct {
	s       *Service
	ctx     context.Context
	project *project.Project
	viewer  Viewer
	people  []account.Person
	parents map[string]uuid.UUID // looked up; the nil id where there is none
	err     error
}

// maxQuickParents bounds the tasks one text makes us look up.
const maxQuickParents = 3

func (q *quickNames) known(k quickadd.Kind, value string) bool {
	switch k {
	case quickadd.Assignee:
		return q.person(value) != uuid.Nil
	case quickadd.Label:
		_, ok := q.project.LabelNamed(value)
		return ok
	case quickadd.State:
		return stateFor(q.project, value).ID != uuid.Nil
	case quickadd.Parent:
		return q.parent(value) != uuid.Nil
	}
	return true
}

func (q *quickNames) person(handle string) uuid.UUID {
	if handle == "me" {
		return q.viewer.Person
	}
	if q.people == nil && q.err == nil {
		q.people, q.err = q.s.directory.People(q.ctx)
	}
	for _, p := range q.people {
		if p.Handle == handle {
			return p.ID
		}
	}
	return uuid.Nil
}

func (q *quickNames) parent(key string) uuid.UUID {
	id, looked := q.parents[key]
	if looked || len(q.parents) >= maxQuickParents || q.err != nil {
		return id
	}
	ref, err := ParseRef(key)
	if err == nil && ref.Key == q.project.Key {
		var t *Task
		switch t, err = q.s.d.Reader.Task(q.ctx, ref); {
		case err == nil && t.Trashed == nil:
			id = t.ID
		case err != nil && !apperr.Is(err, apperr.NotFound):
			q.err = err
		}
	}
	q.parents[key] = id
	return id
}

// stateFor returns the open state of the name, or the first open one of the category.
func stateFor(p *project.Project, name string) project.State {
	if s, ok := p.StateNamed(name); ok {
		return s
	}
	i := slices.IndexFunc(p.States, func(s project.State) bool { return !s.Archived && string(s.Category) == strings.ToLower(name) })
	if i < 0 {
		return project.State{}
	}
	return p.States[i]
}
