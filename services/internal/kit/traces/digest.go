package traces

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"
)

// Names of the attributes that summaries and graphs are made of: those of the semantic conventions, the present one
// first, and what older libraries set.
var (
	statusKeys = []string{"http.response.status_code", "http.status_code"}
	methodKeys = []string{"http.request.method", "http.method"}
	dbKeys     = []string{"db.system.name", "db.system"}
)

const routeKey = "http.route"

// digest is what a search looks at.
type digest struct {
	Summary

	tasks  []string // keys, in capitals
	routes []string
}

// newDigest looks through the spans of a trace, which must have distinct ids and belong to the caller. It fails
// only with the error of ctx.
func newDigest(ctx context.Context, id string, spans []Span) (*digest, error) {
	t := newTree(spans)
	if err := t.adjustClocks(ctx); err != nil {
		return nil, err
	}
	d := &digest{Summary: Summary{TraceID: id, Spans: len(spans)}}
	d.Start, d.Duration = t.extent()
	if root := t.root(); root >= 0 {
		d.Name, d.Service = t.spans[root].Name, t.spans[root].Service
	}
	services := map[string]bool{}
	main := -1
	for _, i := range t.order {
		s := &t.spans[i]
		services[s.Service] = true
		d.Error = d.Error || s.Error
		if s.Service == BrowserService { // it says about tasks and routes what it likes
			continue
		}
		if key, ok := s.Attributes[AttrTaskKey].(string); ok && !slices.Contains(d.tasks, strings.ToUpper(key)) {
			d.tasks = append(d.tasks, strings.ToUpper(key))
		}
		if s.Kind != Server {
			continue
		}
		if route := routeOf(s); route != "" && !slices.Contains(d.routes, route) {
			d.routes = append(d.routes, route)
		}
		if main < 0 || t.within(i, main) && routeOf(s) != "" {
			main = i
		}
	}
	if main >= 0 {
		d.Route, d.Status = routeOf(&t.spans[main]), statusOf(&t.spans[main])
	}
	d.Services = slices.Sorted(maps.Keys(services))
	return d, nil
}

// within reports whether a span is a descendant of another.
func (t *tree) within(i, ancestor int) bool {
	for i = t.parent[i]; i >= 0; i = t.parent[i] {
		if i == ancestor {
			return true
		}
	}
	return false
}

// routeOf is "METHOD /path/{param}" of a server span, or "".
func routeOf(s *Span) string {
	route, _ := s.Attributes[routeKey].(string)
	if method := text(s.Attributes, methodKeys); route != "" && method != "" {
		return method + " " + route
	}
	return ""
}

func statusOf(s *Span) int {
	for _, key := range statusKeys {
		if v, ok := s.Attributes[key].(int64); ok && v >= 100 && v <= 999 {
			return int(v)
		}
	}
	return 0
}

// text is the first of some attributes that is a text.
func text(attributes map[string]any, keys []string) string {
	for _, key := range keys {
		if v, ok := attributes[key].(string); ok {
			return v
		}
	}
	return ""
}

// matches reports whether a trace is what q asks for.
func (d *digest) matches(q *Query) bool {
	switch {
	case q.Task != "" && !slices.Contains(d.tasks, strings.ToUpper(q.Task)),
		q.Service != "" && !slices.Contains(d.Services, q.Service),
		q.Route != "" && !slices.Contains(d.routes, q.Route),
		q.MinDuration > 0 && d.Duration < q.MinDuration,
		q.MaxDuration > 0 && d.Duration > q.MaxDuration,
		q.Error != nil && d.Error != *q.Error:
		return false
	}
	return inWindow(d.Start, q.Since, q.Until)
}

func inWindow(start, since, until time.Time) bool {
	return (since.IsZero() || !start.Before(since)) && (until.IsZero() || start.Before(until))
}

// newest sorts matching traces, newest first, and cuts them at the limit.
func newest(found []*digest, limit int) []Summary {
	slices.SortFunc(found, func(a, b *digest) int {
		if c := b.Start.Compare(a.Start); c != 0 {
			return c
		}
		return strings.Compare(a.TraceID, b.TraceID)
	})
	out := make([]Summary, 0, min(len(found), limit))
	for _, d := range found[:min(len(found), limit)] {
		out = append(out, d.Summary)
	}
	return out
}
