package clock

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const program = `package main

import (
	"fmt"
	"time"
)

func main() {
	began := time.Now()
	later := began.Add(time.Hour)
	fmt.Println(began.UnixNano(), time.Since(began) >= 0 && time.Since(began) < time.Minute, time.Until(later) <= time.Hour, time.Now().Sub(began) < time.Minute)
}
`

func TestClocksOfProgramsAreOff(t *testing.T) {
	t.Parallel()
	goroot, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	overlay, err := Overlay(strings.TrimSpace(string(goroot)), filepath.Join(dir, "overlay"))
	if err != nil {
		t.Fatal(err)
	}
	source, built := filepath.Join(dir, "main.go"), filepath.Join(dir, "built")
	if err := os.WriteFile(source, []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-overlay", overlay, "-o", built, source).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := Has(built); err != nil {
		t.Error(err)
	}
	for _, off := range []time.Duration{0, time.Hour + 999*time.Millisecond, -time.Hour - 999*time.Millisecond} {
		cmd := exec.CommandContext(t.Context(), built)
		cmd.Env = append(os.Environ(), Setting(off))
		before := time.Now()
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		after := time.Now()
		said, rest, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
		nanos, err := time.ParseDuration(said + "ns")
		if err != nil {
			t.Fatal(err)
		}
		if is := time.Unix(0, int64(nanos)).Add(-off); is.Before(before) || is.After(after) {
			t.Errorf("off by %s it says %s, which is right between %s and %s", off, is, before, after)
		}
		if rest != strings.Repeat("true ", 2)+"true" {
			t.Errorf("off by %s durations are wrong: %s", off, rest)
		}
	}
}

func TestAnotherGoIsRefused(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "src", "time"), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "src", "time", "time.go"), []byte("package time\n\nfunc Now() Time { return readClock() }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Overlay(root, t.TempDir()); err == nil || !strings.Contains(err.Error(), "another way") {
		t.Errorf("%v", err)
	}
	if err := Has(filepath.Join(root, "src", "time", "time.go")); err == nil {
		t.Error("a program without it has it")
	}
}

func TestOffsets(t *testing.T) {
	t.Parallel()
	seen := map[time.Duration]bool{}
	back := 0
	for start := range 20 {
		for _, name := range []string{"task-1", "task-2"} {
			off := Offset(1, name, start)
			if off != Offset(1, name, start) {
				t.Error("not the same again")
			}
			if off < 0 {
				back++
			}
			if off.Abs() < leastOff || off.Abs() > mostOff || seen[off] {
				t.Errorf("start %d of %s is off by %s", start, name, off)
			}
			seen[off] = true
		}
	}
	if back == 0 || back == len(seen) {
		t.Errorf("%d of %d clocks are slow", back, len(seen))
	}
}
