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

// distance is Levenshtein's, with one row of memory.
func distance(a, b []rune) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		diagonal := row[0]
		row[0] = i + 1
		for j := range b {
			cost := diagonal
			if a[i] != b[j] {
				cost = min(diagonal, row[j], row[j+1]) + 1
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
