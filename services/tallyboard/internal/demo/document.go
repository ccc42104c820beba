package demo

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
)

// The parts of a Tallyboard export this package writes; see docs of the export for all of them.
type (
	document struct {
		Tallyboard header   `json:"tallyboard"`
		Project    settings `json:"project"`
		People     []person `json:"people"`
		Views      []any    `json:"views"`
		Tasks      []entry  `json:"tasks"`
	}
	header struct {
		Format   int       `json:"format"`
		Exported time.Time `json:"exported"`
	}
	settings struct {
		ID        uuid.UUID `json:"id"`
		Key       string    `json:"key"`
		Name      string    `json:"name"`
		States    []state   `json:"states"`
		Labels    []label   `json:"labels"`
		Members   []member  `json:"members"`
		Version   int64     `json:"version"`
		Seq       int64     `json:"seq"`
		Created   time.Time `json:"created"`
		Updated   time.Time `json:"updated"`
		CreatedBy uuid.UUID `json:"createdBy"`
	}
	state struct {
		ID       uuid.UUID `json:"id"`
		Name     string    `json:"name"`
		Category string    `json:"category"`
		WIPLimit int       `json:"wipLimit,omitempty"`
	}
	label struct {
		ID    uuid.UUID `json:"id"`
		Name  string    `json:"name"`
		Color string    `json:"color"`
	}
	member struct {
		Person uuid.UUID `json:"person"`
		Role   string    `json:"role"`
	}
	person struct {
		ID     uuid.UUID `json:"id"`
		Handle string    `json:"handle"`
		Name   string    `json:"name"`
		Kind   string    `json:"kind"`
	}
	entry struct {
		Task      task       `json:"task"`
		Comments  []remark   `json:"comments,omitempty"`
		Relations []relation `json:"relations,omitempty"`
		Events    []event    `json:"events"`
	}
	task struct {
		ID          uuid.UUID   `json:"id"`
		ProjectID   uuid.UUID   `json:"projectId"`
		ProjectKey  string      `json:"projectKey"`
		Number      int64       `json:"number"`
		Title       string      `json:"title"`
		Description string      `json:"description,omitempty"`
		State       uuid.UUID   `json:"state"`
		Rank        string      `json:"rank"`
		Priority    int         `json:"priority"`
		Assignees   []uuid.UUID `json:"assignees"`
		Labels      []uuid.UUID `json:"labels"`
		Due         string      `json:"due,omitempty"`
		Estimate    *float64    `json:"estimate,omitempty"`
		Parent      *uuid.UUID  `json:"parent,omitempty"`
		Version     int64       `json:"version"`
		Seq         int64       `json:"seq"`
		Created     time.Time   `json:"created"`
		CreatedBy   uuid.UUID   `json:"createdBy"`
		Updated     time.Time   `json:"updated"`
		UpdatedBy   uuid.UUID   `json:"updatedBy"`
		Started     *time.Time  `json:"started,omitempty"`
		Completed   *time.Time  `json:"completed,omitempty"`
		LastAt      time.Time   `json:"lastAt"`
	}
	remark struct {
		ID       uuid.UUID   `json:"id"`
		Task     uuid.UUID   `json:"task"`
		Author   uuid.UUID   `json:"author"`
		Body     string      `json:"body"`
		Mentions []uuid.UUID `json:"mentions,omitempty"`
		Created  time.Time   `json:"created"`
	}
	relation struct {
		From    uuid.UUID `json:"from"`
		To      uuid.UUID `json:"to"`
		Kind    string    `json:"kind"`
		Created time.Time `json:"created"`
	}
	event struct {
		ProjectID   uuid.UUID `json:"projectId"`
		Aggregate   string    `json:"aggregate"`
		AggregateID uuid.UUID `json:"aggregateId"`
		Seq         int64     `json:"seq"`
		Kind        string    `json:"kind"`
		Actor       uuid.UUID `json:"actor"`
		Changes     []change  `json:"changes"`
		Occurred    time.Time `json:"occurred"`
		Recorded    time.Time `json:"recorded"`
	}
	change struct {
		Field  string `json:"field"`
		Before any    `json:"before,omitempty"`
		After  any    `json:"after,omitempty"`
	}
)

var workflow = []state{{Name: backlog, Category: "backlog"}, {Name: todo, Category: "todo"}, {Name: inProgress, Category: "doing", WIPLimit: 8},
	{Name: inReview, Category: "doing", WIPLimit: 5}, {Name: done, Category: "done"}, {Name: cancelled, Category: "cancelled"}}

var team = []person{{Handle: "ada", Name: "Ada Lindqvist"}, {Handle: "grace", Name: "Grace Okafor"}, {Handle: "linus", Name: "Linus Hartmann"},
	{Handle: "margaret", Name: "Margaret Sato"}, {Handle: "dennis", Name: "Dennis Moreau"}}

// writer turns stories into an export document.
type writer struct {
	seed    uint64
	key     string
	project uuid.UUID
	states  map[string]state
	labels  map[string]uuid.UUID
	people  map[string]uuid.UUID
}

// id returns the same UUIDv7-shaped id for the same name, so that loading the demo twice adds nothing.
func (w *writer) id(at time.Time, kind string, n int) uuid.UUID {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d/%s/%s/%d", w.seed, w.key, kind, n))
	var id uuid.UUID
	copy(id[:], sum[:16])
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(at.UnixMilli()))
	copy(id[:6], ms[2:])
	id[6], id[8] = 0x70|id[6]&0x0f, 0x80|id[8]&0x3f
	return id
}

