package traces

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
)

// JaegerConfig says where a Jaeger answers queries. Zero values take the defaults of the tags.
type JaegerConfig struct {
	// URL is the address of Jaeger's query API, such as http://jaeger:16686; empty: there is none.
	URL string `env:"TRACES_URL"`
	// Timeout bounds one question to it, which may take several requests.
	Timeout time.Duration `env:"TRACES_TIMEOUT" envDefault:"5s"`
	// MaxAnswer is the size of one of its answers at most, in bytes.
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
	j := &Jaeger{cfg: cfg, client: &http.Client{Transport: &http.Transport{
		Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: maxServices, IdleConnTimeout: 30 * time.Second,
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
	found, err := j.traces(ctx, "/api/traces/"+id, url.Values{"raw": {"true"}})
	if err != nil {
		return nil, err
	}
	spans, known := found[id]
	if !known {
		return nil, notFound()
	}
	return assemble(id, spans), nil
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
	for id, spans := range found {
		if d := newDigest(id, spans); d.matches(&q) {
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
	for id, spans := range found {
		g.learn(id, spans)
	}
	for _, spans := range found {
		if start, _ := newTree(spans).extent(); inWindow(start, since, time.Time{}) {
			g.add(spans)
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

// find asks all questions for a service, or for all services, and returns the spans by trace.
func (j *Jaeger) find(ctx context.Context, service string, questions []url.Values) (map[string][]Span, error) {
	services := []string{service}
	if service == "" {
		var known struct {
			Data []string `json:"data"`
		}
		err := j.get(ctx, "/api/services", nil, &known)
		if errors.Is(err, errNoSuchThing) {
			err = away(err, "Traces cannot be read: there is no Jaeger at its address.")
		}
		if err != nil {
			return nil, err
		}
		services = slices.DeleteFunc(known.Data, isJaeger)
		slices.Sort(services)
		services = services[:min(len(services), maxServices)]
	}
	type outcome struct {
		found map[string][]Span
		err   error
	}
	outcomes := make([]outcome, len(services)*len(questions))
	var asked sync.WaitGroup
	for i, name := range services {
		for k, question := range questions {
			values := maps.Clone(question)
			values.Set("service", name)
			asked.Go(func() {
				o := &outcomes[i*len(questions)+k]
				o.found, o.err = j.traces(ctx, "/api/traces", values)
			})
		}
	}
	asked.Wait()
	all := map[string][]Span{}
	for _, o := range outcomes {
		if o.err != nil {
			return nil, o.err
		}
		for id, spans := range o.found { // every answer has whole traces; some may know more than others by now
			if len(spans) > len(all[id]) {
				all[id] = spans
			}
		}
	}
	return all, nil
}

// isJaeger reports whether a service is Jaeger, which records the questions it is asked: who looks at traces should not
// find that.
func isJaeger(service string) bool {
	return service == "jaeger" || strings.HasPrefix(service, "jaeger-")
}

// traces asks for traces and returns their spans by id. Not found is no trace.
func (j *Jaeger) traces(ctx context.Context, path string, values url.Values) (map[string][]Span, error) {
	var answer jaegerAnswer
	err := j.get(ctx, path, values, &answer)
	if errors.Is(err, errNoSuchThing) {
		return map[string][]Span{}, nil
	}
	if err != nil {
		return nil, err
	}
	return answer.spans(), nil
}

// errNoSuchThing is a 404 of Jaeger.
var errNoSuchThing = errors.New("not found")

// get asks one question. What goes wrong is apperr.Unavailable, but for errNoSuchThing and a caller who is gone.
func (j *Jaeger) get(ctx context.Context, path string, values url.Values, answer any) error {
	if j.fault != nil {
		return away(j.fault, "Traces cannot be read: the address of Jaeger is not valid.")
	}
	target := *j.base
	target.Path += path
	target.RawQuery = values.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), http.NoBody)
	if err != nil {
		return away(err, "Traces cannot be read: the address of Jaeger is not valid.")
	}
	response, err := j.client.Do(request)
	if err != nil {
		return j.failure(ctx, err)
	}
	defer response.Body.Close() //nolint:errcheck // nothing is written
	switch {
	case response.StatusCode == http.StatusNotFound:
		return errNoSuchThing
	case response.StatusCode != http.StatusOK:
		return away(fmt.Errorf("ask Jaeger for %s: status %s", path, response.Status), "Traces cannot be read: Jaeger answered with an error.")
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, j.cfg.MaxAnswer+1))
	switch {
	case err != nil:
		return j.failure(ctx, err)
	case int64(len(body)) > j.cfg.MaxAnswer:
		return away(fmt.Errorf("ask Jaeger for %s: more than %d bytes", path, j.cfg.MaxAnswer),
			"Traces cannot be read: Jaeger's answer is too large. Search for less, such as a shorter time.")
	}
	if err := json.Unmarshal(body, answer); err != nil {
		return away(fmt.Errorf("decode Jaeger's answer to %s: %w", path, err), "Traces cannot be read: Jaeger's answer is not understood.")
	}
	return nil
}

// failure is what a request ends with that got no answer.
func (j *Jaeger) failure(ctx context.Context, err error) error {
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return fmt.Errorf("ask Jaeger: %w", context.Canceled)
	case ctx.Err() != nil:
		return away(err, "Traces cannot be read: Jaeger did not answer in time.")
	}
	return away(err, "Traces cannot be read: Jaeger is not reachable.")
}

func away(cause error, message string) error {
	return apperr.Wrap(cause, apperr.Unavailable, "%s", message).WithRetryAfter(retryAway)
}
