package composetest

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// observedProject is the project that the load behind dashboards and alerts works on.
	observedProject = "OBSERVE"
	// observedWithin is how long the stack may take until every query has data: rates need several scrapes, rules several
	// evaluations.
	observedWithin = 3 * time.Minute
	// observePause is the pause between two looks at all queries.
	observePause = 5 * time.Second
	// minDashboards guards against a test that finds nothing to look at.
	minDashboards = 6
)

// observation is one PromQL query and where it stands.
type observation struct{ where, query string }

// checkObservability runs every query of the dashboards, rules and alerts against the stack's Prometheus, while it works.
func (s *stack) checkObservability(ctx context.Context) error {
	boards, err := dashboardQueries(filepath.Join(s.cfg.Dir, "deploy", "grafana", "dashboards"))
	if err != nil {
		return err
	}
	rules, alerts, err := s.ruleQueries(ctx)
	if err != nil {
		return err
	}
	l, err := s.startLoad(ctx, observedProject, true)
	if err != nil {
		return err
	}
	defer l.end()
	watched, stop := context.WithCancel(ctx)
	defer stop()
	l.clients.Go(func() { s.watch(watched, observedProject) })
	defer stop() // before the load's end, which waits for the watcher

	wanting := slices.Concat(boards, rules, alerts)
	err = eventuallyEvery(ctx, observePause, observedWithin, func() error {
		if err := s.sendAsBrowser(ctx); err != nil {
			return err
		}
		var problems []string
		still := wanting[:0:0]
		for _, o := range wanting {
			if err := s.hasData(ctx, o.query); err != nil {
				still, problems = append(still, o), append(problems, fmt.Sprintf("%s: %v: %s", o.where, err, o.query))
			}
		}
		wanting = still
		return holds(len(problems) == 0, "%d without data:\n          %s", len(problems), strings.Join(problems, "\n          "))
	})
	s.report.check("every query of the dashboards, rules and alerts has data", err,
		fmt.Sprintf("%d of dashboards, %d of rules, %d of alerts", len(boards), len(rules), len(alerts)))
	s.report.check("histograms have exemplars that are traces", s.checkExemplars(ctx))
	s.report.check("what browsers send is cleaned", s.checkCleaned(ctx))
	return nil
}

// dashboardQueries returns the queries of all panels and variables of the dashboards in a folder, as Grafana would send
// them with everything chosen.
func dashboardQueries(dir string) ([]observation, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(files) < minDashboards {
		return nil, fmt.Errorf("%d dashboards in %s: %w", len(files), dir, err)
	}
	var out []observation
	for _, file := range files {
		content, err := os.ReadFile(file) //nolint:gosec // a file of the repository
		if err != nil {
			return nil, fmt.Errorf("read a dashboard: %w", err)
		}
		var board struct {
			Title  string
			Panels []struct {
				Title   string
				Targets []struct{ Expr string }
			}
			Templating struct {
				List []struct {
					Name, Type string
					Definition string
				}
			}
		}
		if err := decode(content, &board); err != nil {
			return nil, fmt.Errorf("read %s: %w", file, err)
		}
		for _, p := range board.Panels {
			for _, t := range p.Targets {
				out = append(out, observation{board.Title + " / " + p.Title, chosen(t.Expr)})
			}
		}
		for _, v := range board.Templating.List {
			if selector := labelValues.FindStringSubmatch(v.Definition); v.Type == "query" && selector != nil {
				out = append(out, observation{board.Title + " / variable " + v.Name, chosen(selector[1])})
			}
		}
	}
	return out, nil
}

// labelValues is Grafana's query for the values of a label.
var labelValues = regexp.MustCompile(`^label_values\((.*), *\w+\)$`)

// chosen replaces the variables of a dashboard as if everything were chosen.
func chosen(expr string) string {
	return strings.NewReplacer("$__rate_interval", "1m", "$job", ".*", "$instance", ".*", "$view", ".*").Replace(expr)
}

// hasData returns an error unless a query gives at least one number.
func (s *stack) hasData(ctx context.Context, query string) error {
	var found struct {
		Data struct {
			ResultType string
			Result     []struct{ Value [2]any }
		}
	}
	if err := s.get(ctx, s.metrics, "/api/v1/query?query="+url.QueryEscape(query), &found); err != nil {
		return err
	}
	for _, r := range found.Data.Result {
		text, _ := r.Value[1].(string)
		if v, err := strconv.ParseFloat(text, 64); err == nil && !math.IsNaN(v) {
			return nil
		}
	}
	return holds(false, "%d series, no number", len(found.Data.Result))
}

// watch reads the live stream of a project until ctx ends, as an open board does.
func (s *stack) watch(ctx context.Context, project string) {
	for ctx.Err() == nil {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base+"/api/v1/projects/"+project+"/events", nil)
		if err != nil {
			return
		}
		res, err := (&http.Client{Transport: s.client.Transport}).Do(req)
		if err == nil {
			for lines := bufio.NewReader(res.Body); err == nil; {
				_, err = lines.ReadSlice('\n')
				if errors.Is(err, bufio.ErrBufferFull) {
					err = nil
				}
			}
			_ = res.Body.Close() // it is cut off, not read to its end
		}
		if rest(ctx, retryPause) != nil {
			return
		}
	}
}

// The trace and the span that sendAsBrowser sends; what must not be left of them has the word "forged" in it.
const (
	forgedTrace = "0af7651916cd43dd8448eb211c80319c"
	forgedSpan  = "b7ad6b7169203331"
)

// sendAsBrowser posts a span and web vitals to the edge as the UI does, together with what it never would.
func (s *stack) sendAsBrowser(ctx context.Context) error {
	now := time.Now()
	ns := func(d time.Duration) string { return strconv.FormatInt(now.Add(d).UnixNano(), 10) }
	type attributes = map[string]string
	list := func(of attributes) (out []map[string]any) {
		for _, key := range slices.Sorted(maps.Keys(of)) {
			out = append(out, map[string]any{"key": key, "value": map[string]string{"stringValue": of[key]}})
		}
		return out
	}
	resource := map[string]any{"attributes": list(attributes{"service.name": "forged-service", "user.email": "forged@example.org"})}
	spans := map[string]any{"resourceSpans": []any{map[string]any{"resource": resource, "scopeSpans": []any{map[string]any{
		"scope": map[string]string{"name": "forged scope"},
		"spans": []any{map[string]any{
			"traceId": forgedTrace, "spanId": forgedSpan, "name": "move task", "kind": 2,
			"startTimeUnixNano": ns(-time.Second), "endTimeUnixNano": ns(0),
			"attributes": list(attributes{"ui.action": "move task", "url.query": "q=forged", "client.address": "forged"}),
			"events":     []any{map[string]string{"name": "forged event", "timeUnixNano": ns(0)}},
			"status":     map[string]any{"code": 2, "message": "forged message"},
		}},
	}}}}}
	histogram := func(name, view string, more attributes) map[string]any {
		of := attributes{"ui.view": view, "forged": "x"}
		maps.Copy(of, more)
		return map[string]any{"name": name, "unit": "s", "histogram": map[string]any{"aggregationTemporality": 1, "dataPoints": []any{map[string]any{
			"attributes": list(of), "startTimeUnixNano": ns(-time.Minute), "timeUnixNano": ns(0),
			"count": "2", "sum": 0.3, "explicitBounds": []float64{0.1, 0.2, 0.8, 1.8, 2.5}, "bucketCounts": []string{"1", "1", "0", "0", "0", "0"},
		}}}}
	}
	measured := []any{histogram("browser.web_vital.cls", "board", nil), histogram("forged.metric", "board", nil)}
	for _, name := range []string{"lcp", "inp", "fcp", "ttfb"} {
		measured = append(measured, histogram("browser.web_vital.duration", "board", attributes{"web_vital.name": name}),
			histogram("browser.web_vital.duration", "forged-view", attributes{"web_vital.name": name}))
	}
	metrics := map[string]any{"resourceMetrics": []any{map[string]any{"resource": resource, "scopeMetrics": []any{map[string]any{"metrics": measured}}}}}
	for path, body := range map[string]any{"/otlp/v1/traces": spans, "/otlp/v1/metrics": metrics} {
		text, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("write OTLP: %w", err)
		}
		a, err := s.call(ctx, http.MethodPost, path, string(text), "Origin: "+s.base, "Sec-Fetch-Site: same-origin")
		if err != nil {
			return err
		}
		if a.status != http.StatusOK && a.status != http.StatusAccepted {
			return fmt.Errorf("POST %s: %d %.300s", path, a.status, a.body)
		}
	}
	return nil
}

