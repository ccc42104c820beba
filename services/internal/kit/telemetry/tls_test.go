package telemetry

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tallyboard/tallyboard/services/internal/kit/testkit"
)

// secureCollector receives OTLP by HTTP and by gRPC, over TLS.
type secureCollector struct {
	*httptest.Server

	mu    sync.Mutex
	paths map[string]bool // at which something of task-service arrived
}

func startCollector(t *testing.T, config *tls.Config) *secureCollector {
	t.Helper()
	c := &secureCollector{paths: map[string]bool{}}
	c.Server = httptest.NewUnstartedServer(c)
	c.TLS, c.EnableHTTP2 = config, true
	c.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	c.StartTLS()
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		c.CloseClientConnections()
		c.Close()
	})
	return c
}

// ServeHTTP answers with an empty message, which in gRPC is a frame of no length.
func (c *secureCollector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	c.mu.Lock()
	c.paths[r.URL.Path] = err == nil && r.TLS != nil && bytes.Contains(body, []byte("task-service"))
	c.mu.Unlock()
	if r.Header.Get("Content-Type") != "application/grpc" {
		return
	}
	w.Header().Set("Content-Type", "application/grpc")
	w.Header().Set("Trailer", "Grpc-Status")
	w.Write(make([]byte, 5)) //nolint:errcheck // the client sees it
	w.Header().Set("Grpc-Status", "0")
}

func (c *secureCollector) got(path string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.paths[path]
}

// tracePath is where traces arrive, and metricPath metrics, by protocol.
var (
	tracePath = map[string]string{
		"http/protobuf": "/v1/traces", "grpc": "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
	}
	metricPath = map[string]string{
		"http/protobuf": "/v1/metrics", "grpc": "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
	}
)

func exportVariables(endpoint, protocol string) map[string]string {
	return map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL": protocol, "OTEL_EXPORTER_OTLP_COMPRESSION": "none",
		"OTEL_EXPORTER_OTLP_CERTIFICATE": "", "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": "", "OTEL_EXPORTER_OTLP_CLIENT_KEY": "",
	}
}

//nolint:paralleltest // see begin
func TestSignalsGoByTLSToACollectorThatIsTrusted(t *testing.T) {
	authority := testkit.NewAuthority(t, "test authority")
	certificate, key := authority.Files(authority.Issue("task-service"))
	for protocol := range tracePath {
		for name, mutual := range map[string]bool{"": false, ", both certified": true} {
			t.Run(protocol+name, func(t *testing.T) {
				config := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{authority.Issue("127.0.0.1")}}
				if mutual {
					config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, authority.Pool()
				}
				collector := startCollector(t, config)
				variables := exportVariables(collector.URL, protocol)
				variables["OTEL_EXPORTER_OTLP_CERTIFICATE"] = authority.File()
				if mutual {
					variables["OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"], variables["OTEL_EXPORTER_OTLP_CLIENT_KEY"] = certificate, key
				}
				tel := begin(t, Config{ServiceName: "task-service", SampleRatio: 1, LogWriter: io.Discard}, variables)
				_, span := tel.Tracer.Start(t.Context(), "work")
				span.End()
				end(t, tel)
				if !collector.got(tracePath[protocol]) || !collector.got(metricPath[protocol]) {
					t.Errorf("not everything arrived: %v", collector.paths)
				}
			})
		}
	}
}

//nolint:paralleltest // see begin
func TestACollectorThatIsNotTrustedGetsNothingAndDisturbsNobody(t *testing.T) {
	authority, other := testkit.NewAuthority(t, "test authority"), testkit.NewAuthority(t, "another authority")
	for protocol := range tracePath {
		for want, certificate := range map[string]tls.Certificate{
			"authority": other.Issue("127.0.0.1"), "expired": authority.IssueFor(time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour), "127.0.0.1"),
		} {
			t.Run(protocol+" "+want, func(t *testing.T) {
				collector := startCollector(t, &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{certificate}})
				variables := exportVariables(collector.URL, protocol)
				variables["OTEL_EXPORTER_OTLP_CERTIFICATE"] = authority.File()
				variables["OTEL_METRICS_EXPORTER"], variables["OTEL_BSP_EXPORT_TIMEOUT"] = "none", "500" // milliseconds
				var log bytes.Buffer
				tel := begin(t, Config{ServiceName: "task-service", SampleRatio: 1, LogWriter: &log}, variables)
				for range 1000 { // no span waits for the collector
					_, span := tel.Tracer.Start(t.Context(), "work")
					span.End()
				}
				ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
				defer cancel()
				tel.Shutdown(ctx) //nolint:errcheck // of course it does not get rid of them
				if collector.got(tracePath[protocol]) {
					t.Error("spans went to a collector that nobody vouches for")
				}
				if !strings.Contains(log.String(), "the collector's certificate") || !strings.Contains(log.String(), want) {
					t.Errorf("no reason with %q in %s", want, log.String())
				}
			})
		}
	}
}

func TestFilesOfTLSMustBeReadable(t *testing.T) {
	for _, variable := range []string{
		"OTEL_EXPORTER_OTLP_CERTIFICATE", "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
	} {
		t.Run(variable, func(t *testing.T) {
			t.Setenv(variable, os.DevNull)
			if _, err := Start(t.Context(), Config{LogWriter: io.Discard}); err == nil || !strings.Contains(err.Error(), variable) {
				t.Errorf("want an error about %s, got %v", variable, err)
			}
		})
	}
}
