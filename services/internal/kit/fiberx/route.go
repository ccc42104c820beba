package fiberx

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/gofiber/fiber/v2"
)

// routeNames knows the templates of an application's routes, so that metric labels and span names stay few.
type routeNames struct {
	app      *fiber.App
	counters *routeCounters
	mu       sync.Mutex
	known    atomic.Pointer[routeTable]
}

type routeTable struct {
	handlers uint32
	routes   map[routeKey]*knownRoute
}

// routeKey is a route as Fiber names it.
type routeKey struct{ method, path string }

// knownRoute is what is worth working out once per route.
type knownRoute struct {
	template string // /api/v1/tasks/{ref}
	spanName string // GET /api/v1/tasks/{ref}
	counter  *routeCounter
}

// noRoute is what requests have in common that matched none.
var noRoute = &knownRoute{}

func newRouteNames(app *fiber.App) *routeNames {
	return &routeNames{app: app, counters: newRouteCounters(app)}
}

// of returns the route that answered, or noRoute when none did.
func (r *routeNames) of(c *fiber.Ctx, err error) *knownRoute {
	if err != nil {
		if e, ok := asFiberError(err); ok && (e.Code == http.StatusNotFound || e.Code == http.StatusMethodNotAllowed) {
			return noRoute // Fiber's own: no route matched
		}
	}
	route := c.Route()
	if known := r.table().routes[routeKey{route.Method, route.Path}]; known != nil {
		return known
	}
	return noRoute
}

// table is rebuilt when routes were added, which happens at start only.
func (r *routeNames) table() *routeTable {
	count := r.app.HandlersCount()
	if t := r.known.Load(); t != nil && t.handlers == count {
		return t
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	t := &routeTable{handlers: count, routes: map[routeKey]*knownRoute{}}
	for _, route := range r.app.GetRoutes(true) {
		known := &knownRoute{template: template(route.Path)}
		known.spanName = route.Method + " " + known.template
		if !isOpsPath(route.Path) {
			known.counter = r.counters.of(route.Method, known.template)
		}
		t.routes[routeKey{route.Method, route.Path}] = known
	}
	r.known.Store(t)
	return t
}

// routeTemplate is the template of the present route for the log; a middleware's path is as good as none.
func routeTemplate(c *fiber.Ctx) string {
	if route := c.Route(); route != nil {
		return template(route.Path)
	}
	return ""
}

// template writes a Fiber path (/tasks/:ref/+) in the notation of OpenAPI (/tasks/{ref}/{+}).
func template(path string) string {
	if !strings.ContainsAny(path, ":*+") {
		return path
	}
	var b strings.Builder
	for i, segment := range strings.Split(path, "/") {
		if i > 0 {
			b.WriteByte('/')
		}
		switch {
		case segment == "*" || segment == "+":
			b.WriteString("{" + segment + "}")
		case strings.HasPrefix(segment, ":"):
			name := strings.TrimRight(segment[1:], "?")
			name, _, _ = strings.Cut(name, "<")
			b.WriteString("{" + name + "}")
		default:
			b.WriteString(segment)
		}
	}
	return b.String()
}
