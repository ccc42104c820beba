package signals

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	alertLine   = regexp.MustCompile(`- alert: (\w+)`)
	runbookLine = regexp.MustCompile(`#(\w+)\n`)
)

// TestEveryAlertSaysWhatToDo holds alerts to what somebody needs who is woken by one, and to having a test.
func TestEveryAlertSaysWhatToDo(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..", "..", "..")
	rules := texts(t, filepath.Join(root, "deploy", "prometheus", "rules", "*.yaml"))
	tests := texts(t, filepath.Join(root, "deploy", "prometheus", "tests", "*.yaml"))
	manual, err := os.ReadFile(filepath.Join(root, "docs", "operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string]string{}
	for _, section := range strings.Split(string(manual), "\n#")[1:] {
		heading, body, _ := strings.Cut(section, "\n")
		sections[strings.TrimLeft(heading, "# ")] = strings.ToLower(body)
	}
	alerts := alertLine.Split(rules, -1)[1:]
	known := names(alertLine, rules)
	if len(alerts) < 20 || len(alerts) != len(known) {
		t.Fatalf("%d alerts, %d names", len(alerts), len(known))
	}
	for i, found := range alertLine.FindAllStringSubmatch(rules, -1) {
		name, alert := found[1], alerts[i]
		for _, part := range []string{"severity: ", "summary: ", "description: ", "runbook_url: ", "dashboard: /d/tallyboard-"} {
			if !strings.Contains(alert, part) {
				t.Errorf("%s lacks %s", name, part)
			}
		}
		if !strings.Contains(alert, "severity: page") && !strings.Contains(alert, "severity: ticket") {
			t.Errorf("%s has no severity that docs/operations.md knows", name)
		}
		if anchor := runbookLine.FindStringSubmatch(alert); anchor == nil || anchor[1] != strings.ToLower(name) {
			t.Errorf("%s: its runbook_url leads to %v", name, anchor)
		}
		for _, part := range []string{"**symptom**", "**meaning**", "**look**", "**do**", "**over when**"} {
			if !strings.Contains(sections[name], part) {
				t.Errorf("docs/operations.md: the section %s lacks %s", name, part)
			}
		}
		for _, value := range []string{"value: 1", "value: 0"} {
			if !regexp.MustCompile(`ALERTS\{alertname="` + name + `",alertstate="firing"\}\) or vector\(0\)\n\s+exp_samples: \[\{labels: '\{\}', ` + value).MatchString(tests) {
				t.Errorf("%s has no test that expects %s firing", name, value)
			}
		}
	}
	boards := texts(t, filepath.Join(root, "deploy", "grafana", "dashboards", "*.json"))
	for _, name := range names(regexp.MustCompile(`Runbook: (\w+)`), boards) {
		if !slices.Contains(known, name) {
			t.Errorf("a dashboard links to the runbook of %s, which is no alert", name)
		}
	}
}
