package httpapi_test

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/tallyboard/tallyboard/services/task-service/internal/httpapi/wire"
)

func TestProjectSettings(t *testing.T) {
	t.Parallel()
	s := startService(t)
	ada, a := want[wire.Person](s, 201, "POST", "/api/v1/people", `{"handle":"ada","name":"Ada Lovelace"}`)
	want[wire.Person](s, 200, "GET", a.Header.Get("Location"), "")
	s.Do("POST", "/api/v1/people", `{"handle":"ada","name":"Another Ada"}`).Problem(t, 409)
	people, _ := want[wire.People](s, 200, "GET", "/api/v1/people", "")
	if len(people.People) < 2 {
		t.Errorf("people %+v", people)
	}
	p, a := want[wire.Project](s, 201, "POST", "/api/v1/projects",
		`{"key":"SET","name":"Settings","states":[{"name":"Open","category":"todo"},{"name":"Doing","category":"doing","wipLimit":2},{"name":"Closed","category":"done"}],
		"labels":[{"name":"bug","color":"#D73A4A"}],"members":[{"person":"`+ada.Id+`","role":"viewer"}]}`)
	if len(p.States) != 3 || p.States[1].WipLimit.MustGet() != 2 || len(p.Members) != 2 || a.Header.Get("Location") != "/api/v1/projects/SET" {
		t.Errorf("project %+v", p)
	}
	s.Do("POST", "/api/v1/projects", `{"key":"SET","name":"Again"}`).Problem(t, 409)

	s.Do("PATCH", "/api/v1/projects/SET", `{"name":"x"}`).Problem(t, 428)
	want[wire.Project](s, 200, "PATCH", "/api/v1/projects/SET", `{"name":"Better","description":"d"}`, fmt.Sprintf(`If-Match: "%d"`, p.Version))
	stale := s.Do("PATCH", "/api/v1/projects/SET", `{"name":"x"}`, `If-Match: "1"`).Problem(t, 412)
	if current, ok := stale.Current.(map[string]any); !ok || current["name"] != "Better" || current["states"] == nil {
		t.Errorf("412 shows %v", stale.Current)
	}
	p, a = want[wire.Project](s, 201, "POST", "/api/v1/projects/SET/states", `{"name":"Review","category":"doing","position":1}`)
	if p.States[1].Name != "Review" || a.Header.Get("Location") != "/api/v1/projects/SET/states/"+p.States[1].Id {
		t.Errorf("states %+v", p.States)
	}
	review := p.States[1].Id
	p, _ = want[wire.Project](s, 200, "PATCH", "/api/v1/projects/SET/states/"+review, `{"name":"In review","position":2,"wipLimit":5}`)
	if p.States[2].Name != "In review" || p.States[2].WipLimit.MustGet() != 5 {
		t.Errorf("states %+v", p.States)
	}
	p, _ = want[wire.Project](s, 200, "PATCH", "/api/v1/projects/SET/states/"+review, `{"wipLimit":null}`)
	if !p.States[2].WipLimit.IsNull() {
		t.Errorf("states %+v", p.States)
	}
	s.task("SET", "keeps its state")
	s.Do("DELETE", "/api/v1/projects/SET/states/"+p.States[0].Id, "").Problem(t, 409)
	p, _ = want[wire.Project](s, 200, "DELETE", "/api/v1/projects/SET/states/"+review, "")
	if last := p.States[len(p.States)-1]; last.Id != review || !last.Archived {
		t.Errorf("states %+v", p.States)
	}
	p, _ = want[wire.Project](s, 201, "POST", "/api/v1/projects/SET/labels", `{"name":"docs"}`)
	docs := p.Labels[1].Id
	want[wire.Project](s, 200, "PATCH", "/api/v1/projects/SET/labels/"+docs, `{"color":"#0052cc","position":0}`)
	p, _ = want[wire.Project](s, 200, "DELETE", "/api/v1/projects/SET/labels/"+docs, "")
	if len(p.Labels) != 1 {
		t.Errorf("labels %+v", p.Labels)
	}
	want[wire.Project](s, 200, "PUT", "/api/v1/projects/SET/members/"+ada.Id, `{"role":"editor"}`)
	p, _ = want[wire.Project](s, 200, "DELETE", "/api/v1/projects/SET/members/"+ada.Id, "")
	if len(p.Members) != 1 {
		t.Errorf("members %+v", p.Members)
	}
	s.Do("DELETE", "/api/v1/projects/SET/members/"+p.Members[0].Person, "").Problem(t, 422)

	view, a := want[wire.View](s, 201, "POST", "/api/v1/projects/SET/views", `{"name":"Bugs","filter":"label:bug","layout":"list","sort":"-updated","shared":true}`)
	s.Do("PUT", a.Header.Get("Location"), `{"name":"Bugs"}`).Problem(t, 428)
	view, _ = want[wire.View](s, 200, "PUT", a.Header.Get("Location"), `{"name":"All bugs","filter":"label:bug"}`, fmt.Sprintf(`If-Match: "%d"`, view.Version))
	stale = s.Do("PUT", a.Header.Get("Location"), `{"name":"x"}`, `If-Match: "1"`).Problem(t, 412)
	if current, ok := stale.Current.(map[string]any); !ok || current["name"] != "All bugs" {
		t.Errorf("412 shows %v", stale.Current)
	}
	if views, _ := want[wire.Views](s, 200, "GET", "/api/v1/projects/SET/views", ""); len(views.Views) != 1 || views.Views[0].Id != view.Id {
		t.Errorf("views %+v", views)
	}
	if p := s.Do("POST", "/api/v1/projects/SET/views", `{"name":"x","filter":"colour:red"}`).Problem(t, 400); len(p.Errors) != 1 || p.Errors[0].Name != "filter" || p.Errors[0].Position == nil {
		t.Errorf("bad filter of a view: %+v", p)
	}
	want[struct{}](s, 204, "DELETE", a.Header.Get("Location"), "")

	p, _ = want[wire.Project](s, 200, "PATCH", "/api/v1/projects/SET", `{"archived":true}`, "If-Match: *")
	if p.Archived.IsNull() {
		t.Errorf("project %+v", p)
	}
	s.Do("POST", "/api/v1/projects/SET/tasks", `{"title":"too late"}`).Problem(t, 409)
	if list, _ := want[wire.Projects](s, 200, "GET", "/api/v1/projects", ""); len(list.Projects) != 0 {
		t.Errorf("projects %+v", list)
	}
	if list, _ := want[wire.Projects](s, 200, "GET", "/api/v1/projects?archived=true", ""); len(list.Projects) != 1 {
		t.Errorf("projects %+v", list)
	}
	s.noErrorsLogged()
}

