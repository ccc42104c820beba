package traces

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
)

// telling answers as a Jaeger does that has received the spans: with whole traces in which a service took part.
func telling(t *testing.T, spans ...sp) http.Handler {
	t.Helper()
	services, byTrace := []string{"jaeger"}, map[string][]sp{}
	for _, s := range spans {
		byTrace[traceID(s.trace)] = append(byTrace[traceID(s.trace)], s)
		if !slices.Contains(services, s.service) {
			services = append(services, s.service)
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data := []any{}
		id, one := strings.CutPrefix(r.URL.Path, "/api/traces/")
		service := r.URL.Query().Get("service")
		switch {
		case r.URL.Path == "/api/services":
			for _, name := range services {
				data = append(data, name)
			}
		case one && byTrace[id] == nil:
			http.NotFound(w, r)
			return
		default:
			for trace, spans := range byTrace {
				if one && trace == id || !one && slices.ContainsFunc(spans, func(s sp) bool { return s.service == service }) {
					data = append(data, jaegerTrace(trace, spans))
				}
			}
		}
		if err := json.NewEncoder(w).Encode(map[string]any{"data": data}); err != nil {
			t.Error(err)
		}
	})
}

// jaegerTrace is one trace as Jaeger writes it.
func jaegerTrace(id string, spans []sp) map[string]any {
	processes, out := map[string]any{}, make([]any, len(spans))
	for i, s := range spans {
		processes[s.service] = map[string]any{"serviceName": s.service}
		references := []any{}
		if s.parent != "" {
			references = append(references, map[string]any{"refType": "CHILD_OF", "traceID": id, "spanID": spanID(s.parent)})
		}
		out[i] = map[string]any{
			"traceID": id, "spanID": spanID(s.id), "operationName": s.name, "references": references, "processID": s.service,
			"startTime": origin.Add(ms(s.from)).UnixMicro(), "duration": ms(s.to - s.from).Microseconds(),
			"tags": []any{map[string]any{"key": tagKind, "type": "string", "value": s.kind}},
		}
	}
	return map[string]any{"traceID": id, "spans": out, "processes": processes}
}

func TestABrowserAloneIsNotShownFromJaeger(t *testing.T) {
	t.Parallel()
	exerciseBrowserAlone(t, fakeJaeger(t, telling(t, browserAlone()...), JaegerConfig{}))
}

func TestABrowserHidesNoSpanInJaeger(t *testing.T) {
	t.Parallel()
	j := fakeJaeger(t, telling(t,
		sp{trace: "t", id: "serve", service: BrowserService, name: "nothing to see", from: 0, to: 1},
		sp{trace: "t", id: "serve", service: "edge", name: "GET", kind: Server, from: 0, to: 5},
		sp{trace: "t", id: "serve", service: BrowserService, name: "nothing either", from: 0, to: 1},
	), JaegerConfig{})
	trace, err := j.Trace(t.Context(), traceID("t"))
	if err != nil || len(trace.Spans) != 1 || trace.Spans[0].Service != "edge" || trace.Spans[0].Name != "GET" || trace.Dropped != 0 {
		t.Errorf("%+v, %v", trace, err)
	}
}

func TestATraceOfJaegerHasSoManySpans(t *testing.T) {
	t.Parallel()
	const tooMany, ofServices = 100, defaultSpans
	var spans []sp
	for i := range maxBrowserSpans + tooMany {
		spans = append(spans, sp{trace: "t", id: fmt.Sprint("b", i), service: BrowserService})
	}
	for i := range ofServices {
		spans = append(spans, sp{trace: "t", id: fmt.Sprint("s", i), service: "edge"})
	}
	j := fakeJaeger(t, telling(t, spans...), JaegerConfig{})
	trace, err := j.Trace(t.Context(), traceID("t"))
	if err != nil {
		t.Fatal(err)
	}
	browsers := 0
	for i := range trace.Spans {
		if trace.Spans[i].Service == BrowserService {
			browsers++
		}
	}
	if len(trace.Spans) != defaultSpans || browsers != maxBrowserSpans || trace.Dropped != tooMany+maxBrowserSpans {
		t.Errorf("%d spans, %d of browsers, %d dropped", len(trace.Spans), browsers, trace.Dropped)
	}
	found, err := j.Search(t.Context(), Query{Service: "edge"})
	if err != nil || len(found) != 1 || found[0].Spans != defaultSpans {
		t.Errorf("found %+v, %v", found, err)
	}
}

