package composetest

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestComparisonsAreToldToGiveNumbers(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		`max(a) > 0`:                 `max(a) > bool 0`,
		`a{b!="c",d=~"e|f"} == 0`:    `a{b!="c",d=~"e|f"} == bool 0`,
		`a > on (b) group_left () c`: `a > bool on (b) group_left () c`,
		`(a > 1 and b >= 10) or c`:   `(a > bool 1 and b >= bool 10) or c`,
		`a < bool 1`:                 `a < bool 1`,
		`a - b / (c)`:                `a - b / (c)`,
	} {
		if got := compared(query); got != want {
			t.Errorf("%s became %s, want %s", query, got, want)
		}
	}
}

func TestDashboardsAreRead(t *testing.T) {
	t.Parallel()
	queries, err := dashboardQueries(filepath.Join("..", "..", "..", "..", "deploy", "grafana", "dashboards"))
	if err != nil {
		t.Fatal(err)
	}
	if len(queries) < 100 {
		t.Errorf("only %d queries", len(queries))
	}
	variables := 0
	for _, o := range queries {
		if o.query == "" || strings.Contains(o.query, "$") || strings.Contains(o.query, "label_values") {
			t.Errorf("%s: not a query Prometheus understands: %q", o.where, o.query)
		}
		if strings.Contains(o.where, "variable") {
			variables++
		}
	}
	if variables == 0 {
		t.Error("no variable was read")
	}
	if _, err := dashboardQueries(t.TempDir()); err == nil {
		t.Error("a folder without dashboards is no error")
	}
}
