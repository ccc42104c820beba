// Package telemetry sets up traces, metrics and logs of one service.
//
// Traces and metrics leave by OTLP, configured by the standard OTEL_* variables
// (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/): OTEL_EXPORTER_OTLP_ENDPOINT,
// OTEL_TRACES_EXPORTER, OTEL_METRICS_EXPORTER and the rest; by TLS to an https:// endpoint, with
// OTEL_EXPORTER_OTLP_CERTIFICATE for authorities of one's own. Unlike the SDK's default, nothing is exported if neither an
// endpoint nor an exporter is named, so that a laptop does not try to reach a collector that is not there; and the
// samplers of OTEL_TRACES_SAMPLER choose by our key, see Sampler. Metrics are always kept in a Prometheus registry of the service's own as well, for /metrics. Logs are
// lines on standard output with trace_id and span_id; OTEL_LOGS_EXPORTER sends a copy by OTLP.
package telemetry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/contrib/bridges/otelslog"
	"go.opentelemetry.io/contrib/exporters/autoexport"
	"go.opentelemetry.io/contrib/instrumentation/runtime"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	promexporter "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	noopmetric "go.opentelemetry.io/otel/metric/noop"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// scope names the instrumentation scope of the kit's tracer and meter.
const scope = "github.com/tallyboard/tallyboard/services/internal/kit"

// errorLogInterval is the shortest time between two logged export errors: a collector that is away must not fill the log.
const errorLogInterval = time.Minute

// Config says who the service is and how much it tells.
type Config struct {
	// ServiceName becomes service.name; the application sets it when the variable does not.
	ServiceName string `env:"OTEL_SERVICE_NAME"`
	// Version becomes service.version.
	Version string `env:"-"`
	// Instance becomes service.instance.id; it tells the replicas apart.
	Instance string `env:"INSTANCE_ID"`
	// SampleRatio is the share of new traces that are recorded, 0 to 1. OTEL_TRACES_SAMPLER overrules it.
	SampleRatio float64 `env:"TRACE_SAMPLE_RATIO" envDefault:"1"`
	// TracesSampler is OpenTelemetry's name for such a share: always_on (1), always_off (0) or traceidratio (that of
	// OTEL_TRACES_SAMPLER_ARG), each also with parentbased_ in front, which changes nothing: spans always follow their
	// parent. Traces are chosen by TRACE_SAMPLE_KEY all the same. Other samplers are refused; empty: TRACE_SAMPLE_RATIO counts.
	TracesSampler string `env:"OTEL_TRACES_SAMPLER"`
	// TracesSamplerArg is the share of new traces that traceidratio records, 0 to 1; empty: 1.
	TracesSamplerArg string `env:"OTEL_TRACES_SAMPLER_ARG"`
	// SampleKey is the secret by which traces are chosen, so that replicas choose the same ones and callers who make up
	// trace ids cannot choose. Empty: a random one of this process.
	SampleKey string `env:"TRACE_SAMPLE_KEY" secret:"true"`
	// Spans receives every recorded span beside the exporters of the OTEL_* variables; nil means nobody. The caller owns
	// what is behind it, such as a buffer in this process.
	Spans otlptrace.Client `env:"-"`
	// LogLevel is debug, info, warn or error.
	LogLevel string `env:"LOG_LEVEL" envDefault:"info"`
	// LogFormat is json or text.
	LogFormat string `env:"LOG_FORMAT" envDefault:"json"`
	// LogWriter receives the log lines; nil means standard output.
	LogWriter io.Writer `env:"-"`
}

// Telemetry holds a service's tracer, meter and logger. The zero value is of no use; see Start and Nop.
type Telemetry struct {
	Tracer         trace.Tracer
	Meter          metric.Meter
	TracerProvider trace.TracerProvider
	MeterProvider  metric.MeterProvider
	// Sampler decides about traces that begin here, and about those whose caller is not trusted to decide.
	Sampler Sampler

	logger   *slog.Logger
	metrics  http.Handler
	shutdown []func(context.Context) error
}

// Start builds the providers, installs the global propagator (W3C Trace Context) and returns them. It does not wait for
// a collector. The caller calls Shutdown last, with a context that is not yet done, to flush what is left.
func Start(ctx context.Context, cfg Config) (*Telemetry, error) {
	res, err := newResource(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("telemetry resource: %w", err)
	}
	sampler, err := newSampler(cfg)
	if err != nil {
		return nil, err
	}
	if err := checkTLS(); err != nil {
		return nil, err
	}
	t := &Telemetry{Sampler: sampler}
	if err := t.startLogs(ctx, cfg, res); err != nil {
		return nil, err
	}
	otel.SetErrorHandler(limitedErrorHandler(t.logger))
	otel.SetTextMapPropagator(Propagator)
	if err := t.startMetrics(ctx, res); err != nil {
		return nil, errors.Join(err, t.Shutdown(ctx))
	}
	if err := t.startTraces(ctx, cfg, res); err != nil { // stopped before the metrics, which count its last spans
		return nil, errors.Join(err, t.Shutdown(ctx))
	}
	return t, nil
}

