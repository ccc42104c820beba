// Command testreport reads the events of `go test -json` from standard input and prints what a person needs: a line per
// package, the whole output of what failed, and totals. It exits with 1 if anything failed, if a test was skipped (a
// skipped test looks green and proves nothing) or if no test ran at all.
package main

import (
	"fmt"
	"os"
)

func main() {
	r := newReport(os.Stdout)
	if err := r.read(os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "testreport:", err)
		os.Exit(1)
	}
	if !r.close() {
		os.Exit(1)
	}
}
