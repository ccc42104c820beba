package db

import (
	"context"
	"testing"
	"time"

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

// BenchmarkObserver is what observing costs a statement.
func BenchmarkObserver(b *testing.B) {
	tel := telemetry.Nop()
	tel.Meter = sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader())).Meter("test")
	tel.TracerProvider = sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(discard{}))
	o, err := newObserver(Options{Telemetry: tel, Tracer: true}, target{host: "db.example", port: 3306, namespace: "tally"})
	if err != nil {
		b.Fatal(err)
	}
	recorded, span := tel.TracerProvider.Tracer("test").Start(b.Context(), "request")
	defer span.End()
	const query = "-- name: GetTask :one\nSELECT id, project_id, number, title, description, state_id FROM tasks WHERE id = ?"
	for name, ctx := range map[string]context.Context{"unsampled": b.Context(), "sampled": recorded} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				o.done(ctx, o.statement(query), time.Now(), nil)
			}
		})
	}
}
