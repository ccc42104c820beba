package httpapi_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tallyboard/tallyboard/services/task-service/internal/httpapi/wire"
)

func TestTaskFromCreationToTrash(t *testing.T) {
	t.Parallel()
	s := startService(t)
	p := s.project("WEB")
	doing, done := stateOf(t, p, "doing"), stateOf(t, p, "done")
	me, _ := want[wire.Me](s, 200, "GET", "/api/v1/me", "")
	first, a := want[wire.Task](s, 201, "POST", "/api/v1/projects/WEB/tasks",
		`{"title":"Fix \"login\"","description":"It **fails** ☃","priority":1,"due":"2026-12-01","estimate":2.5,"assignees":["`+me.Person.Id+`"]}`)
	if first.Key != "WEB-1" || first.Version != 1 || a.Header.Get("ETag") != `"1"` || a.Header.Get("Location") != "/api/v1/tasks/WEB-1" {
		t.Fatalf("created %+v %v", first, a.Header)
	}
	quick, _ := want[wire.Task](s, 201, "POST", "/api/v1/projects/WEB/tasks?tz=Europe/Berlin", `{"quick":"Call Ada !2 @me tomorrow ^WEB-1"}`)
	if quick.Title != "Call Ada" || quick.Priority != 2 || len(quick.Assignees) != 1 || quick.Parent.MustGet() != first.Id || quick.Due.IsNull() {
		t.Errorf("quick-add made %+v", quick)
	}
	parsed, _ := want[wire.QuickParsed](s, 200, "POST", "/api/v1/projects/WEB/quickadd/parse", `{"text":"Fix it !1 #nolabel"}`)
	if parsed.Title != "Fix it #nolabel" || parsed.Priority != 1 || len(parsed.Tokens) != 1 {
		t.Errorf("preview %+v", parsed)
	}

	changed, _ := want[wire.Task](s, 200, "PATCH", "/api/v1/tasks/WEB-1", `{"title":"Fix the login","due":null}`, `If-Match: "1"`)
	if changed.Version != 2 || !changed.Due.IsNull() || changed.Estimate.MustGet() != 2.5 {
		t.Errorf("changed %+v", changed)
	}
	problem := s.Do("PATCH", "/api/v1/tasks/WEB-1", `{"title":"Mine"}`, `If-Match: "1"`).Problem(t, 412)
	if current, ok := problem.Current.(map[string]any); !ok || current["title"] != "Fix the login" || current["version"] != 2.0 {
		t.Errorf("412 shows %v as current", problem.Current)
	}
	moved, _ := want[wire.Task](s, 200, "POST", "/api/v1/tasks/"+first.Id+"/move", `{"state":"`+doing.Id+`","bottom":true}`)
	if moved.State != doing.Id || moved.Started.IsNull() || moved.Rank <= quick.Rank {
		t.Errorf("moved %+v", moved)
	}
	if moved, _ = want[wire.Task](s, 200, "POST", "/api/v1/tasks/WEB-1/move", `{"before":"`+quick.Id+`"}`); moved.Rank >= quick.Rank {
		t.Errorf("moved in front: %+v", moved)
	}
	second := s.task("WEB", "Second")
	want[struct{}](s, 204, "PUT", "/api/v1/tasks/WEB-1/relations/blocked-by/"+second.Key, "")
	s.Do("PUT", "/api/v1/tasks/WEB-1/relations/blocks/"+second.Id, "").Problem(t, 422)
	comment, a := want[wire.Comment](s, 201, "POST", "/api/v1/tasks/WEB-1/comments", `{"body":"@owner look"}`)
	if !slices.Equal(comment.Mentions, []string{me.Person.Id}) || !strings.HasSuffix(a.Header.Get("Location"), comment.Id) {
		t.Errorf("comment %+v", comment)
	}
	edited, _ := want[wire.Comment](s, 200, "PATCH", "/api/v1/tasks/WEB-1/comments/"+comment.Id, `{"body":"never mind"}`)
	if edited.Body != "never mind" || edited.Edited.IsNull() {
		t.Errorf("edited %+v", edited)
	}
	details, _ := want[wire.TaskDetails](s, 200, "GET", "/api/v1/tasks/WEB-1/details", "")
	if len(details.Subtasks) != 1 || len(details.Relations) != 1 || details.Relations[0].Kind != "blocked-by" ||
		details.Relations[0].Task != second.Id || len(details.Comments) != 1 || len(details.Related) != 1 {
		t.Errorf("details %+v", details)
	}
	want[struct{}](s, 204, "DELETE", "/api/v1/tasks/WEB-1/relations/blocked-by/"+second.Key, "")
	want[struct{}](s, 204, "DELETE", "/api/v1/tasks/WEB-1/comments/"+comment.Id, "")

	before, _ := want[wire.Task](s, 200, "POST", "/api/v1/tasks/WEB-1/move", `{"state":"`+done.Id+`"}`)
	if before.Completed.IsNull() {
		t.Errorf("completed %+v", before)
	}
	trashed, _ := want[wire.Task](s, 200, "DELETE", "/api/v1/tasks/WEB-1", "", fmt.Sprintf("If-Match: %q", fmt.Sprint(before.Version)))
	list, _ := want[wire.TaskPage](s, 200, "GET", "/api/v1/projects/WEB/tasks?trashed=true&include=progress", "")
	if trashed.Trashed.IsNull() || len(list.Tasks) != 1 || list.Tasks[0].Progress.Total != 1 {
		t.Errorf("trashed %+v, trash %+v", trashed, list)
	}
	want[wire.Task](s, 200, "POST", "/api/v1/tasks/WEB-1/restore", "")
	history, _ := want[wire.TaskHistory](s, 200, "GET", "/api/v1/tasks/WEB-1/history?limit=3", "")
	if len(history.Events) != 3 || history.Events[0].Kind != "task.restored" || history.Next.IsNull() {
		t.Errorf("history %+v", history)
	}
	older, _ := want[wire.TaskHistory](s, 200, "GET", fmt.Sprintf("/api/v1/tasks/WEB-1/history?limit=200&before=%d", history.Next.MustGet()), "")
	if n := len(older.Events); n == 0 || older.Events[n-1].Kind != "task.created" || !older.Next.IsNull() || older.Events[0].Seq != history.Next.MustGet()-1 {
		t.Errorf("older history %+v", older)
	}
	board, _ := want[wire.Board](s, 200, "GET", "/api/v1/projects/WEB/board?filter=assignee:me", "")
	if len(board.Tasks) != 2 || !board.Tasks[0].HasDescription || board.Tasks[0].Subtasks.Total != 1 {
		t.Errorf("board %+v", board.Tasks)
	}
	past, _ := want[wire.Board](s, 200, "GET", "/api/v1/projects/WEB/board?at="+first.Created, "")
	if len(past.Tasks) != 1 || past.Tasks[0].Title != `Fix "login"` {
		t.Errorf("board as of the first task: %+v", past.Tasks)
	}
	all, _ := want[wire.TaskPage](s, 200, "GET", "/api/v1/tasks?filter=is:open&sort=-created", "")
	if len(all.Tasks) != 2 {
		t.Errorf("open tasks of all projects: %+v", all.Tasks)
	}
	s.noErrorsLogged()
}