// compose writes the stories as an export of a project with this key.
func compose(seed uint64, key, name string, stories []story, now time.Time) document {
	w := &writer{seed: seed, key: key, states: map[string]state{}, labels: map[string]uuid.UUID{}, people: map[string]uuid.UUID{}}
	begin := stories[0].created
	w.project = w.id(begin, "project", 0)
	doc := document{Tallyboard: header{Format: 1, Exported: now}, Views: []any{}}
	doc.Project = settings{ID: w.project, Key: key, Name: name, Version: 1, Seq: 1, Created: begin, Updated: begin}
	for i, s := range workflow {
		s.ID = w.id(begin, "state", i)
		w.states[s.Name] = s
		doc.Project.States = append(doc.Project.States, s)
	}
	names := make([]string, 0, len(labelColors))
	for n := range labelColors {
		names = append(names, n)
	}
	slices.Sort(names)
	for i, n := range names {
		w.labels[n] = w.id(begin, "label", i)
		doc.Project.Labels = append(doc.Project.Labels, label{ID: w.labels[n], Name: n, Color: labelColors[n]})
	}
	for i, p := range team {
		p.ID, p.Kind = w.id(begin, "person", i), "member"
		w.people[p.Handle] = p.ID
		doc.People = append(doc.People, p)
		role := "editor"
		if i == 0 {
			role = "owner"
		}
		doc.Project.Members = append(doc.Project.Members, member{Person: p.ID, Role: role})
	}
	doc.Project.CreatedBy = doc.People[0].ID
	for i := range stories {
		doc.Tasks = append(doc.Tasks, w.entry(i, stories))
	}
	return doc
}

func (w *writer) taskID(i int, stories []story) uuid.UUID { return w.id(stories[i].created, "task", i) }

// entry writes one story: its creation, then moves and comments in the order they happened.
func (w *writer) entry(i int, stories []story) entry {
	s := stories[i]
	first := w.states[backlog]
	t := task{ID: w.taskID(i, stories), ProjectID: w.project, ProjectKey: w.key, Number: int64(i + 1), Title: s.title, Description: s.description,
		State: first.ID, Priority: s.priority, Assignees: []uuid.UUID{}, Labels: []uuid.UUID{}, Estimate: &s.estimate, Version: 1, Created: s.created,
		CreatedBy: w.people[s.creator], Updated: s.created, UpdatedBy: w.people[s.creator], LastAt: s.created}
	for _, l := range s.labels {
		t.Labels = append(t.Labels, w.labels[l])
	}
	initial := []change{{Field: "title", After: s.title}, {Field: "state", After: first.ID}, {Field: "labels", After: t.Labels}, {Field: "estimate", After: s.estimate}}
	if s.priority > 0 {
		initial = append(initial, change{Field: "priority", After: s.priority})
	}
	if s.description != "" {
		initial = append(initial, change{Field: "description", After: s.description})
	}
	if !s.due.IsZero() {
		t.Due = s.due.Format(time.DateOnly)
		initial = append(initial, change{Field: "due", After: t.Due})
	}
	if s.subtaskOf >= 0 {
		parent := w.taskID(s.subtaskOf, stories)
		t.Parent = &parent
		initial = append(initial, change{Field: "parent", After: parent})
	}
	e := entry{Task: t}
	e.record(w, "task.created", t.CreatedBy, s.created, initial...)
	comments := s.comments
	for _, m := range s.moves {
		comments = w.comment(&e, i, comments, m.at)
		w.move(&e, s, m)
	}
	w.comment(&e, i, comments, time.Time{})
	return e
}

// move writes a change of state with what follows from it.
func (w *writer) move(e *entry, s story, m move) {
	t, to := &e.Task, w.states[m.to]
	changes := []change{{Field: "state", Before: t.State, After: to.ID}}
	t.State = to.ID
	if m.to == inProgress && len(t.Assignees) == 0 && s.assignee != "" {
		t.Assignees = []uuid.UUID{w.people[s.assignee]}
		changes = append(changes, change{Field: "assignees", After: t.Assignees})
	}
	at := m.at
	if to.Category == "doing" && t.Started == nil {
		t.Started = &at
		changes = append(changes, change{Field: "started", After: at})
	}
	switch {
	case to.Category == "done":
		changes = append(changes, completion(t.Completed, &at))
		t.Completed = &at
	case t.Completed != nil:
		changes = append(changes, completion(t.Completed, nil))
		t.Completed = nil
	}
	t.Version++
	t.Updated, t.UpdatedBy = at, w.people[m.person]
	e.record(w, "task.changed", t.UpdatedBy, at, changes...)
}

func completion(before, after *time.Time) change {
	c := change{Field: "completed"}
	if before != nil {
		c.Before = *before
	}
	if after != nil {
		c.After = *after
	}
	return c
}

// comment writes the comments made before a moment (zero: all that are left) and returns the others.
func (w *writer) comment(e *entry, story int, comments []comment, until time.Time) []comment {
	for len(comments) > 0 && (until.IsZero() || comments[0].at.Before(until)) {
		c := comments[0]
		comments = comments[1:]
		r := remark{ID: w.id(c.at, "comment", story*1000+len(e.Comments)), Task: e.Task.ID, Author: w.people[c.person], Body: c.body, Created: c.at}
		changes := []change{{Field: "comment", After: r.ID}, {Field: "body", After: r.Body}}
		e.Comments = append(e.Comments, r)
		e.record(w, "comment.added", r.Author, c.at, changes...)
	}
	return comments
}

// record appends an event.
func (e *entry) record(w *writer, kind string, actor uuid.UUID, at time.Time, changes ...change) {
	e.Task.Seq++
	e.Task.LastAt = at
	e.Events = append(e.Events, event{ProjectID: w.project, Aggregate: "task", AggregateID: e.Task.ID, Seq: e.Task.Seq, Kind: kind, Actor: actor,
		Changes: changes, Occurred: at, Recorded: at})
}