// Nop returns telemetry for tests: spans have valid ids but are not recorded, metrics and logs go nowhere.
func Nop() *Telemetry {
	tp := sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.NeverSample()))
	mp := noopmetric.NewMeterProvider()
	return &Telemetry{
		Tracer: tp.Tracer(scope), TracerProvider: tp, Meter: mp.Meter(scope), MeterProvider: mp,
		logger:   slog.New(slog.DiscardHandler),
		metrics:  promhttp.HandlerFor(prometheus.NewRegistry(), promhttp.HandlerOpts{EnableOpenMetrics: true}),
		shutdown: []func(context.Context) error{tp.Shutdown},
	}
}

// Logger returns the service's logger. Records made with a context carry its trace_id and span_id.
func (t *Telemetry) Logger() *slog.Logger { return t.logger }

// MetricsHandler serves the registry in the Prometheus text format or, when asked for, OpenMetrics with exemplars.
func (t *Telemetry) MetricsHandler() http.Handler { return t.metrics }

// Shutdown flushes and stops the exporters. Give it a context of its own with a deadline: the one that ended the
// service is done already.
func (t *Telemetry) Shutdown(ctx context.Context) error {
	var errs []error
	for _, fn := range t.shutdown {
		errs = append(errs, fn(ctx))
	}
	t.shutdown = nil
	return errors.Join(errs...)
}

func newResource(ctx context.Context, cfg Config) (*resource.Resource, error) {
	return resource.New(ctx,
		resource.WithTelemetrySDK(),
		resource.WithFromEnv(),
		resource.WithAttributes(
			semconv.ServiceName(cfg.ServiceName),
			semconv.ServiceVersion(cfg.Version),
			semconv.ServiceInstanceID(cfg.Instance),
		))
}

func (t *Telemetry) startLogs(ctx context.Context, cfg Config, res *resource.Resource) error {
	w := cfg.LogWriter
	if w == nil {
		w = os.Stdout
	}
	out, err := newHandler(w, cfg.LogFormat, cfg.LogLevel)
	if err != nil {
		return err
	}
	out = out.WithAttrs([]slog.Attr{slog.String("service", cfg.ServiceName), slog.String("instance", cfg.Instance)})
	var handler slog.Handler = traceHandler{out}
	if name := os.Getenv("OTEL_LOGS_EXPORTER"); name != "" && name != "none" && !disabled() {
		exporter, err := autoexport.NewLogExporter(ctx)
		if err != nil {
			return fmt.Errorf("log exporter: %w", err)
		}
		provider := sdklog.NewLoggerProvider(sdklog.WithResource(res), sdklog.WithProcessor(sdklog.NewBatchProcessor(exporter)))
		t.shutdown = append(t.shutdown, provider.Shutdown)
		handler = fanout{handler, leveled{otelslog.NewHandler(scope, otelslog.WithLoggerProvider(provider)), out}}
	}
	t.logger = slog.New(handler)
	return nil
}

func (t *Telemetry) startTraces(ctx context.Context, cfg Config, res *resource.Resource) error {
	opts := []sdktrace.TracerProviderOption{sdktrace.WithResource(res), sdktrace.WithRawSpanLimits(spanLimits())}
	processors, err := t.spanProcessors(ctx, cfg)
	if err != nil {
		return err
	}
	for _, processor := range processors {
		opts = append(opts, sdktrace.WithSpanProcessor(processor))
	}
	// A sampler is set in either case: the SDK's own reading of OTEL_TRACES_SAMPLER knows nothing of our key.
	if len(processors) == 0 { // ids are still made, for logs and answers
		t.Sampler.Ratio = 0
		opts = append(opts, sdktrace.WithSampler(sdktrace.NeverSample()))
	} else {
		opts = append(opts, sdktrace.WithSampler(sdktrace.ParentBased(rootSampler{t.Sampler})))
	}
	tp := sdktrace.NewTracerProvider(opts...)
	t.TracerProvider, t.Tracer = tp, tp.Tracer(scope)
	t.shutdown = append([]func(context.Context) error{tp.Shutdown}, t.shutdown...)
	return nil
}

// maxAttributeLength is the length of a span attribute's text at most, in characters: no caller may fill a trace with a
// long address. OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT and OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT overrule it.
const maxAttributeLength = 4096

