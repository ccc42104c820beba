package proc

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// childVariable makes the test's own program the process under test: it says that it runs, and ends at SIGTERM unless it is
// told to be stubborn.
const childVariable = "DRILL_TEST_CHILD"

// patience bounds the wait for the child; only a test that fails uses it up.
const patience = time.Minute

func TestMain(m *testing.M) {
	if kind := os.Getenv(childVariable); kind != "" {
		ended := make(chan os.Signal, 1)
		signal.Notify(ended, syscall.SIGTERM)
		fmt.Println("child runs")
		for {
			<-ended
			if kind != "stubborn" {
				os.Exit(0)
			}
		}
	}
	goleak.VerifyTestMain(m)
}

func child(t *testing.T, kind string) (*Process, func() string) {
	t.Helper()
	dir := t.TempDir()
	p := New(Spec{Name: "child", Path: os.Args[0], Env: []string{childVariable + "=" + kind}, Dir: dir, Logs: dir})
	t.Cleanup(func() {
		if err := p.Kill(); err != nil {
			t.Error(err)
		}
	})
	return p, func() string {
		b, err := os.ReadFile(filepath.Join(dir, "child.log"))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
}

// start runs the child and waits until it has said so n times.
func start(t *testing.T, p *Process, log func() string, n int) {
	t.Helper()
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	err := p.Await(ctx, func(context.Context) error {
		if strings.Count(log(), "child runs") < n {
			return errors.New("it has not said so")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestKilledAndStartedAgain(t *testing.T) {
	t.Parallel()
	p, log := child(t, "meek")
	for n := range 3 {
		start(t, p, log, n+1)
		if p.PID() == 0 || p.Starts() != n+1 {
			t.Errorf("pid %d, %d starts", p.PID(), p.Starts())
		}
		if err := p.Start(); err == nil {
			t.Error("a running process was started again")
		}
		if err := p.Kill(); err != nil {
			t.Fatal(err)
		}
		if p.PID() != 0 {
			t.Error("it has a pid though it was killed")
		}
	}
}

func TestTerminate(t *testing.T) {
	t.Parallel()
	p, log := child(t, "meek")
	start(t, p, log, 1)
	if err := p.Terminate(patience); err != nil {
		t.Error(err)
	}
	p, log = child(t, "stubborn")
	start(t, p, log, 1)
	if err := p.Terminate(50 * time.Millisecond); err == nil || p.PID() != 0 {
		t.Errorf("a process that does not end: %v, pid %d", err, p.PID())
	}
}

func TestPausedProcessesCanBeResumedAndKilled(t *testing.T) {
	t.Parallel()
	p, log := child(t, "meek")
	start(t, p, log, 1)
	if err := errors.Join(p.Pause(), p.Resume()); err != nil {
		t.Fatal(err)
	}
	if err := p.Terminate(patience); err != nil {
		t.Errorf("after it was resumed: %v", err)
	}
	start(t, p, log, 2)
	if err := errors.Join(p.Pause(), p.Kill()); err != nil {
		t.Error(err)
	}
}

func TestAwaitTellsThatItEnded(t *testing.T) {
	t.Parallel()
	p, log := child(t, "meek")
	start(t, p, log, 1)
	if err := p.Kill(); err != nil {
		t.Fatal(err)
	}
	err := p.Await(t.Context(), func(context.Context) error { return errors.New("not ready") })
	if err == nil || !strings.Contains(err.Error(), "ended before it was ready") {
		t.Error(err)
	}
}
