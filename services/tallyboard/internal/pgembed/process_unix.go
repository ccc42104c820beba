//go:build unix

package pgembed

import (
	"os"
	"os/exec"
	"syscall"
)

// prepare runs cmd as the chosen user, in a process group of its own: Ctrl+C in a terminal must reach us, not the server.
func (s *Server) prepare(cmd *exec.Cmd) {
	cmd.Dir = s.home
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if s.uid >= 0 {
		id := uint32(s.uid) // a configured user id, never negative here
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: id, Gid: id}
	}
}

// fastShutdown: SIGINT means "fast" to PostgreSQL.
func fastShutdown(p *os.Process) error { return p.Signal(syscall.SIGINT) }

func alive(p *os.Process) bool { return p.Signal(syscall.Signal(0)) == nil }
