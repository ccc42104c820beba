package fiberx

import (
	"context"
	"log/slog"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
)

// discard is a processor for which spans are recorded and that keeps none.
type discard struct{}

func (discard) OnStart(context.Context, sdktrace.ReadWriteSpan) {}
func (discard) OnEnd(sdktrace.ReadOnlySpan)                     {}
func (discard) Shutdown(context.Context) error                  { return nil }
func (discard) ForceFlush(context.Context) error                { return nil }

// BenchmarkRequest is what the middleware costs a request that does nothing, beside Fiber alone.
func BenchmarkRequest(b *testing.B) {
	handler := func(c *fiber.Ctx) error { return c.SendString("ok") }
	tel := func(ratio float64) *telemetry.Telemetry {
		tel := telemetry.Nop()
		tel.Sampler = telemetry.Sampler{Ratio: ratio, Key: []byte("salt")}
		tel.Tracer = sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(discard{})).Tracer("test")
		tel.Meter = sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader())).Meter("test")
		return tel
	}
	log := slog.New(slog.DiscardHandler)
	for name, app := range map[string]*fiber.App{
		"fiber":     fiber.New(),
		"unsampled": New(Config{}, log, tel(1e-9)),
		"sampled":   New(Config{}, log, tel(1)),
	} {
		b.Run(name, func(b *testing.B) {
			app.Get("/api/v1/tasks/:ref", handler)
			serve := app.Handler()
			ctx := &fasthttp.RequestCtx{}
			ctx.Request.Header.SetMethod(fiber.MethodGet)
			ctx.Request.SetRequestURI("/api/v1/tasks/WEB-42")
			ctx.Request.Header.Set("traceparent", traceparent)
			b.ReportAllocs()
			for b.Loop() {
				ctx.Response.Reset()
				ctx.ResetUserValues()
				serve(ctx)
			}
		})
	}
}
