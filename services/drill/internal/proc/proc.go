// Package proc runs the drill's processes: it starts, kills, pauses and ends them, and keeps what they say in one log each.
package proc

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"
)

// Spec says how a process is run. It is run the same way at every start, except for Each.
type Spec struct {
	Name string   // unique; also the name of its log
	Path string   // of the program
	Args []string // without the program
	Env  []string // all of it; nothing is inherited
	Dir  string   // working directory
	Logs string   // folder of its log
	User *User    // nil: ours
	// Each returns what the environment has besides at the nth start, from 1; nil: nothing.
	Each func(start int) []string
}

// User is whom a process runs as; database servers refuse root.
type User struct{ UID, GID uint32 }

// As makes a command run as somebody, and end with us.
func As(cmd *exec.Cmd, u *User) { cmd.SysProcAttr = attributes(u) }

// Process is a program that may be started again after it has ended. Its methods are safe for concurrent use.
type Process struct {
	spec Spec

	mu     sync.Mutex
	cmd    *exec.Cmd
	ended  chan struct{} // closed when the present cmd has ended
	err    error         // how it ended, readable once ended is closed
	starts int
}

// New returns a process that does not run yet.
func New(spec Spec) *Process { return &Process{spec: spec} }

// Name returns the name of the spec.
func (p *Process) Name() string { return p.spec.Name }

// Start runs the program, which must not be running.
func (p *Process) Start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd != nil && !p.over() {
		return fmt.Errorf("start %s: it runs already", p.spec.Name)
	}
	log, err := os.OpenFile(filepath.Join(p.spec.Logs, p.spec.Name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644) //nolint:gosec // the server may run as somebody else
	if err != nil {
		return fmt.Errorf("start %s: open its log: %w", p.spec.Name, err)
	}
	defer log.Close()                                //nolint:errcheck // the child has its own
	cmd := exec.Command(p.spec.Path, p.spec.Args...) //nolint:gosec,noctx // the drill's own programs, ended by Kill
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = p.spec.Env, p.spec.Dir, log, log
	if p.spec.Each != nil {
		cmd.Env = append(slices.Clone(cmd.Env), p.spec.Each(p.starts+1)...)
	}
	As(cmd, p.spec.User)
	fmt.Fprintf(log, "--- drill starts %s for the %d. time at %s\n", p.spec.Name, p.starts+1, time.Now().UTC().Format(time.RFC3339Nano))
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", p.spec.Name, err)
	}
	ended := make(chan struct{})
	p.cmd, p.ended, p.starts = cmd, ended, p.starts+1
	go func() {
		p.err = cmd.Wait()
		close(ended)
	}()
	return nil
}

// over reports whether the present cmd has ended. The caller holds mu.
func (p *Process) over() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// PID returns the process id, 0 when it does not run.
func (p *Process) PID() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil || p.over() {
		return 0
	}
	return p.cmd.Process.Pid
}

// Starts returns how often it has been started.
func (p *Process) Starts() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.starts
}

// Ended returns a channel that is closed when the present run has ended; nil before the first start.
func (p *Process) Ended() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ended
}

// Kill ends the process as a crash would (SIGKILL) and waits until it is gone.
func (p *Process) Kill() error { return p.end(syscall.SIGKILL, 0) }

// Terminate asks the process to end, waits for the patience and kills it then.
func (p *Process) Terminate(patience time.Duration) error { return p.end(syscall.SIGTERM, patience) }

// killPatience bounds the wait for a killed process; the kernel may be busy with its memory.
const killPatience = 20 * time.Second

func (p *Process) end(s syscall.Signal, patience time.Duration) error {
	p.mu.Lock()
	cmd, ended := p.cmd, p.ended
	p.mu.Unlock()
	if cmd == nil {
		return nil
	}
	if err := send(cmd.Process, s); err != nil {
		return fmt.Errorf("end %s: %w", p.spec.Name, err)
	}
	if patience > 0 {
		select {
		case <-ended:
			return nil
		case <-time.After(patience):
		}
		if err := send(cmd.Process, syscall.SIGKILL); err != nil {
			return fmt.Errorf("end %s: %w", p.spec.Name, err)
		}
	}
	select {
	case <-ended:
	case <-time.After(killPatience):
		return fmt.Errorf("end %s: it is still there %s after SIGKILL", p.spec.Name, killPatience)
	}
	if patience > 0 {
		return fmt.Errorf("end %s: it did not end within %s of SIGTERM", p.spec.Name, patience)
	}
	return nil
}

// Await blocks until ready returns nil, the process ends or the context does.
func (p *Process) Await(ctx context.Context, ready func(context.Context) error) error {
	const pace = 20 * time.Millisecond
	ended := p.Ended()
	var last error
	for {
		if last = ready(ctx); last == nil {
			return nil
		}
		select {
		case <-ended:
			return fmt.Errorf("%s ended before it was ready: %w; see its log", p.spec.Name, errors.Join(p.err, last))
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w", p.spec.Name, errors.Join(ctx.Err(), last))
		case <-time.After(pace):
		}
	}
}

func send(p *os.Process, s syscall.Signal) error {
	if err := p.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}