func TestImportAndExport(t *testing.T) {
	t.Parallel()
	s := startService(t)
	s.project("IMP")
	file := "id,Summary,created,finished\nA-1,First,2026-01-05,2026-01-09\nA-2,Second,2026-01-06,\nA-3,Backwards,2026-01-06,2026-01-01\n"
	send := func(query, body string, headers ...string) wire.ImportReport {
		report, _ := want[wire.ImportReport](s, 200, "POST", "/api/v1/projects/IMP/import?"+query, body, headers...)
		return report
	}
	csv := "Content-Type: text/csv"
	if r := send("format=csv&dryRun=true", file, csv); r.Tasks != 2 || r.RefusedRows != 1 || r.Refused[0].Line != 4 || !r.DryRun {
		t.Errorf("dry run: %+v", r)
	}
	if n := s.events("IMP"); n > 1 {
		t.Errorf("a dry run wrote %d events", n-1)
	}
	if r := send("format=csv&map.title=Summary", file, csv); r.Tasks != 2 || (*r.Columns)["title"] != "Summary" {
		t.Errorf("import: %+v", r)
	}
	if r := send("format=csv", file, csv); r.Tasks != 0 || r.Known != 2 {
		t.Errorf("second import: %+v", r)
	}
	a := s.Do("POST", "/api/v1/projects/IMP/import?format=csv", file, csv, "Accept: application/x-ndjson")
	if lines := strings.Split(strings.TrimSpace(string(a.Body)), "\n"); !strings.Contains(lines[len(lines)-1], `"type":"report"`) {
		t.Errorf("progress: %s", a.Body)
	}
	for query, name := range map[string]string{"format=csv&map.title=Nothing": "map.title", "format=csv&map.colour=x": "map.colour"} {
		if p := s.Do("POST", "/api/v1/projects/IMP/import?"+query, file, csv).Problem(t, 400); len(p.Errors) != 1 || p.Errors[0].Name != name {
			t.Errorf("%s: %+v", query, p)
		}
	}
	s.Do("POST", "/api/v1/projects/IMP/import?format=tallyboard", "{", "Content-Type: application/json").Problem(t, 400)
	s.Do("POST", "/api/v1/projects/IMP/import?format=csv", "\x00\xff\xfe", csv).Problem(t, 400)

	exported := s.Do("GET", "/api/v1/projects/IMP/export", "")
	if exported.Status != 200 {
		t.Fatalf("export: %d %s", exported.Status, exported.Body)
	}
	s.project("COPY")
	copied, _ := want[wire.ImportReport](s, 200, "POST", "/api/v1/projects/COPY/import?format=tallyboard", string(exported.Body), "Content-Type: application/json")
	if copied.Tasks != 2 {
		t.Errorf("import of an export: %+v", copied)
	}
	if a := s.Do("GET", "/api/v1/projects/IMP/export?format=csv", ""); a.Status != 200 || strings.Count(string(a.Body), "\n") != 3 {
		t.Errorf("CSV: %d %s", a.Status, a.Body)
	}
	chunked := s.Request("POST", "/api/v1/projects/IMP/import?format=csv", io.MultiReader(strings.NewReader(file)), csv)
	if a := s.Send(chunked, nil); a.Status != 200 {
		t.Errorf("chunked: %d %s", a.Status, a.Body)
	}
	s.noErrorsLogged()
}
