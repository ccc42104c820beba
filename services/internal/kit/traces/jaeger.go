package traces

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// JaegerConfig says where a Jaeger answers queries. Zero values take the defaults of the tags.
type JaegerConfig struct {
	// URL is the address of Jaeger's query API, such as http://jaeger:16686; empty: there is none.
	URL string `env:"TRACES_URL"`
	// Timeout bounds one question to it, which may take several requests.
	Timeout time.Duration `env:"TRACES_TIMEOUT" envDefault:"5s"`
	// MaxAnswer is the size of all its answers to one question at most, in bytes.
	MaxAnswer int64 `env:"TRACES_MAX_ANSWER" envDefault:"33554432"`
	// Now is the clock; nil means time.Now.
	Now func() time.Time `env:"-"`
}

// Bounds of searches, which Jaeger answers with whole traces.
const (
	// searchDepth is the number of the newest traces per service that are looked through for what Jaeger cannot search for.
	searchDepth = 200
	// searchBack is how far a search goes back that names no beginning.
	searchBack = 7 * 24 * time.Hour
	// maxRequests is the number of requests to Jaeger at once; further ones wait, also those of other questions.
	maxRequests = 3
	// maxServices is the number of services that are asked for, where a search names none; Jaeger searches by service only.
	maxServices = 16
	// retryAway is what a caller is told while Jaeger is away.
	retryAway = 5 * time.Second
)

// Jaeger reads traces from the query API of a Jaeger, version 1 or 2: /api/services, /api/traces and /api/traces/{id},
// the API of its own user interface. The newer /api/v3 is not used, because over HTTP it cannot search by attributes
// (Jaeger 2.13). Times are in microseconds there. Which traces link to one is not to be had, so Trace.LinkedBy is empty.
type Jaeger struct {
	cfg    JaegerConfig
	base   *url.URL
	fault  error // of the configured address
	client *http.Client
	slots  chan struct{} // one for each request that is under way
}

var _ Source = (*Jaeger)(nil)

// NewJaeger returns a source that asks the Jaeger at cfg.URL. It connects to nothing yet; an address that is none makes
// every method fail with apperr.Unavailable.
func NewJaeger(cfg JaegerConfig) *Jaeger {
	if cfg.Timeout <= 0 {
		cfg.Timeout = 5 * time.Second
	}
	if cfg.MaxAnswer <= 0 {
		cfg.MaxAnswer = 32 << 20
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	j := &Jaeger{cfg: cfg, slots: make(chan struct{}, maxRequests), client: &http.Client{Transport: &http.Transport{
		Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: maxRequests, IdleConnTimeout: 30 * time.Second,
	}}}
	j.base, j.fault = url.Parse(strings.TrimRight(cfg.URL, "/"))
	if j.fault == nil && (j.base.Scheme != "http" && j.base.Scheme != "https" || j.base.Host == "") {
		j.fault = errors.New("TRACES_URL is not an http or https address")
	}
	return j
}

// Close gives idle connections back.
func (j *Jaeger) Close() { j.client.CloseIdleConnections() }

// Settings implements Source.
func (j *Jaeger) Settings() Settings { return Settings{Source: SourceJaeger} }

// Trace implements Source.
func (j *Jaeger) Trace(ctx context.Context, id string) (*Trace, error) {
	id, err := CheckTraceID(id)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, j.cfg.Timeout)
	defer cancel()
	found, err := j.traces(ctx, "/api/traces/"+id, url.Values{"raw": {"true"}}, newBudget(j.cfg.MaxAnswer))
	if err != nil {
		return nil, err
	}
	told, known := found[id]
	if !known {
		return nil, notFound()
	}
	t, err := assemble(ctx, id, told.spans)
	if err != nil {
		return nil, j.failure(ctx, err)
	}
	t.Dropped = told.dropped
	return t, nil
}

// Search implements Source. Jaeger finds what belongs to a service and a task or route; the other conditions, and how they
// combine, are applied here to the newest searchDepth traces it finds per service.
func (j *Jaeger) Search(ctx context.Context, q Query) ([]Summary, error) {
	ctx, cancel := context.WithTimeout(ctx, j.cfg.Timeout)
	defer cancel()
	values := j.window(q.Since, q.Until)
	limit := q.limit()
	if q.MaxDuration > 0 || q.Error != nil || q.MinDuration > 0 {
		limit = searchDepth
	}
	values.Set("limit", strconv.Itoa(limit))
	if tags := tagsOf(&q); tags != nil {
		encoded, err := json.Marshal(tags)
		if err != nil {
			return nil, fmt.Errorf("encode the tags of a search: %w", err)
		}
		values.Set("tags", string(encoded))
	}
	questions := []url.Values{values}
	if q.MinDuration > 0 { // a slow trace has, as a rule, a slow span, which Jaeger finds however old it is
		slow := maps.Clone(values)
		slow.Set("minDuration", q.MinDuration.String())
		questions = append(questions, slow)
	}
	found, err := j.find(ctx, q.Service, questions)
	if err != nil {
		return nil, err
	}
	var matching []*digest
	for id, told := range found {
		d, err := newDigest(ctx, id, told.spans)
		if err != nil {
			return nil, j.failure(ctx, err)
		}
		if d.matches(&q) {
			matching = append(matching, d)
		}
	}
	return newest(matching, q.limit()), nil
}

