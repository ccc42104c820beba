package composetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tallyboard/tallyboard/services/tallyboard/internal/provision"
)

const (
	// expiredAge is how long ago the certificates of checkExpired were made: longer than they live.
	expiredAge = 400 * 24 * time.Hour
	// noticed is how long services may take to meet a server's expired certificate.
	noticed = 30 * time.Second
	// reconnected is how long services may take to be well after certificates were renewed: their longest pause between
	// attempts, and the collector's look at its files.
	reconnected = 45 * time.Second
)

// certified are the containers that show a certificate, by the folder in which the job "secrets" puts it.
var certified = map[string]string{
	"database": "mysql", "nats": "nats", "otel-collector": "otel-collector", "jaeger": "jaeger", "edge": "edge",
}

// checkExpired gives all servers certificates that have expired, as if nobody had renewed them for more than a year, and
// starts them with these. `make up` must bring everything back, though whoever is to connect anew cannot at first.
func (s *stack) checkExpired(ctx context.Context) error {
	if err := s.expire(ctx, slices.Collect(maps.Values(certified))...); err != nil {
		return err
	}
	path := "/api/v1/projects/" + apiProject + "/tasks"
	err := eventually(ctx, noticed, func() error {
		a, err := s.call(ctx, http.MethodPost, path, `{"title":"While certificates have expired"}`)
		return errors.Join(err, a.is(http.StatusServiceUnavailable))
	})
	s.report.check("services do not speak to a database with an expired certificate", err)
	before, err := s.containers(ctx, false)
	if err != nil {
		return err
	}
	started := time.Now()
	if _, err := s.stackCommand(ctx, "up"); err != nil {
		return err
	}
	s.report.check("make up renews certificates that have expired", s.renewed(ctx), seconds(started))
	err = eventually(ctx, reconnected, func() error {
		a, err := s.call(ctx, http.MethodPost, path, `{"title":"After certificates were renewed"}`)
		if err := errors.Join(err, a.is(http.StatusCreated)); err != nil {
			return err
		}
		var health struct{ Status string }
		if err := s.get(ctx, s.base, "/health", &health); err != nil {
			return err
		}
		return holds(health.Status == "ok", "%s", health.Status)
	})
	s.report.check("services are well again with the renewed ones", err)
	s.report.check("statistics equal a recount", s.statsEqual(ctx))
	err = eventually(ctx, reconnected, func() error {
		var kept struct{ Data []string }
		if err := s.get(ctx, s.jaeger, "/api/services", &kept); err != nil {
			return err
		}
		return holds(slices.Contains(kept.Data, "task-service"), "of %v", kept.Data)
	})
	s.report.check("traces pass from services by the collector to Jaeger", err)
	after, err := s.containers(ctx, false)
	if err != nil {
		return err
	}
	var errs []error
	for _, c := range after {
		same := slices.ContainsFunc(before, func(b container) bool { return b.ID == c.ID && b.State.StartedAt == c.State.StartedAt })
		errs = append(errs, holds(same, "%s was", c.short(s.cfg.Project)))
	}
	s.report.check("nothing was restarted for it", errors.Join(errs...))
	return nil
}

// expire puts certificates of long ago in place of those that are there, and starts services with them.
func (s *stack) expire(ctx context.Context, restart ...string) error {
	if err := s.age(ctx); err != nil {
		return fmt.Errorf("make certificates that have expired: %w", err)
	}
	if _, err := s.compose(ctx, append([]string{"restart", "--no-deps"}, restart...)...); err != nil {
		return err
	}
	list, err := s.containers(ctx, false, restart...)
	if err != nil {
		return err
	}
	for _, c := range list {
		if err := s.waitHealthy(ctx, c.ID, recovery); err != nil {
			return err
		}
	}
	return nil
}

// age replaces all certificates by such that expired, of the stack's own authority, in the vault and with the servers. Files
// are written over, so that their owners and modes stay.
func (s *stack) age(ctx context.Context) (err error) {
	dir, err := os.MkdirTemp("", "tallyboard-expired-")
	if err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	for _, name := range []string{
		"vault", "database", "nats", "provision", "task-service", "stats-service", "edge", "otel-collector", "jaeger", "grafana",
	} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			return fmt.Errorf("make a folder: %w", err)
		}
	}
	const authority = "tls-authority.pem"
	pem, err := s.command(ctx, "docker", "run", "--rm", "--network", "none", "--volume", s.cfg.Project+"_vault:/vault:ro",
		"--entrypoint", "cat", probeImage, "/vault/"+authority)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "vault", authority), []byte(pem), 0o600); err != nil {
		return fmt.Errorf("take the authority: %w", err)
	}
	long := time.Now().Add(-expiredAge)
	if err := provision.Secrets(provision.SecretsConfig{Dir: dir, TLSHosts: []string{"localhost"}}, false, long, io.Discard); err != nil {
		return fmt.Errorf("sign as of then: %w", err)
	}
	args := []string{"run", "--rm", "--network", "none", "--volume", dir + ":/then:ro", "--volume", s.cfg.Project + "_vault:/now/vault"}
	script := strings.Builder{}
	script.WriteString("set -e\n")
	for name := range certified {
		args = append(args, "--volume", s.cfg.Project+"_secrets-"+name+":/now/"+name)
		for _, file := range []string{name + "/tls.crt", name + "/tls.key", "vault/tls-" + name + ".pem"} {
			fmt.Fprintf(&script, "cat /then/%s > /now/%s\n", file, file)
		}
	}
	_, err = s.command(ctx, "docker", append(args, "--entrypoint", "sh", probeImage, "-c", script.String())...)
	return err
}

// renewed reports which certificates are still those that age made.
func (s *stack) renewed(ctx context.Context) error {
	args := []string{"run", "--rm", "--network", "none"}
	script := strings.Builder{}
	for name := range certified {
		args = append(args, "--volume", s.cfg.Project+"_secrets-"+name+":/now/"+name+":ro")
		fmt.Fprintf(&script, "openssl x509 -in /now/%s/tls.crt -noout -checkend 0 >/dev/null || echo %s\n", name, name)
	}
	out, err := s.command(ctx, "docker", append(args, "--entrypoint", "sh", probeImage, "-c", script.String())...)
	return errors.Join(err, holds(out == "", "these have expired: %s", strings.Fields(out)))
}
