package httpapi

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/access"
	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/httpapi/wire"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

func TestQueryParametersAreChecked(t *testing.T) {
	t.Parallel()
	h := serve(t, Deps{Projects: newFakeProjects(t)})
	for _, c := range []struct{ target, name, says string }{
		{"/api/v1/projects/WEB/tasks?fliter=x", "fliter", "cursor, filter, include"},
		{"/api/v1/projects/WEB/tasks?limit=0", "limit", "from 1 to 200"},
		{"/api/v1/projects/WEB/tasks?limit=201", "limit", "from 1 to 200"},
		{"/api/v1/projects/WEB/tasks?limit=+5", "limit", "whole number"},
		{"/api/v1/projects/WEB/tasks?limit=ten", "limit", "whole number"},
		{"/api/v1/projects/WEB/tasks?limit=99999999999999999999", "limit", "whole number"},
		{"/api/v1/projects/WEB/tasks?sort=colour", "sort", "one of rank, created"},
		{"/api/v1/projects/WEB/tasks?trashed=yes", "trashed", "true or false"},
		{"/api/v1/projects/WEB/tasks?include=all", "include", "one of progress"},
		{"/api/v1/projects/WEB/tasks?filter=a&filter=b", "filter", "only once"},
		{"/api/v1/projects/WEB/tasks?filter=%FF", "filter", "UTF-8"},
		{"/api/v1/projects/WEB/tasks?filter=" + strings.Repeat("x", 2001), "filter", "2000"},
		{"/api/v1/projects/WEB/tasks?cursor=!!", "cursor", "not a cursor"},
		{"/api/v1/projects/WEB/tasks?tz=Mars/Olympus", "tz", "time zone"},
		{"/api/v1/projects/WEB/tasks?tz=Local", "tz", "time zone"},
		{"/api/v1/projects/WEB/board?at=yesterday", "at", "2026-03-01T09:00:00Z"},
		{"/api/v1/projects/WEB/board?at=2026-03-01T09:00:00Z&filter=is:open", "filter", "combined"},
		{"/api/v1/projects/WEB/history?after=-1", "after", "at least 0"},
		{"/api/v1/tasks/WEB-1?verbose=1", "verbose", "takes none"},
		{"/api/v1/projects?archived=1", "archived", "true or false"},
	} {
		p := h.Do("GET", c.target, "").Problem(t, 400)
		if len(p.Errors) != 1 || p.Errors[0].Name != c.name || !strings.Contains(p.Errors[0].Message, c.says) {
			t.Errorf("%s: %+v, want %s to say %q", c.target, p, c.name, c.says)
		}
	}
	h.Do("GET", "/api/v1/projects/WEB/tasks?filter=%zz", "").Problem(t, 400)
	if log := h.log.String(); strings.Contains(log, `"level":"ERROR"`) || strings.Contains(log, `"level":"WARN"`) {
		t.Errorf("bad input was logged as if it were our fault:\n%s", log)
	}
}

func TestTaskIsEncodedByTheDescription(t *testing.T) {
	t.Parallel()
	projects := newFakeProjects(t)
	sample := sampleTask(t, projects.one)
	h := serve(t, Deps{Projects: projects, Tasks: &fakeTasks{
		get: func(task.Ref) (*task.Task, error) { return sample, nil },
		list: func(in task.ListInput) (task.Page, error) {
			return task.Page{Tasks: []*task.Task{sample, sample}, Next: &task.Cursor{Sort: sortOf(in.Sort), Value: "a1", ID: sample.ID}}, nil
		},
	}})
	a := h.Do("GET", "/api/v1/tasks/WEB-42", "")
	if a.Status != 200 || a.Header.Get("ETag") != `"7"` {
		t.Fatalf("answer %d %v", a.Status, a.Header)
	}
	var got wire.Task
	a.JSON(t, &got)
	if got.Title != sample.Title || got.Description != sample.Description || got.Key != "WEB-42" || got.Id != sample.ID.String() ||
		got.Due.MustGet() != "2026-12-01" || got.Estimate.MustGet() != 2.5 || !got.Parent.IsNull() || got.Created != "2026-11-02T08:15:00.123456Z" {
		t.Errorf("task %+v", got)
	}
	if a := h.Do("GET", "/api/v1/tasks/WEB-42", "", `If-None-Match: W/"6", "7"`); a.Status != 304 || len(a.Body) != 0 {
		t.Errorf("If-None-Match with the present version: %d %s", a.Status, a.Body)
	}
	if a := h.Do("GET", "/api/v1/tasks/WEB-42", "", `If-None-Match: "6"`); a.Status != 200 {
		t.Errorf("If-None-Match with an old version: %d", a.Status)
	}
	var page wire.TaskPage
	h.Do("GET", "/api/v1/projects/WEB/tasks?sort=-title&limit=2", "").JSON(t, &page)
	if len(page.Tasks) != 2 || page.Pos != 7 {
		t.Fatalf("page %+v", page)
	}
	if a := h.Do("GET", "/api/v1/projects/WEB/tasks?sort=-title&limit=2&cursor="+page.Next.MustGet(), ""); a.Status != 200 {
		t.Errorf("the cursor of a page is refused: %s", a.Body)
	}
	h.Do("GET", "/api/v1/projects/WEB/tasks?sort=title&cursor="+page.Next.MustGet(), "").Problem(t, 400)
}

