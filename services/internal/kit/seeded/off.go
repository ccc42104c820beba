//go:build !seededbugs

package seeded

// Enabled says whether this program contains the bugs.
const Enabled = false

// Is reports whether a bug was chosen.
func Is(Bug) bool { return false }
