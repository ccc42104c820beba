package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// event is one line of `go test -json`, see `go doc test2json`; ImportPath belongs to events of the build.
type event struct {
	Action     string  `json:"Action"`
	Package    string  `json:"Package"`
	ImportPath string  `json:"ImportPath"`
	Test       string  `json:"Test"`
	Output     string  `json:"Output"`
	Elapsed    float64 `json:"Elapsed"` // seconds
}

// report collects events and writes packages as they finish.
type report struct {
	out      io.Writer
	running  map[string]*pkg
	build    map[string]*strings.Builder // compiler output by import path
	packages int
	passed   int
	failed   []string
	skipped  []string
	started  time.Time
}

// pkg is a package under test. Output of tests that passed is dropped, so what is left explains a failure.
type pkg struct {
	output map[string]*strings.Builder // by test; "" is the package's own
	order  []string
	parent map[string]bool // tests that have subtests; these are not counted themselves
	passed []string
	failed []string
}

func newReport(out io.Writer) *report {
	return &report{out: out, running: map[string]*pkg{}, build: map[string]*strings.Builder{}, started: time.Now()}
}

// read consumes events until the end. Lines that are none (of the go command itself) are passed on as they are.
func (r *report) read(in io.Reader) error {
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if json.Unmarshal(line, &e) != nil || e.Action == "" {
				fmt.Fprint(r.out, string(line))
			} else {
				r.add(e)
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read events: %w", err)
		}
	}
}

func (r *report) add(e event) {
	if strings.HasPrefix(e.Action, "build-") {
		if r.build[e.ImportPath] == nil {
			r.build[e.ImportPath] = &strings.Builder{}
		}
		r.build[e.ImportPath].WriteString(e.Output)
		if e.Action == "build-fail" {
			fmt.Fprint(r.out, r.build[e.ImportPath])
		}
		return
	}
	p := r.running[e.Package]
	if p == nil {
		p = &pkg{output: map[string]*strings.Builder{}, parent: map[string]bool{}}
		r.running[e.Package] = p
	}
	switch e.Action {
	case "run":
		if i := strings.LastIndex(e.Test, "/"); i > 0 {
			p.parent[e.Test[:i]] = true
		}
	case "output":
		if p.output[e.Test] == nil {
			p.output[e.Test] = &strings.Builder{}
			p.order = append(p.order, e.Test)
		}
		p.output[e.Test].WriteString(e.Output)
	case "pass", "fail", "skip":
		if e.Test == "" {
			r.finish(e, p)
			return
		}
		r.result(e, p)
	}
}

// result takes the end of one test.
func (r *report) result(e event, p *pkg) {
	switch e.Action {
	case "pass":
		p.passed = append(p.passed, e.Test)
		delete(p.output, e.Test)
	case "fail":
		p.failed = append(p.failed, e.Test)
	case "skip":
		r.skipped = append(r.skipped, e.Package+" "+e.Test)
	}
}

// finish takes the end of a package and prints its line.
func (r *report) finish(e event, p *pkg) {
	delete(r.running, e.Package)
	tests := 0
	for _, name := range p.passed {
		if !p.parent[name] {
			tests++
		}
	}
	r.passed += tests
	switch e.Action {
	case "skip": // a package without test files
	case "pass":
		if tests == 0 {
			return
		}
		r.packages++
		fmt.Fprintf(r.out, "ok  \t%s\t%.1fs\t%d tests\n", e.Package, e.Elapsed, tests)
	case "fail":
		r.packages++
		for _, name := range p.order {
			if text := p.output[name]; text != nil {
				fmt.Fprint(r.out, text)
			}
		}
		fmt.Fprintf(r.out, "FAIL\t%s\t%.1fs\n", e.Package, e.Elapsed)
		for _, name := range p.failed {
			if !p.parent[name] {
				r.failed = append(r.failed, e.Package+" "+name)
			}
		}
		if len(p.failed) == 0 {
			r.failed = append(r.failed, e.Package)
		}
	}
}

// close prints the totals and says whether everything is as it should be.
func (r *report) close() bool {
	for name := range r.running {
		r.failed = append(r.failed, name+" (did not finish)")
	}
	for _, name := range r.failed {
		fmt.Fprintln(r.out, "--- FAIL:", name)
	}
	for _, name := range r.skipped {
		fmt.Fprintln(r.out, "--- SKIP:", name, "(a test that cannot run has to fail)")
	}
	good := len(r.failed) == 0 && len(r.skipped) == 0 && r.passed > 0
	verdict := "PASS"
	if !good {
		verdict = "FAIL"
	}
	fmt.Fprintf(r.out, "%s: %d tests passed, %d failed, %d skipped, in %d packages and %s\n",
		verdict, r.passed, len(r.failed), len(r.skipped), r.packages, time.Since(r.started).Round(time.Second))
	return good
}
