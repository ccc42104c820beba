package traces

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// post sends a body as a browser does.
func post(b *Buffer, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/otlp/v1/traces", strings.NewReader(body))
	r.Header.Set("Content-Type", mimeJSON)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	b.ServeBrowser(w, r)
	return w
}

// known returns a buffer in which a service has told of the trace t.
func known(t *testing.T) *Buffer {
	t.Helper()
	b, _ := newTestBuffer(BufferConfig{})
	upload(t, b, sp{trace: "t", id: "serve", parent: "fetch", service: "edge", kind: Server, from: 10, to: 50})
	return b
}

// readTrace returns the trace t.
func readTrace(t *testing.T, b *Buffer) *Trace {
	t.Helper()
	trace, err := b.Trace(t.Context(), traceID("t"))
	if err != nil {
		t.Fatal(err)
	}
	return trace
}

func jsonSpans(spans ...string) string {
	return `{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"task-service"}},` +
		`{"key":"service.instance.id","value":{"stringValue":"1"}}]},"scopeSpans":[{"scope":{"name":"web"},"spans":[` +
		strings.Join(spans, ",") + `]}]}],"unknown":{"a":[1]}}`
}

// aSpan is the browser's part of the trace t.
func aSpan(more string) string {
	return fmt.Sprintf(`{"traceId":%q,"spanId":%q,"name":"PATCH","startTimeUnixNano":"%d","endTimeUnixNano":%d%s}`,
		strings.ToUpper(traceID("t")), spanID("fetch"), origin.UnixNano(), origin.Add(ms(60)).UnixNano(), more)
}

func TestWhatABrowserSaysIsNotBelieved(t *testing.T) {
	t.Parallel()
	b := known(t)
	w := post(b, jsonSpans(aSpan(`,"kind":3,"parentSpanId":"","flags":257,"status":{"code":2,"message":"Ada's secret"},
		"attributes":[{"key":"ui.action","value":{"stringValue":"move\ntask"}},{"key":"tallyboard.task.key","value":{"stringValue":"WEB-42"}},
			{"key":"http.response.status_code","value":{"intValue":"200"}},{"key":"web_vital.value","value":{"doubleValue":0.5}},
			{"key":"network.online","value":{"boolValue":true}},{"key":"url.full","value":{"stringValue":"https://x/?q=secret"}},
			{"key":"enduser.id","value":{"stringValue":"ada"}},{"key":"ui.list","value":{"arrayValue":{"values":[{"stringValue":"x"}]}}},
			{"key":"ui.empty","value":{}},{"key":"ui.map","value":{"kvlistValue":{"values":[]}}}],
		"events":[{"name":"e","timeUnixNano":"1"}],"links":[{"traceId":"`+traceID("other")+`","spanId":"`+spanID("other")+`"}]`)))
	if w.Code != http.StatusOK || strings.TrimSpace(w.Body.String()) != "{}" || w.Header().Get("Content-Type") != mimeJSON {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	s := find(t, readTrace(t, b), "fetch")
	if s.Service != BrowserService || s.Instance != "" || s.Kind != Client || s.Name != "PATCH" || !s.Error || s.StatusMessage != "" ||
		len(s.Events) != 0 || len(s.Links) != 0 || !s.Start.Equal(origin) || s.Duration != ms(60) {
		t.Errorf("span %+v", s)
	}
	want := map[string]any{
		"ui.action": "move task", AttrTaskKey: "WEB-42", "http.response.status_code": int64(200), "web_vital.value": 0.5, "network.online": true,
	}
	if len(s.Attributes) != len(want) {
		t.Errorf("attributes %v", s.Attributes)
	}
	for key, v := range want {
		if s.Attributes[key] != v {
			t.Errorf("%s is %v, want %v", key, s.Attributes[key], v)
		}
	}
}

func TestWhatABrowserSentIsPassedOn(t *testing.T) {
	t.Parallel()
	var got map[string][]Span
	b := NewBuffer(BufferConfig{Traces: 1, Bytes: 1, OnBrowser: func(byTrace map[string][]Span) { got = byTrace }, Now: func() time.Time { return origin }})
	if w := post(b, jsonSpans(aSpan(`,"kind":3,"attributes":[{"key":"url.full","value":{"stringValue":"secret"}}]`))); strings.TrimSpace(w.Body.String()) != "{}" {
		t.Errorf("the buffer keeps nothing, and that is no loss: %s", w.Body)
	}
	if spans := got[traceID("t")]; len(got) != 1 || len(spans) != 1 || spans[0].Service != BrowserService || len(spans[0].Attributes) != 0 {
		t.Errorf("passed on %+v", got)
	}
	got = nil
	if post(b, "{}"); got != nil {
		t.Errorf("nothing was passed on as %+v", got)
	}
}

func TestKindsOfBrowserSpans(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string]Kind{"1": Internal, "2": Internal, "3": Client, "4": Internal, "5": Consumer, "99": Internal, `"SPAN_KIND_CLIENT"`: Internal} {
		b := known(t)
		post(b, jsonSpans(aSpan(`,"kind":`+kind)))
		if got := find(t, readTrace(t, b), "fetch").Kind; got != want {
			t.Errorf("kind %s is %s, want %s", kind, got, want)
		}
	}
}