func TestAllAnswersToAQuestionShareOneBudget(t *testing.T) {
	t.Parallel()
	const answer = 1000
	j := fakeJaeger(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := `{"data":["edge","stats-service","task-service"]}`
		if r.URL.Path != "/api/services" {
			body = fmt.Sprintf("%*s", answer, `{"data":[]}`)
		}
		w.Write([]byte(body)) //nolint:errcheck // the client reads or the test fails
	}), JaegerConfig{MaxAnswer: 2*answer + answer/2})
	for range 5 { // each question has a budget of its own
		if _, err := j.Search(t.Context(), Query{Service: "edge"}); err != nil {
			t.Fatalf("one answer: %v", err)
		}
	}
	_, searched := j.Search(t.Context(), Query{})
	_, graphed := j.Graph(t.Context(), time.Time{})
	for _, err := range []error{searched, graphed} {
		if e, ok := apperr.As(err); !ok || e.Code != apperr.Unavailable || !strings.Contains(e.Message, "too large") {
			t.Errorf("three answers: %v, want unavailable, too large", err)
		}
	}
}

// holding answers each request with no traces, but only when told to.
type holding struct {
	release chan struct{}
	inside  atomic.Int64
}

// RoundTrip implements http.RoundTripper.
func (h *holding) RoundTrip(r *http.Request) (*http.Response, error) {
	body := `{"data":["a","b","c","d","e","f"]}`
	if r.URL.Path != "/api/services" {
		h.inside.Add(1)
		<-h.release
		h.inside.Add(-1)
		body = `{"data":[]}`
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

func TestJaegerIsAskedSoMuchAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const questions, services = 2, 6
		h := &holding{release: make(chan struct{})}
		j := NewJaeger(JaegerConfig{URL: "http://jaeger"})
		j.client.Transport = h
		answered := make(chan error, questions)
		for range questions {
			go func() {
				_, err := j.Search(t.Context(), Query{})
				answered <- err
			}()
			synctest.Wait() // the first one's requests occupy all there is
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := j.Trace(ctx, traceID("t")); apperr.CodeOf(err) != apperr.Canceled {
			t.Errorf("who is gone waits for others: %v", err)
		}
		for left := questions * services; left > 0; left-- {
			synctest.Wait()
			if got := h.inside.Load(); got > maxRequests || got < maxRequests && left > services {
				t.Errorf("%d requests at once with %d to go, want %d", got, left, maxRequests)
			}
			h.release <- struct{}{}
		}
		for range questions {
			if err := <-answered; err != nil {
				t.Error(err)
			}
		}
	})
}

func TestClocksAreLeftWhenTheCallerIs(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if trace, err := assemble(ctx, traceID("t"), spansOf(t, fetch()...)); apperr.CodeOf(err) != apperr.Canceled {
		t.Errorf("a trace gives %+v, %v, want canceled", trace, err)
	}
	if d, err := newDigest(ctx, traceID("t"), spansOf(t, fetch()...)); apperr.CodeOf(err) != apperr.Canceled {
		t.Errorf("a digest gives %+v, %v, want canceled", d, err)
	}
	b, _ := newTestBuffer(BufferConfig{})
	upload(t, b, failedRequest()...)
	if _, err := b.Search(ctx, Query{}); apperr.CodeOf(err) != apperr.Canceled {
		t.Errorf("a search gives %v, want canceled", err)
	}
	if got := ids(t, b); len(got) != 1 {
		t.Errorf("what was left undone is remembered: %v", got)
	}
}
