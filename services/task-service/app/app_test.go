package app_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/tallyboard/tallyboard/services/internal/kit/boot"
	"github.com/tallyboard/tallyboard/services/internal/kit/testkit"
	"github.com/tallyboard/tallyboard/services/task-service/app"
)

func TestChangeTravelsFromRequestToStreamOnEveryEngine(t *testing.T) {
	t.Parallel()
	for _, engine := range testkit.Engines() {
		t.Run(engine.Name, func(t *testing.T) {
			t.Parallel()
			natsURL := testkit.NATS(t)
			r := start(t, engine.Open(t), natsURL, nil)
			r.createProject()
			listener, err := nats.Connect(natsURL)
			if err != nil {
				t.Fatal(err)
			}
			defer listener.Close()
			published, err := listener.SubscribeSync("tasks.>")
			if err != nil {
				t.Fatal(err)
			}
			if err := listener.Flush(); err != nil {
				t.Fatal(err)
			}
			stream := r.watch("")
			ready := next(t, stream, "ready")
			if ref := r.createTask("First"); ref != "WEB-1" {
				t.Errorf("the first task is %s", ref)
			}
			created := next(t, stream, "task.created")
			if created.pos() <= ready.pos() { // the project's own event may have come between
				t.Errorf("position %d follows %d", created.pos(), ready.pos())
			}
			message := &nats.Msg{Subject: "tasks.x.project"}
			for strings.HasSuffix(message.Subject, ".project") { // the project's own event may still be under way
				if message, err = published.NextMsg(patience); err != nil {
					t.Fatalf("nothing was published: %v", err)
				}
			}
			if parent := message.Header.Get("traceparent"); r.traceID == "" || !strings.Contains(parent, r.traceID) {
				t.Errorf("the message continues %q, not the request's trace %q", parent, r.traceID)
			}
			if id := message.Header.Get(nats.MsgIdHdr); id == "" || len(strings.Split(message.Subject, ".")) != 3 {
				t.Errorf("message id %q on %s", id, message.Subject)
			}
		})
	}
}

func TestStreamGoesOnWithoutNATSAndSaysSo(t *testing.T) {
	t.Parallel()
	server := testkit.NATSServer(t)
	r := start(t, testkit.Postgres(t), server.URL(), nil)
	r.createProject()
	stream := r.watch("")
	next(t, stream, "ready")
	server.Stop()
	next(t, stream, "stale")
	r.createTask("Without NATS")
	next(t, stream, "task.created")
	var health struct{ Status string }
	if status := r.send(http.MethodGet, "/health", nil, &health); status != http.StatusOK || health.Status != "degraded" {
		t.Errorf("health without NATS = %d %s, want 200 degraded", status, health.Status)
	}
	server.Start()
	eventually(t, "healthy again", func() bool {
		return r.send(http.MethodGet, "/health", nil, &health) == http.StatusOK && health.Status == "ok"
	})
	r.createTask("With NATS")
	next(t, stream, "task.created")
}

func TestStandbyTakesOverAndStreamsResumeWithoutGap(t *testing.T) {
	t.Parallel()
	database, server := testkit.MySQL(t), testkit.NATS(t)
	first := start(t, database, server, nil)
	first.createProject()
	stream := first.watch("")
	last := next(t, stream, "ready").id
	second := start(t, database, server, nil)
	for i := range 20 {
		[]*replica{first, second}[i%2].createTask(fmt.Sprint("Task ", i))
	}
	var seen []string
	for range 10 {
		e := next(t, stream, "task.created")
		seen, last = append(seen, e.id), e.id
	}
	first.stop()
	for i := range 10 {
		second.createTask(fmt.Sprint("Task ", 20+i))
	}
	resumed := second.watch(last)
	for range 20 {
		seen = append(seen, next(t, resumed, "task.created").id)
	}
	for i := 1; i < len(seen); i++ {
		if (sse{id: seen[i]}).pos() != (sse{id: seen[i-1]}).pos()+1 {
			t.Fatalf("positions %v have a gap or a repetition", seen)
		}
	}
	if !strings.Contains(second.log.String(), "lease won") {
		t.Error("the second replica did not take the relay over")
	}
}

