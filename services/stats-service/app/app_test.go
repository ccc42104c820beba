package app_test

import (
	"encoding/csv"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tallyboard/tallyboard/services/internal/kit/testkit"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/stats"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/store/statstest"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/store/storetest"
)

const (
	project = "/api/v1/stats/projects/WEB/"
	nowhere = "nats://127.0.0.1:1" // nobody listens there
)

// recent is a history of the last days: task i created i+2 days ago, half of them done a day later, some in doing.
func recent() *statstest.World {
	w := statstest.New()
	now := time.Now().UTC().Truncate(time.Microsecond)
	for i := range 20 {
		created := now.AddDate(0, 0, -i-2)
		task := w.Create(i, statstest.Todo, created, statstest.Change("priority", nil, i%5),
			statstest.Change("due", nil, string(stats.DateOf(now, time.UTC).Add(-1))))
		switch i % 4 {
		case 0, 1:
			w.Move(task, statstest.Todo, statstest.Doing, created.Add(time.Hour))
			w.Move(task, statstest.Doing, statstest.Done, created.Add(24*time.Hour))
		case 2:
			w.Move(task, statstest.Todo, statstest.Doing, created.Add(2*time.Hour))
		}
	}
	return w
}

func (s *service) caughtUp(pos int) {
	s.t.Helper()
	eventually(s.t, "everything is applied", func() bool {
		var status struct{ Cursor int }
		s.get("/api/v1/stats/status", &status)
		return status.Cursor == pos
	})
}

// TestAnswers asks for every statistic; send checks each answer against the description.
func TestAnswers(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(d *storetest.Database) {
		t := d.T
		w := recent()
		d.Write(t, w, len(w.Events))
		s := start(t, environ(d.URL, nowhere))
		s.caughtUp(len(w.Events))

		var summary struct {
			stats.Summary
			Project string
			AsOf    struct {
				Pos        int
				StaleSince *time.Time
			}
			Period struct {
				TZ   string
				Days int
			}
		}
		s.get(project+"summary?tz=Asia/Kolkata", &summary)
		if summary.Project != "WEB" || summary.Total != 20 || summary.Done != 10 || summary.Open != 10 || summary.Overdue != 10 ||
			summary.AsOf.Pos != len(w.Events) || summary.AsOf.StaleSince != nil || summary.Period.TZ != "Asia/Kolkata" || summary.Period.Days != 90 {
			t.Errorf("summary %+v", summary)
		}
		var filtered stats.Summary
		s.get(project+"summary?priority=1&priority=2&assignee=none", &filtered)
		if filtered.Total != 8 {
			t.Errorf("filtered %+v", filtered)
		}
		var throughput stats.Throughput
		s.get(project+"throughput", &throughput)
		if throughput.Created != 20 || throughput.Completed != 10 || len(throughput.Days) != 90 {
			t.Errorf("throughput %d %d %d", throughput.Created, throughput.Completed, len(throughput.Days))
		}
		var times stats.Times
		s.get(project+"times", &times)
		if times.Lead.Count != 10 || *times.Lead.P85 != 86400 || *times.Cycle.P50 != 82800 {
			t.Errorf("times %+v", times)
		}
		var flow stats.Flow
		s.get(project+"flow?from=2020-01-01&to=2020-01-02", &flow)
		if len(flow.Days) != 2 || len(flow.States) != 7 {
			t.Errorf("flow %+v", flow)
		}
		var ageing stats.Ageing
		s.get(project+"ageing", &ageing)
		if ageing.Count != 5 || ageing.Items[0].Title == "" || len(ageing.States) != 2 || !ageing.States[0].OverLimit {
			t.Errorf("ageing %+v", ageing)
		}
		var burnup stats.Burnup
		s.get(project+"burnup", &burnup)
		if last := burnup.Days[len(burnup.Days)-1]; last.Scope != 20 || last.Completed != 10 {
			t.Errorf("burn-up ends with %+v", last)
		}
		var forecast, again stats.Forecast
		s.get(project+"forecast?items=5&seed=7", &forecast)
		s.get(project+"forecast?items=5&seed=7", &again)
		if !forecast.Possible || forecast.Seed != 7 || forecast.When.P85 == nil || *forecast.When.P85 != *again.When.P85 {
			t.Errorf("forecast %+v", forecast)
		}
		var overdue stats.Overdue
		s.get(project+"overdue", &overdue)
		if overdue.Count != 10 || overdue.Items[0].DaysOverdue != 1 {
			t.Errorf("overdue %+v", overdue)
		}
	})
}

