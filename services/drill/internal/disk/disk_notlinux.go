//go:build !linux

package disk

import (
	"errors"
	"io"

	"github.com/tallyboard/tallyboard/services/drill/internal/proc"
)

const size = 0

var errLinux = errors.New("namespaces of mounts are there on Linux only")

type holder struct {
	in  io.Writer
	out io.Reader
}

func hold(string, []Disk) (holder, error) { return holder{}, errLinux }

func (holder) end(<-chan struct{}) error { return nil }

// Enter is not to be had here.
func (r *Room) Enter(_ *proc.User, path string, args ...string) (program string, all []string) {
	return path, args
}

// Outside is not to be had here.
func (r *Room) Outside(path string) string { return path }

func mountAll([]string) error { return errLinux }

func shrink(string) error { return errLinux }

func resize(string, int64) error { return errLinux }
