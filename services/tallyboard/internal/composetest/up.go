package composetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// checkDownUp removes all containers and makes them anew on the same volumes.
func (s *stack) checkDownUp(ctx context.Context) error {
	before, err := s.fingerprint(ctx)
	if err != nil {
		return err
	}
	started := time.Now()
	if _, err := s.compose(ctx, "down"); err != nil {
		return err
	}
	s.report.notef("down took %s", seconds(started))
	started = time.Now()
	if _, err := s.stackCommand(ctx, "up"); err != nil {
		return err
	}
	s.report.notef("up took %s", seconds(started))
	after, err := s.fingerprint(ctx)
	if err != nil {
		return err
	}
	s.report.check("docker compose down && make up keeps the data", holds(slices.Equal(before, after), "%d tasks before, %d after", len(before), len(after)),
		len(after), " tasks")
	s.report.check("statistics equal a recount", s.statsEqual(ctx))
	if err := s.checkUpAgain(ctx); err != nil {
		return err
	}
	return s.checkExpired(ctx)
}

// checkUpAgain repeats `make up` where nothing has changed: that must cost nobody a connection.
func (s *stack) checkUpAgain(ctx context.Context) error {
	before, err := s.containers(ctx, true)
	if err != nil {
		return err
	}
	if _, err := s.stackCommand(ctx, "up"); err != nil {
		return err
	}
	after, err := s.containers(ctx, true)
	if err != nil {
		return err
	}
	old := map[string]container{}
	for _, c := range before {
		old[c.ID] = c
	}
	var errs []error
	for _, c := range after {
		was, kept := old[c.ID]
		switch {
		case !kept:
			errs = append(errs, fmt.Errorf("%s was made anew", c.short(s.cfg.Project)))
		case !slices.Contains(jobs, c.service()) && was.State.StartedAt != c.State.StartedAt:
			errs = append(errs, fmt.Errorf("%s was started anew", c.short(s.cfg.Project)))
		}
	}
	s.report.check("make up once more remakes and restarts nothing", errors.Join(append(errs,
		holds(len(after) == len(before), "%d containers before, %d after", len(before), len(after)))...), len(after), " containers")
	return nil
}
