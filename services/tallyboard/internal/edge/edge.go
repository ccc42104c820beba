// Package edge is the front door of `make run`: one port, two services behind it, as nginx and the ALB do elsewhere.
//
// It begins or continues a trace for each request and decides whether that is recorded; the services behind it believe
// it (HTTP_TRACE_TRUST=sampling). It also takes in the traces and metrics of the browser UI, see otlp.go.
package edge

import (
	"context"
	"errors"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"time"

	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
)

// StatsPrefix is what goes to stats-service; everything else goes to task-service.
const StatsPrefix = "/api/v1/stats/"

// idleTimeout is how long an unused connection to a service is kept: below the services' own, so that we close first.
const idleTimeout = 50 * time.Second

// Config of the edge.
type Config struct {
	TaskAddr    string // host:port of task-service
	StatsAddr   string // host:port of stats-service
	DialTimeout time.Duration
	IdleConns   int // kept to each service
	// AllowedHosts are the host names under which browsers may send their signals; empty allows every name. The services
	// check theirs themselves.
	AllowedHosts []string
}

// Deps are what the edge works with.
type Deps struct {
	Log       *slog.Logger
	Telemetry *telemetry.Telemetry
	// Spans takes in the spans of browsers, as OTLP in JSON; nil drops them. It must not trust them.
	Spans http.Handler
	// Vitals receives what browsers measured; nil drops it. It must not wait.
	Vitals func(Vitals)
}

// edge is the handler.
type edge struct {
	Deps

	task, stats http.Handler
	signals     *signals
}

// New returns the handler. Streams are passed on as they come; a service that cannot be reached is answered for with
// 503 problem+json and Retry-After.
func New(cfg Config, deps Deps) http.Handler {
	transport := &http.Transport{
		DialContext:         (&net.Dialer{Timeout: cfg.DialTimeout}).DialContext,
		MaxIdleConns:        2 * cfg.IdleConns,
		MaxIdleConnsPerHost: cfg.IdleConns,
		IdleConnTimeout:     idleTimeout,
		DisableCompression:  true, // what the browser asked for and the service chose passes through
	}
	return &edge{
		Deps:    deps,
		task:    proxy("task-service", cfg.TaskAddr, transport, deps.Log),
		stats:   proxy("stats-service", cfg.StatsAddr, transport, deps.Log),
		signals: newSignals(cfg.AllowedHosts, deps),
	}
}

// ServeHTTP answers one request.
func (e *edge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := e.begin(w, r)
	defer func() {
		v := recover()
		x.end(v != nil)
		if v != nil { // http.ErrAbortHandler: a service broke off in the middle of its answer
			panic(v)
		}
	}()
	switch {
	case strings.HasPrefix(r.URL.Path, signalsPrefix):
		e.signals.ServeHTTP(x, x.request)
	case strings.HasPrefix(r.URL.Path, StatsPrefix):
		e.stats.ServeHTTP(x, x.request)
	default:
		e.task.ServeHTTP(x, x.request)
	}
}

func proxy(name, addr string, transport http.RoundTripper, logger *slog.Logger) http.Handler {
	target := &url.URL{Scheme: "http", Host: addr}
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host
			r.SetXForwarded()
			passTraceOn(r)
			if r.Out.Body != nil && r.Out.ContentLength > 0 {
				r.Out.Body = &sized{ReadCloser: r.Out.Body, left: r.Out.ContentLength}
			}
		},
		Transport:     lasting{transport},
		FlushInterval: -1, // live streams must not wait in a buffer
		ErrorLog:      log.New(&brokenOff{logger, name}, "", 0),
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			if errors.Is(err, context.Canceled) {
				return // the client has gone; nobody reads an answer
			}
			logger.WarnContext(r.Context(), "service not reached", "service", name, "error", err)
			w.Header().Set("Retry-After", "1")
			problem(w, r, http.StatusServiceUnavailable, "unavailable", "The "+name+" does not answer right now. Try again in a moment.")
		},
	}
}

// sized is a request's body that ends with its last byte. A service may answer as soon as it has that one, and when an
// answer begins, the server closes the body of its request. The transport, which looks whether anything follows, would take
// that for a failure and drop the connection on which the answer comes.
type sized struct {
	io.ReadCloser

	left int64 // bytes
}

// Read implements io.Reader.
func (s *sized) Read(p []byte) (int, error) {
	if s.left <= 0 {
		return 0, io.EOF
	}
	n, err := s.ReadCloser.Read(p)
	s.left -= int64(n)
	return n, err
}

// lasting lets changes go on when the page that asked for them is closed, as nginx does: services make no change for whom
// nobody waits (kit/caller), and they see this edge only.
type lasting struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (l lasting) RoundTrip(r *http.Request) (*http.Response, error) {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
	default:
		r = r.WithContext(context.WithoutCancel(r.Context()))
	}
	return l.RoundTripper.RoundTrip(r)
}

// brokenOff takes what the proxy cannot tell anybody else: that a service broke off in the middle of its answer. (All other
// failures go to ErrorHandler.)
type brokenOff struct {
	log     *slog.Logger
	service string
}

// Write implements io.Writer for one line.
func (b *brokenOff) Write(line []byte) (int, error) {
	b.log.Warn("service broke off its answer", "service", b.service, "error", strings.TrimSpace(string(line)))
	return len(line), nil
}
