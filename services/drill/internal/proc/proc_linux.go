package proc

import "syscall"

// dieWithParent leaves nothing running when the drill itself is killed.
func dieWithParent(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGKILL }
