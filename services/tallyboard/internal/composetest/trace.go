package composetest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// How long a trace may take until all of it can be looked at: the collector waits for the last spans before it decides.
const traceShown = 20 * time.Second

// spanIDs are the ids of a browser's action: its trace, its root span, and the request below that.
type spanIDs struct{ trace, root, request string }

func newSpanIDs() (spanIDs, error) {
	var ids spanIDs
	var errs [3]error
	ids.trace, errs[0] = randomHex(16)
	ids.root, errs[1] = randomHex(8)
	ids.request, errs[2] = randomHex(8)
	return ids, errors.Join(errs[:]...)
}

// traceparent is what the browser sends with its request.
func (i spanIDs) traceparent(flags string) string {
	return "traceparent: 00-" + i.trace + "-" + i.request + "-" + flags
}

// export is what the browser sends of its spans afterwards. It claims more than a browser may.
func (i spanIDs) export() string {
	now := time.Now().UnixNano()
	span := func(id, parent, name string, kind int) string {
		return fmt.Sprintf(`{"traceId":%q,"spanId":%q,"parentSpanId":%q,"name":%q,"kind":%d,"startTimeUnixNano":"%d","endTimeUnixNano":"%d",`+
			`"attributes":[{"key":"ui.view","value":{"stringValue":"board"}},{"key":"user.name","value":{"stringValue":"Ada"}}]}`,
			i.trace, id, parent, name, kind, now-int64(time.Second), now)
	}
	return `{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"task-service"}}]},"scopeSpans":[{"spans":[` +
		span(i.root, "", "create task", 1) + "," + span(i.request, i.root, "POST", 3) + `]}]}]}`
}

// shownTrace is a trace as task-service shows it.
type shownTrace struct {
	Orphans int
	Spans   []shownSpan
}

type shownSpan struct {
	SpanID, Service, Name, Kind string
	ParentID                    *string
	Attributes                  map[string]any
}

// below returns the first span of a kind below another one; parent "" stands for none.
func (t shownTrace) below(parent, service, kind, name string) (shownSpan, error) {
	i := slices.IndexFunc(t.Spans, func(x shownSpan) bool {
		child := x.ParentID == nil && parent == "" || x.ParentID != nil && *x.ParentID == parent
		return child && x.Service == service && x.Kind == kind && strings.HasPrefix(x.Name, name)
	})
	if i < 0 {
		return shownSpan{}, fmt.Errorf("no %s span %q of %s below %q among %d spans", kind, name, service, parent, len(t.Spans))
	}
	return t.Spans[i], nil
}

// whole checks that a trace leads from the browser to the last row, without a gap and without anything that does not belong.
func (t shownTrace) whole(ids spanIDs) error {
	root, err := t.below("", "browser", "internal", "create task")
	if err != nil {
		return err
	}
	request, err := t.below(root.SpanID, "browser", "client", "POST")
	if err != nil {
		return err
	}
	parent := request.SpanID
	if edge, err := t.below(parent, "edge", "server", ""); err == nil { // where nginx has its OpenTelemetry module
		parent = edge.SpanID
	}
	server, err := t.below(parent, "task-service", "server", "POST /api/v1/projects/{")
	if err != nil {
		return err
	}
	publish, err := t.below(server.SpanID, "task-service", "producer", "publish tasks.")
	if err != nil {
		return err
	}
	process, err := t.below(publish.SpanID, "stats-service", "consumer", "process tasks.")
	if err != nil {
		return err
	}
	_, written := t.below(server.SpanID, "task-service", "client", "INSERT")
	if _, counted := t.below(process.SpanID, "stats-service", "client", ""); written != nil || counted != nil {
		return errors.Join(written, counted)
	}
	_, user := root.Attributes["user.name"]
	return errors.Join(
		holds(root.SpanID == ids.root && request.SpanID == ids.request, "the browser's spans are %s and %s", root.SpanID, request.SpanID),
		holds(t.Orphans == 0, "parents are missing: %v", t.lost()),
		holds(root.Attributes["ui.view"] == "board" && !user, "the browser's attributes are %v", root.Attributes),
	)
}

// lost lists the spans whose parents are missing.
func (t shownTrace) lost() []string {
	var lost []string
	for _, x := range t.Spans {
		if x.ParentID != nil && !slices.ContainsFunc(t.Spans, func(p shownSpan) bool { return p.SpanID == *x.ParentID }) {
			lost = append(lost, x.Service+": "+x.Name)
		}
	}
	return lost
}

// look fetches a trace; it is nil while there is none.
func (s *stack) look(ctx context.Context, id string) (*shownTrace, error) {
	a, err := s.call(ctx, http.MethodGet, "/api/v1/traces/"+id, "")
	if err != nil || a.status == http.StatusNotFound {
		return nil, err
	}
	if err := a.is(http.StatusOK); err != nil {
		return nil, err
	}
	trace := &shownTrace{}
	return trace, a.decode(trace)
}

