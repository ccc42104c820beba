package fiberx

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
)

const (
	callerTrace  = "0af7651916cd43dd8448eb211c80319c"
	callerSpan   = "b7ad6b7169203331"
	traceparent  = "00-" + callerTrace + "-" + callerSpan + "-01"
	amznSample   = "Root=1-67891233-abcdef012345678912345678"
	amznFullForm = "Self=1-67891234-12456789abcdef012345678;" + amznSample + ";CalledFrom=app"
)

// recorded returns an application whose spans and metrics can be read.
func recorded(t *testing.T, cfg Config, ratio float64) (*fiber.App, *tracetest.SpanRecorder, *sdkmetric.ManualReader) {
	t.Helper()
	spans := tracetest.NewSpanRecorder()
	tp := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans),
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(ratio))))
	reader := sdkmetric.NewManualReader()
	mp := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	tel := telemetry.Nop()
	tel.Tracer, tel.Meter, tel.Sampler = tp.Tracer("test"), mp.Meter("test"), telemetry.Sampler{Ratio: ratio, Key: []byte("salt")}
	app := New(cfg, (&logBuffer{}).logger(), tel)
	app.Get("/api/v1/tasks/:ref", func(c *fiber.Ctx) error { return c.SendString(c.Params("ref")) })
	app.Get("/fail", func(*fiber.Ctx) error { return apperr.New(apperr.Unavailable, "away") })
	app.Get("/files/*", func(c *fiber.Ctx) error { return c.SendString("file") })
	return app, spans, reader
}

func attributes(s sdktrace.ReadOnlySpan) map[attribute.Key]string {
	out := map[attribute.Key]string{}
	for _, kv := range s.Attributes() {
		out[kv.Key] = kv.Value.String()
	}
	return out
}

func TestSpansFollowTheConventions(t *testing.T) {
	t.Parallel()
	app, spans, _ := recorded(t, Config{TraceTrust: TrustSampling}, 1)
	a := send(t, app, http.MethodGet, "/api/v1/tasks/WEB-42?filter=private", "", "traceparent", traceparent, amznTraceHeader, amznFullForm)
	send(t, app, http.MethodGet, "/fail", "")
	send(t, app, http.MethodGet, "/nowhere", "")
	ended := spans.Ended()
	if len(ended) != 3 {
		t.Fatalf("%d spans", len(ended))
	}
	ok, failed, unmatched := ended[0], ended[1], ended[2]
	if ok.Name() != "GET /api/v1/tasks/{ref}" || ok.SpanKind() != trace.SpanKindServer {
		t.Errorf("span %q %v", ok.Name(), ok.SpanKind())
	}
	if ok.Parent().SpanID().String() != callerSpan || ok.SpanContext().TraceID().String() != callerTrace || a.Header.Get(HeaderTraceID) != callerTrace {
		t.Errorf("parent %v, trace %v, header %q", ok.Parent(), ok.SpanContext().TraceID(), a.Header.Get(HeaderTraceID))
	}
	got := attributes(ok)
	for key, want := range map[attribute.Key]string{
		"http.request.method": "GET", "url.path": "/api/v1/tasks/WEB-42", "url.scheme": "http", "http.route": "/api/v1/tasks/{ref}",
		"http.response.status_code": "200", "server.address": "example.com", "network.protocol.version": "1.1",
		attrAmznRoot: strings.TrimPrefix(amznSample, "Root="),
	} {
		if got[key] != want {
			t.Errorf("%s is %q, want %q", key, got[key], want)
		}
	}
	if strings.Contains(fmt.Sprint(got), "private") {
		t.Error("the query is in the span")
	}
	if got := attributes(failed); got["error.type"] != "503" || failed.Status().Description != "unavailable" {
		t.Errorf("failed span %v %v", got, failed.Status())
	}
	if unmatched.Name() != "GET" || attributes(unmatched)["url.path"] != "" {
		t.Errorf("unmatched span %q, %v", unmatched.Name(), attributes(unmatched))
	}
}

