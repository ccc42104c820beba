package disk

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tallyboard/tallyboard/services/drill/internal/proc"
)

// size of an empty disk, in bytes. Only what is on it occupies memory.
const size = 4 << 30

// shrinkAttempts is how often a disk is measured and cut to measure while somebody writes to it.
const shrinkAttempts = 1000

// endWithin is how long the holder may take to end when it is told to.
const endWithin = 30 * time.Second

// holder is the process that keeps the namespaces.
type holder struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out io.Reader
}

// hold starts the holder. Root gets a namespace of mounts alone, everybody else one of users, too, which makes them root of
// what they mount.
func hold(self string, disks []Disk) (h holder, err error) {
	for _, tool := range []string{"nsenter", "setpriv"} {
		if _, err := exec.LookPath(tool); err != nil {
			return h, fmt.Errorf("util-linux is needed: %w", err)
		}
	}
	args := []string{Command}
	for _, d := range disks {
		u := proc.User{UID: uint32(os.Getuid()), GID: uint32(os.Getgid())}
		if d.User != nil {
			u = *d.User
		}
		args = append(args, fmt.Sprintf("%s=%d:%d", d.Path, u.UID, u.GID))
	}
	h.cmd = exec.Command(self, args...) //nolint:noctx // our own program, which end ends
	h.cmd.Stderr = os.Stderr
	h.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL, Cloneflags: syscall.CLONE_NEWNS}
	if os.Getuid() != 0 {
		h.cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		h.cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getuid(), HostID: os.Getuid(), Size: 1}} // servers refuse root
		h.cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getgid(), HostID: os.Getgid(), Size: 1}}
		h.cmd.SysProcAttr.AmbientCaps = []uintptr{unix.CAP_SYS_ADMIN} // which a user who is not root would lose with the program's start
	}
	if h.in, err = h.cmd.StdinPipe(); err != nil {
		return h, err
	}
	if h.out, err = h.cmd.StdoutPipe(); err != nil {
		return h, err
	}
	if err := h.cmd.Start(); err != nil {
		return h, fmt.Errorf("namespaces: %w", err)
	}
	return h, nil
}

// end closes the holder's input, which ends it, and waits for it.
func (h holder) end(answered <-chan struct{}) error {
	err := h.in.Close()
	slow := time.AfterFunc(endWithin, func() { _ = h.cmd.Process.Kill() })
	defer slow.Stop()
	<-answered // all was read, so that Wait may close the pipe
	var status *exec.ExitError
	if waited := h.cmd.Wait(); !errors.As(waited, &status) { // what it failed at, it has said
		err = errors.Join(err, waited)
	}
	return err
}

// Enter returns how to run a program in the room, as the user (nil: as we are). It has the process id it is started with,
// dies with the drill, and stands in the root folder.
func (r *Room) Enter(user *proc.User, path string, args ...string) (program string, all []string) {
	all = []string{"-m", "-t", strconv.Itoa(r.holder.cmd.Process.Pid)}
	if os.Getuid() != 0 {
		all = append(all, "-U", "--preserve-credentials")
	}
	all = append(all, "--", "setpriv", "--pdeathsig", "KILL") // entering a namespace has forgotten what proc asked for
	if user != nil {
		all = append(all, "--reuid", strconv.Itoa(int(user.UID)), "--regid", strconv.Itoa(int(user.GID)), "--clear-groups")
	}
	return "nsenter", append(append(all, "--", path), args...)
}

// Outside returns by what path the drill finds what the room's programs find at path.
func (r *Room) Outside(path string) string {
	return fmt.Sprintf("/proc/%d/root%s", r.holder.cmd.Process.Pid, path)
}

// mountAll mounts a disk on each PATH=UID:GID.
func mountAll(paths []string) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("keep mounts to ourselves: %w", err)
	}
	for _, p := range paths {
		path, owner, _ := strings.Cut(p, "=")
		uid, gid, _ := strings.Cut(owner, ":")
		options := fmt.Sprintf("mode=0700,uid=%s,gid=%s,size=%d", uid, gid, size)
		if err := unix.Mount("tmpfs", path, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, options); err != nil {
			return fmt.Errorf("mount a file system in memory: %w", err)
		}
	}
	return nil
}

// shrink makes the disk as small as what is on it. Somebody may write meanwhile: then what was measured is too little, and
// is measured again.
func shrink(path string) error {
	for attempt := 1; ; attempt++ {
		var is unix.Statfs_t
		if err := unix.Statfs(path, &is); err != nil {
			return err
		}
		used := int64(is.Blocks-is.Bfree) * is.Bsize
		err := resize(path, max(used, is.Bsize)) // a size of 0 would be none
		if err == nil || !errors.Is(err, unix.EINVAL) || attempt == shrinkAttempts {
			return err
		}
	}
}

func resize(path string, bytes int64) error {
	if err := unix.Mount("", path, "", unix.MS_REMOUNT|unix.MS_NOSUID|unix.MS_NODEV, fmt.Sprintf("size=%d", bytes)); err != nil {
		return fmt.Errorf("resize to %d bytes: %w", bytes, err)
	}
	return nil
}
