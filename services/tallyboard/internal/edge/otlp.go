package edge

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"
)

// Where browsers send their traces and metrics, as OTLP in JSON.
const (
	signalsPrefix = "/otlp/"
	tracesPath    = signalsPrefix + "v1/traces"
	metricsPath   = signalsPrefix + "v1/metrics"
)

// Limits of what browsers send; those of deploy/nginx are the same.
const (
	maxSignalBytes   = 64 << 10         // of one request
	signalsPerSecond = 20               // requests of one address: a page sends every few seconds, and many may share an address
	signalsAtOnce    = 40               // requests of one address
	maxAddresses     = 4096             // remembered at once
	signalTimeout    = 10 * time.Second // for a request's body to arrive, which is small
)

// signals takes in the traces and metrics of browsers.
type signals struct {
	Deps

	allowedHosts []string
	limiter      *limiter
	timeout      time.Duration // signalTimeout, but in tests
}

func newSignals(allowedHosts []string, deps Deps) *signals {
	return &signals{Deps: deps, allowedHosts: allowedHosts, limiter: newLimiter(signalsPerSecond, signalsAtOnce, maxAddresses), timeout: signalTimeout}
}

func (s *signals) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	// For requests that are refused as well: the server reads what is left of their bodies. The server of the edge has no
	// timeout of its own for bodies, because imports take long. Where there is no connection, in tests, there is none to hold.
	connection := http.NewResponseController(w)
	_ = connection.SetReadDeadline(time.Now().Add(s.timeout))
	if r.URL.Path != tracesPath && r.URL.Path != metricsPath {
		problem(w, r, http.StatusNotFound, "not-found", "There are "+tracesPath+" and "+metricsPath+".")
		return
	}
	if !s.admit(w, r) {
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxSignalBytes))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		problem(w, r, http.StatusRequestEntityTooLarge, "too-large", "The request is larger than this address accepts.")
		return
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		problem(w, r, http.StatusRequestTimeout, "timeout", "The body did not arrive in time.")
		return
	}
	if err != nil {
		problem(w, r, http.StatusBadRequest, "invalid", "The body could not be read.")
		return
	}
	// Only now: after an error the server would wait for the rest without end. It watches the connection while we work,
	// and would take the deadline's end for the client's.
	_ = connection.SetReadDeadline(time.Time{})
	if r.URL.Path == metricsPath {
		s.metrics(w, r, body)
		return
	}
	s.traces(w, r, body)
}

// admit refuses what is no POST of our own pages, of the wrong type, or too much. It says so itself.
func (s *signals) admit(w http.ResponseWriter, r *http.Request) bool {
	switch kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); {
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		problem(w, r, http.StatusMethodNotAllowed, "method-not-allowed", "Traces and metrics are sent by POST.")
	case !s.own(r):
		problem(w, r, http.StatusForbidden, "forbidden", "Only pages of this site may send traces and metrics.")
	case err != nil || kind != "application/json" || r.Header.Get("Content-Encoding") != "":
		problem(w, r, http.StatusUnsupportedMediaType, "unsupported-media-type", "Traces and metrics are sent as application/json, not compressed.")
	case !s.limiter.allow(hostName(r.RemoteAddr), time.Now()):
		w.Header().Set("Retry-After", "1")
		problem(w, r, http.StatusTooManyRequests, "rate-limited", "Too many traces and metrics from this address.")
	default:
		return true
	}
	return false
}

// own reports whether a request comes from our own pages: browsers say so by Sec-Fetch-Site, older ones by Origin alone.
// Programs that say neither are refused as well: only browsers have something to tell here.
func (s *signals) own(r *http.Request) bool {
	if len(s.allowedHosts) > 0 && !slices.Contains(s.allowedHosts, strings.ToLower(hostName(r.Host))) {
		return false
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "same-origin":
		return true
	case "":
		origin, err := url.Parse(r.Header.Get("Origin"))
		return err == nil && origin.Host != "" && strings.EqualFold(origin.Host, r.Host)
	}
	return false
}

// traces hands spans on without a word about who sent them.
func (s *signals) traces(w http.ResponseWriter, r *http.Request, body []byte) {
	if s.Spans == nil {
		accepted(w)
		return
	}
	bare := (&http.Request{
		Method: http.MethodPost, URL: &url.URL{Path: tracesPath}, Proto: r.Proto, ProtoMajor: r.ProtoMajor, ProtoMinor: r.ProtoMinor,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
	}).WithContext(r.Context())
	s.Spans.ServeHTTP(w, bare)
}

func (s *signals) metrics(w http.ResponseWriter, r *http.Request, body []byte) {
	if s.Vitals == nil {
		accepted(w)
		return
	}
	vitals, err := readVitals(body)
	if err != nil {
		problem(w, r, http.StatusBadRequest, "invalid", "The body is not OTLP in JSON.")
		return
	}
	if len(vitals) > 0 {
		s.Vitals(vitals)
	}
	accepted(w)
}

// accepted is the whole success of OTLP.
func accepted(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, "{}") // the client may be gone; nothing else to tell it
}
