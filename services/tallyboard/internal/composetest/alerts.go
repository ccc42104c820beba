package composetest

import (
	"context"
	"fmt"
	"regexp"
	"time"
)

// minAlerts guards against a Prometheus that has loaded no rules.
const minAlerts = 20

// ruleQueries returns the queries of the recording rules and of the alerts that Prometheus has loaded. An alert's
// comparisons are told to give 0 or 1, so that what is compared must have data while nothing is wrong.
func (s *stack) ruleQueries(ctx context.Context) (rules, alerts []observation, err error) {
	var loaded struct {
		Data struct {
			Groups []struct {
				Name  string
				Rules []struct{ Name, Type, Query string }
			}
		}
	}
	err = eventually(ctx, 30*time.Second, func() error {
		if err := s.get(ctx, s.metrics, "/api/v1/rules", &loaded); err != nil {
			return err
		}
		return holds(len(loaded.Data.Groups) > 0, "Prometheus has no rules")
	})
	if err != nil {
		return nil, nil, err
	}
	for _, g := range loaded.Data.Groups {
		for _, r := range g.Rules {
			o := observation{"rule " + r.Name, r.Query}
			if r.Type == "alerting" {
				alerts = append(alerts, observation{"alert " + r.Name, compared(r.Query)})
				continue
			}
			rules = append(rules, o)
			// What was recorded must be there, too: dashboards and alerts read that.
			rules = append(rules, observation{"record " + r.Name + " of " + g.Name, r.Name})
		}
	}
	if len(alerts) < minAlerts {
		return nil, nil, fmt.Errorf("prometheus has %d alerts, not %d", len(alerts), minAlerts)
	}
	return rules, alerts, nil
}

// comparison is an operator that leaves out what does not fulfil it. Matchers of labels have no spaces around theirs.
var comparison = regexp.MustCompile(` (==|!=|<=|>=|<|>) (?:bool )?`)

// compared makes every comparison of an alert give 0 or 1 instead of leaving out. Prometheus writes rules with one space
// around operators.
func compared(query string) string {
	return comparison.ReplaceAllString(query, " $1 bool ")
}
