package drill

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/tallyboard/tallyboard/services/drill/internal/faults"
	"github.com/tallyboard/tallyboard/services/internal/kit/seeded"
)

func bugNames() string {
	var names []string
	for _, b := range seeded.Bugs() {
		names = append(names, string(b))
	}
	return strings.Join(names, ", ")
}

// Folders of the programs. SeededBin has those that were built with bugs.
const (
	normalBin  = "bin"
	SeededBin  = "bin/seeded"
	drilledBin = "bin/drilled" // whose clocks can be off
)

// bin is the folder of task-service and stats-service.
func (c Config) bin() string {
	switch {
	case c.Bin != "":
		return c.Bin
	case c.Bug != "":
		return SeededBin
	case c.Clocks:
		return drilledBin
	}
	return normalBin
}

// hasBugs fails if a bug is asked for that the program cannot have: the drill would find nothing, and seem to have missed it.
func (c Config) hasBugs(program string) error {
	if c.Bug == "" {
		return nil
	}
	b, err := os.ReadFile(program) //nolint:gosec // about to be run
	if err != nil {
		return fmt.Errorf("look for bugs: %w", err)
	}
	if !bytes.Contains(b, []byte(seeded.Variable)) {
		return fmt.Errorf("%s was built without -tags seededbugs; `make bin/seeded` builds it with them", program)
	}
	return nil
}

// extra is what replicas are told beyond the rest.
func (c Config) extra(string) []string {
	if c.Bug == "" {
		return nil
	}
	return []string{seeded.Variable + "=" + string(c.Bug)}
}

// schedule returns n faults of the kinds and on the targets that are asked for.
func (c Config) schedule(p faults.Parts, n int) []faults.Fault {
	if len(c.Targets) == 0 {
		return faults.Schedule(c.Seed, p, c.Kinds, n)
	}
	// Kinds have up to two dozen targets, which are taken in turn: enough of them are left.
	const spare = 30
	aimed := slices.DeleteFunc(faults.Schedule(c.Seed, p, c.Kinds, spare*n), func(f faults.Fault) bool { return !slices.Contains(c.Targets, f.Target) })
	for i := range aimed { // its predecessor may be gone, and alone each is as good
		aimed[i].Together = false
	}
	return aimed[:min(n, len(aimed))]
}