// tagsOf is what Jaeger is asked for. It wants all tags on one span, so only one condition can go with it. Failures cannot:
// what finds them (error=true) in one of its stores finds the opposite in another (the memory of Jaeger 2.13).
func tagsOf(q *Query) map[string]string {
	if q.Task != "" {
		return map[string]string{AttrTaskKey: strings.ToUpper(q.Task)}
	}
	if method, path, ok := strings.Cut(q.Route, " "); ok {
		return map[string]string{methodKeys[0]: method, routeKey: path}
	}
	return nil
}

// Graph implements Source: it counts the newest searchDepth traces per service.
func (j *Jaeger) Graph(ctx context.Context, since time.Time) (*Graph, error) {
	ctx, cancel := context.WithTimeout(ctx, j.cfg.Timeout)
	defer cancel()
	values := j.window(since, time.Time{})
	values.Set("limit", strconv.Itoa(searchDepth))
	found, err := j.find(ctx, "", []url.Values{values})
	if err != nil {
		return nil, err
	}
	g := newGraphBuilder()
	for id, told := range found {
		g.learn(id, told.spans)
	}
	for _, told := range found {
		if err := ctx.Err(); err != nil {
			return nil, j.failure(ctx, err)
		}
		if start, _ := newTree(told.spans).extent(); inWindow(start, since, time.Time{}) {
			g.add(told.spans)
		}
	}
	return g.graph(), nil
}

// window is the time to search in, as parameters.
func (j *Jaeger) window(since, until time.Time) url.Values {
	if until.IsZero() {
		until = j.cfg.Now()
	}
	if since.IsZero() {
		since = until.Add(-searchBack)
	}
	return url.Values{
		"start": {strconv.FormatInt(since.UnixMicro(), 10)}, "end": {strconv.FormatInt(until.UnixMicro(), 10)}, "raw": {"true"},
	}
}

// find asks all questions for a service, or for all services, and returns what is told by trace. It ends with the first
// failure.
func (j *Jaeger) find(ctx context.Context, service string, questions []url.Values) (map[string]*told, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	left := newBudget(j.cfg.MaxAnswer)
	services := []string{service}
	if service == "" {
		var err error
		if services, err = j.services(ctx, left); err != nil {
			return nil, err
		}
	}
	var (
		asked sync.WaitGroup
		mu    sync.Mutex
		first error
	)
	all := map[string]*told{}
	for _, name := range services {
		for _, question := range questions {
			values := maps.Clone(question)
			values.Set("service", name)
			asked.Go(func() {
				found, err := j.traces(ctx, "/api/traces", values, left)
				mu.Lock()
				defer mu.Unlock()
				if err != nil && first == nil {
					first = err
					cancel() // nobody needs the other answers
				}
				for id, t := range found { // every answer has whole traces; some may know more than others by now
					if known := all[id]; known == nil || t.arrived() > known.arrived() {
						all[id] = t
					}
				}
			})
		}
	}
	asked.Wait()
	if first != nil {
		return nil, first
	}
	return all, nil
}

// services returns those to ask for where a question names none. The browser is not among them: what it told without a
// service is not shown, and all else is found by the services.
func (j *Jaeger) services(ctx context.Context, left *budget) ([]string, error) {
	var known struct {
		Data []string `json:"data"`
	}
	err := j.get(ctx, "/api/services", nil, left, &known)
	if errors.Is(err, errNoSuchThing) {
		err = away(err, "Traces cannot be read: there is no Jaeger at its address.")
	}
	if err != nil {
		return nil, err
	}
	services := slices.DeleteFunc(known.Data, func(name string) bool { return isJaeger(name) || name == BrowserService })
	slices.Sort(services)
	return services[:min(len(services), maxServices)], nil
}

// isJaeger reports whether a service is Jaeger, which records the questions it is asked: who looks at traces should not
// find that.
func isJaeger(service string) bool {
	return service == "jaeger" || strings.HasPrefix(service, "jaeger-")
}

// traces asks for traces and returns what is told of them by id. Not found is no trace, and so is one that only a browser
// has told of: anyone can make these.
func (j *Jaeger) traces(ctx context.Context, path string, values url.Values, left *budget) (map[string]*told, error) {
	var answer jaegerAnswer
	err := j.get(ctx, path, values, left, &answer)
	if errors.Is(err, errNoSuchThing) {
		return map[string]*told{}, nil
	}
	if err != nil {
		return nil, err
	}
	found := answer.traces()
	maps.DeleteFunc(found, func(_ string, t *told) bool { return t.byBrowserOnly() })
	return found, nil
}
