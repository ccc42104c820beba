package disk

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
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

func open(t *testing.T) (*Room, string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := t.TempDir()
	r, err := Open(t.Context(), self, []Disk{{Path: path}})
	if err != nil {
		t.Logf("nothing to test on this machine: %v", err)
		return nil, ""
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r, path
}

func TestADiskIsFullAndFreeAgain(t *testing.T) {
	t.Parallel()
	r, path := open(t)
	if r == nil {
		return
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
		return
	}
	program, args := r.Enter(nil, "touch", filepath.Join(path, "made"))
	if out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if _, err := os.Stat(filepath.Join(r.Outside(path), "made")); err != nil {
		t.Error(err)
	}
}

func TestWhatCannotBeMountedIsSaid(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), self, []Disk{{Path: filepath.Join(t.TempDir(), "nowhere")}}); err == nil {
		t.Error("mounted on nothing")
	}
}
