//go:build unix

package proc

import (
	"fmt"
	"syscall"
)

// Pause stops the process where it is (SIGSTOP); its connections stay open.
func (p *Process) Pause() error { return p.send(syscall.SIGSTOP) }

// Resume lets a paused process go on (SIGCONT).
func (p *Process) Resume() error { return p.send(syscall.SIGCONT) }

func (p *Process) send(s syscall.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return fmt.Errorf("signal %s: it has not been started", p.spec.Name)
	}
	if err := send(p.cmd.Process, s); err != nil {
		return fmt.Errorf("signal %s: %w", p.spec.Name, err)
	}
	return nil
}

func attributes(u *User) *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{Setpgid: true} // Ctrl+C is for the drill, which ends them in order
	dieWithParent(a)
	if u != nil {
		a.Credential = &syscall.Credential{Uid: u.UID, Gid: u.GID}
	}
	return a
}
