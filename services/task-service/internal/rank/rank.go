// Package rank makes fractional indices: texts that sort between any two others, so that moving a task writes that one
// task and never its neighbours.
//
// A rank is an integer part and a fraction, both of base-62 digits in ASCII order (0-9 A-Z a-z), compared byte by byte.
// The first character of the integer part says how many digits follow ("a" 1 … "z" 26 upwards, "Z" 1 … "A" 26
// downwards), so integers of more digits sort behind those of fewer and appending a million tasks takes seven bytes, not
// a million. The fraction is zero or more blocks of four digits; the last block is never "0000", so that there is always
// room in front.
//
// Steps are random within a small window (see jitter), which keeps ranks that two replicas make for the same place at the
// same time apart; a unique index catches the rest. Fractions pick their place near the right end of the gap in even
// blocks and near the left end in odd ones (as LSEQ does): whichever way people keep inserting, one of two blocks lasts
// for thousands of inserts, where halving the gap would use up a bit each time. At the limit of 255 bytes, after hundreds
// of thousands of inserts at one and the same place, ErrFull asks for another place; neighbours are still never rewritten.
//
// The idea is fractional indexing as described by D. Greenspan ("Implementing Fractional Indexing"), the boundaries are
// those of B. Nédelec et al., "LSEQ" (DocEng 2013).
package rank

import (
	"math/rand/v2"
	"strings"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
)

// MaxLength of a rank in bytes: what the column and its index hold.
const MaxLength = 255

const (
	digits    = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	base      = 62
	blockLen  = 4
	blockSize = base * base * base * base // values of a block
	jitter    = base * base               // steps are 1…jitter: the chance of two equal ranks for one place is 1 in 3,844
	minRoom   = base                      // a gap narrower than this is left for the next block, to keep the jitter
	maxSpread = 100_000                   // ranks made by one call of Spread
)

// ErrFull says that there is no rank of at most MaxLength bytes at a place. It is shown to people as it is.
var ErrFull = apperr.New(apperr.Conflict, "There is no room left at exactly this place; put the task one place further up or down.")

// Random returns a number in [0, n). Nil stands for a source that is safe for concurrent use.
type Random func(n uint64) uint64

func (r Random) below(n uint64) uint64 {
	if r == nil {
		return rand.Uint64N(n) //nolint:gosec // keeps ranks apart, hides nothing
	}
	return r(n) % n
}

// First returns a rank for an empty project.
func First(r Random) (string, error) {
	return After(r, "c"+strings.Repeat("0", 3))
}

// After returns a rank behind last, which is the greatest in use; "" stands for none.
func After(r Random, last string) (string, error) {
	if last == "" {
		return First(r)
	}
	i, err := integerOf(last)
	if err != nil {
		return "", err
	}
	if next, ok := plus(i, 1+r.below(jitter)); ok {
		return next, nil
	}
	return within(r, i, last[len(i):], "", true) // past 62^26 integers: never in practice
}

// Before returns a rank in front of first, which is the smallest in use; "" stands for none.
func Before(r Random, first string) (string, error) {
	if first == "" {
		return First(r)
	}
	i, err := integerOf(first)
	if err != nil {
		return "", err
	}
	if next, ok := minus(i, 1+r.below(jitter)); ok {
		return next, nil
	}
	return within(r, i, "", first[len(i):], false)
}

// Between returns a rank greater than a and smaller than b; "" for a or b is an open end. It fails with ErrFull, or with
// apperr.Invalid if a or b is not a rank or a is not smaller than b.
func Between(r Random, a, b string) (string, error) {
	switch {
	case a == "" && b == "":
		return First(r)
	case b == "":
		return After(r, a)
	case a == "":
		return Before(r, b)
	}
	ai, bi, err := pair(a, b)
	if err != nil {
		return "", err
	}
	if ai == bi {
		return within(r, ai, a[len(ai):], b[len(bi):], false)
	}
	if gap := distance(ai, bi, jitter+1); gap > minRoom {
		if mid, ok := plus(ai, 1+r.below(gap-1)); ok {
			return mid, nil
		}
	}
	return within(r, ai, a[len(ai):], "", true)
}

// Spread returns n ranks in ascending order, all between a and b; "" for a or b is an open end. It is what imports and
// moves of several tasks use, and spreads them evenly with a jitter of their own.
func Spread(r Random, a, b string, n int) ([]string, error) {
	if n < 0 || n > maxSpread {
		return nil, apperr.New(apperr.Invalid, "At most %d ranks can be made at once.", maxSpread)
	}
	out := make([]string, 0, n)
	if b == "" {
		for last := a; len(out) < n; {
			next, err := After(r, last)
			if err != nil {
				return nil, err
			}
			out, last = append(out, next), next
		}
		return out, nil
	}
	if a == "" {
		out = out[:n]
		for i, first := n-1, b; i >= 0; i-- {
			next, err := Before(r, first)
			if err != nil {
				return nil, err
			}
			out[i], first = next, next
		}
		return out, nil
	}
	ai, bi, err := pair(a, b)
	if err != nil {
		return nil, err
	}
	bf := ""
	if ai == bi {
		bf = b[len(bi):]
	}
	return spreadWithin(r, ai, a[len(ai):], bf, ai != bi, n)
}

// Valid reports whether s is a rank: well formed and at most MaxLength bytes.
func Valid(s string) bool {
	_, err := integerOf(s)
	return err == nil
}

// pair checks both ranks and their order, and returns their integer parts.
func pair(a, b string) (ai, bi string, err error) {
	if ai, err = integerOf(a); err != nil {
		return "", "", err
	}
	if bi, err = integerOf(b); err != nil {
		return "", "", err
	}
	if a >= b {
		return "", "", apperr.InvalidField("rank", "the lower neighbour does not sort before the upper one")
	}
	return ai, bi, nil
}

// integerOf checks the rank and returns its integer part.
func integerOf(s string) (string, error) {
	if s == "" || len(s) > MaxLength {
		return "", apperr.InvalidField("rank", "must have 1 to %d characters", MaxLength)
	}
	n := digitsAfter(s[0])
	if n == 0 {
		return "", apperr.InvalidField("rank", "must begin with a letter").At(0)
	}
	if len(s) < 1+n || (len(s)-1-n)%blockLen != 0 {
		return "", apperr.InvalidField("rank", "has a length that does not fit its first letter").At(0)
	}
	for i := 1; i < len(s); i++ {
		if digit(s[i]) < 0 {
			return "", apperr.InvalidField("rank", "may have digits and ASCII letters only").At(i)
		}
	}
	if len(s) > 1+n && strings.HasSuffix(s, "0000") {
		return "", apperr.InvalidField("rank", "may not end in 0000 behind its integer part").At(len(s) - blockLen)
	}
	return s[:1+n], nil
}

func digitsAfter(head byte) int {
	switch {
	case head >= 'a' && head <= 'z':
		return int(head-'a') + 1
	case head >= 'A' && head <= 'Z':
		return int('Z'-head) + 1
	}
	return 0
}

func digit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'A' && c <= 'Z':
		return int(c-'A') + 10
	case c >= 'a' && c <= 'z':
		return int(c-'a') + 36
	}
	return -1
}
