package composetest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
)

// checkStart brings the whole stack up from built images and empty volumes.
func (s *stack) checkStart(ctx context.Context) error {
	if _, err := s.compose(ctx, "up", "--build", "--wait", "--wait-timeout", "180"); err != nil {
		return err
	}
	healthy := time.Now()
	s.report.check("docker compose up --build --wait succeeds without a step before it", nil)
	all, err := s.containers(ctx, true)
	if err != nil {
		return err
	}
	created := healthy // of the first container: what came before was building
	for _, c := range all {
		if c.Created.Before(created) {
			created = c.Created
		}
	}
	took := healthy.Sub(created)
	s.report.check(fmt.Sprintf("the stack is healthy within %s", s.cfg.ColdStart),
		holds(took <= s.cfg.ColdStart, "it took %s", took.Round(time.Millisecond)), took.Round(100*time.Millisecond))
	for _, service := range []string{"task-service", "stats-service"} {
		replicas, err := s.containers(ctx, false, service)
		if err != nil {
			return err
		}
		s.report.check(service+" has two replicas", holds(len(replicas) == 2, "%d", len(replicas)))
		s.checkReady(ctx, service, replicas)
	}
	out, err := s.compose(ctx, "logs", "--no-log-prefix", "edge")
	if err == nil {
		err = holds(strings.Contains(out, "Tallyboard is at http://"), "the edge's log has no address")
	}
	s.report.check("the first start prints where Tallyboard is", err)
	return nil
}

// checkReady looks at the faster replica: all of them start at once, and share the machine's processors with the rest.
func (s *stack) checkReady(ctx context.Context, service string, replicas []container) {
	var errs []error
	fastest := time.Duration(math.MaxInt64)
	for _, c := range replicas {
		took, err := s.readyAfter(ctx, c)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		fastest = min(fastest, took)
	}
	errs = append(errs, holds(fastest <= s.cfg.ReadyAfter, "it took %s", fastest))
	s.report.check(fmt.Sprintf("%s is ready within %s of its start", service, s.cfg.ReadyAfter), errors.Join(errs...),
		fastest.Round(time.Millisecond))
}

// readyAfter returns how long after its container's start a service said that it is ready.
func (s *stack) readyAfter(ctx context.Context, c container) (time.Duration, error) {
	started, err := time.Parse(time.RFC3339Nano, c.State.StartedAt)
	if err != nil {
		return 0, fmt.Errorf("read the start of the container: %w", err)
	}
	out, err := s.command(ctx, "docker", "logs", c.ID)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(out) {
		var entry struct {
			Time time.Time
			Msg  string
		}
		if decode([]byte(line), &entry) == nil && entry.Msg == "ready" {
			return entry.Time.Sub(started), nil
		}
	}
	return 0, errors.New("its log does not say ready")
}
