package app_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/tallyboard/tallyboard/services/internal/kit/testkit"
)

// secret is in everything that people write in TestSignalsTellNothingThatPeopleWrote.
const secret = "Zitronenfalter"

// TestSignalsTellNothingThatPeopleWrote uses the service with everything recorded and every log line written, also wrongly,
// and looks for it in spans, log and metrics.
func TestSignalsTellNothingThatPeopleWrote(t *testing.T) {
	t.Parallel()
	for _, engine := range testkit.Engines() {
		t.Run(engine.Name, func(t *testing.T) {
			t.Parallel()
			spans, server := &testkit.Spans{}, testkit.NATSServer(t)
			r := startTraced(t, engine.Open(t), server.URL(), env{"RELAY_MAX_MESSAGE": "2000", "RELAY_POLL": "50ms"}, spans)
			r.createProject()
			stream := r.watch("")
			next(t, stream, "ready")
			const tasks, labels = "/api/v1/projects/WEB/tasks", "/api/v1/projects/WEB/labels"
			label := map[string]any{"name": secret, "color": "#112233"}
			steps := []struct {
				method, path string
				body         any
				status       int // 0: whatever it is
			}{
				{http.MethodPatch, "/api/v1/projects/WEB", map[string]any{"name": secret}, http.StatusOK},
				{http.MethodPost, labels, label, http.StatusCreated},
				{http.MethodPost, labels, label, http.StatusConflict},
				{http.MethodPost, "/api/v1/projects/WEB/states", map[string]any{"name": secret, "category": "doing"}, http.StatusCreated},
				{http.MethodPost, "/api/v1/projects/WEB/states", map[string]any{"name": secret, "category": secret}, http.StatusBadRequest},
				{http.MethodPost, tasks, map[string]any{"title": secret, "description": secret}, http.StatusCreated},
				{http.MethodPost, tasks, map[string]any{"title": secret, "description": strings.Repeat(secret, 1000)}, http.StatusCreated},
				{http.MethodPost, tasks, map[string]any{"title": strings.Repeat(secret, 1000)}, http.StatusBadRequest},
				{http.MethodPost, tasks, map[string]any{"title": 7, secret: secret}, http.StatusBadRequest},
				{http.MethodPost, tasks, map[string]any{"quick": secret + " @" + secret + " #" + secret}, 0},
				{http.MethodPatch, "/api/v1/tasks/WEB-1", map[string]any{"title": secret + " 2", "labels": []string{secret}}, 0},
				{http.MethodPatch, "/api/v1/tasks/WEB-1", map[string]any{"description": secret + " 3"}, http.StatusOK},
				{http.MethodPost, "/api/v1/tasks/WEB-1/comments", map[string]any{"body": secret}, http.StatusCreated},
				{http.MethodPost, "/api/v1/projects/WEB/views", map[string]any{"name": secret, "filter": `"` + secret + `"`}, http.StatusCreated},
				{http.MethodGet, tasks + "?filter=" + url.QueryEscape(`"`+secret+`"`), nil, http.StatusOK},
				{http.MethodGet, tasks + "?filter=" + url.QueryEscape(secret+":"+secret), nil, http.StatusBadRequest},
				{http.MethodGet, tasks + "?" + secret + "=" + secret, nil, http.StatusBadRequest},
				{http.MethodGet, tasks + "?cursor=" + secret, nil, http.StatusBadRequest},
			}
			for _, s := range steps {
				if got := r.send(s.method, s.path, s.body, nil); s.status > 0 && got != s.status || got >= http.StatusInternalServerError {
					t.Errorf("%s %.80s: %d", s.method, s.path, got)
				}
			}
			next(t, stream, "task.created")
			eventually(t, "what is too large is left out", func() bool { return strings.Contains(r.log.String(), "event left to be read") })
			server.Stop()
			next(t, stream, "stale")
			r.createTask(secret)
			next(t, stream, "task.created")
			metrics := r.get("/metrics")
			r.stop()
			for _, s := range spans.All() {
				for _, text := range s.Texts() {
					if strings.Contains(text, secret) {
						t.Errorf("span %q tells %.200q", s.Name, text)
					}
				}
			}
			for line := range strings.Lines(r.log.String()) {
				if strings.Contains(line, secret) {
					t.Errorf("logged: %.400s", line)
				}
			}
			if strings.Contains(metrics, secret) {
				t.Error("the metrics tell it")
			}
		})
	}
}