// act does what a click in the browser does, and returns the answer to its request.
func (s *stack) act(ctx context.Context, ids spanIDs, flags string) (answer, error) {
	a, err := s.call(ctx, http.MethodPost, "/api/v1/projects/"+apiProject+"/tasks", `{"title":"Traced"}`, ids.traceparent(flags),
		"X-Amzn-Trace-Id: Root=1-67891233-abcdef012345678912345678")
	return a, errors.Join(err, a.is(http.StatusCreated))
}

// checkTrace follows a click. The browser's own spans are posted as it would.
func (s *stack) checkTrace(ctx context.Context) error {
	ids, err := newSpanIDs()
	if err != nil {
		return err
	}
	a, err := s.act(ctx, ids, "00")
	if err != nil {
		return err
	}
	told := a.header.Get("Traceresponse")
	s.report.check("the edge continues a caller's trace, and records it though the caller would not",
		holds(a.header.Get("X-Trace-Id") == ids.trace && strings.HasPrefix(told, "00-"+ids.trace+"-") && strings.HasSuffix(told, "-01"), "%q", told))
	started := time.Now()
	a, err = s.call(ctx, http.MethodPost, "/otlp/v1/traces", ids.export(), "Origin: "+s.base)
	s.report.check("the edge takes the browser's spans", errors.Join(err, a.is(http.StatusOK)))
	var trace *shownTrace
	err = eventually(ctx, traceShown, func() error {
		if trace, err = s.look(ctx, ids.trace); err != nil {
			return err
		}
		if trace == nil {
			return errors.New("there is no such trace")
		}
		return trace.whole(ids)
	})
	if trace == nil {
		trace = &shownTrace{}
	}
	s.report.check("one click is one trace, from the browser to the last row", err, len(trace.Spans), " spans after ", seconds(started))
	recorded := slices.ContainsFunc(trace.Spans, func(x shownSpan) bool { return x.Kind == "server" && x.Attributes["aws.alb.trace_root"] != nil })
	s.report.check("the id of a load balancer in front is recorded", holds(recorded, "no span has it"))
	return nil
}

// checkOwnTrace asks as a client does that knows nothing of traces.
func (s *stack) checkOwnTrace(ctx context.Context) {
	a, err := s.call(ctx, http.MethodGet, "/api/v1/me", "", "traceparent: 00-nonsense-x-01")
	made := a.header.Get("X-Trace-Id")
	s.report.check("the edge makes a trace where there is none", errors.Join(err, holds(len(made) == 32 && strings.Trim(made, "0") != "", "%q", made)))
	err = eventually(ctx, traceShown, func() error {
		trace, err := s.look(ctx, made)
		if err != nil || trace == nil {
			return errors.Join(err, errors.New("there is no such trace"))
		}
		_, err = trace.below("", trace.Spans[0].Service, "server", "GET")
		return errors.Join(err, holds(trace.Orphans == 0, "parents are missing: %v", trace.lost()))
	})
	s.report.check("such a trace begins at the edge or right behind it", err)
}

// checkUnrecorded sets the ratio of the edge, and of nobody else, to nothing.
func (s *stack) checkUnrecorded(ctx context.Context) error {
	none := *s
	none.environ = append(slices.Clip(s.environ), "TRACE_SAMPLE_RATIO=0")
	if _, err := none.compose(ctx, "up", "--detach", "--no-deps", "--wait", "edge"); err != nil {
		return err
	}
	ids, err := newSpanIDs()
	if err != nil {
		return err
	}
	a, actErr := s.act(ctx, ids, "01")
	if err := s.statsEqual(ctx); err != nil { // the consumer has had it, too
		return err
	}
	if _, err := s.compose(ctx, "up", "--detach", "--no-deps", "--wait", "edge"); err != nil {
		return err
	}
	if actErr != nil {
		return actErr
	}
	told := a.header.Get("Traceresponse")
	s.report.check("nobody forces a trace: the edge says that it does not record it", holds(strings.HasSuffix(told, "-00"), "%q", told))
	later, err := newSpanIDs()
	if err != nil {
		return err
	}
	if _, err := s.act(ctx, later, "00"); err != nil {
		return err
	}
	err = eventually(ctx, traceShown, func() error { // when this one shows, the other would have
		trace, err := s.look(ctx, later.trace)
		return errors.Join(err, holds(trace != nil && len(trace.Spans) > 3, "a later trace is not there"))
	})
	trace, lookErr := s.look(ctx, ids.trace)
	s.report.check("of a trace that is not recorded there is no span anywhere", errors.Join(err, lookErr, holds(trace == nil, "%+v", trace)))
	return nil
}

