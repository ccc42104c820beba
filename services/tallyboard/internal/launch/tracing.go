package launch

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/trace"

	"github.com/tallyboard/tallyboard/services/internal/kit/boot"
	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
	"github.com/tallyboard/tallyboard/services/internal/kit/traces"
	"github.com/tallyboard/tallyboard/services/tallyboard/internal/edge"
)

// edgeName is how the edge calls itself in traces and logs.
const edgeName = "edge"

// flushTimeout bounds the sending of the last spans.
const flushTimeout = 5 * time.Second

// sampleKeyBytes is the length of the random sampling key.
const sampleKeyBytes = 32

// environ is what the services and the edge read their variables from: the caller's, and what joins them to one product.
func (c Config) environ(given []string, databaseURL, natsURL string) []string {
	environ := slices.DeleteFunc(slices.Clone(given), func(kv string) bool {
		// The embedded server has no TLS, and a password of its own.
		ofServer := strings.HasPrefix(kv, "DATABASE_CA_FILE=") || strings.HasPrefix(kv, "DATABASE_PASSWORD")
		return strings.HasPrefix(kv, "OTEL_SERVICE_NAME=") || // one name for three services would join what must stay apart
			ofServer && c.DatabaseURL == ""
	})
	environ = append(environ, "DATABASE_URL="+databaseURL, "NATS_URL="+natsURL, "LISTEN=127.0.0.1:0", "MIGRATE=false",
		"HTTP_TRACE_TRUST=sampling") // the edge decides
	if !filled(given, "TRACE_SAMPLE_KEY") && !filled(given, "TRACE_SAMPLE_KEY_FILE") {
		key := make([]byte, sampleKeyBytes)
		rand.Read(key) // never fails
		environ = append(environ, "TRACE_SAMPLE_KEY="+hex.EncodeToString(key))
	}
	if _, set := lookup(given, "ALLOWED_HOSTS"); loopback(c.Host) && !set {
		// Without accounts, a web page that makes its own name point here would otherwise be the owner.
		environ = append(environ, "ALLOWED_HOSTS=localhost,127.0.0.1,::1")
	}
	return environ
}

// lookup returns the value of a variable, and whether it is set at all.
func lookup(environ []string, name string) (value string, set bool) {
	for _, kv := range environ {
		if v, ok := strings.CutPrefix(kv, name+"="); ok {
			value, set = v, true
		}
	}
	return value, set
}

// filled reports whether a variable has a value that is not empty.
func filled(environ []string, name string) bool {
	value, _ := lookup(environ, name)
	return value != ""
}

// tracing is what the parts of the product share of their traces.
type tracing struct {
	telemetry *telemetry.Telemetry // of the edge
	buffer    *traces.Buffer       // nil: there is none
	browser   *traces.Buffer       // takes in and cleans what browsers send; the same, or one that keeps nothing else
	collector *edge.Collector      // nil: nobody outside gets browsers' signals
	elsewhere bool                 // traces are read from TRACES_URL
}

// tracing starts the telemetry of the edge and the buffer that all parts send their spans to.
func (c Config) tracing(ctx context.Context, closer *boot.Closer, d Deps, environ []string) (*tracing, error) {
	cfg, err := boot.LoadConfig[telemetry.Config](environ)
	if err != nil {
		return nil, err
	}
	t := &tracing{elsewhere: filled(environ, "TRACES_URL")}
	if c.TraceBuffer > 0 {
		t.buffer = traces.NewBuffer(traces.BufferConfig{Traces: c.TraceBuffer, Bytes: c.TraceBufferBytes, OnBrowser: t.passOn})
		t.browser = t.buffer
	}
	cfg.ServiceName, cfg.Version, cfg.LogWriter, cfg.Spans = edgeName, d.Version, d.LogOut, t.spans()
	if cfg.Instance == "" {
		if cfg.Instance, err = os.Hostname(); err != nil {
			cfg.Instance = "unknown"
		}
	}
	if t.telemetry, err = telemetry.Start(ctx, cfg); err != nil {
		return nil, fmt.Errorf("edge: %w", err)
	}
	closer.Add("edge's telemetry", flushTimeout, t.telemetry.Shutdown)
	if t.collector, err = edge.StartCollector(ctx, t.telemetry.Logger()); err != nil {
		return nil, fmt.Errorf("edge: %w", err)
	}
	closer.Add("browsers' signals", flushTimeout, t.collector.Stop)
	if t.collector != nil && t.browser == nil {
		t.browser = traces.NewBuffer(traces.BufferConfig{Traces: 1, Bytes: 1, OnBrowser: t.passOn})
	}
	return t, nil
}

// passOn gives the collector a browser's spans of the traces that are recorded: which these are is not for browsers to say.
func (t *tracing) passOn(byTrace map[string][]traces.Span) {
	maps.DeleteFunc(byTrace, func(id string, _ []traces.Span) bool {
		traceID, err := trace.TraceIDFromHex(id)
		return err != nil || !t.telemetry.Sampler.Sampled(traceID)
	})
	if len(byTrace) > 0 {
		t.collector.Spans(byTrace)
	}
}

// spans is where the parts send their spans, or nil.
func (t *tracing) spans() otlptrace.Client {
	if t.buffer == nil {
		return nil
	}
	return t.buffer
}

// source is where task-service reads traces, or nil if it finds that out itself.
func (t *tracing) source() traces.Source {
	if t.buffer == nil || t.elsewhere {
		return nil
	}
	return t.buffer
}

// edge is what the edge gets.
func (t *tracing) edge() edge.Deps {
	deps := edge.Deps{Log: t.telemetry.Logger(), Telemetry: t.telemetry}
	if t.browser != nil {
		deps.Spans = http.HandlerFunc(t.browser.ServeBrowser)
	}
	if t.collector != nil {
		deps.Vitals = t.collector.Vitals
	}
	return deps
}
