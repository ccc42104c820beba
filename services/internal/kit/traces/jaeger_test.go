package traces

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
)

// afterwards is the clock of searches in these tests, so that their parameters are always the same.
func afterwards() time.Time { return origin.Add(time.Hour) }

// recording is what a real Jaeger answered; see TestAgainstARealJaeger.
type recording struct {
	// Answers has the place in Bodies for each path with query.
	Answers map[string]int `json:"answers"`
	Bodies  []recorded     `json:"bodies"`
}

type recorded struct {
	Status int             `json:"status"`
	Body   json.RawMessage `json:"body"`
}

// ServeHTTP plays the recording back.
func (r *recording) ServeHTTP(w http.ResponseWriter, asked *http.Request) {
	i, known := r.Answers[asked.URL.RequestURI()]
	if !known {
		http.Error(w, "nobody asked a real Jaeger this: "+asked.URL.RequestURI(), http.StatusTeapot)
		return
	}
	w.WriteHeader(r.Bodies[i].Status)
	w.Write(r.Bodies[i].Body) //nolint:errcheck // the client reads or the test fails
}

func TestJaegerIsASource(t *testing.T) {
	t.Parallel()
	tape, err := os.ReadFile(filepath.Join("testdata", "jaeger.json"))
	if err != nil {
		t.Fatal(err)
	}
	var r recording
	if err := json.Unmarshal(tape, &r); err != nil {
		t.Fatal(err)
	}
	exercise(t, fakeJaeger(t, &r, JaegerConfig{}))
}

func fakeJaeger(t *testing.T, h http.Handler, cfg JaegerConfig) *Jaeger {
	t.Helper()
	server := httptest.NewServer(h)
	cfg.URL, cfg.Now = server.URL, afterwards
	j := NewJaeger(cfg)
	t.Cleanup(func() { j.Close(); server.Close() })
	return j
}

func TestJaegerSaysWhyItCannotAnswer(t *testing.T) {
	t.Parallel()
	answering := func(status int, body string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			w.Write([]byte(body)) //nolint:errcheck // the client reads or the test fails
		})
	}
	silent := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	cut := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		w.Write([]byte(`{"data":[`)) //nolint:errcheck // the client reads or the test fails
	})
	closed := httptest.NewServer(silent)
	closed.Close()
	cases := []struct {
		name, says string
		source     *Jaeger
	}{
		{"an error", "answered with an error", fakeJaeger(t, answering(500, `{"errors":[{"msg":"secret detail"}]}`), JaegerConfig{})},
		{"a refusal", "answered with an error", fakeJaeger(t, answering(400, `{}`), JaegerConfig{})},
		{"no JSON", "not understood", fakeJaeger(t, answering(200, `<html>`), JaegerConfig{})},
		{"other JSON", "not understood", fakeJaeger(t, answering(200, `{"data":"x"}`), JaegerConfig{})},
		{"too much", "too large", fakeJaeger(t, answering(200, strings.Repeat(" ", 100)+`{"data":[]}`), JaegerConfig{MaxAnswer: 99})},
		{"silence", "in time", fakeJaeger(t, silent, JaegerConfig{Timeout: 20 * time.Millisecond})},
		{"half an answer", "not reachable", fakeJaeger(t, cut, JaegerConfig{})},
		{"nobody", "not reachable", NewJaeger(JaegerConfig{URL: closed.URL})},
		{"no address", "not valid", NewJaeger(JaegerConfig{URL: "jaeger:16686"})},
		{"not even a URL", "not valid", NewJaeger(JaegerConfig{URL: "http://[::1"})},
	}
	for _, c := range cases {
		_, searched := c.source.Search(t.Context(), Query{Service: "edge"})
		_, graphed := c.source.Graph(t.Context(), time.Time{})
		_, read := c.source.Trace(t.Context(), traceID("click"))
		for _, err := range []error{searched, graphed, read} {
			e, ok := apperr.As(err)
			if !ok || e.Code != apperr.Unavailable || !strings.Contains(e.Message, c.says) || e.RetryAfter == 0 || strings.Contains(e.Message, "secret") {
				t.Errorf("%s: %v, want unavailable with %q", c.name, err, c.says)
			}
		}
	}
}

