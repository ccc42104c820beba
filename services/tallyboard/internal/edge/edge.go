// Package edge is the front door of `make run`: one port, two services behind it, as nginx and the ALB do elsewhere.
package edge

import (
	"context"
	"encoding/json"
	"errors"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"time"
)

// StatsPrefix is what goes to stats-service; everything else goes to task-service.
const StatsPrefix = "/api/v1/stats/"

// Config of the edge.
type Config struct {
	TaskAddr    string // host:port of task-service
	StatsAddr   string // host:port of stats-service
	DialTimeout time.Duration
	IdleConns   int // kept to each service
}

// New returns the handler. Streams are passed on as they come; a service that cannot be reached is answered for with
// 503 problem+json and Retry-After.
func New(cfg Config, logger *slog.Logger) http.Handler {
	transport := &http.Transport{
		DialContext:         (&net.Dialer{Timeout: cfg.DialTimeout}).DialContext,
		MaxIdleConns:        2 * cfg.IdleConns,
		MaxIdleConnsPerHost: cfg.IdleConns,
		IdleConnTimeout:     50 * time.Second, // below the services' own, so that we close first
		DisableCompression:  true,             // what the browser asked for and the service chose passes through
	}
	task := proxy("task-service", cfg.TaskAddr, transport, logger)
	stats := proxy("stats-service", cfg.StatsAddr, transport, logger)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, StatsPrefix) {
			stats.ServeHTTP(w, r)
			return
		}
		task.ServeHTTP(w, r)
	})
}

func proxy(name, addr string, transport http.RoundTripper, logger *slog.Logger) http.Handler {
	target := &url.URL{Scheme: "http", Host: addr}
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host
			r.SetXForwarded()
		},
		Transport:     transport,
		FlushInterval: -1, // live streams must not wait in a buffer
		ErrorLog:      log.New(discard{}, "", 0),
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			if errors.Is(err, context.Canceled) {
				return // the client has gone; nobody reads an answer
			}
			logger.Warn("service not reached", "service", name, "error", err)
			unavailable(w, r, name)
		},
	}
}

// discard drops the proxy's own log: ErrorHandler says the same with structure.
type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

func unavailable(w http.ResponseWriter, r *http.Request, name string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Retry-After", "1")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusServiceUnavailable)
	problem := map[string]any{"type": "about:blank", "title": "Service Unavailable", "status": http.StatusServiceUnavailable,
		"code": "unavailable", "detail": "The " + name + " does not answer right now. Try again in a moment.", "instance": r.URL.Path}
	_ = json.NewEncoder(w).Encode(problem) //nolint:errchkjson // the client may be gone; nothing else to tell it
}