func TestSpansHoldNobodysData(t *testing.T) {
	t.Parallel()
	app, spans, _ := recorded(t, Config{TraceTrust: TrustNone, TrustedProxies: []string{"0.0.0.0"}}, 1)
	for _, target := range []string{
		"/api/v1/tasks/anna@example.org", "/api/v1/tasks/anna%40example.org", "/api/v1/tasks/Anna%20Muster?q=anna", "/files/Anna%20Muster.pdf",
		"/anna@example.org", "/" + strings.Repeat("anna", 200), "/api/v1/tasks/1?assignee=anna#anna",
	} {
		send(t, app, http.MethodGet, target, "", "User-Agent", "anna's browser", "X-Forwarded-For", "203.0.113.7", "Referer", "https://anna.example/",
			"Cookie", "session=anna", "Authorization", "Bearer anna", "baggage", "user=anna", "tracestate", "anna=1", "traceparent", traceparent)
	}
	if len(spans.Ended()) != 7 {
		t.Fatalf("%d spans", len(spans.Ended()))
	}
	for _, s := range spans.Ended() {
		all := fmt.Sprint(s.Name(), s.Attributes(), s.Events(), s.Status(), s.SpanContext().TraceState())
		if strings.Contains(strings.ToLower(all), "anna") || strings.Contains(all, "203.0.113.7") {
			t.Errorf("span tells %s", all)
		}
		for _, kv := range s.Attributes() {
			switch kv.Key {
			case "url.query", "url.full", "client.address", "network.peer.address", "user_agent.original":
				t.Errorf("span has %s", kv.Key)
			}
		}
	}
	if got := attributes(spans.Ended()[0])["url.path"]; got != "/api/v1/tasks/{ref}" {
		t.Errorf("path %q", got)
	}
}

func TestEveryAnswerNamesTheServersSpan(t *testing.T) {
	t.Parallel()
	app, spans, _ := recorded(t, Config{}, 1)
	MountOps(app, Ops{Service: "task-service", Metrics: http.NotFoundHandler()})
	app.Get("/panic", func(*fiber.Ctx) error { panic("no") })
	traceresponse := regexp.MustCompile(`^00-([0-9a-f]{32})-([0-9a-f]{16})-(00|01)$`)
	for target, flags := range map[string]string{
		"GET /api/v1/tasks/1": "01", "GET /fail": "01", "GET /panic": "01", "GET /nowhere": "01", "DELETE /fail": "01", "BREW /coffee": "01",
		"HEAD /api/v1/tasks/1": "01", "GET /livez": "00", "GET /health": "00", "GET /metrics": "00", "GET /pool-stats": "00",
	} {
		for _, parent := range []string{"", traceparent} {
			before := len(spans.Ended())
			method, path, _ := strings.Cut(target, " ")
			a := send(t, app, method, path, "", "traceparent", parent)
			m := traceresponse.FindStringSubmatch(a.Header.Get(telemetry.HeaderTraceresponse))
			if m == nil || m[3] != flags || m[1] != a.Header.Get(HeaderTraceID) {
				t.Errorf("%s: traceresponse %q, trace %q", target, a.Header.Get(telemetry.HeaderTraceresponse), a.Header.Get(HeaderTraceID))
				continue
			}
			if a.problem.Status != 0 && a.problem.TraceID != m[1] {
				t.Errorf("%s: problem of trace %q", target, a.problem.TraceID)
			}
			if m[2] == callerSpan || parent != "" && m[1] != callerTrace && method != "BREW" {
				t.Errorf("%s: traceresponse %q repeats the caller's span or loses its trace", target, m[0])
			}
			ended := spans.Ended()[before:]
			if flags == "01" && (len(ended) != 1 || ended[0].SpanContext().SpanID().String() != m[2]) || flags == "00" && len(ended) != 0 {
				t.Errorf("%s: traceresponse %q, %d spans", target, m[0], len(ended))
			}
		}
	}
}

func TestAnUnrecordedAnswerSaysSoAndLeavesNoSpan(t *testing.T) {
	t.Parallel()
	for _, trust := range []TraceTrust{TrustIDs, TrustSampling, TrustNone} {
		app, spans, _ := recorded(t, Config{TraceTrust: trust}, 0)
		var inside string
		app.Get("/inside", func(c *fiber.Ctx) error {
			inside = telemetry.Traceparent(c.UserContext())
			return nil
		})
		header := strings.TrimSuffix(traceparent, "01") + "00"
		if trust != TrustSampling {
			header = traceparent
		}
		a := send(t, app, http.MethodGet, "/inside", "", "traceparent", header)
		got := a.Header.Get(telemetry.HeaderTraceresponse)
		if len(spans.Ended()) != 0 || !strings.HasSuffix(got, "-00") || inside != got {
			t.Errorf("%s: %d spans, traceresponse %q, inside %q", trust, len(spans.Ended()), got, inside)
		}
	}
}

