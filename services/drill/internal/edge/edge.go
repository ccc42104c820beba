// Package edge is the drill's front door: two replicas of each service behind one address, with the rules of the stack's
// nginx (deploy/nginx/proxy.conf) for asking another replica. It is a program of its own so that it can be killed, too.
package edge

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/http/httputil"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// statsPrefix is what stats-service answers; task-service answers everything else.
const statsPrefix = "/api/v1/stats/"

// The limits of deploy/nginx/proxy.conf and upstreams.conf.
const (
	connectTimeout = 500 * time.Millisecond
	headerTimeout  = 20 * time.Second // proxy_read_timeout
	tries          = 3                // proxy_next_upstream_tries
	triesTimeout   = 10 * time.Second // proxy_next_upstream_timeout
	maxFails       = 2                // max_fails
	failTimeout    = time.Second      // fail_timeout
	maxBody        = 2 << 20          // client_max_body_size
	idleConns      = 64               // keepalive
	idleTimeout    = 50 * time.Second // keepalive_timeout
)

// Config says who stands behind the edge, each as host:port.
type Config struct {
	Tasks, Stats []string
}

// New returns the edge.
func New(cfg Config) http.Handler {
	transport := &http.Transport{
		DialContext:           (&net.Dialer{Timeout: connectTimeout}).DialContext,
		MaxIdleConnsPerHost:   idleConns,
		IdleConnTimeout:       idleTimeout,
		ResponseHeaderTimeout: headerTimeout,
		DisableCompression:    true,
	}
	tasks, stats := newUpstream(cfg.Tasks, transport), newUpstream(cfg.Stats, transport)
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme = "http" // the host is the replica's, chosen at each try
			r.Out.Host = r.In.Host
			r.SetXForwarded()
		},
		Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			if strings.HasPrefix(r.URL.Path, statsPrefix) {
				return stats.RoundTrip(r)
			}
			return tasks.RoundTrip(r)
		}),
		FlushInterval: -1, // live streams must not wait in a buffer
		ErrorLog:      log.New(io.Discard, "", 0),
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			status := http.StatusServiceUnavailable
			var timeout net.Error
			if errors.As(err, &timeout) && timeout.Timeout() {
				status = http.StatusGatewayTimeout
			}
			w.Header().Set("Retry-After", "1")
			http.Error(w, fmt.Sprintf("edge: %v", err), status)
		},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		proxy.ServeHTTP(w, r)
	})
}

// Serve answers on the address until ctx ends.
func Serve(ctx context.Context, addr string, cfg Config) error {
	server := &http.Server{Addr: addr, Handler: New(cfg), ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0)}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() }) // streams never end by themselves
	defer stop()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("edge on %s: %w", addr, err)
	}
	return nil
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// upstream is a group of replicas, asked in turn.
type upstream struct {
	replicas  []*replica
	transport http.RoundTripper
	turn      atomic.Uint64
}

// replica counts its failures; with maxFails of them within failTimeout it is left out as long.
type replica struct {
	addr  string
	mu    sync.Mutex
	fails int
	since time.Time // of the first of them
	away  time.Time // until when it is left out
}

func newUpstream(addrs []string, transport http.RoundTripper) *upstream {
	u := &upstream{transport: transport}
	for _, addr := range addrs {
		u.replicas = append(u.replicas, &replica{addr: addr})
	}
	return u
}

// RoundTrip asks replicas until one answers properly, as far as the request may be sent again.
func (u *upstream) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil { // as the proxy leaves it where there is none
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, fmt.Errorf("read the request: %w", err)
		}
	}
	began := time.Now()
	asked := map[*replica]bool{}
	for try := 1; ; try++ {
		to := u.next(asked)
		asked[to] = true
		sent := false
		trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { sent = true }}
		out := r.Clone(httptrace.WithClientTrace(r.Context(), trace))
		out.URL.Host = to.addr
		out.Body, out.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		res, err := u.transport.RoundTrip(out)
		failed := err != nil || res.StatusCode == http.StatusBadGateway || res.StatusCode == http.StatusServiceUnavailable
		to.note(failed)
		again := failed && try < tries && time.Since(began) < triesTimeout && r.Context().Err() == nil && (!sent || repeatable(r))
		if !again {
			return res, err
		}
		if err == nil {
			_ = res.Body.Close() // another answer counts
		}
	}
}

// repeatable is nginx's rule: what changes nothing when done twice, and writes that carry an Idempotency-Key.
func repeatable(r *http.Request) bool {
	switch r.Method {
	case http.MethodPost, http.MethodPatch:
		return r.Header.Get("Idempotency-Key") != ""
	}
	return true
}

// next chooses a replica: one that was not asked for this request and is not left out, if there is one.
func (u *upstream) next(asked map[*replica]bool) *replica {
	n := len(u.replicas)
	start := int(u.turn.Add(1) % uint64(n))
	best, bestScore := u.replicas[start], -1
	for i := range n {
		r := u.replicas[(start+i)%n]
		score := 0
		if !asked[r] {
			score += 2
		}
		if r.present() {
			score++
		}
		if score > bestScore {
			best, bestScore = r, score
		}
	}
	return best
}

func (r *replica) present() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Now().After(r.away)
}

func (r *replica) note(failed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if !failed {
		r.fails = 0
		return
	}
	if r.fails == 0 || now.Sub(r.since) > failTimeout {
		r.fails, r.since = 0, now
	}
	if r.fails++; r.fails >= maxFails {
		r.away, r.fails = now.Add(failTimeout), 0
	}
}
