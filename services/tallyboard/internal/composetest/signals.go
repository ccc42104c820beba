package composetest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// checkSignals follows one change from the browser to the last row it touched, and looks for the metrics of every replica.
func (s *stack) checkSignals(ctx context.Context) error {
	if err := s.checkTrace(ctx); err != nil {
		return err
	}
	s.checkOwnTrace(ctx)
	if err := s.checkUnrecorded(ctx); err != nil {
		return err
	}
	s.checkIntake(ctx)
	if err := s.checkCollectorAway(ctx); err != nil {
		return err
	}
	s.checkOperations(ctx)
	s.checkMetrics(ctx)
	return nil
}

func (s *stack) checkMetrics(ctx context.Context) {
	for _, job := range []string{"task-service", "stats-service"} {
		query := fmt.Sprintf(`count(count by (instance) (http_server_request_duration_seconds_count{job=%q}))`, job)
		err := eventually(ctx, 40*time.Second, func() error {
			var found struct {
				Data struct {
					Result []struct{ Value [2]any }
				}
			}
			// Both replicas must have had a request.
			for range 4 {
				if _, err := s.call(ctx, http.MethodGet, "/api/v1/me", ""); err != nil {
					return err
				}
				if _, err := s.call(ctx, http.MethodGet, "/api/v1/stats/status", ""); err != nil {
					return err
				}
			}
			if err := s.get(ctx, s.metrics, "/api/v1/query?query="+url.QueryEscape(query), &found); err != nil {
				return err
			}
			return holds(len(found.Data.Result) == 1 && found.Data.Result[0].Value[1] == "2", "%v", found.Data.Result)
		})
		s.report.check("Prometheus has request metrics of both replicas of "+job, err)
	}
}

func randomHex(bytes int) (string, error) {
	raw := make([]byte, bytes)
	if _, err := rand.Read(raw); err != nil {
		return "", fmt.Errorf("random bytes: %w", err)
	}
	return hex.EncodeToString(raw), nil
}

// checkBrowser runs the browser tests against the stack.
func (s *stack) checkBrowser(ctx context.Context) error {
	if !s.cfg.Browser {
		s.report.notef("left out: COMPOSE_TEST_BROWSER=false")
		return nil
	}
	started := time.Now()
	args := []string{"NO_COLOR=1", "E2E_BASE_URL=" + s.base, "npm", "--prefix", "services/web", "run", "--silent", "test:e2e", "--"}
	if !slices.Contains(s.cfg.Specs, "all") {
		args = append(args, s.cfg.Specs...)
	}
	out, err := s.command(ctx, "env", args...)
	for line := range strings.Lines(out) {
		switch text := strings.TrimSpace(line); {
		case strings.HasPrefix(text, "Tests "), strings.HasPrefix(text, "Test Files "), strings.HasPrefix(text, "×"):
			s.report.notef("%s", text)
		}
	}
	s.report.check("the browser tests pass through nginx", err, seconds(started))
	return nil
}