func TestAllRequestsOfATraceGetOneAnswer(t *testing.T) {
	t.Parallel()
	one, _, _ := recorded(t, Config{}, 0.5)
	other, _, _ := recorded(t, Config{}, 0.5) // another replica with the same key
	answers := map[string]int{}
	for i := range 200 {
		parent := fmt.Sprintf("00-%032x-%s-01", i+1, callerSpan)
		first := send(t, one, http.MethodGet, "/api/v1/tasks/1", "", "traceparent", parent).Header.Get(telemetry.HeaderTraceresponse)
		second := send(t, other, http.MethodGet, "/fail", "", "traceparent", parent).Header.Get(telemetry.HeaderTraceresponse)
		if first[53:] != second[53:] || first[:36] != second[:36] {
			t.Fatalf("answers %q and %q", first, second)
		}
		answers[first[53:]]++
	}
	if answers["01"] < 50 || answers["00"] < 50 {
		t.Errorf("answers %v at a ratio of one half", answers)
	}
}

func TestACallerCannotForceSampling(t *testing.T) {
	t.Parallel()
	app, spans, _ := recorded(t, Config{}, 0)
	a := send(t, app, http.MethodGet, "/api/v1/tasks/1", "", "traceparent", traceparent)
	if n := len(spans.Ended()); n != 0 {
		t.Errorf("%d spans were recorded", n)
	}
	if a.Header.Get(HeaderTraceID) != callerTrace {
		t.Errorf("trace id %q", a.Header.Get(HeaderTraceID))
	}
}

func TestTrustDecidesWhatACallersTraceMeans(t *testing.T) {
	t.Parallel()
	unsampled := strings.TrimSuffix(traceparent, "01") + "00"
	for _, c := range []struct {
		trust     TraceTrust
		header    string
		recorded  bool
		sameTrace bool
		links     int
	}{
		{TrustIDs, traceparent, true, true, 0},
		{TrustIDs, unsampled, true, true, 0},
		{TrustSampling, unsampled, false, true, 0},
		{TrustNone, traceparent, true, false, 1},
		{TrustIDs, "nonsense", true, false, 0},
	} {
		app, spans, _ := recorded(t, Config{TraceTrust: c.trust}, 1)
		a := send(t, app, http.MethodGet, "/api/v1/tasks/1", "", "traceparent", c.header)
		if same := a.Header.Get(HeaderTraceID) == callerTrace; same != c.sameTrace || len(a.Header.Get(HeaderTraceID)) != 32 {
			t.Errorf("%s %s: trace id %q", c.trust, c.header, a.Header.Get(HeaderTraceID))
		}
		ended := spans.Ended()
		if (len(ended) == 1) != c.recorded {
			t.Errorf("%s %s: %d spans", c.trust, c.header, len(ended))
		} else if c.recorded && len(ended[0].Links()) != c.links {
			t.Errorf("%s %s: %d links", c.trust, c.header, len(ended[0].Links()))
		}
	}
}

func TestProbesAreNotTraced(t *testing.T) {
	t.Parallel()
	app, spans, _ := recorded(t, Config{TraceTrust: TrustSampling}, 1)
	MountOps(app, Ops{Service: "task-service"})
	a, b := send(t, app, http.MethodGet, "/livez", "", "traceparent", traceparent), send(t, app, http.MethodGet, "/livez", "")
	if len(spans.Ended()) != 0 {
		t.Errorf("%d spans", len(spans.Ended()))
	}
	if a.Header.Get(HeaderTraceID) != callerTrace || len(b.Header.Get(HeaderTraceID)) != 32 {
		t.Errorf("trace ids %q and %q", a.Header.Get(HeaderTraceID), b.Header.Get(HeaderTraceID))
	}
}

func TestQuietPathsAreNotTraced(t *testing.T) {
	t.Parallel()
	app, spans, _ := recorded(t, Config{TraceTrust: TrustSampling, QuietPaths: []string{"/api/traces"}}, 1)
	app.Use(func(c *fiber.Ctx) error { return c.SendString("ok") })
	for _, path := range []string{"/api/traces", "/api/traces/", "/api/traces/1/spans?x=1"} {
		if send(t, app, http.MethodGet, path, "", "traceparent", traceparent); len(spans.Ended()) != 0 {
			t.Errorf("%s: %d spans, want none", path, len(spans.Ended()))
		}
	}
	if send(t, app, http.MethodGet, "/api/traces-else", "", "traceparent", traceparent); len(spans.Ended()) != 1 {
		t.Errorf("%d spans of another path, want 1", len(spans.Ended()))
	}
}

