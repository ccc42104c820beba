package proc

import (
	"errors"
	"syscall"
)

var errUnix = errors.New("the drill pauses processes by signals that Windows does not have; run it on Linux or macOS")

// Pause is not to be had here.
func (p *Process) Pause() error { return errUnix }

// Resume is not to be had here.
func (p *Process) Resume() error { return errUnix }

func attributes(*User) *syscall.SysProcAttr { return nil }
