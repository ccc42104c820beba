// Package edge is the drill's front door: two replicas of each service behind one address, with the rules of the stack's
// nginx (deploy/nginx: proxy.conf, routes.conf and upstreams.conf) for choosing a replica, giving it up and asking another.
// It is a program of its own so that it can be killed, too.
//
// Two things differ. Bodies are held in memory, those of imports as well, which are not sent again all the same. And
// replicas come and go in nginx with their addresses in Docker's DNS, while here they keep them.
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
	"net/http/httputil"
	"time"
)

// headerTimeout bounds the reading of a request's header: client_header_timeout.
const headerTimeout = 10 * time.Second

// Config says who stands behind the edge, each as host:port.
type Config struct {
	Tasks, Stats []string
}

// New returns the edge.
func New(cfg Config) http.Handler {
	transport := &http.Transport{
		DialContext:         (&net.Dialer{Timeout: connectTimeout}).DialContext,
		MaxIdleConnsPerHost: idleConns,
		IdleConnTimeout:     idleTimeout,
		DisableCompression:  true,
	}
	// As nginx does, each counts for itself how its replicas fare.
	groups := map[string]*upstream{
		"task_api": newUpstream(cfg.Tasks), "task_writes": newUpstream(cfg.Tasks), "task_once": newUpstream(cfg.Tasks),
		"task_long": newUpstream(cfg.Tasks), "task_pages": newUpstream(cfg.Tasks),
		"stats_api": newUpstream(cfg.Stats), "stats_long": newUpstream(cfg.Stats),
	}
	groups["task_once"].maxFails = onceMaxFails
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme = "http" // the host is the replica's, chosen at each try
			r.Out.Host = r.In.Host
			r.SetXForwarded()
		},
		Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			rule := ruleOf(r)
			return route(groups[rule.group], transport.RoundTrip, r, rule)
		}),
		FlushInterval: -1, // live streams must not wait in a buffer
		ErrorLog:      log.New(io.Discard, "", 0),
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			status, code := http.StatusServiceUnavailable, "unavailable"
			if errors.Is(err, errSilent) {
				status, code = http.StatusGatewayTimeout, "timeout"
			}
			w.Header().Set("Content-Type", "application/problem+json")
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(status)
			// nginx does not tell the cause; the drill's ledger does.
			_, _ = fmt.Fprintf(w, `{"type":"about:blank","title":%q,"status":%d,"code":%q,"detail":%q}`, http.StatusText(status), status, code, "edge: "+err.Error()) // a client that is gone needs none
		},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		proxy.ServeHTTP(w, r)
	})
}

// Serve answers on the address until ctx ends.
func Serve(ctx context.Context, addr string, cfg Config) error {
	server := &http.Server{Addr: addr, Handler: New(cfg), ReadHeaderTimeout: headerTimeout, ErrorLog: log.New(io.Discard, "", 0)}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() }) // streams never end by themselves
	defer stop()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("edge on %s: %w", addr, err)
	}
	return nil
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// route carries a request through the locations that a rule stands for: the first, and @patient or @again behind it.
func route(to *upstream, send func(*http.Request) (*http.Response, error), r *http.Request, rule rule) (*http.Response, error) {
	b, err := readBody(r)
	if err != nil {
		return nil, err
	}
	if rule.group == "task_writes" || rule.group == "task_once" { // proxy_ignore_client_abort: a closed connection says that the edge has given up
		r = r.WithContext(context.WithoutCancel(r.Context()))
	}
	res, sent, err := to.ask(send, r, b, rule.wait, rule.again || idempotent(r) && rule.group != "task_once")
	switch {
	case err == nil || r.Context().Err() != nil:
		return res, err
	case errors.Is(err, errSilent) && rule.patient:
		res, _, err = to.ask(send, r, b, readTimeout, true)
	case errors.Is(err, errSilent):
	case rule.group == "task_long" && taskImport.MatchString(r.URL.Path): // what was streamed is gone
	case repeatable(r) || !sent:
		res, _, err = to.ask(send, r, b, readTimeout, repeatable(r))
	}
	return res, err
}

// idempotent reports whether nginx sends a request again without being told that it may, or that it may not.
func idempotent(r *http.Request) bool {
	return r.Method != http.MethodPost && r.Method != http.MethodPatch
}

// body is a request's, to be sent as often as it takes.
type body struct {
	data []byte
	none bool
}

func readBody(r *http.Request) (*body, error) {
	if r.Body == nil { // as the proxy leaves it where there is none
		return &body{none: true}, nil
	}
	data, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, fmt.Errorf("read the request: %w", err)
	}
	return &body{data: data}, nil
}

func (b *body) into(r *http.Request) {
	if b.none {
		r.Body, r.ContentLength = http.NoBody, 0
		return
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(b.data)), int64(len(b.data))
}
