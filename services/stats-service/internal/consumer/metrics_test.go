package consumer

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/stats"
)

// measurable is a store whose state can be measured while the database is there.
type measurable struct {
	Store

	status stats.Status
	away   atomic.Bool
}

func (s *measurable) Status(context.Context, int) (stats.Status, error) {
	if s.away.Load() {
		return stats.Status{}, errors.New("connection refused")
	}
	return s.status, nil
}

// gauges returns what the gauges show, by name.
func gauges(t *testing.T, reader *sdkmetric.ManualReader) map[string]float64 {
	t.Helper()
	var rm metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &rm); err != nil {
		t.Fatal(err)
	}
	out := map[string]float64{}
	for _, m := range rm.ScopeMetrics[0].Metrics {
		switch data := m.Data.(type) {
		case metricdata.Gauge[int64]:
			for _, p := range data.DataPoints {
				out[m.Name] = float64(p.Value)
			}
		case metricdata.Gauge[float64]:
			for _, p := range data.DataPoints {
				out[m.Name] = p.Value
			}
		}
	}
	return out
}

func TestGaugesShowNothingThatIsNotMeasured(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		pending := time.Now().Add(-3 * time.Second)
		store := &measurable{status: stats.Status{Cursor: stats.Cursor{Pos: 5}, Head: 9, Pending: &pending, ParkedCount: 2}}
		store.away.Store(true)
		reader := sdkmetric.NewManualReader()
		tel := telemetry.Nop()
		tel.Meter = sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)).Meter("test")
		c, err := New(Config{MonitorInterval: time.Minute}, store, nil, noBus{}, tel, nil)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go c.monitor(ctx)
		synctest.Wait()
		if got := gauges(t, reader); len(got) != 0 {
			t.Errorf("before the first measurement %v", got)
		}
		pending = time.Now().Add(time.Minute - 3*time.Second) // three seconds old at the next measurement
		for range 2 {
			store.away.Store(false)
			time.Sleep(time.Minute)
			synctest.Wait()
			want := []string{"tallyboard.stats.lag", "tallyboard.stats.lag.positions", "tallyboard.stats.parked"}
			got := gauges(t, reader)
			if !slices.Equal(slices.Sorted(maps.Keys(got)), want) || got[want[0]] < 3 || got[want[1]] != 4 || got[want[2]] != 2 {
				t.Errorf("measured %v", got)
			}
			store.away.Store(true)
			time.Sleep(time.Minute)
			synctest.Wait()
			if got := gauges(t, reader); len(got) != 0 {
				t.Errorf("while the database is away %v", got)
			}
		}
	})
}
