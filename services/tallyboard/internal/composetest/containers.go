package composetest

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
)

// jobs are the services that run to their end.
var jobs = []string{"secrets", "provision"}

// secretVolumes says which secrets each container may see. "secrets" makes them, and sees all.
var secretVolumes = map[string]string{
	"edge": "secrets-edge", "task-service": "secrets-task-service", "stats-service": "secrets-stats-service",
	"mysql": "secrets-database", "nats": "secrets-nats", "provision": "secrets-provision",
	"otel-collector": "secrets-otel-collector", "jaeger": "secrets-jaeger",
}

// checkContainers asserts from outside that each container is confined.
func (s *stack) checkContainers(ctx context.Context) error {
	list, err := s.containers(ctx, true)
	if err != nil {
		return err
	}
	for _, c := range list {
		name := c.short(s.cfg.Project)
		s.report.check(name+": read-only root, no capability, no new privileges", confined(c))
		s.report.check(name+": memory, processor, processes and log are limited", limited(c), fmt.Sprintf("%.0f MiB, %.1f CPU, %d processes",
			mib(c.HostConfig.Memory), float64(c.HostConfig.NanoCpus)/1e9, c.pids()))
		s.report.check(name+": no secret in its settings, and only its own in its volumes", s.ownSecrets(c))
		if slices.Contains(jobs, c.service()) {
			s.report.check(name+": it ran to its end", holds(c.State.Status == "exited" && c.State.ExitCode == 0,
				"%s with %d", c.State.Status, c.State.ExitCode))
			continue
		}
		s.report.check(name+": its processes do not run as root", s.notRoot(ctx, c))
	}
	s.checkInside(ctx, list)
	return nil
}

func confined(c container) error {
	h := c.HostConfig
	return errors.Join(
		holds(h.ReadonlyRootfs, "its root can be written"),
		holds(slices.Contains(h.CapDrop, "ALL"), "it keeps capabilities"),
		holds(len(h.CapAdd) == 0 || c.service() == "secrets" && slices.Equal(h.CapAdd, []string{"CHOWN"}) ||
			c.service() == "secrets" && slices.Equal(h.CapAdd, []string{"CAP_CHOWN"}), "it has capabilities %v", h.CapAdd),
		holds(slices.ContainsFunc(h.SecurityOpt, func(o string) bool { return strings.HasPrefix(o, "no-new-privileges") }),
			"it may gain privileges: %v", h.SecurityOpt),
		holds(!h.Privileged && h.PidMode == "" && h.NetworkMode != "host", "it shares the machine's namespaces"),
	)
}

func limited(c container) error {
	h := c.HostConfig
	return errors.Join(
		holds(h.Memory > 0, "no memory limit"), holds(h.NanoCpus > 0, "no processor limit"),
		holds(c.pids() > 0, "no limit of processes"),
		holds(h.LogConfig.Config["max-size"] != "" && h.LogConfig.Config["max-file"] != "", "its log may fill the disk"),
		holds(!c.State.OOMKilled, "it ran out of memory"),
	)
}

// ownSecrets checks a container's environment and volumes.
func (s *stack) ownSecrets(c container) error {
	var errs []error
	for _, variable := range c.Config.Env {
		name, value, _ := strings.Cut(variable, "=")
		secret := strings.Contains(name, "PASSWORD") || strings.Contains(name, "SECRET") || strings.Contains(name, "SEED")
		if secret && !strings.HasSuffix(name, "_FILE") && value != "" {
			errs = append(errs, fmt.Errorf("%s is in its environment", name))
		}
	}
	for _, m := range c.Mounts {
		volume := strings.TrimPrefix(m.Name, s.cfg.Project+"_")
		isSecret := volume == "vault" || strings.HasPrefix(volume, "secrets-")
		switch {
		case isSecret && c.service() == "secrets":
		case isSecret && volume != secretVolumes[c.service()]:
			errs = append(errs, fmt.Errorf("it sees the volume %s", volume))
		case isSecret && m.RW, m.Type == "bind" && m.RW:
			errs = append(errs, fmt.Errorf("it may write to %s", m.Destination))
		}
	}
	return errors.Join(errs...)
}

// notRoot asks the machine, not the container, as whom its processes run.
func (s *stack) notRoot(ctx context.Context, c container) error {
	out, err := s.command(ctx, "docker", "top", c.ID, "-eo", "uid,pid,comm")
	if err != nil {
		return err
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) < 2 {
		return errors.New("it has no processes")
	}
	for _, line := range lines[1:] {
		uid, err := strconv.Atoi(strings.Fields(line)[0])
		if err != nil || uid == 0 {
			return fmt.Errorf("a process runs as root: %s", line)
		}
	}
	return nil
}

// checkInside tries what must not work in the containers that have a shell. The services have none, which is checked too.
func (s *stack) checkInside(ctx context.Context, list []container) {
	for _, c := range list {
		name := c.short(s.cfg.Project)
		switch c.service() {
		case "edge", "mysql", "nats":
			for _, file := range []string{"/probe", "/etc/probe", "/usr/probe", path.Join("/run/secrets", "probe")} {
				_, err := s.command(ctx, "docker", "exec", c.ID, "sh", "-c", "echo x > "+file)
				s.report.check(name+": "+file+" cannot be written", holds(err != nil, "it was"))
			}
			out, err := s.command(ctx, "docker", "exec", c.ID, "sh", "-c", "grep CapEff /proc/1/status; grep NoNewPrivs /proc/1/status")
			if err == nil {
				err = holds(strings.Contains(out, "CapEff:\t0000000000000000") && strings.Contains(out, "NoNewPrivs:\t1"), "%s", out)
			}
			s.report.check(name+": the kernel grants its first process nothing", err)
		case "task-service", "stats-service":
			_, err := s.command(ctx, "docker", "exec", c.ID, "/bin/sh", "-c", "true")
			s.report.check(name+": there is no shell in it", holds(err != nil, "there is"))
		}
	}
}