func TestProtobufFromABrowser(t *testing.T) {
	t.Parallel()
	b := known(t)
	body, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: otlp(t, sp{trace: "t", id: "fetch", service: "edge", kind: Client})})
	if err != nil {
		t.Fatal(err)
	}
	if w := post(b, string(body), "Content-Type", mimeProtobuf); w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if s := find(t, readTrace(t, b), "fetch"); s.Service != BrowserService {
		t.Errorf("span %+v", s)
	}
}

func TestWhatABrowserCannotSend(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, body string
		headers    []string
		status     int
	}{
		{"no JSON", "{", nil, 400},
		{"another JSON", "[]", nil, 400},
		{"an id that is none", jsonSpans(`{"traceId":"xyz"}`), nil, 400},
		{"an endless id", jsonSpans(`{"traceId":"` + strings.Repeat("a", 1000) + `"}`), nil, 400},
		{"a time that is none", jsonSpans(`{"startTimeUnixNano":"soon"}`), nil, 400},
		{"no protobuf", "{}", []string{"Content-Type", mimeProtobuf}, 400},
		{"another type", "{}", []string{"Content-Type", "text/plain"}, 415},
		{"no type", "{}", []string{"Content-Type", ""}, 415},
		{"compressed", "{}", []string{"Content-Encoding", "gzip"}, 415},
		{"too large", strings.Repeat(" ", MaxBrowserBody) + "{}", nil, 413},
	}
	b := known(t)
	for _, c := range cases {
		w := post(b, c.body, c.headers...)
		if w.Code != c.status || !strings.Contains(w.Body.String(), `"message":`) {
			t.Errorf("%s: %d %s, want %d", c.name, w.Code, w.Body, c.status)
		}
	}
	if w := httptest.NewRecorder(); true {
		b.ServeBrowser(w, httptest.NewRequest(http.MethodGet, "/otlp/v1/traces", http.NoBody))
		if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != http.MethodPost {
			t.Errorf("GET: %d", w.Code)
		}
	}
	if got := readTrace(t, b); len(got.Spans) != 1 {
		t.Errorf("%d spans", len(got.Spans))
	}
}

