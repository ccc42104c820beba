package edge

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
)

// send sends a body with headers ("Name: value").
func send(t *testing.T, method, url, body string, headers ...string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // what matters was read
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(b)}
}

// inbox keeps what the handler for browsers' spans received.
type inbox struct {
	mu     sync.Mutex
	bodies []string
	header http.Header
}

func (i *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.bodies, i.header = append(i.bodies, string(body)), r.Header
	w.WriteHeader(http.StatusAccepted)
}

const jsonType = "Content-Type: application/json"

func TestSignalsComeFromOwnPagesOnly(t *testing.T) {
	t.Parallel()
	spans := &inbox{}
	front := setupWith(t, Deps{Telemetry: telemetry.Nop(), Spans: spans}, says("task"), says("stats"))
	own := "Origin: " + front.URL
	for name, c := range map[string]struct {
		method, path, body string
		headers            []string
		want               int
	}{
		"own page":                   {"POST", tracesPath, "{}", []string{own, jsonType}, 202},
		"own page by fetch metadata": {"POST", tracesPath, "{}", []string{"Sec-Fetch-Site: same-origin", "Origin: null", jsonType}, 202},
		"TLS ends before us":         {"POST", tracesPath, "{}", []string{strings.Replace(own, "http:", "https:", 1), jsonType}, 202},
		"parameters of the type":     {"POST", tracesPath, "{}", []string{own, jsonType + "; charset=utf-8"}, 202},
		"metrics":                    {"POST", metricsPath, "{}", []string{own, jsonType}, 200},
		"no browser":                 {"POST", tracesPath, "{}", []string{jsonType}, 403},
		"another site":               {"POST", tracesPath, "{}", []string{"Origin: http://evil.example", jsonType}, 403},
		"another site, own origin":   {"POST", tracesPath, "{}", []string{own, "Sec-Fetch-Site: cross-site", jsonType}, 403},
		"same site":                  {"POST", tracesPath, "{}", []string{own, "Sec-Fetch-Site: same-site", jsonType}, 403},
		"nothing as origin":          {"POST", tracesPath, "{}", []string{"Origin: null", jsonType}, 403},
		"a form":                     {"POST", tracesPath, "{}", []string{own, "Content-Type: text/plain"}, 415},
		"protobuf":                   {"POST", tracesPath, "{}", []string{own, "Content-Type: application/x-protobuf"}, 415},
		"compressed":                 {"POST", tracesPath, "{}", []string{own, jsonType, "Content-Encoding: gzip"}, 415},
		"a GET":                      {"GET", tracesPath, "", []string{own}, 405},
		"logs":                       {"POST", "/otlp/v1/logs", "{}", []string{own, jsonType}, 404},
		"just fits":                  {"POST", tracesPath, strings.Repeat(" ", maxSignalBytes), []string{own, jsonType}, 202},
		"too large":                  {"POST", tracesPath, strings.Repeat(" ", maxSignalBytes+1), []string{own, jsonType}, 413},
	} {
		a := send(t, c.method, front.URL+c.path, c.body, c.headers...)
		if a.status != c.want {
			t.Errorf("%s: %d, want %d: %s", name, a.status, c.want, a.body)
		}
		if problem := a.header.Get("Content-Type") == "application/problem+json"; problem != (a.status >= 400) {
			t.Errorf("%s: %s %s", name, a.header.Get("Content-Type"), a.body)
		}
		if !strings.HasSuffix(a.header.Get("Traceresponse"), "-00") {
			t.Errorf("%s: traceresponse %q", name, a.header.Get("Traceresponse"))
		}
	}
}

func TestSpansArePassedWithoutTheirSender(t *testing.T) {
	t.Parallel()
	spans := &inbox{}
	front := setupWith(t, Deps{Telemetry: telemetry.Nop(), Spans: spans}, says("task"), says("stats"))
	send(t, "POST", front.URL+tracesPath, `{"resourceSpans":[]}`, "Origin: "+front.URL, jsonType, "Cookie: session=secret",
		"Authorization: Bearer secret", "User-Agent: Ada's browser", "traceparent: 00-"+callerTrace+"-"+callerSpan+"-01")
	if len(spans.bodies) != 1 || spans.bodies[0] != `{"resourceSpans":[]}` || len(spans.header) != 1 {
		t.Errorf("received %q with %v", spans.bodies, spans.header)
	}
}

