package pgembed

import (
	"os"
	"os/exec"
	"syscall"
)

func (s *Server) prepare(cmd *exec.Cmd) {
	cmd.Dir = s.home
	cmd.Env = append(os.Environ(), "LC_ALL=C", "TZ=UTC")
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// fastShutdown: Windows has no signal for it; the server recovers from its log at the next start.
func fastShutdown(p *os.Process) error { return p.Kill() }

func alive(p *os.Process) bool { return p.Signal(syscall.Signal(0)) == nil }
