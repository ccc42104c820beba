package app_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/tallyboard/tallyboard/services/internal/kit/testkit"
)

const (
	publishName = "publish tasks.{project}.{task}"
	deliverName = "deliver tasks.{project}.{task}"
	createRoute = "POST /api/v1/projects/{key}/tasks"
)

// quiet records nothing but what a caller asks for by its traceparent.
var quiet = env{"TRACE_SAMPLE_RATIO": "0", "HTTP_TRACE_TRUST": "sampling"}

// and returns variables with more of them.
func (e env) and(name, value string) env {
	out := maps.Clone(e)
	out[name] = value
	return out
}

// browserTrace is the trace of a browser's request, and the id of its span.
func browserTrace(n int) (traceID, spanID, traceparent string) {
	traceID, spanID = fmt.Sprintf("%032x", 0xabc000+n), fmt.Sprintf("%016x", 0xdef000+n)
	return traceID, spanID, "00-" + traceID + "-" + spanID + "-01"
}

// one waits for the span of that name in a trace, and for no second one.
func one(t *testing.T, spans *testkit.Spans, traceID, name string) testkit.Span {
	t.Helper()
	eventually(t, name, func() bool { return len(spans.Named(traceID, name)) > 0 })
	found := spans.Named(traceID, name)
	if len(found) != 1 {
		t.Fatalf("%d spans %q", len(found), name)
	}
	return found[0]
}

// wholeTrace checks that every span of a trace has its parent there; root is the span that came from outside.
func wholeTrace(t *testing.T, spans *testkit.Spans, traceID, root string) {
	t.Helper()
	known := map[string]bool{root: true}
	for _, s := range spans.Of(traceID) {
		known[s.SpanID] = true
	}
	for _, s := range spans.Of(traceID) {
		if !known[s.ParentID] {
			t.Errorf("%s %q is an orphan", s.Kind, s.Name)
		}
	}
}

func TestTraceLeadsFromTheRequestToTheOtherBrowserOnEveryEngine(t *testing.T) {
	t.Parallel()
	for _, engine := range testkit.Engines() {
		t.Run(engine.Name, func(t *testing.T) {
			t.Parallel()
			spans := &testkit.Spans{}
			r := startTraced(t, engine.Open(t), testkit.NATS(t), quiet, spans)
			r.createProject()
			streams := []<-chan sse{r.watch(""), r.watch("")}
			for _, stream := range streams {
				next(t, stream, "ready")
			}
			traceID, browser, traceparent := browserTrace(1)
			r.traceparent = traceparent
			r.createTask("First")
			var told []string
			for _, stream := range streams {
				tp, _ := next(t, stream, "task.created").data["traceparent"].(string)
				told = append(told, tp)
			}
			server := one(t, spans, traceID, createRoute)
			published, delivered := one(t, spans, traceID, publishName), one(t, spans, traceID, deliverName)
			if server.Kind != "SERVER" || server.ParentID != browser || published.Kind != "PRODUCER" || published.ParentID != server.SpanID {
				t.Errorf("server %+v\npublish %+v", server, published)
			}
			// The relay of this process was faster than NATS.
			if delivered.Kind != "CONSUMER" || delivered.ParentID != server.SpanID || delivered.Attributes["tallyboard.live.source"] != "relay" {
				t.Errorf("deliver %+v", delivered)
			}
			if e, ok := delivered.Event("sse.deliver"); !ok || e.Attributes["subscribers"] != int64(2) {
				t.Errorf("deliver counts %+v", delivered.Events)
			}
			if told[0] != delivered.Traceparent() || told[1] != told[0] {
				t.Errorf("browsers were told %q, the delivery is %s", told, delivered.Traceparent())
			}
			for _, s := range []testkit.Span{published, delivered} {
				if s.Attributes["tallyboard.task.id"] == nil || s.Attributes["tallyboard.event.pos"] == nil || s.Attributes["messaging.system"] != "nats" {
					t.Errorf("%s has attributes %v", s.Name, s.Attributes)
				}
			}
			if !slices.ContainsFunc(spans.Of(traceID), func(s testkit.Span) bool {
				return s.Kind == "CLIENT" && s.Name == "INSERT events"
			}) {
				t.Errorf("no INSERT: %+v", spans.Of(traceID))
			}
			read := slices.DeleteFunc(spans.Named(traceID, "SELECT tasks"), func(s testkit.Span) bool { return s.ParentID != delivered.SpanID })
			if len(read) != 1 {
				t.Errorf("the task as it is now was read %d times for two browsers", len(read))
			}
			for _, delay := range []string{"tallyboard_relay_publish_delay_seconds_bucket", "tallyboard_live_delivery_delay_seconds_bucket"} {
				eventually(t, "an exemplar that leads from "+delay+" to the trace", func() bool {
					metrics := r.get("/metrics")
					for line := range strings.Lines(metrics) {
						if strings.HasPrefix(line, delay) && strings.Contains(line, `trace_id="`+traceID+`"`) {
							return true
						}
					}
					return false
				})
			}
			r.stop()
			wholeTrace(t, spans, traceID, browser)
			for _, s := range spans.All() {
				if s.TraceID != traceID {
					t.Errorf("stray span %s %q", s.Kind, s.Name)
				}
			}
		})
	}
}