func TestWritesCarryVersionAndIdempotencyKey(t *testing.T) {
	t.Parallel()
	projects := newFakeProjects(t)
	sample := sampleTask(t, projects.one)
	var last task.Write
	var patch task.Patch
	var made task.New
	h := serve(t, Deps{Projects: projects, Tasks: &fakeTasks{
		create: func(w task.Write, in task.New) (*task.Task, bool, error) {
			last, made = w, in
			return sample, w.Key == "again", nil
		},
		change: func(w task.Write, ch task.Patch) (*task.Task, bool, error) {
			last, patch = w, ch
			if w.IfVersion == 6 {
				return nil, false, apperr.New(apperr.Stale, "Somebody changed this task first.").WithCurrent(sample)
			}
			return sample, false, nil
		},
		quick: func(text string) (task.QuickPreview, error) {
			return task.QuickPreview{New: task.New{Title: text, Priority: task.Urgent}}, nil
		},
	}})
	a := h.Do("POST", "/api/v1/projects/WEB/tasks", `{"title":"x","due":"2026-12-01","estimate":null}`, "Idempotency-Key: one")
	if a.Status != 201 || a.Header.Get("Location") != "/api/v1/tasks/WEB-42" || a.Header.Get(headerReplayed) != "" {
		t.Errorf("create: %d %v", a.Status, a.Header)
	}
	first := last
	if first.Actor != access.OwnerID || first.Key != "one" || first.RequestHash == [32]byte{} || made.Due != "2026-12-01" {
		t.Errorf("write %+v, new %+v", first, made)
	}
	h.Do("POST", "/api/v1/projects/WEB/tasks", `{"title":"y"}`, "Idempotency-Key: one")
	if last.RequestHash == first.RequestHash {
		t.Error("another body has the same request hash")
	}
	if a := h.Do("POST", "/api/v1/projects/WEB/tasks", `{"title":"x"}`, "Idempotency-Key: again"); a.Header.Get(headerReplayed) != "true" {
		t.Error("a replayed answer is not marked")
	}
	h.Do("POST", "/api/v1/projects/WEB/tasks", `{"title":"x"}`, "Idempotency-Key: with space").Problem(t, 400)
	h.Do("POST", "/api/v1/projects/WEB/tasks", `{"quick":"Fix !1","priority":3,"state":"`+sample.StateID.String()+`"}`)
	if made.Title != "Fix !1" || made.Priority != task.Urgent || made.State != sample.StateID {
		t.Errorf("quick-add beside fields: %+v", made)
	}
	h.Do("PATCH", "/api/v1/tasks/WEB-42", `{"title":"x"}`).Problem(t, 428)
	h.Do("PATCH", "/api/v1/tasks/WEB-42", `{"title":"x"}`, "If-Match: 7").Problem(t, 400)
	h.Do("PATCH", "/api/v1/tasks/WEB-42", `{"title":"x"}`, `If-Match: "7", "8"`).Problem(t, 400)
	h.Do("PATCH", "/api/v1/tasks/WEB-42", `{}`, `If-Match: "7"`).Problem(t, 400)
	p := h.Do("PATCH", "/api/v1/tasks/WEB-42", `{"title":"x"}`, `If-Match: "6"`).Problem(t, 412)
	current, err := json.Marshal(p.Current)
	if err != nil || !strings.Contains(string(current), `"key":"WEB-42"`) {
		t.Errorf("412 shows %s as current", current)
	}
	a = h.Do("PATCH", "/api/v1/tasks/WEB-42", `{"due":null,"parent":null,"estimate":null,"labels":[]}`, "If-Match: *")
	if a.Status != 200 || last.IfVersion != 0 || patch.Due == nil || *patch.Due != "" || patch.Parent == nil || *patch.Parent != uuid.Nil ||
		patch.Estimate == nil || *patch.Estimate != nil || patch.Labels == nil || patch.Start != nil || patch.Title != nil {
		t.Errorf("clearing: %d %+v", a.Status, patch)
	}
}

