package composetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// command runs a program at the top of the repository and returns its standard output. The error has the end of what it
// said.
func (s *stack) command(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // this program's own commands
	cmd.Dir, cmd.Env = s.cfg.Dir, s.environ
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		said := strings.TrimSpace(stderr.String() + "\n" + stdout.String())
		if len(said) > 2000 {
			said = "… " + said[len(said)-2000:]
		}
		return stdout.String(), fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, said)
	}
	return stdout.String(), nil
}

// docker runs docker and prints what it says.
func (s *stack) docker(ctx context.Context, args ...string) error {
	out, err := s.command(ctx, "docker", args...)
	if out = strings.TrimSpace(out); out != "" && err == nil {
		s.report.notef("%s", out)
	}
	return err
}

// compose runs docker compose.
func (s *stack) compose(ctx context.Context, args ...string) (string, error) {
	return s.command(ctx, "docker", append([]string{"compose"}, args...)...)
}

// stackCommand runs one of the commands behind the Makefile's targets.
func (s *stack) stackCommand(ctx context.Context, args ...string) (string, error) {
	return s.command(ctx, "deploy/compose/stack.sh", args...)
}

// clean removes the stack with its data.
func (s *stack) clean(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for _, variant := range []*stack{s, s.onPostgres()} { // the volumes of each
		if _, err := variant.compose(ctx, "down", "--volumes", "--remove-orphans", "--timeout", "5"); err != nil {
			s.report.notef("the stack could not be removed: %v", err)
		}
	}
}

// How much explain prints.
const (
	maxExplained = 40  // lines
	maxLine      = 300 // characters of one
)

// explain prints the state of the stack and the last warnings, for whoever has to find out what went wrong.
func (s *stack) explain(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	state, err := s.compose(ctx, "ps", "--all", "--format", "table {{.Name}}\t{{.Status}}")
	if err != nil {
		state = err.Error()
	}
	s.report.notef("%s", state)
	logs, err := s.compose(ctx, "logs", "--no-color", "--tail", "400")
	if err != nil {
		logs = err.Error()
	}
	var telling []string
	for line := range strings.Lines(logs) {
		if strings.Contains(line, `"level":"INFO"`) || strings.Contains(line, "[INF]") || strings.Contains(line, "level=INFO") {
			continue
		}
		telling = append(telling, strings.TrimSpace(line[:min(len(line), maxLine)]))
	}
	for _, line := range telling[max(0, len(telling)-maxExplained):] {
		s.report.notef("%s", line)
	}
}

// container is what docker inspect tells of a container, as far as it is looked at here.
type container struct {
	ID      string
	Name    string
	Created time.Time
	State   struct {
		Status, StartedAt string
		Pid, ExitCode     int
		OOMKilled         bool
		Health            *struct{ Status string }
	}
	Config struct {
		Image, User string
		Env         []string
		Labels      map[string]string
	}
	HostConfig struct {
		ReadonlyRootfs       bool
		CapAdd, CapDrop      []string
		SecurityOpt          []string
		Memory, NanoCpus     int64
		PidsLimit            *int64
		Privileged           bool
		NetworkMode, PidMode string
		RestartPolicy        struct{ Name string }
		LogConfig            struct {
			Type   string
			Config map[string]string
		}
	}
	Mounts []struct {
		Type, Name, Source, Destination string
		RW                              bool
	}
	NetworkSettings struct {
		Networks map[string]struct{ IPAddress string }
		Ports    map[string][]struct{ HostIP, HostPort string }
	}
}

// pids returns the limit of processes; 0 means there is none.
func (c container) pids() int64 {
	if c.HostConfig.PidsLimit == nil {
		return 0
	}
	return *c.HostConfig.PidsLimit
}

// service returns the compose service that a container belongs to.
func (c container) service() string { return c.Config.Labels["com.docker.compose.service"] }

// short returns the container's name without slash and project.
func (c container) short(project string) string {
	return strings.TrimPrefix(strings.TrimPrefix(c.Name, "/"), project+"-")
}

// containers returns the containers of services, or all of the stack; with all, those that have ended as well.
func (s *stack) containers(ctx context.Context, all bool, services ...string) ([]container, error) {
	args := []string{"ps", "--quiet", "--no-trunc"}
	if all {
		args = append(args, "--all")
	}
	out, err := s.compose(ctx, append(args, services...)...)
	if err != nil {
		return nil, err
	}
	ids := strings.Fields(out)
	if len(ids) == 0 {
		return nil, nil
	}
	out, err = s.command(ctx, "docker", append([]string{"inspect"}, ids...)...)
	if err != nil {
		return nil, err
	}
	var list []container
	if err := decode([]byte(out), &list); err != nil {
		return nil, err
	}
	return list, nil
}

// waitHealthy returns when a container runs and, if it has a health check, is healthy.
func (s *stack) waitHealthy(ctx context.Context, id string, patience time.Duration) error {
	return eventually(ctx, patience, func() error {
		out, err := s.command(ctx, "docker", "inspect", "--format",
			"{{.State.Status}} {{if .State.Health}}{{.State.Health.Status}}{{else}}healthy{{end}}", id)
		if err != nil {
			return err
		}
		if state := strings.TrimSpace(out); state != "running healthy" {
			return errors.New("the container is " + state)
		}
		return nil
	})
}

// pollPause is the pause between two looks at something that takes its time.
const pollPause = 200 * time.Millisecond

// eventually calls attempt until it succeeds, for patience at most, and returns its last error.
func eventually(ctx context.Context, patience time.Duration, attempt func() error) error {
	return eventuallyEvery(ctx, pollPause, patience, attempt)
}

// eventuallyEvery is eventually with a pause of its own, for attempts that take some effort.
func eventuallyEvery(ctx context.Context, pause, patience time.Duration, attempt func() error) error {
	deadline := time.Now().Add(patience)
	for {
		err := attempt()
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("not within %s: %w", patience, err)
		}
		if err := rest(ctx, pause); err != nil {
			return err
		}
	}
}

// rest waits for d or until ctx is done.
func rest(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// firstLine returns the first line of a command's output.
func firstLine(out string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(out), "\n")
	return line
}
