package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// service is one of the product's processes under measurement.
type service struct {
	name  string
	addr  string
	pid   int
	ready time.Duration // from starting the process to its first 200 on /health
	cmd   *exec.Cmd
}

// startService runs the binary and waits until it is ready.
func startService(ctx context.Context, name, binary string, env []string, logs io.Writer) (*service, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, binary, "serve")
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 20 * time.Second
	cmd.Env = append(os.Environ(), append(env, "LISTEN="+addr)...)
	cmd.Stdout, cmd.Stderr = logs, logs
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	s := &service{name: name, addr: addr, pid: cmd.Process.Pid, cmd: cmd}
	for time.Since(began) < 60*time.Second {
		if healthy(ctx, addr) {
			s.ready = time.Since(began)
			return s, nil
		}
		time.Sleep(2 * time.Millisecond) // a probe's pace, not a wait for luck
	}
	return nil, errors.Join(fmt.Errorf("%s was not ready within 60 s", name), s.stop())
}

func healthy(ctx context.Context, addr string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/health", nil)
	if err != nil {
		return false
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close() //nolint:errcheck // the status is all that was asked for
	return res.StatusCode == http.StatusOK
}

func (s *service) stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	var exit *exec.ExitError
	if err := s.cmd.Wait(); err != nil && !errors.As(err, &exit) {
		return fmt.Errorf("stop %s: %w", s.name, err)
	}
	return nil
}

func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // returns at once
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
