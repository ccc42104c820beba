package pgembed

import (
	"os/exec"
	"syscall"
)

// dieWithParent makes the kernel shut the server down when we are killed.
func dieWithParent(cmd *exec.Cmd) { cmd.SysProcAttr.Pdeathsig = syscall.SIGINT }
