// Package composetest holds the compose stack to its promises, from outside: it builds and starts a stack of its own,
// looks at its containers through Docker, uses it through the edge, kills and replaces its parts under load, and compares
// what clients were promised with what is there in the end.
package composetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Config of a run.
type Config struct {
	// Dir is the top of the repository.
	Dir string `env:"COMPOSE_TEST_DIR" envDefault:"."`
	// Project is the name of the stack; it has volumes, networks and ports of its own.
	Project string `env:"COMPOSE_TEST_PROJECT" envDefault:"tallyboard-compose-test"`
	// Keep leaves the stack running, to look at.
	Keep bool `env:"COMPOSE_TEST_KEEP" envDefault:"false"`
	// Browser runs the browser tests as well; they need Chromium, which their own script finds.
	Browser bool `env:"COMPOSE_TEST_BROWSER" envDefault:"true"`
	// Specs are the browser tests to run, by parts of their files' names; "all" runs every one. `make test` has run all of
	// them against the same services, so here are those in which the edge has a part: pages, writes, live streams, statistics.
	Specs []string `env:"COMPOSE_TEST_SPECS" envSeparator:"," envDefault:"projects,board,live,dashboard"`
	// Only names the sections to run, by parts of their titles; empty runs all. Images and the cold start come always.
	Only []string `env:"COMPOSE_TEST_ONLY" envSeparator:","`
	// Clients is the number of concurrent clients of the load.
	Clients int `env:"COMPOSE_TEST_CLIENTS" envDefault:"6"`
	// ColdStart is how long the stack may take to be healthy, from built images.
	ColdStart time.Duration `env:"COMPOSE_TEST_COLD_START" envDefault:"60s"`
	// ReadyAfter is how long a service may take to be ready, once what it depends on is.
	ReadyAfter time.Duration `env:"COMPOSE_TEST_READY_AFTER" envDefault:"1s"`
	// Timeout bounds the whole run.
	Timeout time.Duration `env:"COMPOSE_TEST_TIMEOUT" envDefault:"25m"`
}

// wants reports whether a section is to run.
func (c Config) wants(title string) bool {
	return len(c.Only) == 0 || slices.ContainsFunc(c.Only, func(part string) bool { return strings.Contains(title, part) })
}

// stack is the stack under test.
type stack struct {
	cfg     Config
	out     io.Writer
	report  *report
	environ []string // of docker compose
	base    string   // address of the edge
	jaeger  string
	metrics string
	client  *http.Client
}

// Run runs all checks and prints each. Its error is nil if every check passed.
func Run(ctx context.Context, cfg Config, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, cfg.Timeout)
	defer cancel()
	s, err := newStack(cfg, out)
	if err != nil {
		return err
	}
	if err := s.docker(ctx, "version", "--format", "Docker engine {{.Server.Version}}, API {{.Server.APIVersion}}"); err != nil {
		return fmt.Errorf("a Docker engine is needed: %w", err)
	}
	s.clean(ctx)
	if !cfg.Keep {
		defer s.clean(context.WithoutCancel(ctx))
	}
	for i, step := range []struct {
		title string
		run   func(context.Context) error // its error ends the run: the rest would mean nothing
	}{
		{"images", s.checkImages},
		{"cold start", s.checkStart},
		{"containers", s.checkContainers},
		{"networks", s.checkNetworks},
		{"TLS", s.checkTLS},
		{"the API through the edge", s.checkAPI},
		{"traces and metrics", s.checkSignals},
		{"the browser", s.checkBrowser},
		{"dashboards and alerts", s.checkObservability},
		{"the collector", s.checkCollector},
		{"scaling", s.checkScaling},
		{"rolling restart under load", s.checkRolling},
		{"each container killed under load", s.checkKills},
		{"down and up, also with expired certificates", s.checkDownUp},
		{"backup and restore", s.checkBackup},
		{"PostgreSQL", s.checkPostgres},
	} {
		if i > 1 && !cfg.wants(step.title) {
			continue
		}
		s.report.title(step.title)
		if err := step.run(ctx); err != nil {
			s.report.fail(step.title+" could be carried out", err)
			s.explain(context.WithoutCancel(ctx))
			break
		}
	}
	return s.report.close()
}

func newStack(cfg Config, out io.Writer) (*stack, error) {
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("find the repository: %w", err)
	}
	cfg.Dir = dir
	if _, err := os.Stat(filepath.Join(dir, "compose.yaml")); err != nil {
		return nil, fmt.Errorf("run this at the top of the repository: %w", err)
	}
	ports, err := freePorts(4)
	if err != nil {
		return nil, err
	}
	s := &stack{
		cfg: cfg, out: out, report: newReport(out),
		base:    "http://127.0.0.1:" + ports[0],
		jaeger:  "http://127.0.0.1:" + ports[1],
		metrics: "http://127.0.0.1:" + ports[2],
		client:  &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
	}
	s.environ = append(os.Environ(),
		"COMPOSE_PROJECT_NAME="+cfg.Project, "COMPOSE_FILE=compose.yaml", "COMPOSE_PROFILES=", "COMPOSE_PROGRESS=plain",
		"PORT="+ports[0], "JAEGER_PORT="+ports[1], "PROMETHEUS_PORT="+ports[2], "GRAFANA_PORT="+ports[3],
		"BIND=127.0.0.1", "VERSION="+testVersion, "LOG_LEVEL=info", "TRACE_SAMPLE_RATIO=1",
		"BACKUP_DIR="+filepath.Join(dir, "test-output", "backups"))
	commit, err := exec.Command("git", "-C", dir, "rev-parse", "HEAD").Output() //nolint:noctx,gosec // returns at once; the folder is ours
	if err == nil {
		s.environ = append(s.environ, "COMMIT="+string(commit[:len(commit)-1]))
	}
	return s, nil
}

// testVersion tags the images of the run, so that those of another stack are left alone.
const testVersion = "0.0.0-test"

// freePorts returns ports that nobody listens on.
func freePorts(n int) ([]string, error) {
	ports := make([]string, n)
	var errs []error
	for i := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // returns at once
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		defer func() { errs = append(errs, l.Close()) }() // all at the end, so that they differ
		if _, ports[i], err = net.SplitHostPort(l.Addr().String()); err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
	}
	return ports, errors.Join(errs...)
}
