package composetest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// decode reads the body as JSON.
func (a answer) decode(v any) error {
	return decode(a.body, v)
}

// decode reads JSON whose names match those of the fields, whatever their case.
func decode(content []byte, v any) error {
	if err := json.Unmarshal(content, v); err != nil {
		return fmt.Errorf("read JSON %.200s: %w", content, err)
	}
	return nil
}

// is returns an error unless the answer has that status.
func (a answer) is(status int) error {
	return holds(a.status == status, "the answer is %d, not %d: %.300s", a.status, status, a.body)
}

// call sends one request to the edge. header is a list of "Name: value".
func (s *stack) call(ctx context.Context, method, path, body string, header ...string) (answer, error) {
	return s.callAt(ctx, s.base, method, path, body, header...)
}

func (s *stack) callAt(ctx context.Context, base, method, path, body string, header ...string) (answer, error) {
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, base+path, reader)
	if err != nil {
		return answer{}, fmt.Errorf("%s %s: %w", method, path, err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, h := range header {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	res, err := s.client.Do(req)
	if err != nil {
		return answer{}, fmt.Errorf("%s %s: %w", method, path, err)
	}
	var content bytes.Buffer
	_, err = content.ReadFrom(io.LimitReader(res.Body, 64<<20))
	if closeErr := res.Body.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return answer{}, fmt.Errorf("%s %s: %w", method, path, err)
	}
	return answer{res.StatusCode, res.Header, content.Bytes()}, nil
}

// get fetches JSON.
func (s *stack) get(ctx context.Context, base, path string, v any) error {
	a, err := s.callAt(ctx, base, http.MethodGet, path, "")
	if err != nil {
		return err
	}
	if err := a.is(http.StatusOK); err != nil {
		return fmt.Errorf("GET %s: %w", path, err)
	}
	return a.decode(v)
}

// task is a task as far as it is looked at here.
type task struct {
	ID, Key, Title string
	Version        int64
}

// tasks returns all tasks of a project, with trashed ones left out.
func (s *stack) tasks(ctx context.Context, project string) ([]task, error) {
	var all []task
	for path := "/api/v1/projects/" + project + "/tasks?limit=200"; ; {
		var page struct {
			Tasks []task
			Next  *string
		}
		if err := s.get(ctx, s.base, path, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Tasks...)
		if page.Next == nil || *page.Next == "" {
			return all, nil
		}
		path = "/api/v1/projects/" + project + "/tasks?limit=200&cursor=" + url.QueryEscape(*page.Next)
	}
}

// newProject makes a project.
func (s *stack) newProject(ctx context.Context, key string) error {
	a, err := s.call(ctx, http.MethodPost, "/api/v1/projects", fmt.Sprintf(`{"key":%q,"name":"Compose test %s"}`, key, key))
	if err != nil {
		return err
	}
	return a.is(http.StatusCreated)
}
