package storetest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/tallyboard/tallyboard/services/task-service/internal/filter"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
	"github.com/tallyboard/tallyboard/services/task-service/internal/store/query"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

var sortFields = []string{"rank", "created", "updated", "due", "start", "priority", "number", "title", "completed"}

// less is the naive order of lists: values first, nulls last whatever the direction, ties by id.
func less(s task.Sort) func(a, b *task.Task) int {
	return func(a, b *task.Task) int {
		x, y := sortValue(s.Field, a), sortValue(s.Field, b)
		sign := 1
		if s.Descending {
			sign = -1
		}
		switch {
		case x == "" && y != "":
			return 1
		case x != "" && y == "":
			return -1
		case x != y:
			return sign * strings.Compare(x, y)
		}
		return sign * slices.Compare(a.ID[:], b.ID[:])
	}
}

// sortValue is a text that orders as the field does; "" is null.
func sortValue(field string, t *task.Task) string {
	at := func(at *time.Time) string {
		if at == nil {
			return ""
		}
		return at.UTC().Format("2006-01-02T15:04:05.000000")
	}
	switch field {
	case "created":
		return at(&t.Created)
	case "updated":
		return at(&t.Updated)
	case "completed":
		return at(t.Completed)
	case "due":
		return string(t.Due)
	case "start":
		return string(t.Start)
	case "priority":
		return fmt.Sprintf("p%d", t.Priority)
	case "number":
		return fmt.Sprintf("%09d", t.Number)
	case "title":
		return "t" + query.TitleKey(t.Title)
	}
	return t.Rank
}

// population fills a project with tasks that share many values, so that ties and nulls are common.
func (f *fixture) population(t *testing.T, n int) []*task.Task {
	t.Helper()
	titles := []string{"Alpha", "alpha", "Älpha", "beta", "Gamma ray", "delta 1", "delta 10", "Zoë", "   beta", "42"}
	dates := []task.Date{"", "", "2026-01-01", "2026-01-02", "2026-06-30"}
	states := []uuid.UUID{f.state(project.Todo), f.state(project.Doing), f.state(project.Done), f.state(project.Cancelled)}
	var drafts []task.Draft
	for i := range n {
		in := task.New{Title: titles[i%len(titles)], Due: dates[i%len(dates)], Start: dates[(i/2)%2], Priority: task.Priority(i % 5),
			State: states[(i/3)%len(states)]}
		if i%4 == 0 {
			in.Assignees = []uuid.UUID{f.actor}
		}
		if i%3 == 0 {
			in.Labels, in.Estimate = []uuid.UUID{f.p.Labels[i%2].ID}, new(float64(i%7)/2)
		}
		drafts = append(drafts, f.draft(f.write(), in))
	}
	for _, o := range f.CreateTasks(f.ctx, f.p.Key, drafts) {
		ok(t, "create", o.Err)
	}
	ids := f.all(t, task.Query{ProjectID: f.p.ID, Limit: n})
	for i, id := range ids {
		switch i % 9 {
		case 1:
			f.trash(t, id)
		case 2:
			f.mustChange(t, id, task.Patch{State: new(f.state(project.Done))})
		}
	}
	var all []*task.Task
	for _, id := range ids {
		x, err := f.Task(f.ctx, task.Ref{ID: id})
		ok(t, "read", err)
		all = append(all, x)
	}
	return all
}

func lists(f *fixture) {
	t := f.t
	all := f.population(t, 60)
	for _, field := range sortFields {
		for _, descending := range []bool{false, true} {
			for _, trashed := range []bool{false, true} {
				q := task.Query{ProjectID: f.p.ID, Sort: task.Sort{Field: field, Descending: descending}, Trashed: trashed, Limit: 7}
				same(t, fmt.Sprintf("list by %+v", q.Sort), f.all(t, q), naive(all, q))
			}
		}
	}
}

// naive is the answer a list should give, ids only.
func naive(all []*task.Task, q task.Query) []uuid.UUID {
	var left []*task.Task
	for _, t := range all {
		if (t.Trashed != nil) == q.Trashed && !slices.ContainsFunc(q.Where, func(c task.Condition) bool { return holds(c, t) == c.Not }) {
			left = append(left, t)
		}
	}
	slices.SortFunc(left, less(q.Sort))
	var ids []uuid.UUID
	for _, t := range left {
		ids = append(ids, t.ID)
	}
	return ids
}

// holds is the naive meaning of the conditions the property test draws.
func holds(c task.Condition, t *task.Task) bool {
	anyOf := func(have []uuid.UUID) bool {
		return c.None && len(have) == 0 || slices.ContainsFunc(c.IDs, func(id uuid.UUID) bool { return slices.Contains(have, id) })
	}
	switch c.Field {
	case filter.State:
		return slices.Contains(c.IDs, t.StateID)
	case filter.Assignee:
		return anyOf(t.Assignees)
	case filter.Label:
		return anyOf(t.Labels)
	case filter.Priority:
		return compares(c.Op, float64(t.Priority), c.Numbers)
	case filter.Estimate:
		return t.Estimate == nil && c.None || t.Estimate != nil && compares(c.Op, *t.Estimate, c.Numbers)
	case filter.Due:
		return t.Due == "" && c.None || t.Due != "" && compares(c.Op, t.Due, c.Dates)
	case filter.Start:
		return t.Start == "" && c.None || t.Start != "" && compares(c.Op, t.Start, c.Dates)
	case filter.Text:
		words := strings.FieldsFunc(query.TitleKey(t.Title), func(r rune) bool { return r == ' ' })
		for _, w := range c.Words {
			if !slices.ContainsFunc(words, func(have string) bool { return strings.HasPrefix(have, w) }) {
				return false
			}
		}
		return true
	}
	panic("storetest: the property test draws no condition on " + c.Field)
}

