package edge

import (
	"fmt"
	"math"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	"google.golang.org/protobuf/encoding/protojson"
)

// Vitals are histograms (delta) of what browsers measured of their pages. They hold nothing but what is listed below,
// whatever was sent.
type Vitals []metricdata.Metrics

// vital is a metric that is taken. Its buckets are those of services/web/src/telemetry/vitals.ts and no others: a histogram
// whose bounds change from point to point cannot be added up.
type vital struct {
	unit   string
	bounds []float64 // of the buckets, in that unit
}

// vitalsTaken are the metrics that are taken, by their names.
var vitalsTaken = map[string]vital{
	"browser.web_vital.duration": {"s", []float64{0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.2, 1.8, 2.5, 3, 4, 6, 10}},
	"browser.web_vital.cls":      {"1", []float64{0, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1}},
}

// vitalNames are the values of attrVital.
var vitalNames = []string{"lcp", "inp", "ttfb", "fcp", "cls"}

// The attributes that are taken.
const (
	attrVital = "web_vital.name"
	attrView  = "ui.view"
)

// viewNames are the values of attrView: the screens that the UI has, as deploy/otel/collector.yaml lists them too. What
// anyone may send becomes series, so every other is otherView.
var viewNames = []string{
	"projects", "board", "list", "dashboard", "trash", "settings", "task", "search", "traces", "trace", "compare", "operations", "missing",
}

const otherView = "other"

// Limits of one request.
const (
	maxPoints = 100
	maxCount  = 10_000 // measurements in one point
)

// readVitals reads an OTLP request in JSON. What is not taken is left out; an error means that it is no such request.
func readVitals(body []byte) (Vitals, error) {
	var data metricspb.MetricsData // has the fields of ExportMetricsServiceRequest
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(body, &data); err != nil {
		return nil, fmt.Errorf("read OTLP metrics: %w", err)
	}
	left := maxPoints
	var vitals Vitals
	for _, resource := range data.GetResourceMetrics() {
		for _, scope := range resource.GetScopeMetrics() {
			for _, m := range scope.GetMetrics() {
				taken, known := vitalsTaken[m.GetName()]
				histogram := m.GetHistogram()
				if !known || histogram.GetAggregationTemporality() != metricspb.AggregationTemporality_AGGREGATION_TEMPORALITY_DELTA {
					continue
				}
				points := vitalPoints(histogram.GetDataPoints(), taken.bounds, left)
				if left -= len(points); len(points) > 0 {
					vitals = append(vitals, metricdata.Metrics{Name: m.GetName(), Unit: taken.unit, Data: metricdata.Histogram[float64]{
						Temporality: metricdata.DeltaTemporality, DataPoints: points,
					}})
				}
			}
		}
	}
	return vitals, nil
}

func vitalPoints(in []*metricspb.HistogramDataPoint, bounds []float64, limit int) []metricdata.HistogramDataPoint[float64] {
	var out []metricdata.HistogramDataPoint[float64]
	for _, p := range in {
		if len(out) >= limit {
			break
		}
		if !sane(p, bounds) {
			continue
		}
		out = append(out, metricdata.HistogramDataPoint[float64]{
			Attributes: vitalAttributes(p.GetAttributes()), StartTime: moment(p.GetStartTimeUnixNano()), Time: moment(p.GetTimeUnixNano()),
			Count: p.GetCount(), Sum: p.GetSum(), Bounds: bounds, BucketCounts: p.GetBucketCounts(),
		})
	}
	return out
}

// sane reports whether a point has these bounds, is consistent, and of a size that one page can have measured.
func sane(p *metricspb.HistogramDataPoint, bounds []float64) bool {
	counts := p.GetBucketCounts()
	if p.GetCount() == 0 || p.GetCount() > maxCount || !slices.Equal(p.GetExplicitBounds(), bounds) || len(counts) != len(bounds)+1 {
		return false
	}
	var total uint64
	for _, n := range counts {
		if n > maxCount {
			return false
		}
		total += n
	}
	return total == p.GetCount() && p.GetSum() >= 0 && p.GetSum() <= math.MaxFloat64 // finite
}

func vitalAttributes(in []*commonpb.KeyValue) attribute.Set {
	view := otherView
	var attrs []attribute.KeyValue
	for _, kv := range in {
		text := kv.GetValue().GetStringValue()
		switch {
		case kv.GetKey() == attrVital && slices.Contains(vitalNames, text):
			attrs = append(attrs, attribute.String(attrVital, text))
		case kv.GetKey() == attrView && slices.Contains(viewNames, text):
			view = text
		}
	}
	return attribute.NewSet(append(attrs, attribute.String(attrView, view))...)
}

// moment is a time in nanoseconds since 1970.
func moment(nanos uint64) time.Time { return time.Unix(0, int64(min(nanos, math.MaxInt64))) }
