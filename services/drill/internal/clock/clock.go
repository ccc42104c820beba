// Package clock makes the clocks of a drill's replicas differ. The product has no switch for that: its programs are built
// with a standard library whose time.Now adds an offset from the environment (`go build -overlay`). What measures
// durations, sets timers and ends deadlines runs on the monotonic clock, which stays right.
package clock

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// Variable holds by how many nanoseconds the clock of a program is off.
const Variable = "DRILL_CLOCK_OFFSET"

// What is replaced in time.go: the one place where time.Now reads the clock.
const (
	reads    = "func Now() Time {\n\tsec, nsec, mono := runtimeNow()\n"
	readsOff = "func Now() Time {\n\tsec, nsec, mono := drillNow()\n"
)

// addition is what stands beside it. It may use nothing that imports time.
const addition = `package time

import "syscall"

// drillOffset is read once, at the start. What is no number is none.
var drillOffset = func() (n int64) {
	text, _ := syscall.Getenv("` + Variable + `")
	negative := text != "" && text[0] == '-'
	if negative {
		text = text[1:]
	}
	for i := 0; i < len(text); i++ {
		if text[i] < '0' || text[i] > '9' {
			return 0
		}
		n = n*10 + int64(text[i]-'0')
	}
	if negative {
		return -n
	}
	return n
}()

func drillNow() (sec int64, nsec int32, mono int64) {
	sec, nsec, mono = runtimeNow()
	const second = 1_000_000_000
	off := int64(nsec) + drillOffset%second
	sec += drillOffset / second
	switch {
	case off < 0:
		off, sec = off+second, sec-1
	case off >= second:
		off, sec = off-second, sec+1
	}
	return sec, int32(off), mono
}
`

// Overlay writes into dir what go build -overlay needs to build programs with clocks that can be off, and returns its path.
// goroot is the Go installation that builds them.
func Overlay(goroot, dir string) (path string, err error) {
	dir, err = filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("overlay: %w", err)
	}
	source := filepath.Join(goroot, "src", "time", "time.go")
	b, err := os.ReadFile(source) //nolint:gosec // of the Go installation
	if err != nil {
		return "", fmt.Errorf("overlay: %w", err)
	}
	if n := bytes.Count(b, []byte(reads)); n != 1 {
		return "", fmt.Errorf("overlay: %s has %d places like %q, where one is expected: this version of Go reads the clock in another way; adapt services/drill/internal/clock", source, n, reads)
	}
	changed, added := filepath.Join(dir, "time.go"), filepath.Join(dir, "drill_clock.go")
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{source: changed, filepath.Join(goroot, "src", "time", "drill_clock.go"): added}})
	if err != nil {
		return "", fmt.Errorf("overlay: %w", err)
	}
	path = filepath.Join(dir, "overlay.json")
	err = os.MkdirAll(dir, 0o755) //nolint:gosec // as other folders of what is built
	for _, f := range []struct {
		path string
		text []byte
	}{{changed, bytes.Replace(b, []byte(reads), []byte(readsOff), 1)}, {added, []byte(addition)}, {path, overlay}} {
		if err == nil {
			err = os.WriteFile(f.path, f.text, 0o644) //nolint:gosec // as other files of what is built
		}
	}
	if err != nil {
		return "", fmt.Errorf("overlay: %w", err)
	}
	return path, nil
}

// Has fails unless the program was built with the overlay: its clock would be right, and nobody would know.
func Has(program string) error {
	b, err := os.ReadFile(program) //nolint:gosec // about to be run
	if err != nil {
		return fmt.Errorf("look for the clock: %w", err)
	}
	if !bytes.Contains(b, []byte(Variable)) {
		return ErrRight
	}
	return nil
}

// ErrRight says that a program's clock cannot be off.
var ErrRight = errors.New("the services were built with a clock that is right; `make bin/drilled` builds them with one that can be off")

// How far clocks are off.
const (
	leastOff = 10 * time.Second
	mostOff  = 2 * time.Minute
)

// Offset returns by how much the clock of a process is off from its nth start to the next, the same for the same seed.
func Offset(seed uint64, process string, start int) time.Duration {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s %d", process, start)
	random := rand.New(rand.NewPCG(seed, h.Sum64())) //nolint:gosec // the same again with the same seed
	off := leastOff + time.Duration(random.Int64N(int64(mostOff-leastOff)))
	if random.IntN(2) == 0 {
		return -off
	}
	return off
}

// Setting returns Variable with the offset of a start.
func Setting(off time.Duration) string { return Variable + "=" + strconv.FormatInt(int64(off), 10) }