func TestDatabaseMayBeAwayAtTheStartAndLater(t *testing.T) {
	t.Parallel()
	for _, engine := range testkit.Engines() {
		t.Run(engine.Name, func(t *testing.T) {
			t.Parallel()
			database, err := url.Parse(engine.Open(t))
			if err != nil {
				t.Fatal(err)
			}
			wire := newLink(t, database.Host)
			database.Host = wire.addr
			r := start(t, database.String(), testkit.NATS(t), nil)
			if status := r.send(http.MethodGet, "/health", nil, nil); status != http.StatusServiceUnavailable {
				t.Errorf("health without a database = %d, want 503", status)
			}
			if status := r.send(http.MethodGet, "/livez", nil, nil); status != http.StatusOK {
				t.Errorf("livez without a database = %d, want 200", status)
			}
			var problem struct{ Code string }
			if status := r.send(http.MethodGet, "/api/v1/projects", nil, &problem); status != http.StatusServiceUnavailable || problem.Code != "unavailable" {
				t.Errorf("a request without a database = %d %s, want 503 unavailable", status, problem.Code)
			}
			healthy := func() bool { return r.send(http.MethodGet, "/health", nil, nil) == http.StatusOK }
			wire.mend()
			eventually(t, "ready once the database is there", healthy)
			r.createProject()
			stream := r.watch("")
			next(t, stream, "ready")

			wire.cut()
			eventually(t, "not healthy without the database", func() bool { return !healthy() })
			if status := r.send(http.MethodPost, "/api/v1/projects/WEB/tasks", map[string]any{"title": "Lost"}, &problem); status != http.StatusServiceUnavailable {
				t.Errorf("a change without a database = %d %s, want 503", status, problem.Code)
			}
			wire.mend()
			eventually(t, "healthy once the database is back", healthy)
			r.createTask("Kept")
			next(t, stream, "task.created")
		})
	}
}

func TestWaitsForMigrationsOfAnother(t *testing.T) {
	t.Parallel()
	database, server := testkit.Postgres(t), testkit.NATS(t)
	waiting := start(t, database, server, env{"MIGRATE": "false"})
	var problem struct{ Code, Detail string }
	if status := waiting.send(http.MethodGet, "/api/v1/projects", nil, &problem); status != http.StatusServiceUnavailable {
		t.Errorf("a request before the migrations = %d %s, want 503", status, problem.Detail)
	}
	if err := command(t, "", env{"DATABASE_URL": database}, "migrate").err; err != nil {
		t.Fatal(err)
	}
	eventually(t, "ready after the migrations", func() bool {
		return waiting.send(http.MethodGet, "/health", nil, nil) == http.StatusOK
	})
	waiting.createProject()
}

func TestStopsInOrderWithStreamsOpen(t *testing.T) {
	t.Parallel()
	r := start(t, testkit.MariaDB(t), testkit.NATS(t), nil)
	r.createProject()
	stream := r.watch("")
	next(t, stream, "ready")
	r.createTask("Last")
	began := time.Now()
	r.stop()
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("stopping took %s with a stream open", took)
	}
	var order []string
	for line := range strings.Lines(r.log.String()) {
		if _, rest, ok := strings.Cut(line, `"part stopped"`); ok {
			_, rest, _ = strings.Cut(rest, `"part":"`)
			name, _, _ := strings.Cut(rest, `"`)
			order = append(order, name)
		}
	}
	want := []string{
		"readiness", "event streams", "HTTP server", "queued changes", "relay", "live feed", "status", "NATS", "database pools", "listener", "telemetry",
	}
	if !slices.Equal(order, want) {
		t.Errorf("stopped in the order\n%q, want\n%q", order, want)
	}
}

func TestPortInUseIsSaidInOneSentence(t *testing.T) {
	t.Parallel()
	r := start(t, testkit.Postgres(t), testkit.NATS(t), nil)
	cfg, err := boot.LoadConfig[app.Config]([]string{"DATABASE_URL=postgres://nobody@127.0.0.1:1/none", "LISTEN=" + strings.TrimPrefix(r.url, "http://")})
	if err != nil {
		t.Fatal(err)
	}
	err = app.Run(context.Background(), cfg, app.Deps{Log: &logBuffer{}})
	if err == nil || !strings.Contains(err.Error(), "is in use by another program") {
		t.Errorf("a port in use gives %v", err)
	}
}

func TestConfigurationErrorsNameTheVariable(t *testing.T) {
	t.Parallel()
	for variable, value := range map[string]string{
		"DATABASE_URL": "sqlite://x", "DB_POOL_SIZE": "0", "DB_BACKGROUND_POOL_SIZE": "1", "LIVE_POLL": "0s", "SHUTDOWN_TIMEOUT": "soon",
		"RELAY_ASSIGN_BATCH": "-1",
	} {
		_, err := boot.LoadConfig[app.Config]([]string{"DATABASE_URL=mysql://u:p@h/d", variable + "=" + value})
		if err == nil || !strings.Contains(err.Error(), variable) {
			t.Errorf("%s=%s gives %v, want an error that names it", variable, value, err)
		}
	}
}