func TestCSV(t *testing.T) {
	t.Parallel()
	d := storetest.Open(t, testkit.Postgres(t))
	w := recent()
	d.Write(t, w, len(w.Events))
	d.Exec(t, "UPDATE tasks SET title = '=cmd()'")
	s := start(t, environ(d.URL, nowhere))
	s.caughtUp(len(w.Events))
	for path, want := range map[string]struct {
		header string
		rows   int
	}{
		"summary":                               {"dimension,id,name,count,open", 5 + 7 + 5 + 1 + 1},
		"throughput":                            {"date,created,completed", 90},
		"times":                                 {"task,key,completed,leadSeconds,cycleSeconds", 10},
		"flow":                                  {"date,backlog 0,todo 1,doing 2,doing 3,done 4,done 5,cancelled 6", 90},
		"ageing":                                {"task,key,title,state,started,ageSeconds,inStateSeconds,overP85", 5},
		"burnup":                                {"date,scope,completed,scopePoints,completedPoints", 90},
		"forecast":                              {"question,confidence,answer", 8},
		"overdue":                               {"task,key,title,state,priority,due,daysOverdue", 10},
		"overdue?from=2020-01-01&to=2020-12-31": {"task,key,title,state,priority,due,daysOverdue", 10},
	} {
		join := "?"
		if strings.Contains(path, "?") {
			join = "&"
		}
		res, body := s.send(http.MethodGet, project+path+join+"format=csv")
		rows, err := csv.NewReader(strings.NewReader(string(body))).ReadAll()
		if err != nil || !strings.HasPrefix(res.header.Get("Content-Type"), "text/csv") || len(rows) != want.rows+1 || strings.Join(rows[0], ",") != want.header {
			t.Errorf("%s: %v %d rows, header %v", path, err, len(rows)-1, rows[0])
		}
		if strings.Contains(string(body), ",=cmd") {
			t.Errorf("%s: a title would be taken for a formula", path)
		}
	}
}

func TestETag(t *testing.T) {
	t.Parallel()
	d := storetest.Open(t, testkit.Postgres(t))
	w := recent()
	d.Write(t, w, len(w.Events)-1)
	s := start(t, environ(d.URL, nowhere, "STATS_STALE_AFTER=1h"))
	s.caughtUp(len(w.Events) - 1)
	first, _ := s.send(http.MethodGet, project+"summary")
	tag := first.header.Get("ETag")
	if res, body := s.send(http.MethodGet, project+"summary", "If-None-Match", tag); res.code != http.StatusNotModified || len(body) != 0 {
		t.Errorf("unchanged: %d %s", res.code, body)
	}
	if res, _ := s.send(http.MethodGet, project+"summary?priority=1", "If-None-Match", tag); res.code != http.StatusOK {
		t.Errorf("another question: %d", res.code)
	}
	d.Exec(t, "UPDATE events SET pos = (SELECT MAX(pos) FROM events) + 1 WHERE pos IS NULL")
	s.caughtUp(len(w.Events))
	if res, _ := s.send(http.MethodGet, project+"summary", "If-None-Match", tag); res.code != http.StatusOK || res.header.Get("ETag") == tag {
		t.Errorf("changed: %d %s", res.code, res.header.Get("ETag"))
	}
}

