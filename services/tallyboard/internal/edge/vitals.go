package edge

import (
	"fmt"
	"math"
	"regexp"
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

// vitalUnits are the metrics that are taken, with their units.
var vitalUnits = map[string]string{"browser.web_vital.duration": "s", "browser.web_vital.cls": "1"}

// vitalNames are the values of attrVital.
var vitalNames = []string{"lcp", "inp", "ttfb", "fcp", "cls"}

// The attributes that are taken.
const (
	attrVital = "web_vital.name"
	attrView  = "ui.view"
)

// viewName is the form of a view's name.
var viewName = regexp.MustCompile(`^[a-z][a-z0-9 _.-]{0,31}$`)

// Limits of one request.
const (
	maxPoints  = 100
	maxBuckets = 32
	maxCount   = 10_000 // measurements in one point
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
				unit, known := vitalUnits[m.GetName()]
				histogram := m.GetHistogram()
				if !known || histogram.GetAggregationTemporality() != metricspb.AggregationTemporality_AGGREGATION_TEMPORALITY_DELTA {
					continue
				}
				points := vitalPoints(histogram.GetDataPoints(), left)
				if left -= len(points); len(points) > 0 {
					vitals = append(vitals, metricdata.Metrics{Name: m.GetName(), Unit: unit, Data: metricdata.Histogram[float64]{
						Temporality: metricdata.DeltaTemporality, DataPoints: points,
					}})
				}
			}
		}
	}
	return vitals, nil
}

func vitalPoints(in []*metricspb.HistogramDataPoint, limit int) []metricdata.HistogramDataPoint[float64] {
	var out []metricdata.HistogramDataPoint[float64]
	for _, p := range in {
		if len(out) >= limit {
			break
		}
		if !sane(p) {
			continue
		}
		out = append(out, metricdata.HistogramDataPoint[float64]{
			Attributes: vitalAttributes(p.GetAttributes()), StartTime: moment(p.GetStartTimeUnixNano()), Time: moment(p.GetTimeUnixNano()),
			Count: p.GetCount(), Sum: p.GetSum(), Bounds: p.GetExplicitBounds(), BucketCounts: p.GetBucketCounts(),
		})
	}
	return out
}

// sane reports whether a point is consistent and of a size that one page can have measured.
func sane(p *metricspb.HistogramDataPoint) bool {
	bounds, counts := p.GetExplicitBounds(), p.GetBucketCounts()
	if p.GetCount() == 0 || p.GetCount() > maxCount || len(counts) > maxBuckets || len(counts) != len(bounds)+1 {
		return false
	}
	var total uint64
	for _, n := range counts {
		if n > maxCount {
			return false
		}
		total += n
	}
	finite := func(v float64) bool { return v-v == 0 }
	return total == p.GetCount() && finite(p.GetSum()) && p.GetSum() >= 0 &&
		slices.IsSorted(bounds) && !slices.ContainsFunc(bounds, func(b float64) bool { return !finite(b) })
}

func vitalAttributes(in []*commonpb.KeyValue) attribute.Set {
	var attrs []attribute.KeyValue
	for _, kv := range in {
		text := kv.GetValue().GetStringValue()
		switch {
		case kv.GetKey() == attrVital && slices.Contains(vitalNames, text), kv.GetKey() == attrView && viewName.MatchString(text):
			attrs = append(attrs, attribute.String(kv.GetKey(), text))
		}
	}
	return attribute.NewSet(attrs...)
}

// moment is a time in nanoseconds since 1970.
func moment(nanos uint64) time.Time { return time.Unix(0, int64(min(nanos, math.MaxInt64))) }
