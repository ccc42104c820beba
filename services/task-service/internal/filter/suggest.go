package filter

import (
	"fmt"
	"strings"
)

// didYouMean returns " (did you mean …?)" with the nearest of the known names, or nothing where none is near.
func didYouMean(name string, known []string) string {
	if best := Nearest(name, known); best != "" {
		return fmt.Sprintf(" (did you mean %q?)", best)
	}
	return ""
}

// Nearest returns the known name with the smallest edit distance, ignoring case, if at most a third of the name (at
// least one character) differs; "" otherwise.
func Nearest(name string, known []string) string {
	const longest = 64 // characters looked at; names are shorter
	target := []rune(strings.ToLower(name))
	if len(target) > longest {
		return ""
	}
	best, least := "", max(1, len(target)/3)+1
	for _, k := range known {
		if len(k) > 4*longest {
			continue
		}
		if d := distance(target, []rune(strings.ToLower(k))); d < least {
			best, least = k, d
		}
	}
	return best
}

// distance counts insertions, deletions, replacements and swaps of neighbours (optimal string alignment).
func distance(a, b []rune) int {
	older, old, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range old {
		old[j] = j
	}
	for i := range a {
		row[0] = i + 1
		for j := range b {
			d := old[j]
			if a[i] != b[j] {
				d = min(d, old[j+1], row[j]) + 1
			}
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				d = min(d, older[j-1]+1)
			}
			row[j+1] = d
		}
		older, old, row = old, row, older
	}
	return old[len(b)]
}
