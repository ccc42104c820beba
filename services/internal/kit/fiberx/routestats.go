package fiberx

import (
	"net/http"
	"runtime"
	"slices"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"weak"

	"github.com/gofiber/fiber/v2"
)

// RouteBounds are the upper bounds of RouteStat's buckets, in seconds; one more bucket holds what is beyond them.
var RouteBounds = [...]float64{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10}

// routeBuckets is the number of buckets of a RouteStat.
const routeBuckets = len(RouteBounds) + 1

// RouteStat is what an application counted of one route since it began. Stats of the same route in several instances
// are merged by adding them up.
type RouteStat struct {
	// Route is the method and the template, such as "GET /api/v1/tasks/{key}".
	Route string `json:"route"`
	// Count is the number of requests answered, Errors the number of those answered with a status of 500 or more.
	Count  uint64 `json:"count"`
	Errors uint64 `json:"errors"`
	// Buckets count the requests by duration; see RouteBounds.
	Buckets []uint64 `json:"buckets"`
}

// RouteStats returns what app, made by New, has counted of each route that was asked at least once, by name. It knows
// as many routes as there are, without the operations endpoints and without what matched no route.
func RouteStats(app *fiber.App) []RouteStat {
	found, ok := countersOf.Load(weak.Make(app))
	if !ok {
		return nil
	}
	return found.(*routeCounters).stats() //nolint:errcheck // only these are stored
}

// countersOf finds an application's counters, without keeping the application alive: Fiber has no place for them.
var countersOf sync.Map // weak.Pointer[fiber.App] → *routeCounters

// routeCounters are the counters of an application's routes. It must not refer to the application; see countersOf.
type routeCounters struct {
	mu     sync.Mutex
	routes map[string]*routeCounter
}

// routeCounter counts one route without locks.
type routeCounter struct {
	errors  atomic.Uint64
	buckets [routeBuckets]atomic.Uint64
}

func newRouteCounters(app *fiber.App) *routeCounters {
	c := &routeCounters{routes: map[string]*routeCounter{}}
	key := weak.Make(app)
	countersOf.Store(key, c)
	runtime.AddCleanup(app, func(key weak.Pointer[fiber.App]) { countersOf.Delete(key) }, key)
	return c
}

// of returns the counter of a route, the same one each time.
func (c *routeCounters) of(method, template string) *routeCounter {
	c.mu.Lock()
	defer c.mu.Unlock()
	name := method + " " + template
	counter := c.routes[name]
	if counter == nil {
		counter = &routeCounter{}
		c.routes[name] = counter
	}
	return counter
}

func (c *routeCounter) add(elapsed time.Duration, status int) {
	c.buckets[sort.SearchFloat64s(RouteBounds[:], elapsed.Seconds())].Add(1)
	if status >= http.StatusInternalServerError {
		c.errors.Add(1)
	}
}

func (c *routeCounters) stats() []RouteStat {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([]RouteStat, 0, len(c.routes))
	for name, counter := range c.routes {
		s := RouteStat{Route: name, Errors: counter.errors.Load(), Buckets: make([]uint64, routeBuckets)}
		for i := range counter.buckets {
			s.Buckets[i] = counter.buckets[i].Load()
			s.Count += s.Buckets[i]
		}
		if s.Count > 0 {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b RouteStat) int { return strings.Compare(a.Route, b.Route) })
	return out
}
