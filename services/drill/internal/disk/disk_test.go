package disk

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/goleak"
)

// TestMain makes the test's program the holder when it is called as such.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == Command {
		if Hold(os.Stdin, os.Stdout, os.Args[2:]) != nil {
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// able asks somebody else, util-linux, whether this machine lets us mount file systems that only we see: "" if it does, and
// else what it says. So a machine on which there is little to test is told from a mistake of ours.
func able(t *testing.T) (refusal string) {
	t.Helper()
	if runtime.GOOS != "linux" {
		return runtime.GOOS + " has no namespaces of mounts"
	}
	var missing []string
	for _, tool := range []string{"nsenter", "setpriv", "unshare", "mount"} {
		if _, err := exec.LookPath(tool); err != nil {
			missing = append(missing, err.Error())
		}
	}
	if len(missing) > 0 {
		return strings.Join(missing, "; ")
	}
	args := []string{"--mount", "mount", "-t", "tmpfs", "none", t.TempDir()}
	if os.Getuid() != 0 {
		args = slices.Insert(args, 0, "--user", "--map-root-user")
	}
	if out, err := exec.CommandContext(t.Context(), "unshare", args...).CombinedOutput(); err != nil {
		return fmt.Sprintf("unshare %s: %v: %s", strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return ""
}

// open returns a room with one disk. On a machine that lets nobody have one it is nil: then Open must have said why, as the
// drill's table does, and the output of the tests says that the rest was not tested.
func open(t *testing.T) (*Room, string) {
	t.Helper()
	path := t.TempDir()
	r, err := Open(t.Context(), self(t), []Disk{{Path: path}})
	if err == nil {
		t.Cleanup(func() {
			if err := r.Close(); err != nil {
				t.Error(err)
			}
		})
		return r, path
	}
	refusal := able(t)
	if refusal == "" {
		t.Fatalf("this machine lets us have file systems of our own, but not the drill: %v", err)
	}
	said(t, err)
	notice := fmt.Sprintf("NOT TESTED HERE: %s needs disks of its own, which this machine refuses (%v); util-linux is refused, too (%s)", t.Name(), err, refusal)
	t.Log(notice)
	fmt.Fprintln(os.Stderr, notice)
	return nil, ""
}

// said demands that an error of Open tells what there is not, and why.
func said(t *testing.T, err error) {
	t.Helper()
	const what = "no disks of our own: "
	if err == nil || !strings.HasPrefix(err.Error(), what) || len(err.Error()) == len(what) {
		t.Errorf("it does not say why there are no disks: %v", err)
	}
}

func self(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestADiskIsFullAndFreeAgain(t *testing.T) {
	t.Parallel()
	r, path := open(t)
	if r == nil {
		return // open has said why
	}
	file := filepath.Join(r.Outside(path), "file")
	const bytes = 1 << 20
	write := func() error { return os.WriteFile(file, make([]byte, bytes), 0o600) }
	if err := os.WriteFile(filepath.Join(r.Outside(path), "before"), []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := r.Fill(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	if err := write(); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("written to a full disk: %v", err)
	}
	if err := r.Free(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	if err := write(); err != nil {
		t.Error(err)
	}
	if kept, err := os.ReadFile(filepath.Join(r.Outside(path), "before")); err != nil || string(kept) != "kept" {
		t.Errorf("what was on the disk before it was full: %q, %v", kept, err)
	}
	if err := r.Fill(t.Context(), "/nowhere"); err == nil {
		t.Error("filled what is not there")
	}
	if _, err := os.Stat(filepath.Join(path, "file")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the disk shows outside: %v", err)
	}
}

func TestProgramsInTheRoomSeeTheDisk(t *testing.T) {
	t.Parallel()
	r, path := open(t)
	if r == nil {
		return // open has said why
	}
	program, args := r.Enter(nil, "touch", filepath.Join(path, "made"))
	if out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if _, err := os.Stat(filepath.Join(r.Outside(path), "made")); err != nil {
		t.Error(err)
	}
}

// TestWhatCannotBeMountedIsSaid holds on every machine: where nothing can be mounted, that is what is said.
func TestWhatCannotBeMountedIsSaid(t *testing.T) {
	t.Parallel()
	nowhere := filepath.Join(t.TempDir(), "nowhere")
	_, err := Open(t.Context(), self(t), []Disk{{Path: nowhere}})
	said(t, err)
	if refusal := able(t); refusal == "" && !strings.Contains(err.Error(), "mount a file system in memory") {
		t.Errorf("mounted on nothing: %v", err)
	}
}

// TestAMachineThatRefusesIsSaid has programs that hold nothing stand for a machine that refuses, on every machine: what they
// answer instead is what is said.
func TestAMachineThatRefusesIsSaid(t *testing.T) {
	t.Parallel()
	for program, why := range map[string]string{
		"echo":                             Command, // it answers with its arguments
		"false":                            "the process that holds them ended",
		filepath.Join(t.TempDir(), "none"): "no such file",
	} {
		_, err := Open(t.Context(), program, []Disk{{Path: t.TempDir()}})
		said(t, err)
		if able(t) == "" && !strings.Contains(err.Error(), why) {
			t.Errorf("want %q: %v", why, err)
		}
	}
}
