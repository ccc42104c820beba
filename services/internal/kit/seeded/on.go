//go:build seededbugs

package seeded

import (
	"fmt"
	"os"
	"slices"
)

// Enabled says whether this program contains the bugs.
const Enabled = true

// chosen is the bug of this process, empty if it shall work as it should. It is found before anything else happens, and a
// name that nothing is known by ends the program: a drill that misspells a bug must not pass for one that missed it.
var chosen = start()

// Is reports whether a bug was chosen.
func Is(b Bug) bool { return chosen == b }

func start() Bug {
	b, err := choose(os.Getenv(Variable))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if b != "" {
		fmt.Fprintf(os.Stderr, "this program is broken on purpose: %s\n", b)
	}
	return b
}

// choose returns the bug of a name; none for an empty one.
func choose(name string) (Bug, error) {
	b := Bug(name)
	if b != "" && !slices.Contains(Bugs(), b) {
		return "", fmt.Errorf("%s=%s: there is no such bug; there are %v", Variable, name, Bugs())
	}
	return b, nil
}
