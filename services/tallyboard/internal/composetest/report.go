package composetest

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// report prints checks as they are made, and counts them.
type report struct {
	mu             sync.Mutex
	out            io.Writer
	started        time.Time
	section        time.Time
	passed, failed int
}

func newReport(out io.Writer) *report {
	now := time.Now()
	return &report{out: out, started: now, section: now}
}

// title begins a section.
func (r *report) title(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.section = time.Now()
	r.printf("\n%s (after %d s)\n", text, int(time.Since(r.started).Seconds()))
}

// check records what was asserted: it holds if err is nil. detail is shown with it.
func (r *report) check(what string, err error, detail ...any) {
	if err != nil {
		r.fail(what, err)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.passed++
	if len(detail) > 0 {
		what += ": " + fmt.Sprint(detail...)
	}
	r.printf("  ok    %s\n", what)
}

func (r *report) fail(what string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed++
	r.printf("  FAIL  %s: %v\n", what, err)
}

// notef prints what is no assertion.
func (r *report) notef(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.printf("        "+format+"\n", args...)
}

// errFailed says that checks failed; each was printed.
var errFailed = errors.New("checks failed")

// close prints the closing line.
func (r *report) close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.printf("\nafter %d s\n%d passed, %d failed\n",
		int(time.Since(r.started).Seconds()), r.passed, r.failed)
	if r.failed > 0 {
		return errFailed
	}
	return nil
}

func (r *report) printf(format string, args ...any) {
	fmt.Fprintf(r.out, format, args...)
}

// holds turns a condition into the error of a check.
func holds(ok bool, format string, args ...any) error {
	if ok {
		return nil
	}
	return fmt.Errorf(format, args...)
}
