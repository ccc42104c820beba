package degradation

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tallyboard/tallyboard/services/drill/internal/cluster"
	"github.com/tallyboard/tallyboard/services/drill/internal/proxy"
)

// TestWhenPartsFail is the table of docs/architecture.md, row by row.
func TestWhenPartsFail(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, e cluster.Engine) {
		t.Helper()
		r := start(t, e)
		for _, row := range []struct {
			name string
			test func(*testing.T, *rig)
		}{
			{"NATS is away", natsAway},
			{"stats-service is away", statsAway},
			{"a replica of task-service is killed", replicaKilled},
			{"the database is away", databaseAway},
			{"the stream is wiped", streamWiped},
			{"the stream is restored from an old copy", streamRestored},
			{"the network is cut", networkCut},
			{"the network is slow", networkSlow},
			{"the database is read-only", readOnly},
			{"the database refuses a service", credentialsWrong},
			{"NATS refuses a service", seedWrong},
			{"the certificate of the database has expired", databaseCertificate},
			{"the certificate of NATS has expired", natsCertificate},
			{"a replica dies while it migrates", migrationBrokenOff},
			{"two releases run side by side", twoReleases}, // from here on the next release serves
			{"an event is newer than its readers", newerEvent},
			{"a replica of an older release starts", downgrade},
		} {
			t.Run(row.name, func(t *testing.T) {
				row.test(t, r)
				r.settle(t)
			})
			if t.Failed() {
				t.FailNow() // what follows would only repeat it
			}
		}
	})
}

// natsAway: the board works; live updates and health say since when they are late, and catch up by themselves.
func natsAway(t *testing.T, r *rig) {
	t.Helper()
	r.must(t, 3)
	r.settle(t)
	went := time.Now()
	if err := r.NATS[0].Kill(); err != nil {
		t.Fatal(err)
	}
	said := map[string]time.Time{}
	// between holds who says since when it is late to what can be true: not before NATS went, nor after it was said; and who
	// has said it once, to that.
	between := func(who string, since time.Time) error {
		if now := time.Now(); since.IsZero() || since.Before(went.Truncate(time.Second)) || since.After(now) {
			return fmt.Errorf("away since %s, said at %s to be since %s", went, now, since)
		}
		if first, is := said[who]; is && !first.Equal(since) {
			return fmt.Errorf("%s said since %s, and now since %s", who, first, since)
		}
		said[who] = since
		return nil
	}
	healthSays := func(s *cluster.Service) error {
		h, status, err := r.healthOf(t, s.Addr)
		if err != nil {
			return err
		}
		check, detail, since := h.check("nats")
		if h.Status != "degraded" || status != http.StatusOK || check != "degraded" || detail == "" {
			return fmt.Errorf("%d %+v", status, h)
		}
		return between(s.Name(), since)
	}
	until(t, "the live stream says since when it is late", func() error { return between("the live stream", r.live.staleSince()) })
	for _, s := range r.Services() {
		until(t, s.Name()+" says since when NATS is away", func() error { return healthSays(s) })
	}
	r.must(t, 5) // writes and reads go on
	r.mustRead(t)
	last := int64(0)
	if err := r.scan(t, "SELECT COUNT(*) FROM events", &last); err != nil {
		t.Fatal(err)
	}
	until(t, "events arrive by way of the database", func() error {
		if got := r.live.last(); got != last {
			return fmt.Errorf("%d of %d", got, last)
		}
		return nil
	})
	until(t, "the stream still says that it is late", func() error { // it may have connected again, and been told again
		if r.live.staleSince().IsZero() {
			return errors.New("it does not")
		}
		return nil
	})
	for _, s := range r.Services() {
		until(t, s.Name()+" still says since when NATS is away", func() error { return healthSays(s) })
	}
	r.await(t, r.StartNATS)
	until(t, "the live stream says that it is live again", func() error {
		if since := r.live.staleSince(); !since.IsZero() {
			return fmt.Errorf("late since %s", since)
		}
		return nil
	})
}

