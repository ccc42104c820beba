package composetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// downFor is how long a killed container stays away.
const downFor = time.Second

// recovery is how long a container may take to be healthy again.
const recovery = 90 * time.Second

// checkScaling doubles the replicas and halves them again; the edge must find them by itself.
func (s *stack) checkScaling(ctx context.Context) error {
	for _, count := range []int{4, 2} {
		_, err := s.compose(ctx, "up", "--detach", "--no-deps", "--no-recreate", "--wait", "--scale", "task-service="+strconv.Itoa(count), "task-service")
		if err != nil {
			return err
		}
		err = eventually(ctx, 20*time.Second, func() error {
			answering := map[string]bool{}
			for range 40 {
				var stats struct{ Instance string }
				if err := s.get(ctx, s.base, "/pool-stats", &stats); err != nil {
					return err
				}
				answering[stats.Instance] = true
			}
			return holds(len(answering) == count, "%d answer", len(answering))
		})
		s.report.check(fmt.Sprintf("--scale task-service=%d: the edge spreads requests over %d replicas", count, count), err)
	}
	return nil
}

// checkRolling replaces every replica of both services, and restarts them one after the other, while clients that repeat
// nothing must see no error.
func (s *stack) checkRolling(ctx context.Context) error {
	l, err := s.startLoad(ctx, "ROLL", true)
	if err != nil {
		return err
	}
	defer l.end()
	before, err := s.containers(ctx, false, "task-service", "stats-service")
	if err != nil {
		return err
	}
	for _, service := range []string{"task-service", "stats-service"} {
		if _, err := s.stackCommand(ctx, "replace", service); err != nil {
			return err
		}
	}
	after, err := s.containers(ctx, false, "task-service", "stats-service")
	if err != nil {
		return err
	}
	kept := slices.ContainsFunc(after, func(c container) bool {
		return slices.ContainsFunc(before, func(o container) bool { return o.ID == c.ID })
	})
	s.report.check("every replica was replaced", holds(!kept && len(after) == len(before), "%d of %d", len(after), len(before)))
	s.report.check("replacing all replicas under load: no request failed", l.ledger.failed(), l.ledger.summary())
	for _, c := range after {
		if _, err := s.command(ctx, "docker", "restart", c.ID); err != nil {
			return err
		}
		if err := s.waitHealthy(ctx, c.ID, recovery); err != nil {
			return err
		}
	}
	l.end()
	s.report.check("restarting each replica under load: no request failed", l.ledger.failed(), l.ledger.summary())
	return s.settle(ctx, l)
}

// victims are the containers that are killed, in this order; services once per replica.
var victims = []string{"task-service", "stats-service", "nats", "mysql", "edge", "otel-collector", "jaeger", "prometheus"}

// checkKills kills each container in turn, as a crash would, and starts it again a moment later.
func (s *stack) checkKills(ctx context.Context) error {
	l, err := s.startLoad(ctx, "KILL", false)
	if err != nil {
		return err
	}
	defer l.end()
	for _, service := range victims {
		replicas, err := s.containers(ctx, false, service)
		if err != nil {
			return err
		}
		for _, c := range replicas {
			started := time.Now()
			err := s.kill(ctx, c)
			s.report.check(c.short(s.cfg.Project)+" is killed under load and healthy again", err, seconds(started))
			if err != nil {
				return err
			}
		}
	}
	err = eventually(ctx, 30*time.Second, func() error {
		var health struct{ Status string }
		if err := s.get(ctx, s.base, "/health", &health); err != nil {
			return err
		}
		return holds(health.Status == "ok", "%s", health.Status)
	})
	s.report.check("the services are well again by themselves", err)
	l.end()
	s.report.check("no client had to give up", l.ledger.failed(), l.ledger.summary())
	return s.settle(ctx, l)
}

func (s *stack) kill(ctx context.Context, c container) error {
	if _, err := s.command(ctx, "docker", "kill", "--signal", "KILL", c.ID); err != nil {
		return err
	}
	if err := rest(ctx, downFor); err != nil {
		return err
	}
	if _, err := s.command(ctx, "docker", "start", c.ID); err != nil {
		return err
	}
	return s.waitHealthy(ctx, c.ID, recovery)
}

// settle compares what a load was promised with what is there.
func (s *stack) settle(ctx context.Context, l *load) error {
	present, err := s.tasks(ctx, l.project)
	if err != nil {
		return err
	}
	s.report.check("every acknowledged write is there, and none twice", errors.Join(
		l.ledger.compare(present), holds(len(present) >= len(l.ledger.created), "%d tasks for %d promises", len(present), len(l.ledger.created))),
		len(present), " tasks")
	s.report.check("statistics have caught up and equal a recount", s.statsEqual(ctx))
	return nil
}