func TestWhatABrowserSendsInVain(t *testing.T) {
	t.Parallel()
	valid := aSpan("")
	at := func(from, to uint64) string {
		return fmt.Sprintf(`{"traceId":%q,"spanId":%q,"startTimeUnixNano":"%d","endTimeUnixNano":"%d"}`, traceID("t"), spanID("x"), from, to)
	}
	now := uint64(origin.UnixNano())
	for name, spans := range map[string][]string{
		"no ids":             {valid, `{}`},
		"an id of zeros":     {valid, strings.Replace(at(now, now), spanID("x"), strings.Repeat("0", 16), 1)},
		"a short id":         {valid, strings.Replace(at(now, now), spanID("x"), "ab", 1)},
		"an hour":            {valid, at(now, now+3600e9)},
		"the end of time":    {valid, at(1<<64-1, 1<<64-1)},
		"more than is taken": append([]string{valid}, many(MaxBrowserSpans)...),
	} {
		b := known(t)
		w := post(b, jsonSpans(spans...))
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"rejectedSpans":"1"`) {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		find(t, readTrace(t, b), "fetch")
	}
	b := known(t)
	if w := post(b, "{}"); w.Code != http.StatusOK || strings.TrimSpace(w.Body.String()) != "{}" {
		t.Errorf("nothing: %d %s", w.Code, w.Body)
	}
}

func many(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf(`{"traceId":%q,"spanId":%q,"startTimeUnixNano":%d,"endTimeUnixNano":%d}`,
			traceID("t"), spanID(fmt.Sprint("m", i)), origin.UnixNano(), origin.UnixNano())
	}
	return out
}

func TestLongTextsOfABrowserAreCut(t *testing.T) {
	t.Parallel()
	b := known(t)
	long := strings.Repeat("ä", maxBrowserText)
	attributes := make([]string, 2*maxBrowserAttributes)
	for i := range attributes {
		attributes[i] = fmt.Sprintf(`{"key":"ui.%d","value":{"stringValue":%q}}`, i, long)
	}
	post(b, jsonSpans(aSpan(`,"name":"`+long+`","attributes":[`+strings.Join(attributes, ",")+`]`)))
	s := find(t, readTrace(t, b), "fetch")
	if len(s.Name) != maxBrowserText || len(s.Attributes) != maxBrowserAttributes || strings.Trim(s.Name, "ä") != "" {
		t.Errorf("a name of %d bytes and %d attributes", len(s.Name), len(s.Attributes))
	}
	for key, v := range s.Attributes {
		if text, ok := v.(string); !ok || len(text) != maxBrowserText {
			t.Errorf("%s is %v", key, v)
		}
	}
}

// FuzzServeBrowser looks for bodies that crash, or that get more in than a browser may.
func FuzzServeBrowser(f *testing.F) {
	f.Add([]byte(jsonSpans(aSpan(`,"kind":3,"status":{"code":2},"attributes":[{"key":"ui.a","value":{"intValue":"1"}}]`))), true)
	f.Add([]byte(jsonSpans(aSpan(`,"attributes":[{"key":"ui.a","value":{"arrayValue":{"values":[{"arrayValue":{}}]}}},{"key":"ui.b","value":{"doubleValue":"NaN"}}]`))), true)
	f.Add([]byte(`{"resourceSpans":[null,{"scopeSpans":[null,{"spans":[null,{"links":[null],"events":[null]}]}]}]}`), true)
	f.Add([]byte(`{}`), true)
	recorded, err := os.ReadFile(filepath.Join("testdata", "browser.json"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(recorded, true)
	wire, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: otlp(f, oneClick()...)})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(wire, false)
	f.Fuzz(func(t *testing.T, body []byte, asJSON bool) {
		b, _ := newTestBuffer(BufferConfig{})
		media := mimeProtobuf
		if asJSON {
			media = mimeJSON
		}
		w := post(b, string(body), "Content-Type", media)
		switch w.Code {
		case http.StatusOK, http.StatusBadRequest, http.StatusRequestEntityTooLarge:
		default:
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		checkBytes(t, b)
		for id, e := range b.entries {
			if !e.waiting || len(e.spans) > MaxBrowserSpans {
				t.Fatalf("trace %s with %d spans", id, len(e.spans))
			}
			for _, s := range e.spans {
				if s.Service != BrowserService || len(s.Name) > maxBrowserText || len(s.Attributes) > maxBrowserAttributes || len(s.Links)+len(s.Events) > 0 {
					t.Fatalf("span %+v", s)
				}
			}
			if _, err := assemble(t.Context(), id, slices.Clone(e.spans)); err != nil {
				t.Error(err)
			}
			if _, err := newDigest(t.Context(), id, slices.Clone(e.spans)); err != nil {
				t.Error(err)
			}
		}
	})
}