// checkCleaned looks for what sendAsBrowser forged, in Jaeger and in Prometheus.
func (s *stack) checkCleaned(ctx context.Context) error {
	return eventually(ctx, 20*time.Second, func() error {
		a, err := s.callAt(ctx, s.jaeger, http.MethodGet, "/api/traces/"+forgedTrace, "")
		if err := errors.Join(err, a.is(http.StatusOK)); err != nil {
			return err
		}
		trace := string(a.body)
		if !strings.Contains(trace, `"serviceName":"browser"`) || !strings.Contains(trace, `"move task"`) {
			return fmt.Errorf("the browser's span is not there: %.300s", trace)
		}
		a, err = s.callAt(ctx, s.metrics, http.MethodGet, "/api/v1/series?"+url.Values{"match[]": {`{job=~".*browser.*"}`, `{__name__=~".*forged.*"}`}}.Encode(), "")
		if err := errors.Join(err, a.is(http.StatusOK)); err != nil {
			return err
		}
		series := string(a.body)
		return errors.Join(
			holds(!strings.Contains(trace, "forged"), "the trace has what was forged: %.800s", trace),
			holds(strings.Contains(series, `"ui_view":"other"`), "an unknown screen is not told as other: %.300s", series),
			holds(!strings.Contains(series, "forged"), "a series has what was forged"))
	})
}

// checkExemplars follows an exemplar of each histogram that the dashboards show with points to its trace.
func (s *stack) checkExemplars(ctx context.Context) error {
	return eventually(ctx, 30*time.Second, func() error {
		var errs []error
		for _, histogram := range []string{"http_server_request_duration_seconds", "db_client_operation_duration_seconds",
			"tallyboard_stats_apply_delay_seconds", "traces_span_metrics_duration_seconds"} {
			errs = append(errs, s.exemplar(ctx, histogram))
		}
		return errors.Join(errs...)
	})
}

func (s *stack) exemplar(ctx context.Context, histogram string) error {
	var found struct {
		Data []struct {
			Exemplars []struct{ Labels map[string]string }
		}
	}
	now := time.Now()
	window := url.Values{"query": {histogram + "_bucket"}, "start": {now.Add(-5 * time.Minute).UTC().Format(time.RFC3339)}, "end": {now.UTC().Format(time.RFC3339)}}
	if err := s.get(ctx, s.metrics, "/api/v1/query_exemplars?"+window.Encode(), &found); err != nil {
		return err
	}
	for _, series := range found.Data {
		for _, e := range series.Exemplars {
			if id := e.Labels["trace_id"]; id != "" {
				if a, err := s.callAt(ctx, s.jaeger, http.MethodGet, "/api/traces/"+id, ""); err == nil && a.status == http.StatusOK {
					return nil
				}
			}
		}
	}
	return fmt.Errorf("%s has no exemplar whose trace Jaeger knows, in %d series", histogram, len(found.Data))
}
