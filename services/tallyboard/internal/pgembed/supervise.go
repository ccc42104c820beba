package pgembed

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	restartFloor = 200 * time.Millisecond // between a crash and the first restart; doubles up to the ceiling
	restartCeil  = 10 * time.Second
	steady       = time.Minute // a server that ran this long starts anew at the floor
	probeEvery   = 25 * time.Millisecond
)

// supervise keeps the server running until ctx ends. first receives the outcome of the first start.
// The port is chosen once, so that connection URLs stay good over restarts.
func (s *Server) supervise(ctx context.Context, first chan<- error) {
	defer close(s.done)
	// A child's parent-death signal is tied to the thread that started it: this goroutine keeps its thread.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	wait := restartFloor
	for {
		began := time.Now()
		err := s.runOnce(ctx, first)
		first = nil
		if ctx.Err() != nil || errors.Is(err, errFirstStart) {
			return
		}
		if time.Since(began) > steady {
			wait = restartFloor
		}
		s.log.Error("PostgreSQL ended unexpectedly and is started again", "error", err, "in", wait.String())
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return
		}
		wait = min(2*wait, restartCeil)
	}
}

var errFirstStart = errors.New("the first start failed")

// runOnce starts the server, reports readiness to first (may be nil), and waits for its end. When ctx ends, it asks for
// a fast shutdown and kills only after StopTimeout.
func (s *Server) runOnce(ctx context.Context, first chan<- error) error {
	if s.port == 0 {
		port, err := freePort()
		if err != nil {
			first <- err
			return errFirstStart
		}
		s.port = port
	}
	cmd := exec.Command(filepath.Join(s.bin, "postgres"), "-D", s.cluster(), "-p", strconv.Itoa(s.port), //nolint:gosec,noctx // fixed arguments; ended by stopProcess
		"-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "max_connections=60",
		"-c", "shared_buffers=64MB", "-c", "log_min_messages=warning", "-c", "password_encryption=scram-sha-256", "-c", "timezone=UTC",
		"-c", "autovacuum_naptime=10s") // a fresh import gets its statistics soon, and lists their plans
	s.prepare(cmd)
	dieWithParent(cmd)
	pipe, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		if first != nil {
			first <- fmt.Errorf("start PostgreSQL: %w", err)
			return errFirstStart
		}
		return err
	}
	tail := make(chan string, 1)
	go func() { tail <- s.forward(pipe) }()
	ended := make(chan error, 1)
	go func() { last := <-tail; ended <- describe(cmd.Wait(), last) }()

	ready := s.awaitReady(ctx, ended)
	if first != nil {
		first <- ready
	}
	if ready != nil {
		if ctx.Err() == nil && first == nil {
			s.log.Error("PostgreSQL does not answer after a restart", "error", ready)
		}
		s.stopProcess(cmd, ended)
		if first != nil {
			return errFirstStart
		}
		return ready
	}
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		s.stopProcess(cmd, ended)
		return nil
	}
}

func describe(err error, last string) error {
	if err == nil {
		err = errors.New("exit status 0")
	}
	if last == "" {
		return err
	}
	return fmt.Errorf("%w: %s", err, last)
}

// awaitReady returns nil when the server answers a query; what ended reports is put back for the caller.
func (s *Server) awaitReady(ctx context.Context, ended chan error) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.StartTimeout)
	defer cancel()
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	for {
		conn, err := pgx.Connect(ctx, s.urlFor("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case end := <-ended:
			ended <- end
			return fmt.Errorf("PostgreSQL did not start: %w", end)
		case <-ctx.Done():
			return fmt.Errorf("PostgreSQL did not answer within %s: %w", s.cfg.StartTimeout, err)
		case <-tick.C:
		}
	}
}

func (s *Server) stopProcess(cmd *exec.Cmd, ended chan error) {
	if err := fastShutdown(cmd.Process); err != nil && !errors.Is(err, os.ErrProcessDone) {
		s.log.Warn("ask PostgreSQL to stop", "error", err)
	}
	select {
	case <-ended: //nolint:errcheck // how a server ends that was told to says nothing
	case <-time.After(s.cfg.StopTimeout):
		s.log.Error("PostgreSQL did not stop in time and is killed; it recovers at the next start", "after", s.cfg.StopTimeout.String())
		if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			s.log.Error("kill PostgreSQL", "error", err)
		}
		<-ended //nolint:errcheck // likewise: it was killed
	}
}

// forward logs what the server prints and returns its last line.
func (s *Server) forward(pipe io.Reader) (last string) {
	lines := bufio.NewScanner(pipe)
	for lines.Scan() {
		last = lines.Text()
		s.log.Debug("postgres", "line", last)
	}
	return last
}

// stopOrphan ends a server that a killed Tallyboard left behind on this cluster. The caller holds the data folder's lock,
// so nobody else can be using it.
func (s *Server) stopOrphan(ctx context.Context) error {
	pid := s.postmaster()
	if pid == 0 {
		return nil
	}
	p, err := os.FindProcess(pid)
	if err != nil || !alive(p) || !s.isOurs(pid) {
		return nil // no such process: the file is stale, and PostgreSQL removes it itself
	}
	s.log.Info("stopping a PostgreSQL that an earlier run left behind", "pid", pid)
	if err := fastShutdown(p); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop the PostgreSQL left behind (pid %d): %w", pid, err)
	}
	deadline := time.NewTimer(s.cfg.StopTimeout)
	defer deadline.Stop()
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	for alive(p) {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-deadline.C:
			return fmt.Errorf("the PostgreSQL left behind by an earlier run (pid %d) does not stop", pid)
		case <-tick.C:
		}
	}
	return nil
}

// postmaster returns the pid in the cluster's postmaster.pid, or 0.
func (s *Server) postmaster() int {
	b, err := os.ReadFile(filepath.Join(s.cluster(), "postmaster.pid"))
	if err != nil {
		return 0
	}
	line, _, _ := strings.Cut(string(b), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil || pid <= 1 {
		return 0
	}
	return pid
}

// isOurs reports whether the process works in our cluster: a pid may have been given to somebody else since.
func (s *Server) isOurs(pid int) bool {
	if runtime.GOOS != "linux" {
		return true
	}
	cwd, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid))
	return err == nil && cwd == s.cluster()
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // returns at once
	if err != nil {
		return 0, fmt.Errorf("find a free port for PostgreSQL: %w", err)
	}
	defer l.Close()                          //nolint:errcheck // it never accepted anything
	return l.Addr().(*net.TCPAddr).Port, nil //nolint:errcheck // it listens on TCP
}
