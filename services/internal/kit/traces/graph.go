package traces

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// percentile is the share of calls that Node.P95 and Edge.P95 cover.
const percentile = 0.95

// graphBuilder counts calls between services over several traces.
type graphBuilder struct {
	services map[Link]string // of the spans that links may name
	nodes    map[string]*tally
	edges    map[edgeKey]*tally
}

type edgeKey struct{ from, to, kind string }

// tally counts calls.
type tally struct {
	errors    int
	durations []time.Duration
}

func (t *tally) count(s *Span) {
	t.durations = append(t.durations, s.Duration)
	if s.Error {
		t.errors++
	}
}

func newGraphBuilder() *graphBuilder {
	return &graphBuilder{services: map[Link]string{}, nodes: map[string]*tally{}, edges: map[edgeKey]*tally{}}
}

// learn notes whose the spans are, for links between traces. Calls to others are left out: nobody links to them.
func (g *graphBuilder) learn(traceID string, spans []Span) {
	for i := range spans {
		if s := &spans[i]; s.Kind != Client {
			g.services[Link{traceID, s.SpanID}] = s.Service
		}
	}
}

// add counts the calls of one trace. A call to a service is a server or consumer span, or one whose parent is of another
// service or absent. A call to a database is a client span with the name of a database system.
func (g *graphBuilder) add(spans []Span) {
	byID := make(map[string]*Span, len(spans))
	for i := range spans {
		byID[spans[i].SpanID] = &spans[i]
	}
	for i := range spans {
		s := &spans[i]
		parent := byID[s.ParentID]
		crossing := parent != nil && parent.Service != s.Service
		if crossing {
			kind := EdgeHTTP
			if s.Kind == Consumer || parent.Kind == Producer {
				kind = EdgeMessaging
			}
			g.edge(edgeKey{parent.Service, s.Service, kind}).count(s)
		}
		if s.Kind == Server || s.Kind == Consumer || parent == nil || crossing {
			g.node(s.Service).count(s)
		}
		if s.Kind == Consumer {
			g.addLinks(s, parent)
		}
		if db := text(s.Attributes, dbKeys); db != "" && s.Kind == Client {
			g.node(db).count(s)
			g.edge(edgeKey{s.Service, db, EdgeDB}).count(s)
		}
	}
}

// addLinks counts messages that came by a link in place of a parent: those of batches and of replays. Each service it
// came from counts once.
func (g *graphBuilder) addLinks(s, parent *Span) {
	if parent != nil {
		return
	}
	var counted []string
	for _, l := range s.Links {
		from, known := g.services[l]
		if !known || from == s.Service || slices.Contains(counted, from) {
			continue
		}
		counted = append(counted, from)
		g.edge(edgeKey{from, s.Service, EdgeMessaging}).count(s)
	}
}

func (g *graphBuilder) node(service string) *tally {
	if g.nodes[service] == nil {
		g.nodes[service] = &tally{}
	}
	return g.nodes[service]
}

func (g *graphBuilder) edge(key edgeKey) *tally {
	if g.edges[key] == nil {
		g.edges[key] = &tally{}
	}
	return g.edges[key]
}

// graph returns nodes by service and edges by both ends.
func (g *graphBuilder) graph() *Graph {
	out := &Graph{Nodes: make([]Node, 0, len(g.nodes)), Edges: make([]Edge, 0, len(g.edges))}
	for service, t := range g.nodes {
		out.Nodes = append(out.Nodes, Node{Service: service, Calls: len(t.durations), Errors: t.errors, P95: quantile(t.durations, percentile)})
	}
	for k, t := range g.edges {
		out.Edges = append(out.Edges, Edge{
			From: k.from, To: k.to, Kind: k.kind, Calls: len(t.durations), Errors: t.errors, P95: quantile(t.durations, percentile),
		})
	}
	slices.SortFunc(out.Nodes, func(a, b Node) int { return strings.Compare(a.Service, b.Service) })
	slices.SortFunc(out.Edges, func(a, b Edge) int {
		return cmp.Or(strings.Compare(a.From, b.From), strings.Compare(a.To, b.To), strings.Compare(a.Kind, b.Kind))
	})
	return out
}

// quantile interpolates linearly between order statistics (Hyndman–Fan type 7), as all percentiles of Tallyboard do. It
// sorts its argument, which must not be empty.
func quantile(durations []time.Duration, q float64) time.Duration {
	slices.Sort(durations)
	at := q * float64(len(durations)-1)
	i := int(at)
	if i+1 >= len(durations) {
		return durations[len(durations)-1]
	}
	return durations[i] + time.Duration((at-float64(i))*float64(durations[i+1]-durations[i]))
}
