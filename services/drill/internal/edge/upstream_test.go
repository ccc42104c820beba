package edge

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// network is what replicas do, by name, without sockets, so that time can be a test's own.
type network struct {
	mu    sync.Mutex
	slow  map[string]time.Duration // before the answer
	asked map[string]int
	fails string // who answers 503
}

func (n *network) send(r *http.Request) (*http.Response, error) {
	if trace := httptrace.ContextClientTrace(r.Context()); trace != nil {
		trace.GotConn(httptrace.GotConnInfo{})
	}
	n.mu.Lock()
	n.asked[r.URL.Host]++
	slow := n.slow[r.URL.Host]
	n.mu.Unlock()
	select {
	case <-time.After(slow):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	w := httptest.NewRecorder()
	w.Header().Set("Replica", r.URL.Host)
	if r.URL.Host == n.fails {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	return w.Result(), nil
}

func (n *network) times(replica string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.asked[replica]
}

// through lets a request be answered by its rule and says who answered, and after how long.
func through(t *testing.T, u *upstream, n *network, method, path, key string) (replica string, took time.Duration, err error) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader("body"))
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	began := time.Now()
	res, err := route(u, n.send, r, ruleOf(r))
	if err != nil {
		return "", time.Since(began), err
	}
	if err := res.Body.Close(); err != nil {
		t.Error(err)
	}
	return res.Header.Get("Replica"), time.Since(began), nil
}

// forever is longer than anybody waits.
const forever = time.Hour

func TestAReplicaThatHangsIsGivenUp(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		method, path, key string
		a, b              time.Duration // how slow they are; a is asked first
		took              time.Duration
		replica           string // "" if nobody answers
	}{
		"a read":                        {"GET", "/api/v1/projects", "", forever, 0, promptTimeout, "b"},
		"a write with a key":            {"PATCH", "/api/v1/tasks/1", "k", forever, 0, promptTimeout, "b"},
		"a write without a key":         {"POST", "/api/v1/projects", "", forever, 0, readTimeout, ""},
		"a PUT without a key":           {"PUT", "/api/v1/tasks/1", "", forever, 0, readTimeout, ""},
		"a DELETE without a key":        {"DELETE", "/api/v1/tasks/1", "", forever, 0, readTimeout, ""},
		"a DELETE with a key":           {"DELETE", "/api/v1/tasks/1", "k", forever, 0, promptTimeout, "b"},
		"figures":                       {"GET", "/api/v1/stats/overview", "", forever, 0, statsTimeout, "b"},
		"a page":                        {"GET", "/", "", forever, 0, promptTimeout, "b"},
		"an import is sent once":        {"POST", "/api/v1/projects/x/import", "k", forever, 0, transferTimeout, ""},
		"a recount may take its time":   {"GET", "/api/v1/stats/verify", "", 2 * time.Minute, 0, 2 * time.Minute, "a"},
		"an export may take its time":   {"GET", "/api/v1/projects/x/export", "", time.Minute, 0, time.Minute, "a"},
		"slow work gets an answer":      {"GET", "/api/v1/projects", "", 10 * time.Second, 10 * time.Second, 2*promptTimeout + 10*time.Second, "a"},
		"slow work without a key, too":  {"POST", "/api/v1/projects", "", 10 * time.Second, 0, 10 * time.Second, "a"},
		"slow figures get an answer":    {"GET", "/api/v1/stats/overview", "", 8 * time.Second, 8 * time.Second, 2*statsTimeout + 8*time.Second, "a"},
		"nobody waits for ever":         {"GET", "/api/v1/projects", "", forever, forever, 2*promptTimeout + readTimeout, ""},
		"nobody waits for ever, keyed":  {"POST", "/api/v1/projects", "k", forever, forever, 2*promptTimeout + readTimeout, ""},
		"nobody waits for a page, ever": {"GET", "/", "", forever, forever, 2 * promptTimeout, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				u := newUpstream([]string{"b", "a"}) // the first turn is the second's
				n := &network{slow: map[string]time.Duration{"a": c.a, "b": c.b}, asked: map[string]int{}}
				replica, took, err := through(t, u, n, c.method, c.path, c.key)
				if replica != c.replica || took != c.took || (err == nil) != (c.replica != "") {
					t.Errorf("answered by %q after %s (%v), want %q after %s", replica, took, err, c.replica, c.took)
				}
				if err != nil && !errors.Is(err, errSilent) {
					t.Error(err)
				}
				for _, r := range u.replicas {
					if r.conns != 0 {
						t.Errorf("%d requests of %s never ended", r.conns, r.addr)
					}
				}
			})
		})
	}
}

func TestFewWaitForAReplicaThatHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		u := newUpstream([]string{"good", "hung"})
		n := &network{slow: map[string]time.Duration{"good": 5 * time.Millisecond, "hung": forever}, asked: map[string]int{}}
		const clients, lasts = 20, 30 * time.Second
		var all sync.WaitGroup
		end := time.Now().Add(lasts)
		for range clients {
			all.Go(func() {
				for time.Now().Before(end) {
					replica, _, err := through(t, u, n, "GET", "/api/v1/projects", "")
					if err != nil || replica != "good" {
						t.Errorf("%q, %v", replica, err)
					}
					time.Sleep(10 * time.Millisecond)
				}
			})
		}
		all.Wait()
		// Those who are there when it begins, and then at most one for each second that it is let through again.
		if waited := n.times("hung"); waited > clients+int(lasts/time.Second) {
			t.Errorf("%d requests waited for it", waited)
		}
	})
}

func TestLeavesOutWhoFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		u := newUpstream([]string{"good", "bad"})
		n := &network{slow: map[string]time.Duration{}, asked: map[string]int{}, fails: "bad"}
		ask := func(times int) {
			for range times {
				if replica, _, err := through(t, u, n, "GET", "/api/v1/tasks", ""); err != nil || replica != "good" {
					t.Errorf("%q, %v", replica, err)
				}
			}
		}
		ask(4 * maxFails)
		if asked := n.times("bad"); asked != maxFails {
			t.Errorf("a replica that always fails was asked %d times, want %d", asked, maxFails)
		}
		time.Sleep(2 * time.Second)
		ask(4 * maxFails)
		if asked := n.times("bad"); asked != maxFails+1 { // it is tried once, and left out again
			t.Errorf("a replica that still fails was asked %d times, want %d", asked, maxFails+1)
		}
	})
}

func TestAReplicaThatIsBackIsUsedWithinTwoSeconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		u := newUpstream([]string{"a", "b"})
		bad := u.replicas[0]
		for range maxFails {
			u.note(bad, true)
		}
		took := func() *replica {
			r := u.take(map[*replica]bool{u.replicas[1]: true})
			if r != nil {
				u.free(r)
			}
			return r
		}
		if took() != nil {
			t.Error("a replica that failed was not left out")
		}
		time.Sleep(2 * time.Second)
		if took() != bad {
			t.Fatal("it is still left out")
		}
		if took() != nil {
			t.Error("more than one request tried it") // until that one has gone well
		}
		u.note(bad, false)
		if took() != bad || bad.fails != 0 {
			t.Error("a request went well and it is left out all the same")
		}
	})
}

func TestAClientThatLeavesIsNobodysFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		u := newUpstream([]string{"a"})
		n := &network{slow: map[string]time.Duration{"a": forever}, asked: map[string]int{}}
		ctx, leave := context.WithTimeout(t.Context(), time.Second)
		defer leave()
		r := httptest.NewRequestWithContext(ctx, "GET", "/api/v1/projects", nil)
		if _, err := route(u, n.send, r, ruleOf(r)); !errors.Is(err, context.DeadlineExceeded) { //nolint:bodyclose // there is no answer
			t.Error(err)
		}
		if u.replicas[0].fails != 0 || u.replicas[0].conns != 0 {
			t.Errorf("%+v", u.replicas[0])
		}
	})
}