// TestBadRequests are each answered with a problem that names the fault, and change nothing.
func TestBadRequests(t *testing.T) {
	t.Parallel()
	d := storetest.Open(t, testkit.Postgres(t))
	w := recent()
	d.Write(t, w, len(w.Events))
	s := start(t, environ(d.URL, nowhere))
	s.caughtUp(len(w.Events))
	for path, want := range map[string]struct {
		status int
		field  string
	}{
		project + "summary?form=json":                     {400, "form"},
		project + "summary?format=xml":                    {400, "format"},
		project + "summary?format=csv&format=json":        {400, "format"},
		project + "summary?tz=Mars/Olympus":               {400, "tz"},
		project + "summary?tz=Local":                      {400, "tz"},
		project + "summary?tz=../../etc/passwd":           {400, "tz"},
		project + "summary?from=yesterday":                {400, "from"},
		project + "summary?from=2999-01-01":               {400, "from"},
		project + "summary?from=1999-01-01":               {400, "from"},
		project + "summary?from=2026-01-02&to=2026-01-01": {400, "to"},
		project + "summary?priority=5":                    {400, "priority"},
		project + "summary?assignee=bob":                  {400, "assignee"},
		project + "summary?label=me":                      {400, "label"},
		project + "summary?label=%ff":                     {400, "label"},
		project + "summary?items=3":                       {400, "items"},
		project + "forecast?items=-1":                     {400, "items"},
		project + "forecast?by=2020-01-01":                {400, "by"},
		project + "forecast?seed=9007199254740992":        {400, "seed"},
		project + "nothing":                               {404, ""},
		"/api/v1/stats/projects/NONE/summary":             {404, ""},
		"/api/v1/stats/projects/%00/summary":              {404, ""},
		"/api/v1/stats/projects/web'--/summary":           {404, ""},
		"/api/v1/stats/verify?limit=-1":                   {400, "limit"},
		"/api/v1/stats/status?x=1":                        {400, "x"},
	} {
		res, body := s.send(http.MethodGet, path)
		var problem struct {
			Code   string `json:"code"`
			Errors []struct {
				Name string `json:"name"`
			} `json:"errors"`
		}
		if err := json.Unmarshal(body, &problem); err != nil || res.code != want.status ||
			res.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %s", path, res.code, body)
			continue
		}
		if want.field != "" && (len(problem.Errors) != 1 || problem.Errors[0].Name != want.field) {
			t.Errorf("%s names %+v, want %s", path, problem.Errors, want.field)
		}
	}
	for path, status := range map[string]int{
		"/api/v1/stats/parked/x/retry":                                     400,
		"/api/v1/stats/parked/" + w.Events[1].ID.String() + "/retry":       404,
		"/api/v1/stats/parked/" + w.Events[1].ID.String() + "/retry?all=1": 400,
		project + "summary": 405,
	} {
		if res, body := s.send(http.MethodPost, path); res.code != status {
			t.Errorf("POST %s: %d %s", path, res.code, body)
		}
	}
	if res, _ := s.send(http.MethodPost, "/api/v1/stats/parked/"+w.Events[1].ID.String()+"/retry", "Sec-Fetch-Site", "cross-site"); res.code != http.StatusForbidden {
		t.Errorf("another site's change: %d", res.code)
	}
	if strings.Contains(s.log.String(), `"level":"ERROR"`) {
		t.Errorf("bad requests are logged as errors:\n%s", s.log)
	}
}

