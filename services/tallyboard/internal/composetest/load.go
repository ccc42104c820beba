package composetest

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// How patient a client of the load is.
const (
	requestTimeout = 30 * time.Second
	retryPause     = 100 * time.Millisecond
	givesUpAfter   = 90 * time.Second // of one write that is sent again and again
)

// titleSeparator divides the name a task was created with from what changes made of it.
const titleSeparator = " / "

// createdAs returns the name that a task was created with.
func createdAs(title string) string {
	name, _, _ := strings.Cut(title, titleSeparator)
	return name
}

// load is a number of clients that create tasks, change them and read, each one request after the other.
type load struct {
	s       *stack
	project string
	ledger  *ledger
	strict  bool // every answer must be good at once; otherwise clients send again with the same key, as the UI does
	stop    context.CancelFunc
	clients sync.WaitGroup
}

// startLoad starts clients in a project of their own.
func (s *stack) startLoad(ctx context.Context, project string, strict bool) (*load, error) {
	if err := s.newProject(ctx, project); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	l := &load{s: s, project: project, ledger: newLedger(), strict: strict, stop: cancel}
	for i := range s.cfg.Clients {
		l.clients.Go(func() { l.client(ctx, i) })
	}
	return l, nil
}

// end stops the clients after their present request.
func (l *load) end() {
	l.stop()
	l.clients.Wait()
}

func (l *load) client(ctx context.Context, number int) {
	for round := 0; ctx.Err() == nil; round++ {
		name := fmt.Sprintf("client %d task %d", number, round)
		path := "/api/v1/projects/" + l.project + "/tasks"
		made, ok := l.write(ctx, http.MethodPost, path, name, http.StatusCreated)
		if !ok {
			continue
		}
		l.ledger.acknowledge(name, made)
		for change := range 2 {
			title := fmt.Sprintf("%s%schange %d", name, titleSeparator, change)
			changed, ok := l.write(ctx, http.MethodPatch, "/api/v1/tasks/"+made.ID, title, http.StatusOK)
			if ok {
				l.ledger.acknowledge("", changed)
			}
		}
		l.read(ctx, "/api/v1/tasks/"+made.ID)
		l.read(ctx, "/api/v1/stats/projects/"+l.project+"/summary")
	}
}

// write sends a title with a key of its own until it is acknowledged. A write under way at the end of the load is
// finished: what becomes of it must be known.
func (l *load) write(ctx context.Context, method, path, title string, want int) (t task, ok bool) {
	if ctx.Err() != nil {
		return task{}, false
	}
	whole := context.WithoutCancel(ctx)
	header := []string{"Idempotency-Key: " + strings.ReplaceAll(l.project+"-"+title, " ", "-")}
	if method == http.MethodPatch {
		header = append(header, "If-Match: *")
	}
	body := fmt.Sprintf(`{"title":%q}`, title)
	for started := time.Now(); ; l.ledger.retry() {
		a, err := l.once(whole, method, path, body, header...)
		switch {
		case err == nil && a.status == want:
			if err := a.decode(&t); err != nil {
				l.ledger.failuref("%v", err)
				return task{}, false
			}
			return t, true
		case l.strict:
			l.ledger.failuref("%s %s: %d %v %.200s", method, path, a.status, err, a.body)
			return task{}, false
		case err == nil && a.status < http.StatusInternalServerError && a.status != http.StatusTooManyRequests:
			l.ledger.failuref("%s %s: %d %.200s", method, path, a.status, a.body)
			return task{}, false
		case time.Since(started) > givesUpAfter:
			l.ledger.failuref("%s %s: no success within %s: %d %v %.200s", method, path, givesUpAfter, a.status, err, a.body)
			return task{}, false
		}
		if err := rest(whole, retryPause); err != nil {
			return task{}, false
		}
	}
}

// read sends a GET; it counts in the strict load only.
func (l *load) read(ctx context.Context, path string) {
	if ctx.Err() != nil {
		return
	}
	a, err := l.once(context.WithoutCancel(ctx), http.MethodGet, path, "")
	if l.strict && (err != nil || a.status != http.StatusOK) {
		l.ledger.failuref("GET %s: %d %v %.200s", path, a.status, err, a.body)
	}
}

func (l *load) once(ctx context.Context, method, path, body string, header ...string) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	return l.s.call(ctx, method, path, body, header...)
}