func TestBadBodiesAreNamedPrecisely(t *testing.T) {
	t.Parallel()
	h := serve(t, Deps{Projects: newFakeProjects(t)})
	tasks := "/api/v1/projects/WEB/tasks"
	id := mustID(t).String()
	for _, c := range []struct{ method, target, body, name string }{
		{"POST", tasks, `{"title":"x","colour":1}`, "colour"},
		{"POST", tasks, `{"title":7}`, "title"},
		{"POST", tasks, `{"title":"x","priority":"high"}`, "priority"},
		{"POST", tasks, `{"title":"x","assignees":["me"]}`, "assignees[0]"},
		{"POST", tasks, `{"title":"x","due":"2026-02-30"}`, "due"},
		{"POST", tasks, `{"title":"x","due":"tomorrow"}`, "due"},
		{"POST", tasks, `{"title":"x","state":"` + id[:35] + `"}`, "state"},
		{"POST", tasks, `{"title":"x","state":"{` + id[:34] + `}"}`, "state"},
		{"POST", tasks, `{"title":"x","top":true,"after":"` + id + `"}`, "after"},
		{"POST", tasks, `{"title":"x","quick":"y"}`, "title"},
		{"POST", tasks, `{}`, "title"},
		{"POST", tasks, `[]`, "body"},
		{"POST", tasks, ``, "body"},
		{"POST", tasks, `{"title":"x"} {}`, "body"},
		{"POST", tasks, "{\"title\":\"\xff\"}", "body"},
		{"POST", tasks + "/bulk", `{"tasks":["WEB-1"],"filter":"is:open","trash":true}`, "tasks"},
		{"POST", tasks + "/bulk", `{"tasks":["nonsense"],"trash":true}`, "tasks[0]"},
		{"POST", tasks + "/bulk", `{"tasks":[],"trash":true}`, "tasks"},
		{"POST", tasks + "/bulk", `{"tasks":["WEB-1"],"trash":true,"restore":true}`, "change"},
		{"POST", tasks + "/bulk", `{"tasks":["WEB-1"],"change":{}}`, "change"},
		{"POST", tasks + "/bulk", `{"tasks":["WEB-1"],"change":{"addLabels":["x"]}}`, "change.addLabels[0]"},
		{"PUT", "/api/v1/projects/WEB/members/" + id, `{"role":"king"}`, "role"},
		{"PUT", "/api/v1/projects/WEB/members/me", `{"role":"owner"}`, "person"},
		{"POST", "/api/v1/projects/WEB/states", `{"name":"x","category":"later"}`, "category"},
		{"POST", "/api/v1/projects", `{"key":"WEB","name":"x","states":[{"name":"a","category":"b"}]}`, "states[0].category"},
		{"POST", "/api/v1/projects", `{"key":"WEB","name":"x","members":[{"person":"` + id + `","role":"x"}]}`, "members[0].role"},
		{"POST", "/api/v1/people", `{"handle":"Ada!","name":"Ada"}`, "handle"},
		{"POST", "/api/v1/projects/WEB/views", `{"name":"x","layout":"spiral"}`, "layout"},
		{"PUT", "/api/v1/tasks/WEB-1/relations/hates/WEB-2", ``, "kind"},
	} {
		p := h.Do(c.method, c.target, c.body, "Content-Type: application/json").Problem(t, 400)
		if len(p.Errors) != 1 || p.Errors[0].Name != c.name {
			t.Errorf("%s %s %s: %+v, want an error about %s", c.method, c.target, c.body, p, c.name)
		}
	}
	h.Do("POST", tasks, `{"title":"x"}`, "Content-Type: text/plain").Problem(t, 415)
	h.Do("POST", tasks, `{"title":"x"}`, "Content-Encoding: gzip").Problem(t, 415)
	h.Do("GET", "/api/v1/projects/NOPE/tasks", "").Problem(t, 404)
	h.Do("GET", "/api/v1/nothing", "").Problem(t, 404)
	h.Do("POST", "/api/v1/nothing", "").Problem(t, 404)
	h.Do("GET", "/api/v1/tasks/nonsense", "").Problem(t, 404)
	if a := h.Do("PUT", tasks, ""); a.Problem(t, 405).Code != "method-not-allowed" || !strings.Contains(a.Header.Get("Allow"), "POST") {
		t.Errorf("405 without Allow: %v", a.Header)
	}
	if log := h.log.String(); strings.Contains(log, `"level":"ERROR"`) {
		t.Errorf("bad input was logged at error level:\n%s", log)
	}
}

func TestOtherSitesCannotChangeAnything(t *testing.T) {
	t.Parallel()
	projects := newFakeProjects(t)
	sample := sampleTask(t, projects.one)
	h := serve(t, Deps{
		Config: Config{AllowedOrigins: []string{"https://friend.test"}, AllowedHosts: []string{"board.test"}}, Projects: projects,
		Tasks: &fakeTasks{create: func(task.Write, task.New) (*task.Task, bool, error) { return sample, false, nil }},
	})
	for headers, want := range map[string]int{
		"X-Plain: client":              201,
		"Sec-Fetch-Site: same-origin":  201,
		"Sec-Fetch-Site: none":         201,
		"Sec-Fetch-Site: cross-site":   403,
		"Sec-Fetch-Site: same-site":    403,
		"Origin: http://board.test":    201,
		"Origin: http://evil.test":     403,
		"Origin: null":                 403,
		"Origin: https://friend.test":  201,
		"Origin: http://board.test:81": 403,
	} {
		a := h.Do("POST", "/api/v1/projects/WEB/tasks", `{"title":"x"}`, strings.Split(headers, "\n")...)
		if a.Status != want {
			t.Errorf("%q: %d, want %d", headers, a.Status, want)
		}
	}
	req := h.Request("GET", "/api/v1/me", http.NoBody)
	req.Host = "evil.test"
	h.Send(req, nil).Problem(t, 403)
}