// statsAway: the board works, the edge answers for the statistics.
func statsAway(t *testing.T, r *rig) {
	t.Helper()
	for _, s := range r.Stats {
		if err := s.Kill(); err != nil {
			t.Fatal(err)
		}
	}
	r.must(t, 5)
	r.mustRead(t)
	for _, path := range []string{"status", "projects/" + projectKey + "/summary"} {
		r.refuses(t, request{path: "/api/v1/stats/" + path}, "")
	}
	if since := r.live.staleSince(); !since.IsZero() {
		t.Errorf("live streams are late since %s", since)
	}
	for _, s := range r.Stats {
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range r.Stats {
		r.await(t, func(ctx context.Context) error { return r.Ready(ctx, s) })
	}
}

// leftOut is for how long the edge may leave a replica out that is back (deploy/nginx/upstreams.conf: a second or two).
// Two replicas that die within it are two at once.
const leftOut = 2 * time.Second

// How many requests of a client must be answered before a replica is killed and behind it, so that it was under way.
const (
	before = 5
	behind = 20
)

// replicaKilled: a client repeats one request at most, and its stream goes on without a gap.
func replicaKilled(t *testing.T, r *rig) {
	t.Helper()
	connects := r.live.connected()
	for _, s := range r.Tasks {
		c := r.client(t)
		c.answered(t, before)
		if err := s.Kill(); err != nil {
			t.Fatal(err)
		}
		c.answered(t, behind)
		if repeated := c.stop(t); repeated > 1 {
			t.Errorf("%s killed: the client repeated %d requests, want 1 at most", s.Name(), repeated)
		}
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
		r.await(t, func(ctx context.Context) error { return r.Ready(ctx, s) })
		rest(t, leftOut)
	}
	until(t, "the stream, which was on one of the two, goes on at the other", func() error {
		if r.live.connected() == connects {
			return errors.New("it has not connected again")
		}
		return nil
	})
}

// client creates tasks, one request after the other, each until it is acknowledged.
type client struct {
	r    *rig
	end  func()
	over sync.WaitGroup
	done atomic.Int64

	made     map[string]answer
	attempts int
	err      error // readable once it is over, as what it made
}

func (r *rig) client(t *testing.T) *client {
	t.Helper()
	end := make(chan struct{})
	c := &client{r: r, end: sync.OnceFunc(func() { close(end) }), made: map[string]answer{}}
	c.over.Go(func() {
		for c.err == nil {
			select {
			case <-end:
				return
			default:
			}
			title := r.title()
			a, attempts, err := r.persist(t, title)
			c.made[title], c.err = a, err
			c.attempts += attempts
			c.done.Add(1)
		}
	})
	t.Cleanup(func() { c.end(); c.over.Wait() })
	return c
}

// answered waits until so many more requests have been.
func (c *client) answered(t *testing.T, n int64) {
	t.Helper()
	from := c.done.Load()
	until(t, "the client's requests are answered", func() error {
		if got := c.done.Load() - from; got < n {
			return fmt.Errorf("%d of %d", got, n)
		}
		return nil
	})
}

// stop ends the client, notes what it made, and returns how many requests it repeated.
func (c *client) stop(t *testing.T) (repeated int) {
	t.Helper()
	c.end()
	c.over.Wait()
	if c.err != nil {
		t.Fatal(c.err)
	}
	for title, a := range c.made {
		c.r.note(t, title, a)
	}
	t.Logf("%d requests, asked %d times", len(c.made), c.attempts)
	return c.attempts - len(c.made)
}

// databaseAway: 503 with Retry-After, no half write, and recovery without a restart of a service.
func databaseAway(t *testing.T, r *rig) {
	t.Helper()
	starts := r.starts()
	if err := r.DB.Kill(); err != nil {
		t.Fatal(err)
	}
	unanswered := r.title()
	r.refuses(t, creation(unanswered), "database")
	for _, path := range []string{"/api/v1/projects/" + projectKey + "/tasks", "/api/v1/stats/status"} {
		if a := r.ask(t, request{path: path}); a.status == http.StatusInternalServerError || a.status == http.StatusServiceUnavailable && a.header.Get("Retry-After") == "" {
			t.Errorf("%s: %s", path, a)
		}
	}
	r.alive(t)
	for _, s := range r.Services() {
		until(t, s.Name()+" is not ready", func() error {
			h, status, err := r.healthOf(t, s.Addr)
			if err == nil && status != http.StatusServiceUnavailable {
				err = fmt.Errorf("%d %+v", status, h)
			}
			return err
		})
	}
	r.await(t, r.DB.Up)
	began := time.Now()
	r.again(t, unanswered) // as the browser sends again what it kept
	t.Logf("writes again %s after the database accepts connections", time.Since(began).Round(time.Millisecond))
	if !slices.Equal(starts, r.starts()) {
		t.Error("a service was started again")
	}
}

func (r *rig) starts() (starts []int) {
	for _, s := range r.Services() {
		starts = append(starts, s.PID())
	}
	return starts
}

// networkCut: connections that are open and carry nothing, as when packets are lost. Requests end within the deadline,
// pools stay within their bounds, and nothing is left over.
func networkCut(t *testing.T, r *rig) {
	t.Helper()
	levels := r.levels(t)
	r.conditions(proxy.Conditions{Hold: true})
	const clients = 24
	answers := make(chan answer, clients)
	title := r.title()
	for i := range clients {
		go func() { answers <- r.ask(t, creation(title+fmt.Sprint(i))) }()
	}
	for range clients {
		if a := <-answers; a.err != nil || a.status != http.StatusServiceUnavailable && a.status != http.StatusGatewayTimeout || a.took > deadline {
			t.Errorf("while the network is cut: %s", a)
		} else if a.header.Get("Retry-After") == "" {
			t.Errorf("when to come back is not said: %s", a)
		}
	}
	r.alive(t)
	r.conditions(proxy.Conditions{})
	for i := range clients {
		r.again(t, title+fmt.Sprint(i))
	}
	r.settle(t)
	r.noLeak(t, levels)
}

// networkSlow: everything takes its time and nothing else.
func networkSlow(t *testing.T, r *rig) {
	t.Helper()
	levels := r.levels(t)
	const delay = 40 * time.Millisecond
	r.conditions(proxy.Conditions{Delay: delay, Rate: 256 << 10})
	began := time.Now()
	const tasks = 4
	r.must(t, tasks)
	if took := time.Since(began); took < tasks*2*delay { // there and back for each, or it went another way
		t.Errorf("%d tasks were created within %s, though the network delays all by %s", tasks, took, delay)
	}
	r.mustRead(t)
	r.conditions(proxy.Conditions{})
	r.settle(t)
	r.noLeak(t, levels)
}

func (r *rig) conditions(c proxy.Conditions) {
	for _, l := range r.Links {
		l.Set(c)
	}
}
