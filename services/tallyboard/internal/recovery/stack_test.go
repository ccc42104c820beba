package recovery

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/tallyboard/tallyboard/services/internal/kit/boot"
	"github.com/tallyboard/tallyboard/services/tallyboard/internal/launch"
)

// docker stands in for Docker: what is for the database's container runs here, as the server's user and with the
// environment it would have there; what is for other containers is told to the test.
const docker = `#!/usr/bin/env bash
set -euo pipefail
tell() {
  exec 3<>/dev/tcp/127.0.0.1/$CONTROL_PORT
  printf '%s\n' "$*" >&3
  IFS= read -r answer <&3
  [ "$answer" = ok ] || { echo "$answer" >&2; exit 1; }
}
contained() { exec env -i $CONTAINER_ENV $CONTAINER_AS "$@"; }
[ "$1" = compose ] || { echo "unexpected: docker $*" >&2; exit 1; }
case "$*" in
  "compose ps --services --status running") echo "$CONTAINER" ;;
  "compose exec -T $CONTAINER "*) shift 4; contained "$@" ;;
  "compose run --rm -T secrets") ;;
  "compose run --rm provision") tell provision "${PROVISION_DISCARD_STREAM:-}" ;;
  "compose run --rm -T --no-deps --entrypoint bash $CONTAINER "*) shift 8; contained bash "$@" ;;
  "compose stop "* | "compose start "* | "compose up "*) shift; tell "$@" ;;
  *) echo "unexpected: docker $*" >&2; exit 1 ;;
esac
`

// stack is the product on a server, as the scripts see it.
type stack struct {
	t       *testing.T
	db      *server
	dir     string
	url     string
	environ []string // of the scripts

	mu    sync.Mutex // held while a call is carried out, by whoever serves the scripts
	calls []string   // what the scripts told, oldest first

	end  context.CancelFunc
	done chan error
}

func newStack(t *testing.T, db *server) *stack {
	t.Helper()
	s := &stack{t: t, db: db, dir: folder(t, "stack")}
	bin := filepath.Join(s.dir, "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(bin, "docker"), []byte(docker), 0o755); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	control := make(chan struct{})
	go func() { defer close(control); s.control(l) }()
	t.Cleanup(func() { l.Close(); <-control }) //nolint:errcheck // it ends the loop
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	s.environ = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "CONTROL_PORT="+port, "CONTAINER="+db.engine,
		"CONTAINER_ENV="+strings.Join(db.environ, " "), "CONTAINER_AS="+strings.Join(unprivileged(), " "), "BACKUP_DIR="+filepath.Join(s.dir, "backups"))
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// control does what the stand-in for Docker tells, one after the other.
func (s *stack) control(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		answer := "ok"
		line, err := bufio.NewReader(conn).ReadString('\n')
		if err == nil {
			err = s.told(strings.Fields(line))
		}
		if err != nil {
			answer = strings.ReplaceAll(err.Error(), "\n", " ")
		}
		fmt.Fprintln(conn, answer) // the script says that it had no answer
		conn.Close()               //nolint:errcheck // likewise
	}
}

// taken returns what the scripts have told since it was asked last.
func (s *stack) taken() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := s.calls
	s.calls = nil
	return calls
}

func (s *stack) told(words []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, strings.Join(words, " "))
	services, database := slices.Contains(words, "task-service"), slices.Contains(words, s.db.engine)
	switch words[0] {
	case "stop":
		if services {
			return s.stop()
		}
		if database {
			return s.db.stop()
		}
	case "start", "up":
		if database && s.db.process == nil {
			return errors.Join(s.db.start(), s.db.ready(context.Background()))
		}
		if services && s.end == nil {
			return s.start()
		}
	case "provision":
		if s.end != nil {
			return errors.New("the services were not stopped")
		}
		if len(words) == 2 && words[1] == "true" { // the stream is made anew
			return os.RemoveAll(filepath.Join(s.dir, "data", "nats"))
		}
	}
	return nil
}

// start runs the services and waits until they answer.
func (s *stack) start() error {
	environ := append(os.Environ(), "LOG_LEVEL=error", "OTEL_SDK_DISABLED=true", "PORT=0", "DATABASE_URL="+s.db.url, "DATA_DIR="+filepath.Join(s.dir, "data"))
	cfg, err := boot.LoadConfig[launch.Config](environ)
	if err != nil {
		return fmt.Errorf("configure the services: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ready, done := make(chan string, 1), make(chan error, 1)
	go func() {
		done <- launch.Run(ctx, cfg, launch.Deps{Environ: environ, Out: io.Discard, Log: slog.New(slog.DiscardHandler), LogOut: s.t.Output(),
			UI: fstest.MapFS{}, Version: "test", Ready: func(url string) { ready <- url }})
	}()
	s.end, s.done = cancel, done
	select {
	case s.url = <-ready:
		return nil
	case err := <-done:
		s.end = nil
		cancel()
		return fmt.Errorf("start the services: %w", err)
	}
}

func (s *stack) stop() error {
	if s.end == nil {
		return nil
	}
	s.end()
	s.end = nil
	return <-s.done
}

// script runs deploy/compose/stack.sh and returns the last line it prints.
func (s *stack) script(environ []string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(s.t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", append([]string{filepath.Join(repository(s.t), "deploy", "compose", "stack.sh")}, args...)...)
	cmd.Env = append(slices.Clone(s.environ), environ...)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("stack.sh %s: %w\n%s", strings.Join(args, " "), err, said.String())
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return lines[len(lines)-1], nil
}