func compares[T cmp.Ordered](op filter.Op, v T, with []T) bool {
	if op == filter.Is || op == "" {
		return slices.Contains(with, v)
	}
	if len(with) == 0 {
		return false
	}
	switch op {
	case filter.Less:
		return v < with[0]
	case filter.AtMost:
		return v <= with[0]
	case filter.Greater:
		return v > with[0]
	}
	return v >= with[0]
}

func listProperty(f *fixture) {
	t := f.t
	all := f.population(t, 50)
	ops := []filter.Op{filter.Is, filter.Less, filter.AtMost, filter.Greater, filter.AtLeast}
	dates := []task.Date{"2025-12-31", "2026-01-01", "2026-01-02", "2026-06-30"}
	var states []uuid.UUID
	for _, s := range f.p.States {
		states = append(states, s.ID)
	}
	some := func(rt *rapid.T, label string, from []uuid.UUID) []uuid.UUID {
		return rapid.SliceOfNDistinct(rapid.SampledFrom(from), 0, 2, rapid.ID).Draw(rt, label)
	}
	condition := rapid.Custom(func(rt *rapid.T) task.Condition {
		c := task.Condition{Not: rapid.Bool().Draw(rt, "not"), Op: filter.Is}
		c.Field = rapid.SampledFrom([]string{filter.State, filter.Assignee, filter.Label, filter.Priority, filter.Estimate, filter.Due,
			filter.Start, filter.Text}).Draw(rt, "field")
		switch c.Field {
		case filter.State:
			c.IDs = some(rt, "states", states)
		case filter.Assignee:
			c.IDs, c.None = some(rt, "people", []uuid.UUID{f.actor, uuid.New()}), rapid.Bool().Draw(rt, "none")
		case filter.Label:
			c.IDs, c.None = some(rt, "labels", []uuid.UUID{f.p.Labels[0].ID, f.p.Labels[1].ID}), rapid.Bool().Draw(rt, "none")
		case filter.Priority:
			c.Op = rapid.SampledFrom(ops).Draw(rt, "op")
			c.Numbers = []float64{float64(rapid.IntRange(0, 4).Draw(rt, "priority"))}
		case filter.Estimate:
			c.Op, c.None = rapid.SampledFrom(ops).Draw(rt, "op"), rapid.Bool().Draw(rt, "none")
			c.Numbers = []float64{float64(rapid.IntRange(0, 6).Draw(rt, "halves")) / 2}
		case filter.Due, filter.Start:
			c.Op, c.None = rapid.SampledFrom(ops).Draw(rt, "op"), rapid.Bool().Draw(rt, "none")
			c.Dates = []task.Date{rapid.SampledFrom(dates).Draw(rt, "date")}
		case filter.Text:
			c.Words = rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"al", "alpha", "b", "gamma", "ra", "de", "1", "10", "zoe", "nothing"}), 1, 2, rapid.ID).Draw(rt, "words")
		}
		return c
	})
	rapid.Check(t, func(rt *rapid.T) {
		q := task.Query{
			ProjectID: f.p.ID,
			Where:     rapid.SliceOfN(condition, 0, 3).Draw(rt, "where"),
			Trashed:   rapid.IntRange(0, 4).Draw(rt, "trash") == 0,
			Sort:      task.Sort{Field: rapid.SampledFrom(sortFields).Draw(rt, "sort"), Descending: rapid.Bool().Draw(rt, "descending")},
			Limit:     rapid.IntRange(1, 20).Draw(rt, "limit"),
		}
		got, want := f.page(rt, q), naive(all, q)
		if !slices.Equal(got, want) {
			rt.Fatalf("%s\n got %v\nwant %v", fmt.Sprintf("%+v", q), got, want)
		}
	})
}

// page is all for rapid.
func (f *fixture) page(t *rapid.T, q task.Query) []uuid.UUID {
	var ids []uuid.UUID
	for {
		page, err := f.ListTasks(f.ctx, q)
		if err != nil {
			t.Fatalf("list: %v", err)
		}
		for _, x := range page.Tasks {
			ids = append(ids, x.ID)
		}
		if page.Next == nil {
			return ids
		}
		q.After = page.Next
	}
}

// manyProjects lists tasks of several projects as one list.
func manyProjects(f *fixture) {
	t := f.t
	all := f.population(t, 20)
	projects := []uuid.UUID{f.p.ID}
	first := f.p
	for range 2 {
		f.p = f.project(t, newKey())
		projects = append(projects, f.p.ID)
		all = append(all, f.population(t, 15)...)
	}
	f.p = first
	for _, field := range sortFields {
		for _, descending := range []bool{false, true} {
			q := task.Query{Projects: projects, Sort: task.Sort{Field: field, Descending: descending}, Limit: 6}
			same(t, fmt.Sprintf("list of projects by %+v", q.Sort), f.all(t, q), naive(all, q))
		}
	}
	one := task.Query{Projects: projects[:1], Sort: task.Sort{Field: "number"}, Limit: 6}
	same(t, "list of one project among many", f.all(t, one), naive(all[:20], one))
}
