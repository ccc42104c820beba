package fiberx

import (
	"encoding/json"
	"net/http"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"
	"weak"

	"github.com/gofiber/fiber/v2"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
)

func TestRoutesAreCounted(t *testing.T) {
	t.Parallel()
	app, _ := newApp(Config{})
	MountOps(app, Ops{})
	app.Get("/tasks/:ref", func(c *fiber.Ctx) error { return c.SendString(c.Params("ref")) })
	app.Post("/tasks", func(*fiber.Ctx) error { return apperr.New(apperr.Invalid, "no") })
	app.Get("/fail", func(*fiber.Ctx) error { return apperr.New(apperr.Unavailable, "away") })
	app.Get("/unasked", func(*fiber.Ctx) error { return nil })
	for _, path := range []string{"/tasks/1", "/tasks/2", "/fail", "/nowhere", "/livez"} {
		send(t, app, http.MethodGet, path, "")
	}
	send(t, app, http.MethodPost, "/tasks", "{}")
	send(t, app, http.MethodPut, "/tasks/1", "")
	app.Get("/later", func(*fiber.Ctx) error { return nil }) // counts survive a new route
	send(t, app, http.MethodGet, "/later", "")
	got := map[string][2]uint64{}
	var names []string
	for _, s := range RouteStats(app) {
		names = append(names, s.Route)
		got[s.Route] = [2]uint64{s.Count, s.Errors}
		var sum uint64
		for _, n := range s.Buckets {
			sum += n
		}
		if sum != s.Count || len(s.Buckets) != len(RouteBounds)+1 {
			t.Errorf("%s: buckets %v of %d", s.Route, s.Buckets, s.Count)
		}
	}
	want := map[string][2]uint64{"GET /tasks/{ref}": {2, 0}, "POST /tasks": {1, 0}, "GET /fail": {1, 1}, "GET /later": {1, 0}}
	for route, counts := range want {
		if got[route] != counts {
			t.Errorf("%s: %v, want %v", route, got[route], counts)
		}
	}
	if len(got) != len(want) || !slices.IsSorted(names) {
		t.Errorf("routes %v", names)
	}
	data, err := json.Marshal(RouteStats(app)[0])
	if err != nil || string(data[:9]) != `{"route":` {
		t.Errorf("%s, %v", data, err)
	}
}

func TestDurationsFallIntoTheirBuckets(t *testing.T) {
	t.Parallel()
	var c routeCounter
	for d, bucket := range map[time.Duration]int{
		0: 0, 500 * time.Microsecond: 0, 501 * time.Microsecond: 1, 10 * time.Second: len(RouteBounds) - 1, time.Hour: len(RouteBounds),
	} {
		before := c.buckets[bucket].Load()
		c.add(d, http.StatusOK)
		if c.buckets[bucket].Load() != before+1 {
			t.Errorf("%v is not in bucket %d", d, bucket)
		}
	}
}

func TestRoutesAreCountedAtTheSameTime(t *testing.T) {
	t.Parallel()
	app, _ := newApp(Config{})
	app.Get("/x", func(*fiber.Ctx) error { return nil })
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				send(t, app, http.MethodGet, "/x", "")
				RouteStats(app)
			}
		})
	}
	all.Wait()
	if s := RouteStats(app); len(s) != 1 || s[0].Count != 400 {
		t.Errorf("got %+v", s)
	}
}

func TestCountersGoWithTheirApplication(t *testing.T) {
	t.Parallel()
	if got := RouteStats(fiber.New()); got != nil {
		t.Errorf("another application has %v", got)
	}
	counters := func() *routeCounters { // an application that nobody keeps
		app, _ := newApp(Config{})
		found, ok := countersOf.Load(weak.Make(app))
		if !ok {
			t.Error("no counters")
			return nil
		}
		return found.(*routeCounters) //nolint:errcheck // only these are stored
	}()
	deadline := time.After(20 * time.Second)
	for {
		kept := false
		countersOf.Range(func(_, v any) bool { kept = kept || v == counters; return true })
		if !kept {
			return
		}
		runtime.GC()
		select {
		case <-deadline:
			t.Fatal("the counters outlive their application")
		case <-time.After(time.Millisecond):
		}
	}
}