// checkIntake tries what the edge must refuse of browsers.
func (s *stack) checkIntake(ctx context.Context) {
	own := "Origin: " + s.base
	for _, c := range []struct {
		what, method, path, body string
		status                   int
		header                   []string
	}{
		{"without an origin", http.MethodPost, "/otlp/v1/traces", "{}", http.StatusForbidden, nil},
		{"of another site", http.MethodPost, "/otlp/v1/traces", "{}", http.StatusForbidden, []string{"Origin: https://elsewhere.example"}},
		{"of another site by fetch metadata", http.MethodPost, "/otlp/v1/metrics", "{}", http.StatusForbidden, []string{own, "Sec-Fetch-Site: cross-site"}},
		{"of another type", http.MethodPost, "/otlp/v1/traces", "{}", http.StatusUnsupportedMediaType, []string{own, "Content-Type: application/x-protobuf"}},
		{"that are compressed", http.MethodPost, "/otlp/v1/traces", "{}", http.StatusUnsupportedMediaType, []string{own, "Content-Encoding: gzip"}},
		{"that are too large", http.MethodPost, "/otlp/v1/traces", strings.Repeat(" ", 64<<10+1), http.StatusRequestEntityTooLarge, []string{own}},
		{"that are not OTLP", http.MethodPost, "/otlp/v1/traces", "[]", http.StatusBadRequest, []string{own}},
		{"by GET", http.MethodGet, "/otlp/v1/traces", "", http.StatusMethodNotAllowed, []string{own}},
		{"of an unknown kind", http.MethodPost, "/otlp/v1/logs", "{}", http.StatusNotFound, []string{own}},
	} {
		a, err := s.call(ctx, c.method, c.path, c.body, c.header...)
		s.report.check("signals "+c.what+" are refused", errors.Join(err, a.is(c.status), isProblem(a),
			holds(strings.HasSuffix(a.header.Get("Traceresponse"), "-00"), "traceresponse %q", a.header.Get("Traceresponse"))))
	}
	a, err := s.call(ctx, http.MethodPost, "/otlp/v1/metrics", "{}", own)
	s.report.check("metrics of browsers are taken", errors.Join(err, a.is(http.StatusOK)))
	refused := 0
	for range 200 { // more than the edge takes at once
		a, err = s.call(ctx, http.MethodPost, "/otlp/v1/metrics", "{}", own)
		if err != nil || a.status == http.StatusTooManyRequests {
			refused++
			break
		}
	}
	s.report.check("too many signals of one address are refused", errors.Join(err, holds(refused > 0, "none was"), isProblem(a),
		holds(a.header.Get("Retry-After") != "", "no Retry-After")))
}

func isProblem(a answer) error {
	return holds(strings.HasPrefix(a.header.Get("Content-Type"), "application/problem+json"), "%s", a.header.Get("Content-Type"))
}

// checkCollectorAway stops the collector: the edge must go on, and say so to browsers.
func (s *stack) checkCollectorAway(ctx context.Context) error {
	if _, err := s.compose(ctx, "stop", "--timeout", "5", "otel-collector"); err != nil {
		return err
	}
	err := eventually(ctx, 10*time.Second, func() error { // until the rate limit lets us through again
		a, err := s.call(ctx, http.MethodPost, "/otlp/v1/traces", "{}", "Origin: "+s.base)
		return errors.Join(err, a.is(http.StatusServiceUnavailable), isProblem(a))
	})
	s.report.check("without a collector, browsers are told to drop their signals", err)
	a, err := s.call(ctx, http.MethodGet, "/api/v1/me", "")
	s.report.check("without a collector, everything else goes on", errors.Join(err, a.is(http.StatusOK)))
	if _, err := s.compose(ctx, "restart", "edge"); err != nil {
		return err
	}
	err = eventually(ctx, recovery, func() error {
		a, err := s.call(ctx, http.MethodGet, "/api/v1/me", "")
		return errors.Join(err, a.is(http.StatusOK))
	})
	s.report.check("the edge starts without a collector", err)
	_, err = s.compose(ctx, "start", "otel-collector")
	return err
}

// checkOperations asks one replica for the state of all.
func (s *stack) checkOperations(ctx context.Context) {
	var answering []string
	err := eventually(ctx, 20*time.Second, func() error {
		var operations struct {
			NATSAway  bool
			Instances []struct {
				Service, Instance string
				Ready             bool
			}
		}
		if err := s.get(ctx, s.base, "/api/v1/operations", &operations); err != nil {
			return err
		}
		answering = answering[:0]
		names, ready := map[string]bool{}, true
		for _, i := range operations.Instances {
			answering = append(answering, i.Service)
			names[i.Instance] = true
			ready = ready && i.Ready
		}
		slices.Sort(answering)
		return holds(slices.Equal(answering, []string{"stats-service", "stats-service", "task-service", "task-service"}) && len(names) == 4 && ready && !operations.NATSAway,
			"%+v", operations)
	})
	s.report.check("the operations page lists every replica of both services", err)
}