// TestLogLinesOfARequestCarryItsTrace finds the line of each request, and the relay's about its event, by the trace's id.
func TestLogLinesOfARequestCarryItsTrace(t *testing.T) {
	t.Parallel()
	r := start(t, testkit.Postgres(t), testkit.NATS(t), env{"RELAY_MAX_MESSAGE": "300"})
	r.createProject()
	var answer struct{ Key string }
	r.send(http.MethodPost, "/api/v1/projects/WEB/tasks", map[string]any{"title": "Large", "description": strings.Repeat("x", 1000)}, &answer)
	created := r.traceID
	for _, msg := range []string{`"msg":"request"`, `"msg":"event left to be read from the database"`} {
		eventually(t, msg, func() bool {
			for line := range strings.Lines(r.log.String()) {
				if strings.Contains(line, msg) && strings.Contains(line, `"trace_id":"`+created+`"`) {
					return true
				}
			}
			return false
		})
	}
}

func TestOperationsShowAllInstances(t *testing.T) {
	t.Parallel()
	database, server := testkit.Postgres(t), testkit.NATSServer(t)
	one := start(t, database, server.URL(), env{"INSTANCE_ID": "one"})
	one.createProject()
	two := start(t, database, server.URL(), env{"INSTANCE_ID": "two"})
	next(t, two.watch(""), "ready")
	type instance struct {
		Service, Instance, Version, NATS string
		Ready                            bool
		Pools                            []struct{ Name, Engine string }
		Relay                            *struct {
			Leader           bool
			Given, Published int64
			Takeovers        int
		}
		Live                  *struct{ Subscribers int }
		Consumer              any
		Goroutines, HeapBytes int64
	}
	var page struct {
		NATSAway  bool
		Instances []instance
		Routes    []struct {
			Service, Route string
			Count          int
		}
	}
	eventually(t, "both instances, one event published", func() bool {
		status := one.send(http.MethodGet, "/api/v1/operations", nil, &page)
		return status == http.StatusOK && len(page.Instances) == 2 && page.Instances[0].Relay.Published == 1
	})
	first, second := page.Instances[0], page.Instances[1]
	if first.Instance != "one" || second.Instance != "two" || !first.Relay.Leader || second.Relay.Leader || first.Relay.Takeovers != 1 ||
		second.Live.Subscribers != 1 || first.Live.Subscribers != 0 {
		t.Errorf("instances %+v %+v", first, second)
	}
	for _, i := range page.Instances {
		if i.Service != "task-service" || i.Version != "test" || !i.Ready || i.NATS != "connected" || len(i.Pools) != 2 || i.Consumer != nil ||
			i.Pools[0].Engine != "postgres" || i.Goroutines < 1 || i.HeapBytes < 1 {
			t.Errorf("instance %+v", i)
		}
	}
	found := false
	for _, route := range page.Routes {
		found = found || route.Route == "POST /api/v1/projects" && route.Service == "task-service" && route.Count == 1
	}
	if !found || page.NATSAway {
		t.Errorf("routes %+v, NATS away %t", page.Routes, page.NATSAway)
	}
	server.Stop()
	eventually(t, "without NATS only oneself", func() bool {
		return two.send(http.MethodGet, "/api/v1/operations", nil, &page) == http.StatusOK && page.NATSAway && page.Instances[0].NATS == "away"
	})
	if len(page.Instances) != 1 || page.Instances[0].Instance != "two" {
		t.Errorf("without NATS: %+v", page.Instances)
	}
}