func TestTraceCrossesTheQueueToAnotherReplica(t *testing.T) {
	t.Parallel()
	database, server, spans := testkit.Postgres(t), testkit.NATS(t), &testkit.Spans{}
	leader := startTraced(t, database, server, quiet.and("INSTANCE_ID", "leader"), spans)
	leader.createProject()
	other := startTraced(t, database, server, quiet.and("INSTANCE_ID", "other"), spans)
	streams := map[string]<-chan sse{"leader": leader.watch(""), "other": other.watch("")}
	for _, stream := range streams {
		next(t, stream, "ready")
	}
	eventually(t, "the other replica hears NATS", func() bool {
		var health struct{ Status string }
		return other.send(http.MethodGet, "/health", nil, &health) == http.StatusOK && health.Status == "ok"
	})
	traceID, browser, traceparent := browserTrace(2)
	leader.traceparent = traceparent
	leader.createTask("Seen by two")
	told := map[string]string{}
	for name, stream := range streams {
		told[name], _ = next(t, stream, "task.created").data["traceparent"].(string)
	}
	published, request := one(t, spans, traceID, publishName), one(t, spans, traceID, createRoute)
	eventually(t, "both deliveries", func() bool { return len(spans.Named(traceID, deliverName)) == 2 })
	for _, s := range spans.Named(traceID, deliverName) {
		parent, source := request.SpanID, "relay"
		if s.Instance == "other" {
			parent, source = published.SpanID, "nats"
		}
		if s.ParentID != parent || s.Attributes["tallyboard.live.source"] != source || s.Traceparent() != told[s.Instance] {
			t.Errorf("in %s: %+v, the browser was told %s", s.Instance, s, told[s.Instance])
		}
	}
	wholeTrace(t, spans, traceID, browser)
}

func TestUnsampledMeansNoSpanAnywhere(t *testing.T) {
	t.Parallel()
	spans := &testkit.Spans{}
	r := startTraced(t, testkit.MySQL(t), testkit.NATS(t), quiet, spans)
	r.createProject()
	stream := r.watch("")
	next(t, stream, "ready")
	_, _, traceparent := browserTrace(3)
	r.traceparent = strings.TrimSuffix(traceparent, "01") + "00"
	r.createTask("Unseen")
	event := next(t, stream, "task.created")
	if tp, ok := event.data["traceparent"]; ok {
		t.Errorf("the browser was told %v", tp)
	}
	if id := r.traceID; id == "" || event.data["traceId"] != id {
		t.Errorf("the event is of trace %v, the answer of %q", event.data["traceId"], id)
	}
	traceID, _, sampled := browserTrace(4)
	r.traceparent = sampled
	r.createTask("Seen") // what comes behind it has passed all the same ways
	next(t, stream, "task.created")
	one(t, spans, traceID, deliverName)
	r.stop()
	for _, s := range spans.All() {
		if s.TraceID != traceID {
			t.Errorf("stray span %s %q", s.Kind, s.Name)
		}
	}
}

func TestTraceIsKeptWhileNATSIsAway(t *testing.T) {
	t.Parallel()
	spans, server := &testkit.Spans{}, testkit.NATSServer(t)
	r := startTraced(t, testkit.Postgres(t), server.URL(), quiet, spans)
	r.createProject()
	stream := r.watch("")
	next(t, stream, "ready")
	server.Stop()
	next(t, stream, "stale")
	traceID, browser, traceparent := browserTrace(5)
	r.traceparent = traceparent
	r.createTask("Without NATS")
	next(t, stream, "task.created")
	request, delivered := one(t, spans, traceID, createRoute), one(t, spans, traceID, deliverName)
	if delivered.ParentID != request.SpanID || delivered.Attributes["tallyboard.live.source"] != "database" {
		t.Errorf("deliver %+v", delivered)
	}
	if found := spans.Named(traceID, publishName); len(found) != 0 {
		t.Errorf("published without NATS: %+v", found)
	}
	server.Start()
	if published := one(t, spans, traceID, publishName); published.ParentID != request.SpanID || published.Failed {
		t.Errorf("publish %+v", published)
	}
	wholeTrace(t, spans, traceID, browser)
}

// TestResumedStreamsGetNoSpans reads what happened before, traced as it was, without spans for the reading.
func TestResumedStreamsGetNoSpans(t *testing.T) {
	t.Parallel()
	spans := &testkit.Spans{}
	r := startTraced(t, testkit.Postgres(t), testkit.NATS(t), quiet, spans)
	r.createProject()
	stream := r.watch("")
	last := next(t, stream, "ready").id
	_, _, r.traceparent = browserTrace(6)
	r.createTask("Before")
	next(t, stream, "task.created")
	if tp, ok := next(t, r.watch(last), "task.created").data["traceparent"]; ok {
		t.Errorf("a stream that resumes was told %v", tp)
	}
}
