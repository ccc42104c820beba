package signals

import (
	"bufio"
	"context"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	// measuredName is the name of a metric, or of a label, that the services give. Those of the collector and of Prometheus
	// are held to the running stack by the compose test.
	measuredName = regexp.MustCompile(`\b(?:http_server|db_client|tallyboard|go)_[a-z0-9_]+\b`)
	// recordedName is the name of a recording rule.
	recordedName = regexp.MustCompile(`\b(?:slo|service|pool):[a-z0-9_:]+\b`)
	recordLine   = regexp.MustCompile(`record: "?([a-z0-9_:]+)`)
	scrapedName  = regexp.MustCompile(`(?m)^([a-z_][a-z0-9_]*)[{ ]`)
	scrapedLabel = regexp.MustCompile(`[{,]([a-z_][a-z0-9_]*)="`)
)

// TestDashboardsAndAlertsNameWhatIsMeasured compares every name in the dashboards, rules and alerts with what /metrics of
// both services has once they have worked, so that a renamed metric is found before a chart is empty.
func TestDashboardsAndAlertsNameWhatIsMeasured(t *testing.T) {
	t.Parallel()
	deploy := filepath.Join("..", "..", "..", "..", "deploy")
	rules := texts(t, filepath.Join(deploy, "prometheus", "rules", "*.yaml"))
	used := rules + texts(t, filepath.Join(deploy, "grafana", "dashboards", "*.json"))

	p := start(t, nil)
	p.call(t, "POST", "/api/v1/projects", `{"key":"SEEN","name":"Seen"}`, http.StatusCreated, nil)
	p.seeOne(t, "SEEN")
	p.awaitApplied(t, "SEEN", 1)
	wanted := names(measuredName, used)
	if len(wanted) < 30 {
		t.Fatalf("only %d names are used: %v", len(wanted), wanted)
	}
	var missing []string
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		scraped := string(p.send(t, "GET", "/metrics", "").body) + "\n" + string(p.send(t, "GET", "/api/v1/stats/metrics", "").body)
		have := append([]string{"go_memory_limit_bytes"}, names(scrapedLabel, scraped)...) // told where GOMEMLIMIT is set
		have = append(have, names(scrapedName, scraped)...)
		missing = slices.DeleteFunc(slices.Clone(wanted), func(name string) bool { return slices.Contains(have, name) })
		if len(missing) == 0 {
			break
		}
	}
	if len(missing) > 0 {
		t.Errorf("deploy/grafana or deploy/prometheus use what no service measures: %v", missing)
	}
	recorded := names(recordLine, rules)
	for _, name := range names(recordedName, used) {
		if !slices.Contains(recorded, name) {
			t.Errorf("%s is used, but no rule records it", name)
		}
	}
}

// texts returns the contents of all files that match, without comments of YAML.
func texts(t *testing.T, pattern string) string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %d files, %v", pattern, len(files), err)
	}
	var all strings.Builder
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(content)) {
			if !strings.HasPrefix(strings.TrimSpace(line), "#") {
				all.WriteString(line)
			}
		}
	}
	return all.String()
}

// names returns what an expression, or its group, matches in a text, each once.
func names(expression *regexp.Regexp, text string) (out []string) {
	for _, match := range expression.FindAllStringSubmatch(text, -1) {
		out = append(out, match[len(match)-1])
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// seeOne makes a task of a project while its live stream is open, and waits until the stream tells of it.
func (p *product) seeOne(t *testing.T, project string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+"/api/v1/projects/"+project+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // it is cut off, not read to its end
	for lines, made := bufio.NewScanner(res.Body), false; lines.Scan(); {
		switch {
		case lines.Text() == "event: ready" && !made:
			made = true
			p.call(t, "POST", "/api/v1/projects/"+project+"/tasks", `{"title":"Seen live"}`, http.StatusCreated, nil)
		case strings.HasPrefix(lines.Text(), "data:") && strings.Contains(lines.Text(), "Seen live"):
			return
		}
	}
	t.Fatalf("the stream did not tell of the task: %v", ctx.Err())
}