func TestConcurrentCreatesInOneProject(t *testing.T) {
	t.Parallel()
	const clients, each = 16, 12
	s := startService(t)
	s.project("LOAD")
	var wg sync.WaitGroup
	var mu sync.Mutex
	seen := map[int64]bool{}
	for c := range clients {
		wg.Go(func() {
			for i := range each {
				a := s.Do("POST", "/api/v1/projects/LOAD/tasks", fmt.Sprintf(`{"title":"task %d of %d"}`, i, c), fmt.Sprintf("Idempotency-Key: %d-%d", c, i))
				if a.Status != 201 {
					t.Errorf("create: %d %s", a.Status, a.Body)
					return
				}
				var task wire.Task
				a.JSON(t, &task)
				mu.Lock()
				seen[task.Number] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for n := range int64(clients * each) {
		if !seen[n+1] {
			t.Errorf("number %d was given to no task, or twice to others", n+1)
		}
	}
	ranks := map[string]bool{}
	cursor := ""
	for {
		page, _ := want[wire.TaskPage](s, 200, "GET", "/api/v1/projects/LOAD/tasks?limit=50"+cursor, "")
		for _, task := range page.Tasks {
			ranks[task.Rank] = true
		}
		if page.Next.IsNull() {
			break
		}
		cursor = "&cursor=" + page.Next.MustGet()
	}
	if len(ranks) != clients*each {
		t.Errorf("%d different ranks for %d tasks", len(ranks), clients*each)
	}
	s.noErrorsLogged()
}

func TestRetriesHappenOnce(t *testing.T) {
	t.Parallel()
	s := startService(t)
	s.project("ONCE")
	create := func(key, body string) (wire.Task, string) {
		task, a := want[wire.Task](s, 201, "POST", "/api/v1/projects/ONCE/tasks", body, "Idempotency-Key: "+key)
		return task, a.Header.Get("Idempotency-Replayed")
	}
	first, replayed := create("k1", `{"title":"a"}`)
	if replayed != "" {
		t.Error("the first answer is marked as replayed")
	}
	again, replayed := create("k1", `{"title":"a"}`)
	if again.Id != first.Id || replayed != "true" {
		t.Errorf("repeated: %+v, replayed %q", again, replayed)
	}
	s.Do("POST", "/api/v1/projects/ONCE/tasks", `{"title":"b"}`, "Idempotency-Key: k1").Problem(t, 422)
	patch := func() wire.Task {
		task, _ := want[wire.Task](s, 200, "PATCH", "/api/v1/tasks/ONCE-1", `{"priority":2}`, `If-Match: "1"`, "Idempotency-Key: k2")
		return task
	}
	if a, b := patch(), patch(); a.Version != 2 || b.Version != 2 { // the retry is no stale write
		t.Errorf("versions %d and %d", a.Version, b.Version)
	}
	for range 2 {
		want[wire.Comment](s, 201, "POST", "/api/v1/tasks/ONCE-1/comments", `{"body":"x"}`, "Idempotency-Key: k3")
		want[wire.BulkResult](s, 200, "POST", "/api/v1/projects/ONCE/tasks/bulk", `{"tasks":["ONCE-1"],"change":{"priority":3}}`, "Idempotency-Key: k4")
	}
	details, _ := want[wire.TaskDetails](s, 200, "GET", "/api/v1/tasks/ONCE-1/details", "")
	if len(details.Comments) != 1 || details.Task.Version != 3 {
		t.Errorf("after retries: %+v", details)
	}
}

func TestBulkEditIsAllOrNothing(t *testing.T) {
	t.Parallel()
	s := startService(t)
	p := s.project("BULK")
	for i := range 5 {
		s.task("BULK", fmt.Sprintf("task %d", i))
	}
	label, _ := want[wire.Project](s, 201, "POST", "/api/v1/projects/BULK/labels", `{"name":"bug"}`)
	result, _ := want[wire.BulkResult](s, 200, "POST", "/api/v1/projects/BULK/tasks/bulk",
		`{"filter":"is:open","change":{"priority":2,"addLabels":["`+label.Labels[0].Id+`"],"state":"`+stateOf(t, p, "done").Id+`"}}`)
	if len(result.Tasks) != 5 || result.Tasks[4].Priority != 2 || len(result.Tasks[4].Labels) != 1 || result.Tasks[4].Completed.IsNull() {
		t.Errorf("bulk edit: %+v", result)
	}
	s.Do("POST", "/api/v1/projects/BULK/tasks/bulk", `{"tasks":["BULK-1","BULK-99"],"trash":true}`).Problem(t, 404)
	if task, _ := want[wire.Task](s, 200, "GET", "/api/v1/tasks/BULK-1", ""); !task.Trashed.IsNull() {
		t.Error("half of a bulk edit was made")
	}
	want[wire.BulkResult](s, 200, "POST", "/api/v1/projects/BULK/tasks/bulk", `{"tasks":["BULK-1","BULK-2"],"trash":true}`)
	list, _ := want[wire.TaskPage](s, 200, "GET", "/api/v1/projects/BULK/tasks", "")
	if len(list.Tasks) != 3 {
		t.Errorf("%d tasks are left", len(list.Tasks))
	}
	want[wire.BulkResult](s, 200, "POST", "/api/v1/projects/BULK/tasks/bulk", `{"tasks":["BULK-1","BULK-2"],"restore":true}`)
}

func TestEverySortPagesThroughAllTasks(t *testing.T) {
	t.Parallel()
	const tasks = 23
	s := startService(t)
	p := s.project("PAGE")
	for i := range tasks {
		due := "null"
		if i%3 > 0 {
			due = fmt.Sprintf(`"2026-12-%02d"`, 1+i%4)
		}
		state := p.States[i%len(p.States)].Id
		want[wire.Task](s, 201, "POST", "/api/v1/projects/PAGE/tasks",
			fmt.Sprintf(`{"title":"Task ☃ %c","priority":%d,"due":%s,"start":%s,"state":%q}`, 'a'+rune(i%5), i%5, due, due, state))
	}
	for _, sort := range []string{"rank", "created", "updated", "due", "start", "priority", "number", "title", "completed"} {
		for _, sign := range []string{"", "-"} {
			seen := map[string]bool{}
			cursor := ""
			for {
				page, _ := want[wire.TaskPage](s, 200, "GET", "/api/v1/projects/PAGE/tasks?limit=4&sort="+sign+sort+cursor, "")
				for _, task := range page.Tasks {
					if seen[task.Key] {
						t.Errorf("sort %s%s shows %s twice", sign, sort, task.Key)
					}
					seen[task.Key] = true
				}
				if page.Next.IsNull() {
					break
				}
				cursor = "&cursor=" + page.Next.MustGet()
			}
			if len(seen) != tasks {
				t.Errorf("sort %s%s shows %d of %d tasks", sign, sort, len(seen), tasks)
			}
		}
	}
}
