package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/valyala/fasthttp"
)

// importTimeout is how long the server may take for an answer; an import of a hundred thousand tasks takes longest.
const importTimeout = 10 * time.Minute

// client speaks to task-service with as little work of its own as an HTTP client can have.
type client struct {
	host    *fasthttp.HostClient
	base    string
	project string
	total   int64 // tasks in the project when reading began
	created atomic.Int64
}

func newClient(addr string, conns int, project string) *client {
	return &client{
		host:    &fasthttp.HostClient{Addr: addr, MaxConns: conns, ReadTimeout: importTimeout, WriteTimeout: time.Minute},
		base:    "http://" + addr,
		project: project,
	}
}

// do sends a request and hands the answer's body to read (may be nil) before it is reused.
func (c *client) do(method, path, contentType string, body []byte, want int, read func([]byte) error) error {
	req, res := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(res)
	req.SetRequestURI(c.base + path)
	req.Header.SetMethod(method)
	if body != nil {
		req.Header.SetContentType(contentType)
		req.SetBodyRaw(body)
	}
	if err := c.host.Do(req, res); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if res.StatusCode() != want {
		return fmt.Errorf("%s %s: status %d: %.300s", method, path, res.StatusCode(), res.Body())
	}
	if read == nil {
		return nil
	}
	return read(res.Body())
}

func (c *client) createProject() (id uuid.UUID, err error) {
	body := fmt.Appendf(nil, `{"key":%q,"name":"Benchmark %s"}`, c.project, c.project)
	err = c.do("POST", "/api/v1/projects", "application/json", body, 201, func(b []byte) error {
		var p struct {
			ID uuid.UUID `json:"id"`
		}
		err := json.Unmarshal(b, &p)
		id = p.ID
		return err
	})
	return id, err
}

// fill adds n tasks by the product's own import.
func (c *client) fill(n int) error {
	csv := make([]byte, 0, 64*n)
	csv = append(csv, "id,title,created_date,finished_date\n"...)
	start := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	for i := range n {
		created := start.Add(time.Duration(i) * 200 * 24 * time.Hour / time.Duration(n))
		csv = fmt.Appendf(csv, "B-%d,%s,%s,", i, title(int64(i)), created.Format(time.RFC3339))
		if i%3 == 0 {
			csv = append(csv, created.Add(time.Duration(1+i%240)*time.Hour).Format(time.RFC3339)...)
		}
		csv = append(csv, '\n')
	}
	return c.do("POST", "/api/v1/projects/"+c.project+"/import?format=csv", "text/csv", csv, 200, nil)
}

func (c *client) create(context.Context, int, int) error {
	body := fmt.Appendf(nil, `{"title":%q}`, title(c.created.Add(1)))
	return c.do("POST", "/api/v1/projects/"+c.project+"/tasks", "application/json", body, 201, nil)
}

func (c *client) get(context.Context, int, int) error {
	n := 1 + rand.Int64N(c.total) //nolint:gosec // picks a task
	return c.do("GET", fmt.Sprintf("/api/v1/tasks/%s-%d", c.project, n), "", nil, 200, nil)
}

func (c *client) list(context.Context, int, int) error {
	return c.do("GET", "/api/v1/projects/"+c.project+"/tasks?limit=50&sort=rank", "", nil, 200, nil)
}