func TestSignalsOfOneAddressAreLimited(t *testing.T) {
	t.Parallel()
	front := setupWith(t, Deps{Telemetry: telemetry.Nop()}, says("task"), says("stats"))
	for i := range 1000 {
		a := send(t, "POST", front.URL+metricsPath, "{}", "Origin: "+front.URL, jsonType)
		if a.status == http.StatusOK {
			continue
		}
		if i < signalsAtOnce || a.status != http.StatusTooManyRequests || a.header.Get("Retry-After") == "" {
			t.Errorf("request %d: %d %v", i, a.status, a.header)
		}
		return
	}
	t.Error("nothing is refused")
}

func TestAClientThatFallsSilentHoldsNoConnection(t *testing.T) {
	t.Parallel()
	s := newSignals(nil, Deps{})
	s.timeout = 50 * time.Millisecond
	server := httptest.NewServer(s)
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "http://")
	for origin, want := range map[string]string{server.URL: "408 Request Timeout", "http://evil.example": "403 Forbidden"} {
		for _, body := range []string{"Content-Length: 20\r\n\r\n{", "Transfer-Encoding: chunked\r\n\r\n"} {
			conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", host)
			if err != nil {
				t.Fatal(err)
			}
			if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(conn, "POST "+tracesPath+" HTTP/1.1\r\nHost: "+host+"\r\n"+jsonType+"\r\nOrigin: "+origin+"\r\n"+body); err != nil {
				t.Fatal(err)
			}
			answer, err := io.ReadAll(conn) // ends when the server closes
			if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 "+want) {
				t.Errorf("%s: %q, %v", origin, answer, err)
			}
			if err := conn.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// deadlines is an answer whose connection keeps the deadlines it gets.
type deadlines struct {
	*httptest.ResponseRecorder

	set []time.Time
}

func (d *deadlines) SetReadDeadline(at time.Time) error {
	d.set = append(d.set, at)
	return nil
}

func TestTheDeadlineEndsWithTheBody(t *testing.T) {
	t.Parallel()
	w := &deadlines{ResponseRecorder: httptest.NewRecorder()}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, metricsPath, strings.NewReader("{}"))
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Content-Type", "application/json")
	before := time.Now()
	newSignals(nil, Deps{}).ServeHTTP(w, r)
	if w.Code != http.StatusOK || len(w.set) != 2 || w.set[0].Before(before.Add(signalTimeout)) || !w.set[1].IsZero() {
		t.Errorf("%d after deadlines %v", w.Code, w.set)
	}
}

func TestOnlyNamesOfOurs(t *testing.T) {
	t.Parallel()
	s := newSignals([]string{"localhost", "127.0.0.1", "::1"}, Deps{})
	for host, want := range map[string]bool{"localhost:8080": true, "LOCALHOST": true, "[::1]:8080": true, "127.0.0.1": true, "evil.example:8080": false} {
		r := &http.Request{Host: host, Header: http.Header{"Origin": {"http://" + host}}}
		if got := s.own(r); got != want {
			t.Errorf("%s: %v", host, got)
		}
	}
}

func TestLimiterRefillsAndForgets(t *testing.T) {
	t.Parallel()
	l, now := newLimiter(2, 3, 2), time.Now()
	for i, want := range []bool{true, true, true, false} {
		if got := l.allow("a", now); got != want {
			t.Errorf("request %d: %v", i, got)
		}
	}
	if !l.allow("b", now) || l.allow("c", now) {
		t.Error("two keys are remembered, not three")
	}
	now = now.Add(500 * time.Millisecond) // one token of a; b is full again
	if !l.allow("a", now) || l.allow("a", now) {
		t.Error("half a second is one token")
	}
	if !l.allow("c", now) || len(l.buckets) != 2 {
		t.Errorf("a full bucket is not forgotten: %v", l.buckets)
	}
}