func spanLimits() sdktrace.SpanLimits {
	limits := sdktrace.NewSpanLimits()
	if limits.AttributeValueLengthLimit < 0 {
		limits.AttributeValueLengthLimit = maxAttributeLength
	}
	return limits
}

// spanProcessors returns one batch processor for each place that spans go to.
func (t *Telemetry) spanProcessors(ctx context.Context, cfg Config) ([]sdktrace.SpanProcessor, error) {
	var exporter, inProcess sdktrace.SpanExporter
	var err error
	if cfg.Spans != nil && !disabled() {
		if inProcess, err = otlptrace.New(ctx, cfg.Spans); err != nil {
			return nil, fmt.Errorf("span receiver: %w", err)
		}
	}
	if exporting("OTEL_TRACES_EXPORTER") {
		if exporter, err = autoexport.NewSpanExporter(ctx); err != nil {
			return nil, fmt.Errorf("trace exporter: %w", err)
		}
	}
	if exporter == nil && inProcess == nil {
		return nil, nil
	}
	counter, err := newSpanCounter(t.Meter)
	if err != nil {
		return nil, err
	}
	var processors []sdktrace.SpanProcessor
	if exporter != nil {
		processors = append(processors, counter.batcher(ctx, exporterOTLP, exporter))
	}
	if inProcess != nil {
		processors = append(processors, counter.batcher(ctx, exporterInProcess, inProcess, sdktrace.WithBatchTimeout(inProcessSchedule)))
	}
	return processors, nil
}

// maxSeries is the number of combinations of attributes that one instrument tells apart; what comes later counts under
// otel.metric.overflow. Instruments are made so that they stay far below: this is a net for mistakes.
const maxSeries = 1000

func (t *Telemetry) startMetrics(ctx context.Context, res *resource.Resource) error {
	registry := prometheus.NewRegistry()
	scrape, err := promexporter.New(promexporter.WithRegisterer(registry))
	if err != nil {
		return fmt.Errorf("prometheus exporter: %w", err)
	}
	opts := []sdkmetric.Option{sdkmetric.WithResource(res), sdkmetric.WithReader(scrape), sdkmetric.WithCardinalityLimit(maxSeries)}
	// "prometheus" would open a second port for what /metrics serves already.
	if os.Getenv("OTEL_METRICS_EXPORTER") != "prometheus" && exporting("OTEL_METRICS_EXPORTER") {
		reader, err := autoexport.NewMetricReader(ctx)
		if err != nil {
			return fmt.Errorf("metric exporter: %w", err)
		}
		opts = append(opts, sdkmetric.WithReader(reader))
	}
	mp := sdkmetric.NewMeterProvider(opts...)
	t.MeterProvider, t.Meter = mp, mp.Meter(scope)
	t.shutdown = append([]func(context.Context) error{mp.Shutdown}, t.shutdown...)
	t.metrics = promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true})
	if err := runtime.Start(runtime.WithMeterProvider(mp)); err != nil {
		return fmt.Errorf("runtime metrics: %w", err)
	}
	return nil
}

// exporting reports whether a signal leaves the process: its exporter is named, or an OTLP endpoint is.
func exporting(variable string) bool {
	if disabled() {
		return false
	}
	if name := os.Getenv(variable); name != "" {
		return name != "none"
	}
	signal := strings.TrimSuffix(strings.TrimPrefix(variable, "OTEL_"), "_EXPORTER")
	return os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != "" || os.Getenv("OTEL_EXPORTER_OTLP_"+signal+"_ENDPOINT") != ""
}

func disabled() bool { return strings.EqualFold(os.Getenv("OTEL_SDK_DISABLED"), "true") }

// leveled gives a handler the level of another.
type leveled struct {
	slog.Handler
	level slog.Handler
}

func (l leveled) Enabled(ctx context.Context, level slog.Level) bool {
	return l.level.Enabled(ctx, level)
}

func (l leveled) WithAttrs(attrs []slog.Attr) slog.Handler {
	return leveled{l.Handler.WithAttrs(attrs), l.level}
}

func (l leveled) WithGroup(name string) slog.Handler {
	return leveled{l.Handler.WithGroup(name), l.level}
}

// limitedErrorHandler logs errors of exporters as warnings, at most one per errorLogInterval.
func limitedErrorHandler(log *slog.Logger) otel.ErrorHandler {
	var last atomic.Int64
	return otel.ErrorHandlerFunc(func(err error) {
		now, before := time.Now().UnixNano(), last.Load()
		if now-before >= int64(errorLogInterval) && last.CompareAndSwap(before, now) {
			attrs := []any{"error", err}
			if reason := exportReason(err); reason != "" {
				attrs = append(attrs, "reason", reason)
			}
			log.Warn("telemetry could not be exported", attrs...)
		}
	})
}
