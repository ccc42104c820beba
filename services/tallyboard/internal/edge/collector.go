package edge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/tallyboard/tallyboard/services/internal/kit/traces"
)

// How patient a Collector is. What does not leave is dropped: browsers have been answered, and a trace may lack a part.
const (
	collectorQueue   = 64 // requests of browsers that wait
	collectorTimeout = 5 * time.Second
	collectorSilence = time.Minute // between two logged failures
)

// Collector passes what browsers send on to where the services' own signals go by the OTEL_* variables. It is for `make
// run` with a collector; the edges of the other deployments do it themselves.
type Collector struct {
	log     *slog.Logger
	spans   otlptrace.Client   // nil: traces are not exported
	metrics sdkmetric.Exporter // nil: metrics are not exported
	queue   chan func(context.Context) error
	stop    chan struct{}
	worker  sync.WaitGroup
	once    sync.Once
}

// StartCollector starts to pass signals on if the environment names an OTLP endpoint; else it returns nil, which is a
// Collector that takes nothing. The caller stops it.
func StartCollector(ctx context.Context, log *slog.Logger) (*Collector, error) {
	c := &Collector{log: log, queue: make(chan func(context.Context) error, collectorQueue), stop: make(chan struct{})}
	var err error
	if protocol := exportedBy("TRACES"); protocol != "" {
		c.spans = spanClient(protocol)
		if err = c.spans.Start(ctx); err != nil {
			return nil, fmt.Errorf("pass browsers' traces on: %w", err)
		}
	}
	if protocol := exportedBy("METRICS"); protocol != "" {
		if c.metrics, err = metricExporter(ctx, protocol); err != nil {
			return nil, fmt.Errorf("pass browsers' metrics on: %w", err)
		}
	}
	if c.spans == nil && c.metrics == nil {
		return nil, nil //nolint:nilnil // see above
	}
	c.worker.Go(c.run)
	return c, nil
}

// Spans takes a browser's spans to pass on, by trace id. They must not be changed any more, and must have been freed of
// what is not trusted.
func (c *Collector) Spans(byTrace map[string][]traces.Span) {
	if c == nil || c.spans == nil {
		return
	}
	c.enqueue(func(ctx context.Context) error { return c.spans.UploadTraces(ctx, browserSpans(byTrace)) })
}

// Vitals takes measurements to pass on.
func (c *Collector) Vitals(v Vitals) {
	if c == nil || c.metrics == nil {
		return
	}
	data := &metricdata.ResourceMetrics{
		Resource:     resource.NewWithAttributes(semconv.SchemaURL, semconv.ServiceName(traces.BrowserService)),
		ScopeMetrics: []metricdata.ScopeMetrics{{Scope: instrumentation.Scope{Name: traces.BrowserService}, Metrics: v}},
	}
	c.enqueue(func(ctx context.Context) error { return c.metrics.Export(ctx, data) })
}

// Stop passes on what waits, as far as ctx allows, and ends.
func (c *Collector) Stop(ctx context.Context) error {
	if c == nil {
		return nil
	}
	c.once.Do(func() { close(c.stop) })
	c.worker.Wait()
	var errs []error
	if c.spans != nil {
		errs = append(errs, c.spans.Stop(ctx))
	}
	if c.metrics != nil {
		errs = append(errs, c.metrics.Shutdown(ctx))
	}
	return errors.Join(errs...)
}

func (c *Collector) enqueue(job func(context.Context) error) {
	select {
	case c.queue <- job:
	default: // the collector is slower than the browsers
	}
}

func (c *Collector) run() {
	var said time.Time
	do := func(ctx context.Context, job func(context.Context) error) {
		ctx, cancel := context.WithTimeout(ctx, collectorTimeout)
		defer cancel()
		if err := job(ctx); err != nil && time.Since(said) >= collectorSilence {
			said = time.Now()
			c.log.WarnContext(ctx, "browsers' traces and metrics could not be passed on", "error", err)
		}
	}
	for {
		select {
		case job := <-c.queue:
			do(context.Background(), job)
		case <-c.stop:
			last, cancel := context.WithTimeout(context.Background(), collectorTimeout) // for all that wait together
			defer cancel()
			for {
				select {
				case job := <-c.queue:
					do(last, job)
				default:
					return
				}
			}
		}
	}
}

// exportedBy returns the protocol by which a signal is exported, or "" if it is not, by OTLP.
func exportedBy(signal string) string {
	if strings.EqualFold(os.Getenv("OTEL_SDK_DISABLED"), "true") {
		return ""
	}
	if name := os.Getenv("OTEL_" + signal + "_EXPORTER"); name != "" && name != "otlp" {
		return ""
	}
	prefix := "OTEL_EXPORTER_OTLP_"
	if os.Getenv(prefix+"ENDPOINT") == "" && os.Getenv(prefix+signal+"_ENDPOINT") == "" {
		return ""
	}
	for _, variable := range []string{prefix + signal + "_PROTOCOL", prefix + "PROTOCOL"} {
		if protocol := os.Getenv(variable); protocol != "" {
			return protocol
		}
	}
	return "http/protobuf"
}

func spanClient(protocol string) otlptrace.Client {
	if protocol == "grpc" {
		return otlptracegrpc.NewClient(otlptracegrpc.WithRetry(otlptracegrpc.RetryConfig{}))
	}
	return otlptracehttp.NewClient(otlptracehttp.WithRetry(otlptracehttp.RetryConfig{}))
}

func metricExporter(ctx context.Context, protocol string) (sdkmetric.Exporter, error) {
	if protocol == "grpc" {
		return otlpmetricgrpc.New(ctx, otlpmetricgrpc.WithRetry(otlpmetricgrpc.RetryConfig{}))
	}
	return otlpmetrichttp.New(ctx, otlpmetrichttp.WithRetry(otlpmetrichttp.RetryConfig{}))
}