func TestNoJaegerAtTheAddress(t *testing.T) {
	t.Parallel()
	j := fakeJaeger(t, http.NotFoundHandler(), JaegerConfig{})
	if _, err := j.Search(t.Context(), Query{}); !apperr.Is(err, apperr.Unavailable) {
		t.Errorf("search gives %v, want unavailable", err)
	}
	if _, err := j.Trace(t.Context(), traceID("click")); !apperr.Is(err, apperr.NotFound) {
		t.Errorf("a trace gives %v, want not found", err)
	}
	if got := j.Settings(); got != (Settings{Source: SourceJaeger}) {
		t.Errorf("settings %+v", got)
	}
}

func TestWhatJaegerIsAskedAbout(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name string
		q    Query
		want []string
	}{
		{"all, but neither itself nor browsers", Query{}, []string{"edge", "task-service"}},
		{"browsers, as the query names them", Query{Service: BrowserService}, []string{BrowserService}},
	}
	for _, c := range cases {
		asked := make(chan string, 100)
		j := fakeJaeger(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body := `{"data":[]}`
			if r.URL.Path == "/api/services" {
				body = `{"data":["jaeger","task-service","browser","jaeger-query","edge"]}`
			} else {
				asked <- r.URL.Query().Get("service")
			}
			w.Write([]byte(body)) //nolint:errcheck // the client reads or the test fails
		}), JaegerConfig{})
		if _, err := j.Search(t.Context(), c.q); err != nil {
			t.Fatal(err)
		}
		close(asked)
		var services []string
		for name := range asked {
			services = append(services, name)
		}
		if slices.Sort(services); !slices.Equal(services, c.want) {
			t.Errorf("%s: asked about %q", c.name, services)
		}
	}
}

func TestJaegerTagsBecomeAttributes(t *testing.T) {
	t.Parallel()
	var answer jaegerAnswer
	err := json.Unmarshal([]byte(`{"data":[{"traceID":"abc","spans":[
		{"spanID":"1F","operationName":"a","startTime":1000000,"duration":-5,"processID":"p9","references":[
			{"refType":"CHILD_OF","traceID":"def","spanID":"2"},{"refType":"FOLLOWS_FROM","traceID":"abc","spanID":"3"}],
		 "tags":[{"key":"i","type":"int64","value":"9007199254740993"},{"key":"n","type":"int64","value":7},{"key":"f","type":"float64","value":1.5},
			{"key":"b","type":"bool","value":true},{"key":"s","type":"string","value":"x"},{"key":"z","type":"binary","value":"AA=="},
			{"key":"bad","type":"int64","value":[1]},{"key":"otel.status_code","type":"string","value":"ERROR"},{"key":"span.kind","type":"string","value":"martian"}]},
		{"spanID":"1f","operationName":"again"}],"processes":{}}]}`), &answer)
	if err != nil {
		t.Fatal(err)
	}
	id := "00000000000000000000000000000abc"
	got := answer.traces()[id]
	if got == nil || len(got.spans) != 1 {
		t.Fatalf("told %+v", got)
	}
	s := got.spans[0]
	if s.SpanID != "000000000000001f" || s.ParentID != "0000000000000003" || s.Service != unknownService || s.Kind != Internal || !s.Error || s.Duration != 0 || len(s.Links) != 2 {
		t.Errorf("span %+v", s)
	}
	want := map[string]any{"i": int64(9007199254740993), "n": int64(7), "f": 1.5, "b": true, "s": "x", "z": "AA=="}
	if len(s.Attributes) != len(want) {
		t.Errorf("attributes %v", s.Attributes)
	}
	for key, v := range want {
		if s.Attributes[key] != v {
			t.Errorf("%s is %v (%T), want %v", key, s.Attributes[key], s.Attributes[key], v)
		}
	}
}
