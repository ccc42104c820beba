package degradation

import (
	"fmt"
	"net/http"
	"slices"
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
	near := func(since time.Time) error {
		if d := since.Sub(went); since.IsZero() || d < -pause || d > pause {
			return fmt.Errorf("away since %s, said to be since %s", went, since)
		}
		return nil
	}
	until(t, "the live stream says since when it is late", func() error { return near(r.live.staleSince()) })
	for _, s := range r.Services() {
		until(t, s.Name()+" says since when NATS is away", func() error {
			h, status := r.healthOf(t, s.Addr)
			check, detail, since := h.check("nats")
			if h.Status != "degraded" || status != http.StatusOK || check != "degraded" || detail == "" {
				return fmt.Errorf("%d %+v", status, h)
			}
			return near(since)
		})
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
	if r.live.staleSince().IsZero() {
		t.Error("the stream no longer says that it is late")
	}
	if err := r.StartNATS(t.Context()); err != nil {
		t.Fatal(err)
	}
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
		r.ask(t, request{path: "/api/v1/stats/" + path}).problem(t, "")
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
		if err := r.Ready(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
}

// leftOut is for how long the edge may leave a replica out that is back (deploy/nginx/upstreams.conf: a second or two).
// Two replicas that die within it are two at once.
const leftOut = 2 * time.Second

// replicaKilled: a client repeats one request at most, and its stream goes on without a gap.
func replicaKilled(t *testing.T, r *rig) {
	t.Helper()
	for _, s := range r.Tasks {
		connects := r.live.connected()
		stop := make(chan struct{})
		attempts := make(chan []int)
		go func() { // one client, one request after the other
			var each []int
			for {
				select {
				case <-stop:
					attempts <- each
					return
				default:
					each = append(each, r.again(t, r.title()))
				}
			}
		}()
		if err := s.Kill(); err != nil {
			t.Fatal(err)
		}
		for _, other := range r.Tasks { // the stream was on one of the two
			if other != s {
				until(t, "requests go on", func() error { return r.Ready(t.Context(), other) })
			}
		}
		rest(t, pause)
		close(stop)
		repeated := 0
		for _, n := range <-attempts {
			repeated += n - 1
		}
		if repeated > 1 {
			t.Errorf("the client repeated %d requests, want 1 at most", repeated)
		}
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
		if err := r.Ready(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		rest(t, leftOut)
		t.Logf("%s killed: %d requests repeated, the stream connected %d times", s.Name(), repeated, r.live.connected()-connects)
	}
}

// databaseAway: 503 with Retry-After, no half write, and recovery without a restart of a service.
func databaseAway(t *testing.T, r *rig) {
	t.Helper()
	starts := r.starts()
	if err := r.DB.Kill(); err != nil {
		t.Fatal(err)
	}
	unanswered := r.title()
	r.create(t, unanswered).problem(t, "database")
	for _, path := range []string{"/api/v1/projects/" + projectKey + "/tasks", "/api/v1/stats/status"} {
		if a := r.ask(t, request{path: path}); a.status == http.StatusInternalServerError || a.status == http.StatusServiceUnavailable && a.header.Get("Retry-After") == "" {
			t.Errorf("%s: %s", path, a)
		}
	}
	r.alive(t)
	for _, s := range r.Services() {
		until(t, s.Name()+" is not ready", func() error {
			if h, status := r.healthOf(t, s.Addr); status != http.StatusServiceUnavailable {
				return fmt.Errorf("%d %+v", status, h)
			}
			return nil
		})
	}
	if err := r.DB.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
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
	before := r.levels(t)
	r.conditions(proxy.Conditions{Hold: true})
	answers := make(chan answer)
	const clients = 24
	title := r.title()
	for i := range clients {
		go func() {
			answers <- r.ask(t, request{method: http.MethodPost, path: "/api/v1/projects/" + projectKey + "/tasks", body: `{"title":"` + title + fmt.Sprint(i) + `"}`, key: title + fmt.Sprint(i)})
		}()
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
	r.noLeak(t, before)
}

// networkSlow: everything takes its time and nothing else.
func networkSlow(t *testing.T, r *rig) {
	t.Helper()
	before := r.levels(t)
	r.conditions(proxy.Conditions{Delay: 40 * time.Millisecond, Rate: 256 << 10})
	r.must(t, 4)
	r.mustRead(t)
	r.conditions(proxy.Conditions{})
	r.settle(t)
	r.noLeak(t, before)
}

func (r *rig) conditions(c proxy.Conditions) {
	for _, l := range r.Links {
		l.Set(c)
	}
}
