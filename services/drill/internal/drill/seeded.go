package drill

import (
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