// TestStream hears of changes, of staleness, and of its end.
func TestStream(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(d *storetest.Database) {
		t := d.T
		w := recent()
		task := w.Events[1].ID
		half := len(w.Events)
		d.Write(t, w, half)
		s := start(t, environ(d.URL, testkit.NATS(t), "STATS_STALE_AFTER=300ms"))
		s.caughtUp(half)
		stream := s.watch(project + "events")
		if e := next(t, stream, "ready"); e.data["pos"] != float64(half) || e.data["project"] != "WEB" {
			t.Errorf("ready %+v", e)
		}
		w.Add(task, stats.OfTask, "task.changed", time.Now().UTC(), statstest.Change("priority", 0, 1))
		d.WriteEvents(t, w.Events[half:], 1)
		if e := next(t, stream, "stats"); e.data["pos"] != float64(half+1) {
			t.Errorf("stats %+v", e)
		}
		w.Add(task, stats.OfTask, "task.changed", time.Now().UTC(), statstest.Change("priority", 1, 2))
		d.WriteEvents(t, w.Events[half+1:], 0) // no relay gives it a position
		if e := next(t, stream, "stale"); e.data["staleSince"] == nil {
			t.Errorf("stale %+v", e)
		}
		var summary struct {
			AsOf struct{ StaleSince *time.Time }
		}
		s.get(project+"summary", &summary)
		if summary.AsOf.StaleSince == nil {
			t.Error("the answer does not say that it is stale")
		}
		d.Exec(t, "UPDATE events SET pos = "+jsonOf(half+2)+" WHERE pos IS NULL")
		if e := next(t, stream, "ready"); e.data["pos"] != float64(half+2) || e.data["staleSince"] != nil {
			t.Errorf("ready again %+v", e)
		}
		s.stop()
		if e, open := <-stream; open {
			t.Errorf("the stream goes on: %+v", e)
		}
	})
}

func jsonOf(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// TestOperations verifies, shows what is parked and retries it.
func TestOperations(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(d *storetest.Database) {
		t := d.T
		w := recent()
		spoilt := slices.Clone(w.Events)
		spoilt[2].Undecodable = "spoilt"
		d.WriteEvents(t, spoilt, len(spoilt))
		d.WriteRows(t, w)
		s := start(t, environ(d.URL, nowhere))
		s.caughtUp(len(w.Events))
		var status struct {
			ParkedCount, Generation, LagPositions int
			Applier                               bool
			Source                                string
			Parked                                []struct{ Task, Reason string }
			NATS                                  struct{ Connected bool }
		}
		s.get("/api/v1/stats/status", &status)
		if status.ParkedCount != 1 || status.Parked[0].Task != w.Events[2].ID.String() || !status.Applier || status.Source != "database" ||
			status.NATS.Connected || status.LagPositions != 0 {
			t.Errorf("status %+v", status)
		}
		var verified stats.Verification
		s.get("/api/v1/stats/verify", &verified)
		if verified.Count != 0 || verified.Equal || verified.Parked != 1 {
			t.Errorf("verification %+v", verified)
		}
		d.Exec(t, `UPDATE events SET changes = '`+jsonOf(w.Events[2].Changes)+`' WHERE pos = 3`)
		res, body := s.send(http.MethodPost, "/api/v1/stats/parked/"+w.Events[2].ID.String()+"/retry")
		if res.code != http.StatusOK || !strings.Contains(string(body), `"applied":2,"remaining":0`) {
			t.Errorf("retry: %d %s", res.code, body)
		}
		s.get("/api/v1/stats/verify", &verified)
		if !verified.Equal {
			t.Errorf("verification %+v", verified)
		}
		for path, contains := range map[string]string{
			"/health": `"status":"degraded"`, "/api/v1/stats/health": `"status":"degraded"`, "/livez": `"ok"`, "/metrics": "tallyboard_stats",
			"/api/v1/stats/metrics": "tallyboard_stats_lag", "/pool-stats": `"requests"`, "/api/v1/stats/pool-stats": `"apply"`,
			"/api/v1/stats/openapi.yaml": "openapi: 3.0.3", "/api/v1/stats/docs": "getForecast",
		} {
			if res, body := s.send(http.MethodGet, path); res.code != http.StatusOK || !strings.Contains(string(body), contains) {
				t.Errorf("%s: %d %.300s", path, res.code, body)
			}
		}
	})
}
