package composetest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// apiProject is the project that the checks of the API and the signals use.
const apiProject = "API"

// checkAPI uses the API as a client would, and what the edge adds to it.
func (s *stack) checkAPI(ctx context.Context) error {
	if err := s.newProject(ctx, apiProject); err != nil {
		return err
	}
	s.report.check("a project is created", nil)
	s.report.check("a task is created, changed by version, found stale, read and trashed", s.taskLife(ctx))
	s.report.check("a repeated Idempotency-Key makes one task", s.idempotency(ctx))
	s.report.check("a live stream passes unbuffered", s.liveStream(ctx))
	s.report.check("history is imported and exported", s.transfers(ctx))
	s.report.check("statistics follow and equal a recount", s.statsEqual(ctx))
	s.checkEdge(ctx)
	return nil
}

func (s *stack) taskLife(ctx context.Context) error {
	path := "/api/v1/projects/" + apiProject + "/tasks"
	a, err := s.call(ctx, http.MethodPost, path, `{"title":"From the compose test"}`)
	if err != nil {
		return err
	}
	var created task
	if err := errors.Join(a.is(http.StatusCreated), a.decode(&created)); err != nil {
		return err
	}
	one := "/api/v1/tasks/" + created.Key
	for _, step := range []struct {
		method, body string
		status       int
		header       []string
	}{
		{http.MethodPatch, `{"title":"Changed"}`, http.StatusOK, []string{`If-Match: "1"`}},
		{http.MethodPatch, `{"title":"Too late"}`, http.StatusPreconditionFailed, []string{`If-Match: "1"`}},
		{http.MethodGet, "", http.StatusOK, nil},
		{http.MethodDelete, "", http.StatusOK, nil},
	} {
		a, err := s.call(ctx, step.method, one, step.body, step.header...)
		if err != nil {
			return err
		}
		if step.method == http.MethodDelete && a.status == http.StatusNoContent {
			continue
		}
		if err := a.is(step.status); err != nil {
			return fmt.Errorf("%s: %w", step.method, err)
		}
		if step.method == http.MethodGet {
			if err := holds(strings.Contains(string(a.body), `"Changed"`), "the change is not there: %.200s", a.body); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *stack) idempotency(ctx context.Context) error {
	ids := map[string]bool{}
	for range 3 {
		a, err := s.call(ctx, http.MethodPost, "/api/v1/projects/"+apiProject+"/tasks", `{"title":"Once"}`, "Idempotency-Key: compose-test-once")
		if err != nil {
			return err
		}
		var t task
		if err := errors.Join(a.is(http.StatusCreated), a.decode(&t)); err != nil {
			return err
		}
		ids[t.ID] = true
	}
	return holds(len(ids) == 1, "%d tasks", len(ids))
}

// liveStream reads the events of a project while a task is made; they must arrive while the stream is open.
func (s *stack) liveStream(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base+"/api/v1/projects/"+apiProject+"/events", nil)
	if err != nil {
		return fmt.Errorf("open the stream: %w", err)
	}
	res, err := (&http.Client{Transport: s.client.Transport}).Do(req)
	if err != nil {
		return fmt.Errorf("open the stream: %w", err)
	}
	defer res.Body.Close() //nolint:errcheck // it is cut off, not read to its end
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 1<<20)
	for sent := false; lines.Scan(); {
		switch line := lines.Text(); {
		case line == "event: ready" && !sent:
			sent = true
			a, err := s.call(ctx, http.MethodPost, "/api/v1/projects/"+apiProject+"/tasks", `{"title":"Seen live"}`)
			if err := errors.Join(err, a.is(http.StatusCreated)); err != nil {
				return err
			}
		case strings.HasPrefix(line, "data:") && strings.Contains(line, "Seen live"):
			return nil
		}
	}
	return fmt.Errorf("the event did not come: %w", errors.Join(lines.Err(), ctx.Err()))
}

func (s *stack) transfers(ctx context.Context) error {
	csv := "title,created,completed\nOld work,2026-01-05T09:00:00Z,2026-01-09T17:00:00Z\nOlder work,2026-01-04T09:00:00Z,\n"
	a, err := s.call(ctx, http.MethodPost, "/api/v1/projects/"+apiProject+"/import?format=csv", csv, "Content-Type: text/csv")
	if err := errors.Join(err, a.is(http.StatusOK)); err != nil {
		return err
	}
	a, err = s.call(ctx, http.MethodGet, "/api/v1/projects/"+apiProject+"/export?format=csv", "")
	if err := errors.Join(err, a.is(http.StatusOK)); err != nil {
		return err
	}
	return holds(strings.Contains(string(a.body), "Older work"), "the export lacks what was imported")
}

// statsEqual waits until the projections have caught up, and compares them with a recount.
func (s *stack) statsEqual(ctx context.Context) error {
	return eventually(ctx, 30*time.Second, func() error {
		var status struct{ LagPositions, ParkedCount int64 }
		if err := s.get(ctx, s.base, "/api/v1/stats/status", &status); err != nil {
			return err
		}
		if status.LagPositions != 0 || status.ParkedCount != 0 {
			return fmt.Errorf("%d positions behind, %d parked", status.LagPositions, status.ParkedCount)
		}
		var verdict struct {
			Equal bool
			Count int
		}
		if err := s.get(ctx, s.base, "/api/v1/stats/verify", &verdict); err != nil {
			return err
		}
		return holds(verdict.Equal, "%d differences", verdict.Count)
	})
}

// checkEdge asserts what the edge adds, and what it must leave alone.
func (s *stack) checkEdge(ctx context.Context) {
	a, err := s.call(ctx, http.MethodGet, "/", "", "Accept: text/html", "Accept-Encoding: br")
	s.report.check("the UI is served", errors.Join(err, a.is(http.StatusOK)))
	s.report.check("compressed files pass as they are", holds(a.header.Get("Content-Encoding") == "br", "encoding %q", a.header.Get("Content-Encoding")))
	for _, name := range []string{"Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy", "Permissions-Policy"} {
		values := a.header.Values(name)
		s.report.check(name+" is set, once", holds(len(values) == 1, "%q", values))
	}
	s.report.check("the server's version is not told", holds(a.header.Get("Server") == "nginx", "%q", a.header.Get("Server")))

	a, err = s.call(ctx, http.MethodPost, "/api/v1/projects/"+apiProject+"/tasks", `{"title":"`+strings.Repeat("x", 3<<20)+`"}`)
	s.report.check("what is too large is refused at the edge, as a problem document", errors.Join(err, a.is(http.StatusRequestEntityTooLarge),
		holds(strings.HasPrefix(a.header.Get("Content-Type"), "application/problem+json"), "%s", a.header.Get("Content-Type"))))
	a, err = s.call(ctx, http.MethodGet, "/api/v1/projects/NOSUCH", "")
	s.report.check("errors of the services pass as they are", errors.Join(err, a.is(http.StatusNotFound),
		holds(strings.Contains(string(a.body), `"code":"not-found"`), "%.200s", a.body)))
	a, err = s.call(ctx, http.MethodGet, "/health", "")
	s.report.check("/health names version and commit", errors.Join(err, a.is(http.StatusOK),
		holds(strings.Contains(string(a.body), testVersion+"+"), "%.200s", a.body)))
	a, err = s.call(ctx, http.MethodGet, "/api/v1/stats/health", "")
	s.report.check("stats-service tells its health through the edge", errors.Join(err, a.is(http.StatusOK)))
}
