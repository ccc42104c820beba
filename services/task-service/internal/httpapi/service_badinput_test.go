package httpapi_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/task-service/internal/httpapi/wire"
)

// Every bad input gets a precise problem, changes nothing and is nobody's fault but the caller's.
func TestBadInput(t *testing.T) {
	t.Parallel()
	s := startService(t)
	p := s.project("BAD")
	first, second := s.task("BAD", "first"), s.task("BAD", "second")
	want[struct{}](s, 204, "PUT", "/api/v1/tasks/BAD-1/relations/blocks/BAD-2", "")
	want[wire.Task](s, 200, "PATCH", "/api/v1/tasks/BAD-2", `{"parent":"`+first.Id+`"}`, "If-Match: *")
	other := s.project("ELSE")
	foreign := s.task("ELSE", "elsewhere")
	unknown := uuid.NewString()
	before := state(s)

	tasks, one := "/api/v1/projects/BAD/tasks", "/api/v1/tasks/BAD-1"
	long := func(n int) string { return strings.Repeat("é", n) }
	ids := func(n int) string {
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprintf("%q", uuid.NewString())
		}
		return "[" + strings.Join(list, ",") + "]"
	}
	at := func(n int) *int { return &n }
	for _, c := range []struct {
		name           string
		method, target string
		body           string
		status         int
		field          string
		position       *int
	}{
		{"empty title", "POST", tasks, `{"title":"  "}`, 400, "title", nil},
		{"long title", "POST", tasks, `{"title":"` + long(501) + `"}`, 400, "title", nil},
		{"control characters in a title", "POST", tasks, `{"title":"a\u0007b"}`, 400, "title", nil},
		{"U+0000", "POST", tasks, `{"title":"a\u0000b"}`, 400, "body", nil},
		{"lone surrogate", "POST", tasks, `{"title":"a\ud800b"}`, 400, "body", nil},
		{"long description", "POST", tasks, `{"title":"x","description":"` + long(65_537) + `"}`, 400, "description", nil},
		{"priority out of range", "POST", tasks, `{"title":"x","priority":5}`, 400, "priority", nil},
		{"negative priority", "POST", tasks, `{"title":"x","priority":-1}`, 400, "priority", nil},
		{"fractional priority", "POST", tasks, `{"title":"x","priority":1.5}`, 400, "priority", nil},
		{"estimate too large", "POST", tasks, `{"title":"x","estimate":10001}`, 400, "estimate", nil},
		{"negative estimate", "POST", tasks, `{"title":"x","estimate":-1}`, 400, "estimate", nil},
		{"endless estimate", "POST", tasks, `{"title":"x","estimate":1e999}`, 400, "estimate", nil},
		{"unknown state", "POST", tasks, `{"title":"x","state":"` + unknown + `"}`, 400, "state", nil},
		{"state of another project", "POST", tasks, `{"title":"x","state":"` + other.States[0].Id + `"}`, 400, "state", nil},
		{"unknown assignee", "POST", tasks, `{"title":"x","assignees":["` + unknown + `"]}`, 400, "assignees", nil},
		{"unknown label", "POST", tasks, `{"title":"x","labels":["` + unknown + `"]}`, 400, "labels", nil},
		{"too many assignees", "POST", tasks, `{"title":"x","assignees":` + ids(21) + `}`, 400, "assignees", nil},
		{"too many labels", "POST", tasks, `{"title":"x","labels":` + ids(51) + `}`, 400, "labels", nil},
		{"unknown parent", "POST", tasks, `{"title":"x","parent":"` + unknown + `"}`, 0, "parent", nil},
		{"parent of another project", "POST", tasks, `{"title":"x","parent":"` + foreign.Id + `"}`, 0, "parent", nil},
		{"bad recurrence", "POST", tasks, `{"title":"x","due":"2026-12-01","recurrence":"FREQ=SOMETIMES"}`, 400, "recurrence", nil},
		{"start after due", "POST", tasks, `{"title":"x","start":"2026-12-02","due":"2026-12-01"}`, 0, "", nil},
		{"unknown neighbour", "POST", tasks, `{"title":"x","after":"` + unknown + `"}`, 0, "", nil},
		{"empty quick-add", "POST", tasks, `{"quick":" !1 "}`, 400, "", nil},
		{"unknown member", "POST", tasks, `{"title":"x","colour":"red"}`, 400, "colour", nil},
		{"member twice", "POST", tasks, `{"title":"x","title":"y"}`, 400, "title", nil},
		{"text after the value", "POST", tasks, `{"title":"x"}x`, 400, "body", nil},
		{"no JSON", "POST", tasks, `title=x`, 400, "body", at(1)},
		{"invalid UTF-8", "POST", tasks, "{\"title\":\"\xc3(\"}", 400, "body", at(10)},
		{"body too large", "POST", tasks, `{"title":"` + strings.Repeat("x", 1<<20) + `"}`, 413, "", nil},
		{"unknown filter field", "GET", tasks + "?filter=is:open+colour:red", "", 400, "filter", at(8)},
		{"unknown filter value", "GET", tasks + "?filter=state:nowhere", "", 400, "filter", nil},
		{"unclosed quote", "GET", tasks + `?filter=a+%22b`, "", 400, "filter", at(2)},
		{"bad filter in a bulk edit", "POST", tasks + "/bulk", `{"filter":"due<soon","trash":true}`, 400, "filter", nil},
		{"damaged cursor", "GET", tasks + "?cursor=AAAA", "", 400, "cursor", nil},
		{"unknown task", "GET", "/api/v1/tasks/" + unknown, "", 404, "", nil},
		{"unknown number", "GET", "/api/v1/tasks/BAD-99999", "", 404, "", nil},
		{"number out of range", "GET", "/api/v1/tasks/BAD-99999999999999999999", "", 404, "", nil},
		{"unknown project", "GET", "/api/v1/projects/NOPE", "", 404, "", nil},
		{"malformed project", "GET", "/api/v1/projects/no-pe%00", "", 404, "", nil},
		{"own parent", "PATCH", one, `{"parent":"` + first.Id + `"}`, 0, "parent", nil},
		{"parent below itself", "PATCH", one, `{"parent":"` + second.Id + `"}`, 0, "", nil},
		{"null title", "PATCH", one, `{"title":null}`, 400, "title", nil},
		{"nothing to change", "PATCH", one, `{}`, 400, "body", nil},
		{"cycle of blocks", "PUT", "/api/v1/tasks/BAD-2/relations/blocks/BAD-1", "", 422, "", nil},
		{"relation with itself", "PUT", one + "/relations/relates/BAD-1", "", 0, "", nil},
		{"relation across projects", "PUT", one + "/relations/relates/ELSE-1", "", 0, "", nil},
		{"unknown relation", "DELETE", one + "/relations/duplicates/BAD-2", "", 404, "", nil},
		{"empty comment", "POST", one + "/comments", `{"body":" "}`, 400, "body", nil},
		{"long comment", "POST", one + "/comments", `{"body":"` + long(16_385) + `"}`, 400, "body", nil},
		{"unknown comment", "DELETE", one + "/comments/" + unknown, "", 404, "", nil},
		{"malformed comment id", "DELETE", one + "/comments/1", "", 400, "comment", nil},
		{"bad key", "POST", "/api/v1/projects", `{"key":"1X","name":"x"}`, 400, "key", nil},
		{"long key", "POST", "/api/v1/projects", `{"key":"ABCDEFGHIJK","name":"x"}`, 400, "key", nil},
		{"empty project name", "POST", "/api/v1/projects", `{"key":"NEW","name":""}`, 400, "name", nil},
		{"no states", "POST", "/api/v1/projects", `{"key":"NEW","name":"x","states":[]}`, 400, "states", nil},
		{"state name taken", "POST", "/api/v1/projects/BAD/states", `{"name":"` + strings.ToUpper(p.States[0].Name) + `","category":"todo"}`, 409, "", nil},
		{"WIP limit out of range", "POST", "/api/v1/projects/BAD/states", `{"name":"x","category":"todo","wipLimit":0}`, 400, "wipLimit", nil},
		{"unknown state to change", "PATCH", "/api/v1/projects/BAD/states/" + unknown, `{"name":"x"}`, 404, "", nil},
		{"bad colour", "POST", "/api/v1/projects/BAD/labels", `{"name":"x","color":"red"}`, 400, "color", nil},
		{"unknown person", "PUT", "/api/v1/projects/BAD/members/" + unknown, `{"role":"viewer"}`, 0, "", nil},
		{"bad view sort", "POST", "/api/v1/projects/BAD/views", `{"name":"x","sort":"colour"}`, 400, "sort", nil},
	} {
		headers := []string{"Idempotency-Key: bad"}
		if c.method == "PATCH" {
			headers = append(headers, "If-Match: *")
		}
		a := s.Do(c.method, c.target, c.body, headers...)
		if a.Status < 400 || a.Status >= 500 || c.status != 0 && a.Status != c.status {
			t.Errorf("%s: answer %d %.300s, want %d", c.name, a.Status, a.Body, c.status)
			continue
		}
		problem := a.Problem(t, a.Status)
		if problem.Detail == "" || problem.TraceID == "" {
			t.Errorf("%s: the problem says too little: %+v", c.name, problem)
		}
		if c.field != "" && (len(problem.Errors) == 0 || problem.Errors[0].Name != c.field && !strings.HasPrefix(problem.Errors[0].Name, c.field+"[")) {
			t.Errorf("%s: %d %+v, want an error about %s", c.name, a.Status, problem, c.field)
			continue
		}
		if c.position != nil && (problem.Errors[0].Position == nil || *problem.Errors[0].Position != *c.position) {
			t.Errorf("%s: %+v, want position %d", c.name, problem.Errors[0], *c.position)
		}
	}
	if after := state(s); after != before {
		t.Errorf("bad input has changed something:\n%s\n%s", before, after)
	}
	s.noErrorsLogged()
}

// state is everything the two projects hold, as text.
func state(s *service) string {
	var b strings.Builder
	for _, target := range []string{
		"/api/v1/projects/BAD", "/api/v1/projects/ELSE", "/api/v1/projects/BAD/tasks", "/api/v1/projects/ELSE/tasks",
		"/api/v1/tasks/BAD-1/details", "/api/v1/tasks/BAD-1/history", "/api/v1/projects/BAD/views", "/api/v1/projects?archived=true",
	} {
		a := s.Do("GET", target, "")
		body := string(a.Body)
		if i := strings.LastIndex(body, `,"pos":`); i > 0 { // positions follow a moment later
			body = body[:i]
		}
		b.WriteString(target + " " + body + "\n")
	}
	return b.String()
}
