package edge

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// vitalsBody is what the browser's SDK sends, with parts that must not get through.
const vitalsBody = `{"resourceMetrics":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"task-service"}}]},
 "scopeMetrics":[{"scope":{"name":"x"},"metrics":[
  {"name":"browser.web_vital.duration","unit":"h","histogram":{"aggregationTemporality":1,"dataPoints":[
   {"attributes":[{"key":"web_vital.name","value":{"stringValue":"lcp"}},{"key":"ui.view","value":{"stringValue":"board"}},
     {"key":"user.name","value":{"stringValue":"Ada"}}],
    "startTimeUnixNano":"1700000000000000000","timeUnixNano":"1700000010000000000","count":"2","sum":0.5,
    "bucketCounts":["0","0","0","0","1","1","0","0","0","0","0","0","0","0","0","0"],
    "explicitBounds":[0.01,0.025,0.05,0.1,0.2,0.3,0.5,0.8,1.2,1.8,2.5,3,4,6,10],
    "exemplars":[{"asDouble":0.1,"filteredAttributes":[{"key":"user.name","value":{"stringValue":"Ada"}}]}]},
   {"attributes":[{"key":"ui.view","value":{"stringValue":"Ada Lovelace's secret board"}}],"count":"1","sum":1,
    "bucketCounts":["0","0","0","0","0","0","0","0","1","0","0","0","0","0","0","0"],
    "explicitBounds":[0.01,0.025,0.05,0.1,0.2,0.3,0.5,0.8,1.2,1.8,2.5,3,4,6,10]},
   {"count":"1","sum":1,"bucketCounts":["0","1"],"explicitBounds":[0.2]},
   {"count":"3","sum":1,"bucketCounts":["0","0","0","0","0","0","0","0","1","0","0","0","0","0","0","0"],
    "explicitBounds":[0.01,0.025,0.05,0.1,0.2,0.3,0.5,0.8,1.2,1.8,2.5,3,4,6,10]},
   {"count":"99999999","sum":1,"bucketCounts":["0","0","0","0","0","0","0","0","0","0","0","0","0","0","0","99999999"],
    "explicitBounds":[0.01,0.025,0.05,0.1,0.2,0.3,0.5,0.8,1.2,1.8,2.5,3,4,6,10]}]}},
  {"name":"http.server.request.duration","histogram":{"aggregationTemporality":1,"dataPoints":[{"count":"1","sum":1,"bucketCounts":["1"]}]}},
  {"name":"browser.web_vital.cls","histogram":{"aggregationTemporality":2,"dataPoints":[{"count":"1","sum":1,"bucketCounts":["1"]}]}}]}]}]}`

func TestOfVitalsOnlyWhatIsKnownGetsThrough(t *testing.T) {
	t.Parallel()
	got, err := readVitals([]byte(vitalsBody))
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || got[0].Name != "browser.web_vital.duration" || got[0].Unit != "s" {
		t.Fatalf("metrics %v", got)
	}
	histogram, ok := got[0].Data.(metricdata.Histogram[float64])
	if !ok || len(histogram.DataPoints) != 2 || histogram.Temporality != metricdata.DeltaTemporality {
		t.Fatalf("data %v", got[0].Data)
	}
	var attrs []string
	for _, p := range histogram.DataPoints {
		attrs = append(attrs, fmt.Sprint(p.Attributes.ToSlice(), len(p.Exemplars)))
	}
	if text := strings.Join(attrs, " "); strings.Contains(text, "Ada") || !strings.Contains(text, "lcp") || !strings.Contains(text, "board") || !strings.Contains(text, otherView) {
		t.Errorf("attributes %s", text)
	}
	for _, bad := range []string{"", "[]", "nonsense", `{"resourceMetrics":1}`} {
		if _, err := readVitals([]byte(bad)); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	many := strings.Repeat(`{"count":"1","sum":1,"bucketCounts":["1",0,0,0,0,0,0,0,0,0],"explicitBounds":[0,0.01,0.025,0.05,0.1,0.15,0.25,0.5,1]},`, 2*maxPoints)
	got, err = readVitals([]byte(`{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"browser.web_vital.cls","histogram":{"aggregationTemporality":1,"dataPoints":[` +
		strings.TrimSuffix(many, ",") + `]}}]}]}]}`))
	if err != nil || len(got[0].Data.(metricdata.Histogram[float64]).DataPoints) != maxPoints { //nolint:errcheck // as above
		t.Errorf("%v, %v", got, err)
	}
}

// find returns what the pattern's group matches in a file of the repository, given by its path from the root.
func find(t *testing.T, path, pattern string) string {
	t.Helper()
	content, err := os.ReadFile("../../../../" + path)
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(pattern).FindSubmatch(content)
	if found == nil {
		t.Fatalf("%s has no %s", path, pattern)
	}
	return string(found[1])
}

func TestViewsAndBucketsAreThoseOfTheUIAndTheCollector(t *testing.T) {
	t.Parallel()
	views := find(t, "deploy/otel/collector.yaml", `"ui\.view"\], "\^\(([a-z|]+)\)\$"`)
	if !slices.Equal(strings.Split(views, "|"), viewNames) {
		t.Errorf("the collector's views are %s, ours %v", views, viewNames)
	}
	for metric, constant := range map[string]string{"browser.web_vital.duration": "DURATION_BOUNDS", "browser.web_vital.cls": "SHIFT_BOUNDS"} {
		var bounds []float64
		for number := range strings.SplitSeq(find(t, "services/web/src/telemetry/vitals.ts", constant+`: readonly number\[\] = \[([^\]]+)\]`), ",") {
			bound, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
			if err != nil {
				t.Fatal(err)
			}
			bounds = append(bounds, bound)
		}
		if !slices.Equal(bounds, vitalsTaken[metric].bounds) {
			t.Errorf("the UI's bounds of %s are %v, ours %v", metric, bounds, vitalsTaken[metric].bounds)
		}
	}
}
