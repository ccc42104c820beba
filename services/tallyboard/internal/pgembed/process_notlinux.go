//go:build !linux

package pgembed

import "os/exec"

// dieWithParent does nothing here: a server left behind is stopped at the next start, see stopOrphan.
func dieWithParent(*exec.Cmd) {}
