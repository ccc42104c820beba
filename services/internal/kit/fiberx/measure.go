package fiberx

import (
	"maps"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// measureKey is what tells the series of http.server.request.duration apart. Each part has few values: methods and
// schemes are known ones, templates are those of the routes, statuses are ours.
type measureKey struct {
	method, scheme, route string
	status                int
}

// measureCache keeps the attributes of each series ready. It is read without a lock and copied when a series is new, of
// which there are as many as routes and their statuses.
type measureCache struct {
	mu    sync.Mutex
	known atomic.Pointer[map[measureKey][]metric.RecordOption]
}

func (m *measureCache) of(key measureKey) []metric.RecordOption {
	if known := m.known.Load(); known != nil {
		if options, ok := (*known)[key]; ok {
			return options
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	next := map[measureKey][]metric.RecordOption{}
	if known := m.known.Load(); known != nil {
		maps.Copy(next, *known)
	}
	options := []metric.RecordOption{metric.WithAttributeSet(key.attributes())}
	next[key] = options
	m.known.Store(&next)
	return options
}

func (k measureKey) attributes() attribute.Set {
	attrs := []attribute.KeyValue{
		semconv.HTTPRequestMethodKey.String(k.method), semconv.URLScheme(k.scheme), semconv.HTTPResponseStatusCode(k.status),
	}
	if k.route != "" {
		attrs = append(attrs, semconv.HTTPRoute(k.route))
	}
	if k.status >= http.StatusInternalServerError {
		attrs = append(attrs, semconv.ErrorTypeKey.String(strconv.Itoa(k.status)))
	}
	return attribute.NewSet(attrs...)
}

// activeSeries are the attributes of http.server.active_requests by method and scheme.
var activeSeries = func() map[[2]string][]metric.AddOption {
	series := map[[2]string][]metric.AddOption{}
	for _, method := range append(methods, otherMethod) {
		for _, scheme := range []string{"http", "https"} {
			set := attribute.NewSet(semconv.HTTPRequestMethodKey.String(method), semconv.URLScheme(scheme))
			series[[2]string{method, scheme}] = []metric.AddOption{metric.WithAttributeSet(set)}
		}
	}
	return series
}()

func activeOf(method, scheme string) []metric.AddOption {
	return activeSeries[[2]string{method, scheme}]
}

// methods are the methods that are told apart.
var methods = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions,
	http.MethodTrace, http.MethodConnect,
}

// otherMethod stands for all other methods, which callers may make up.
const otherMethod = "_OTHER"

// knownMethod bounds the metric label: methods outside the standard ones share a name.
func knownMethod(method string) string {
	if isKnownMethod(method) {
		return method
	}
	return otherMethod
}

func isKnownMethod[T ~string | ~[]byte](method T) bool {
	switch string(method) {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodOptions, http.MethodTrace, http.MethodConnect:
		return true
	}
	return false
}