func TestDurationHistogramHasBoundedRoutes(t *testing.T) {
	t.Parallel()
	app, _, reader := recorded(t, Config{}, 1)
	for _, path := range []string{"/api/v1/tasks/1", "/api/v1/tasks/2", "/files/a/b", "/x1", "/x2", "/fail"} {
		send(t, app, http.MethodGet, path, "")
	}
	send(t, app, "BREW", "/x1", "")
	var data metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &data); err != nil {
		t.Fatal(err)
	}
	got := map[string]uint64{}
	for _, m := range data.ScopeMetrics[0].Metrics {
		if m.Name != "http.server.request.duration" {
			continue
		}
		if m.Unit != "s" {
			t.Errorf("unit %q", m.Unit)
		}
		for _, p := range m.Data.(metricdata.Histogram[float64]).DataPoints { //nolint:errcheck // another type fails the test
			method, _ := p.Attributes.Value("http.request.method")
			route, _ := p.Attributes.Value("http.route")
			status, _ := p.Attributes.Value("http.response.status_code")
			got[method.String()+" "+route.String()+" "+status.String()] += p.Count
		}
	}
	want := map[string]uint64{
		"GET /api/v1/tasks/{ref} 200": 2, "GET /files/{*} 200": 1, "GET  404": 2, "GET /fail 503": 1,
	}
	for k, n := range want {
		if got[k] != n {
			t.Errorf("%s: %d, want %d (of %v)", k, got[k], n, got)
		}
	}
}

func TestRequestIDsAreTakenOverOnlyIfSane(t *testing.T) {
	t.Parallel()
	app, _ := newApp(Config{})
	app.Get("/", func(c *fiber.Ctx) error { return c.SendString(RequestID(c.UserContext())) })
	for given, kept := range map[string]bool{
		"": false, "req-1_2.3": true, strings.Repeat("a", 128): true, strings.Repeat("a", 129): false, "a b": false, `a"b`: false, "ä": false,
	} {
		a := send(t, app, http.MethodGet, "/", "", "X-Request-ID", given)
		id := a.Header.Get("X-Request-ID")
		if (id == given && given != "") != kept || id == "" || a.body != id {
			t.Errorf("%q became %q (context %q)", given, id, a.body)
		}
	}
}

func TestHandlersHaveADeadline(t *testing.T) {
	t.Parallel()
	app, _ := newApp(Config{RequestTimeout: time.Millisecond})
	wait := func(c *fiber.Ctx) error {
		<-c.UserContext().Done()
		return fmt.Errorf("work: %w", c.UserContext().Err())
	}
	app.Get("/slow", wait)
	app.Get("/import", Deadline(time.Hour), func(c *fiber.Ctx) error {
		deadline, _ := c.UserContext().Deadline()
		if time.Until(deadline) < time.Minute || RequestID(c.UserContext()) == "" {
			return context.DeadlineExceeded
		}
		return nil
	})
	if a := send(t, app, http.MethodGet, "/slow", ""); a.StatusCode != http.StatusGatewayTimeout || a.problem.Code != "timeout" {
		t.Errorf("got %d %s", a.StatusCode, a.body)
	}
	if a := send(t, app, http.MethodGet, "/import", ""); a.StatusCode != http.StatusOK {
		t.Errorf("got %d %s", a.StatusCode, a.body)
	}
}

func TestAccessLogTellsWhatIsNeededAndNoMore(t *testing.T) {
	t.Parallel()
	app, log := newApp(Config{})
	MountOps(app, Ops{})
	app.Get("/tasks/:ref", func(c *fiber.Ctx) error { return nil })
	send(t, app, http.MethodGet, "/tasks/WEB-1?q=private", "", "X-Request-ID", "r1")
	send(t, app, http.MethodGet, "/livez", "")
	lines := log.lines(t, "request")
	if len(lines) != 2 {
		t.Fatalf("%d lines", len(lines))
	}
	line := lines[0]
	for key, want := range map[string]any{"level": "INFO", "method": "GET", "route": "/tasks/{ref}", "status": 200.0, "request_id": "r1"} {
		if line[key] != want {
			t.Errorf("%s is %v", key, line[key])
		}
	}
	if _, ok := line["duration_ms"].(float64); !ok || strings.Contains(fmt.Sprint(line), "private") {
		t.Errorf("line %v", line)
	}
	if lines[1]["level"] != "DEBUG" {
		t.Errorf("a probe is logged at %v", lines[1]["level"])
	}
}

func TestAmznRoot(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]string{
		"": "", "Root=": "", "Root=1-67891233-abcdef01234567891234567": "", "Root=1-67891233-abcdef01234567891234567x": "",
		amznSample: "1-67891233-abcdef012345678912345678", amznFullForm: "1-67891233-abcdef012345678912345678",
	} {
		if got := amznRoot(header); got != want {
			t.Errorf("%q: %q", header, got)
		}
	}
}

func TestTemplate(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/": "/", "/a/:id": "/a/{id}", "/a/:id?": "/a/{id}", "/a/:id<int>/b": "/a/{id}/b", "/a/*": "/a/{*}", "/a/+": "/a/{+}",
	} {
		if got := template(path); got != want {
			t.Errorf("%s: %s", path, got)
		}
	}
}
