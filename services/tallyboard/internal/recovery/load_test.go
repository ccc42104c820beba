package recovery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	project = "SAFE"
	clients = 4
	// requestTimeout bounds a request.
	requestTimeout = 20 * time.Second
)

// ledger is what clients were promised: titles of acknowledged tasks by id, after their last acknowledged change.
type ledger struct {
	mu     sync.Mutex
	titles map[string]string
	err    error
}

func (l *ledger) acknowledge(id, title string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.titles[id] = title
}

func (l *ledger) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = errors.Join(l.err, err)
}

func (l *ledger) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.titles)
}

// promised returns a copy.
func (l *ledger) promised() map[string]string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.titles)
}

// task as the API has it.
type task struct {
	ID      string
	Number  int64
	Title   string
	Version int64
}

// load is clients that create tasks and change them until it is ended.
type load struct {
	*ledger
	stop func()
}

// begin starts the clients; names of what they write begin with part.
func (s *stack) begin(l *ledger, part string) load {
	ctx, cancel := context.WithCancel(s.t.Context())
	var group sync.WaitGroup
	for client := range clients {
		group.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				if err := s.work(l, fmt.Sprintf("%s-%d-%d", part, client, n)); err != nil {
					l.fail(err)
					return
				}
			}
		})
	}
	return load{ledger: l, stop: func() { cancel(); group.Wait() }}
}

// changed is what a client adds to the title of a task that it made.
const changed = ", changed"

// work is one round of a client: a task, changed, discussed.
func (s *stack) work(l *ledger, name string) error {
	id, err := s.create(name)
	if err != nil {
		return err
	}
	l.acknowledge(id, name)
	if err := s.call(http.MethodPatch, "/api/v1/tasks/"+id, `{"title":"`+name+changed+`"}`, nil, "If-Match: *"); err != nil {
		return err
	}
	l.acknowledge(id, name+changed)
	return s.call(http.MethodPost, "/api/v1/tasks/"+id+"/comments", `{"body":"About `+name+`"}`, nil)
}

// create makes the task of that name, which is also its Idempotency-Key, and returns its id.
func (s *stack) create(name string) (id string, err error) {
	var made task
	err = s.call(http.MethodPost, "/api/v1/projects/"+project+"/tasks", `{"title":"`+name+`"}`, &made, "Idempotency-Key: "+name)
	return made.ID, err
}

// repeated makes all tasks once more, as clients would that did not see the answer. None may be made twice: what remembers
// them was restored with them.
func (s *stack) repeated(titles map[string]string) error {
	for id, title := range titles {
		again, err := s.create(strings.TrimSuffix(title, changed))
		if err != nil {
			return err
		}
		if again != id {
			return fmt.Errorf("repeating the creation of %q made another task", title)
		}
	}
	return nil
}

// until waits for as many more acknowledged tasks as a phase needs.
func (l load) until(ctx context.Context) error {
	for want, deadline := l.count()+written, time.Now().Add(startsWithin); l.count() < want; pause(ctx) {
		if time.Now().After(deadline) {
			return fmt.Errorf("%d of %d tasks after %s: %w", l.count(), want, startsWithin, l.err)
		}
	}
	return nil
}

// call sends a request and reads the answer into into, if that is not nil. Anything but success is an error.
func (s *stack) call(method, path, body string, into any, header ...string) error {
	ctx, cancel := context.WithTimeout(s.t.Context(), requestTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, s.url+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	for _, h := range header {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close() //nolint:errcheck // what matters was read
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if res.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("%s %s: status %d: %.300s", method, path, res.StatusCode, answer)
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return fmt.Errorf("%s %s: %w: %.300s", method, path, err, answer)
	}
	return nil
}

// present lists the project's tasks by id.
func (s *stack) present() (map[string]string, error) {
	titles := map[string]string{}
	for cursor := ""; ; {
		var page struct {
			Tasks []task
			Next  string
		}
		path := "/api/v1/projects/" + project + "/tasks?limit=200"
		if cursor != "" {
			path += "&cursor=" + cursor
		}
		if err := s.call(http.MethodGet, path, "", &page); err != nil {
			return nil, err
		}
		for _, t := range page.Tasks {
			titles[t.ID] = t.Title
		}
		if cursor = page.Next; cursor == "" {
			return titles, nil
		}
	}
}

// statistics waits until they have caught up, and compares them with a recount.
func (s *stack) statistics() error {
	var err error
	for deadline := time.Now().Add(startsWithin); time.Now().Before(deadline); pause(s.t.Context()) {
		var status struct{ LagPositions, ParkedCount int64 }
		var verdict struct {
			Equal bool
			Count int
		}
		err = errors.Join(s.call(http.MethodGet, "/api/v1/stats/status", "", &status), s.call(http.MethodGet, "/api/v1/stats/verify", "", &verdict))
		switch {
		case err != nil:
		case status.LagPositions != 0:
			err = fmt.Errorf("statistics are %d positions behind", status.LagPositions)
		case status.ParkedCount != 0:
			return fmt.Errorf("statistics set %d tasks aside", status.ParkedCount)
		case !verdict.Equal:
			return fmt.Errorf("statistics differ from a recount in %d figures", verdict.Count)
		default:
			return nil
		}
	}
	return err
}
