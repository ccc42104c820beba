package storetest

import (
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/filter"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// find returns the ids of the project's tasks that conditions leave, by rank.
func (f *fixture) find(t testing.TB, where ...task.Condition) []uuid.UUID {
	t.Helper()
	return f.all(t, task.Query{ProjectID: f.p.ID, Where: where})
}

// all walks every page of a list and returns the ids; it checks each page's shape and that the count agrees.
func (f *fixture) all(t testing.TB, q task.Query) []uuid.UUID {
	t.Helper()
	if q.Limit == 0 {
		q.Limit = 3
	}
	var ids []uuid.UUID
	for {
		page, err := f.ListTasks(f.ctx, q)
		ok(t, "list", err)
		for _, x := range page.Tasks {
			ids = append(ids, x.ID)
			if x.ProjectKey == "" {
				t.Fatal("a listed task lacks its project's key")
			}
		}
		if page.Next == nil {
			break
		}
		if len(page.Tasks) != q.Limit {
			t.Fatalf("a page with a next one has %d tasks, limit %d", len(page.Tasks), q.Limit)
		}
		q.After = page.Next
	}
	n, err := f.CountTasks(f.ctx, q)
	ok(t, "count", err)
	same(t, "count", int(n), len(ids))
	return ids
}

func filters(f *fixture) {
	t := f.t
	bug, ui := f.p.Labels[0].ID, f.p.Labels[1].ID
	anna, ben := uuid.New(), uuid.New()
	todo, doing, done := f.state(project.Todo), f.state(project.Doing), f.state(project.Done)
	a := f.add(t, task.New{Title: "a", State: todo, Assignees: []uuid.UUID{anna}, Labels: []uuid.UUID{bug}, Due: "2026-03-01", Priority: task.Urgent, Estimate: new(1.5)})
	b := f.add(t, task.New{Title: "b", State: doing, Assignees: []uuid.UUID{anna, ben}, Labels: []uuid.UUID{bug, ui}, Due: "2026-03-02", Start: "2026-02-01", Priority: task.Low, Estimate: new(3.0)})
	c := f.add(t, task.New{Title: "c", State: done, Due: "2026-02-01", Recurrence: "FREQ=DAILY"})
	d, err := f.under(f.ctx, a.ID, "d")
	ok(t, "create subtask", err)
	ok(t, "relate", f.relate(f.ctx, "blocks", a.ID, b.ID))
	ok(t, "relate", f.relate(f.ctx, "blocks", c.ID, d.ID)) // done: does not count
	ids := func(ts ...*task.Task) []uuid.UUID {
		var out []uuid.UUID
		for _, x := range ts {
			out = append(out, x.ID)
		}
		return out
	}
	cases := map[string]struct {
		c    task.Condition
		want []uuid.UUID
	}{
		"state":            {task.Condition{Field: filter.State, IDs: []uuid.UUID{todo, done}}, ids(a, c)},
		"no state":         {task.Condition{Field: filter.State}, nil},
		"assignee":         {task.Condition{Field: filter.Assignee, IDs: []uuid.UUID{ben}}, ids(b)},
		"assignees":        {task.Condition{Field: filter.Assignee, IDs: []uuid.UUID{ben, anna}}, ids(a, b)},
		"assignee or none": {task.Condition{Field: filter.Assignee, IDs: []uuid.UUID{ben}, None: true}, ids(b, c, d)},
		"assignee none":    {task.Condition{Field: filter.Assignee, None: true}, ids(c, d)},
		"label":            {task.Condition{Field: filter.Label, IDs: []uuid.UUID{ui}}, ids(b)},
		"label none":       {task.Condition{Field: filter.Label, None: true}, ids(c, d)},
		"priority":         {task.Condition{Field: filter.Priority, Numbers: []float64{1, 0}}, ids(a, c, d)},
		"priority <":       {task.Condition{Field: filter.Priority, Op: filter.Less, Numbers: []float64{4}}, ids(a, c, d)},
		"estimate":         {task.Condition{Field: filter.Estimate, Numbers: []float64{1.5}}, ids(a)},
		"estimate >":       {task.Condition{Field: filter.Estimate, Op: filter.Greater, Numbers: []float64{1.5}}, ids(b)},
		"estimate none":    {task.Condition{Field: filter.Estimate, None: true}, ids(c, d)},
		"due":              {task.Condition{Field: filter.Due, Op: filter.Is, Dates: []task.Date{"2026-03-01", "2026-02-01"}}, ids(a, c)},
		"due <=":           {task.Condition{Field: filter.Due, Op: filter.AtMost, Dates: []task.Date{"2026-03-01"}}, ids(a, c)},
		"due >= or none":   {task.Condition{Field: filter.Due, Op: filter.AtLeast, Dates: []task.Date{"2026-03-02"}, None: true}, ids(b, d)},
		"start none":       {task.Condition{Field: filter.Start, None: true}, ids(a, c, d)},
		"created":          {task.Condition{Field: filter.Created, From: b.Created, Until: c.Created}, ids(b)},
		"updated":          {task.Condition{Field: filter.Updated, From: c.Created}, ids(c, d)},
		"completed":        {task.Condition{Field: filter.Completed, Until: c.Created.AddDate(1, 0, 0)}, ids(c)},
		"completed none":   {task.Condition{Field: filter.Completed, None: true}, ids(a, b, d)},
		"parent":           {task.Condition{Field: filter.Parent, IDs: []uuid.UUID{a.ID}}, ids(d)},
		"parent none":      {task.Condition{Field: filter.Parent, None: true}, ids(a, b, c)},
		"creator":          {task.Condition{Field: filter.Creator, IDs: []uuid.UUID{f.actor}}, ids(a, b, c, d)},
		"open":             {task.Condition{Field: filter.Is_, Flag: "open"}, ids(a, b, d)},
		"done":             {task.Condition{Field: filter.Is_, Flag: "done"}, ids(c)},
		"overdue":          {task.Condition{Field: filter.Is_, Flag: "overdue", Today: "2026-03-02"}, ids(a)},
		"blocked":          {task.Condition{Field: filter.Is_, Flag: "blocked"}, ids(b)},
		"blocking":         {task.Condition{Field: filter.Is_, Flag: "blocking"}, ids(a)},
		"subtask":          {task.Condition{Field: filter.Is_, Flag: "subtask"}, ids(d)},
		"recurring":        {task.Condition{Field: filter.Is_, Flag: "recurring"}, ids(c)},
		"unassigned":       {task.Condition{Field: filter.Is_, Flag: "unassigned"}, ids(c, d)},
	}
	for name, x := range cases {
		same(t, name, f.find(t, x.c), x.want)
		x.c.Not = true
		var rest []uuid.UUID
		for _, id := range ids(a, b, c, d) {
			if !slices.Contains(x.want, id) {
				rest = append(rest, id)
			}
		}
		same(t, "not "+name, f.find(t, x.c), rest)
	}
	same(t, "two conditions", f.find(t, cases["assignees"].c, cases["label"].c), ids(b))
	_, err = f.ListTasks(f.ctx, task.Query{ProjectID: f.p.ID, Where: []task.Condition{{Field: "colour"}}})
	wantCode(t, "an unknown field", err, apperr.Invalid)
	f.trash(t, b.ID)
	same(t, "without the trash", f.find(t), ids(a, c, d))
	same(t, "the trash", f.all(t, task.Query{ProjectID: f.p.ID, Trashed: true}), ids(b))
	same(t, "blocked by nobody outside the trash", f.find(t, cases["blocking"].c), []uuid.UUID(nil))
}

func search(f *fixture) {
	t := f.t
	login := f.add(t, task.New{Title: "Fix the LOGIN-page", Description: "The user can't sign in; see https://example.com/login.html?x=1 and a_b"})
	cafe := f.add(t, task.New{Title: "Café über alles", Description: "C3PO is what it was. 'Quoted' (100%) e-mail: joe@example.com"})
	elsewhere := f.addIn(t, f.project(t, newKey()).Key, task.New{Title: "login elsewhere"})
	for text, want := range map[string][]uuid.UUID{
		"login": {login.ID}, "log": {login.ID}, "LOGIN page": {login.ID}, "page login": {login.ID}, "login-page": {login.ID},
		"ogin": nil, "login cafe": nil, "cafe": {cafe.ID}, "CAFÉ": {cafe.ID}, "ube": {cafe.ID}, "t": {login.ID},
		"the": {login.ID}, "what": {cafe.ID}, "wha": {cafe.ID}, "is it": {cafe.ID}, "c3": {cafe.ID}, "100": {cafe.ID}, "100%": {cafe.ID},
		"example": {login.ID, cafe.ID}, "com": {login.ID, cafe.ID}, "html": {login.ID}, "b": {login.ID}, "a": {login.ID, cafe.ID},
		`"quoted"`: {cafe.ID}, "quo'": {cafe.ID}, "+login -page": {login.ID}, "login*": {login.ID}, "log & in | x": {login.ID}, "log & in | y": nil,
		"***": {login.ID, cafe.ID}, "joe@example.com": {cafe.ID}, "elsewhere": nil, `\`: {login.ID, cafe.ID}, "(login": {login.ID}, "login:*": {login.ID},
	} {
		same(t, "search for "+text, f.find(t, task.Condition{Field: filter.Text, Words: []string{text}}), want)
	}
	same(t, "not", f.find(t, task.Condition{Field: filter.Text, Words: []string{"login"}, Not: true}), []uuid.UUID{cafe.ID})
	both := f.all(t, task.Query{Projects: []uuid.UUID{f.p.ID, elsewhere.ProjectID}, Where: []task.Condition{{Field: filter.Text, Words: []string{"login"}}}})
	same(t, "search in two projects", len(both), 2)
}

func badCursors(f *fixture) {
	t := f.t
	f.add(t, task.New{Title: "x"})
	for _, c := range []task.Cursor{
		{Sort: task.Sort{Field: "created"}, Value: "yesterday"},
		{Sort: task.Sort{Field: "created"}, Value: ""},
		{Sort: task.Sort{Field: "due"}, Value: "2026-13-01"},
		{Sort: task.Sort{Field: "number"}, Value: "x'"},
		{Sort: task.Sort{Field: "priority"}, Value: "99999999999"},
		{Sort: task.Sort{Field: "rank"}, Value: "ä"},
		{Sort: task.Sort{Field: "title"}, Value: "UPPER"},
		{Sort: task.Sort{Field: "colour"}, Value: "x"},
	} {
		_, err := f.ListTasks(f.ctx, task.Query{ProjectID: f.p.ID, Sort: c.Sort, After: &c})
		wantCode(t, asJSON(t, c), err, apperr.Invalid)
	}
	_, err := f.ListTasks(f.ctx, task.Query{ProjectID: f.p.ID, Sort: task.Sort{Field: "due"}, After: &task.Cursor{Sort: task.Sort{Field: "start"}}})
	wantCode(t, "a cursor of another order", err, apperr.Invalid)
	page, err := f.ListTasks(f.ctx, task.Query{})
	ok(t, "a list of no project", err)
	same(t, "a list of no project", len(page.Tasks), 0)
}
