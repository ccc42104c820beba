package httpapi_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tallyboard/tallyboard/services/internal/kit/boot"
	"github.com/tallyboard/tallyboard/services/internal/kit/testkit"
	"github.com/tallyboard/tallyboard/services/task-service/app"
	"github.com/tallyboard/tallyboard/services/task-service/internal/httpapi"
	"github.com/tallyboard/tallyboard/services/task-service/internal/httpapi/wire"
)

// service is the whole of task-service on PostgreSQL and NATS, with a client that holds answers against the description.
type service struct {
	*httpapi.Harness
	t   *testing.T
	log *lockedBuffer
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// startDeadline bounds the start of the service, its migrations included.
const startDeadline = 60 * time.Second

func startService(t *testing.T) *service {
	t.Helper()
	cfg, err := boot.LoadConfig[app.Config]([]string{
		"LISTEN=127.0.0.1:0", "DATABASE_URL=" + testkit.Postgres(t), "NATS_URL=" + testkit.NATS(t), "MIGRATE=true",
		"IMPORT_TEMP_DIR=" + t.TempDir(),
	})
	if err != nil {
		t.Fatal(err)
	}
	log := &lockedBuffer{}
	ready := make(chan string, 1)
	ended := make(chan error, 1)
	ctx, cancel := context.WithCancel(context.Background())
	go func() { ended <- app.Run(ctx, cfg, app.Deps{Log: log, Ready: func(addr string) { ready <- addr }}) }()
	transport := &http.Transport{}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the service ended with %v", err)
		}
		if t.Failed() {
			t.Logf("log of the service:\n%.20000s", log)
		}
	})
	select {
	case addr := <-ready:
		return &service{Harness: httpapi.NewHarness(t, "http://"+addr, transport), t: t, log: log}
	case err := <-ended:
		ended <- err
		t.Fatalf("the service does not start: %v\n%s", err, log)
	case <-time.After(startDeadline):
		t.Fatalf("the service does not start in time\n%s", log)
	}
	return nil
}

// want sends a request and decodes the answer, which must have the status.
func want[T any](s *service, status int, method, target, body string, headers ...string) (T, httpapi.Answer) {
	s.t.Helper()
	var v T
	a := s.Do(method, target, body, headers...)
	if a.Status != status {
		s.t.Fatalf("%s %s %.200s: %d %.500s, want %d", method, target, body, a.Status, a.Body, status)
	}
	if len(a.Body) > 0 {
		a.JSON(s.t, &v)
	}
	return v, a
}

func (s *service) project(key string) wire.Project {
	s.t.Helper()
	p, _ := want[wire.Project](s, 201, "POST", "/api/v1/projects", fmt.Sprintf(`{"key":%q,"name":"Project %s"}`, key, key))
	return p
}

func (s *service) task(key, title string) wire.Task {
	s.t.Helper()
	t, _ := want[wire.Task](s, 201, "POST", "/api/v1/projects/"+key+"/tasks", fmt.Sprintf(`{"title":%q}`, title))
	return t
}

// stateOf returns the first state of a category.
func stateOf(t *testing.T, p wire.Project, category wire.Category) wire.State {
	t.Helper()
	for _, st := range p.States {
		if st.Category == category {
			return st
		}
	}
	t.Fatalf("project has no state of category %s: %+v", category, p.States)
	return wire.State{}
}

// events counts the positioned events of a project.
func (s *service) events(key string) int {
	s.t.Helper()
	n, after := 0, int64(0)
	for {
		page, _ := want[wire.EventPage](s, 200, "GET", fmt.Sprintf("/api/v1/projects/%s/history?limit=200&after=%d", key, after), "")
		n += len(page.Events)
		if page.Next.IsNull() {
			return n
		}
		after = page.Next.MustGet()
	}
}

// noErrorsLogged fails if anything was logged as a fault of ours.
func (s *service) noErrorsLogged() {
	s.t.Helper()
	for line := range strings.Lines(s.log.String()) {
		if strings.Contains(line, `"level":"ERROR"`) {
			s.t.Errorf("logged at error level: %s", line)
		}
	}
}
