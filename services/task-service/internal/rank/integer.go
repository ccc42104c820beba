package rank

import "strings"

// plus adds k (at most a few thousand) to an integer part; ok is false beyond the greatest one.
func plus(i string, k uint64) (sum string, ok bool) {
	b := []byte(i)
	carry := k
	for p := len(b) - 1; p >= 1 && carry > 0; p-- {
		v := uint64(digit(b[p])) + carry
		b[p], carry = digits[v%base], v/base
	}
	if carry == 0 {
		return string(b), true
	}
	// Past the end of its length: what is left over counts on from the first integer of the next length. left is the
	// value below the highest digit, and each carry is worth a whole length, of which one is used up by the step.
	left := valueOf(b[1:]) + (carry-1)*pow(len(b)-1)
	head, n := nextHead(b[0])
	if head == 0 {
		return "", false
	}
	return plus(string(head)+strings.Repeat("0", n), left)
}

// minus subtracts k (at most a few thousand) from an integer part; ok is false below the smallest one.
func minus(i string, k uint64) (diff string, ok bool) {
	b := []byte(i)
	borrow := k
	for p := len(b) - 1; p >= 1 && borrow > 0; p-- {
		d := uint64(digit(b[p]))
		if d >= borrow {
			b[p], borrow = digits[d-borrow], 0
			break
		}
		need := (borrow - d + base - 1) / base
		b[p], borrow = digits[d+need*base-borrow], need
	}
	if borrow == 0 {
		return string(b), true
	}
	// Below zero: the rest counts down from the last integer of the previous length.
	size := pow(len(b) - 1)
	left := borrow*size - valueOf(b[1:]) - 1
	head, n := previousHead(b[0])
	if head == 0 {
		return "", false
	}
	return minus(string(head)+strings.Repeat("z", n), left)
}

// distance returns b - a for a <= b, at most limit.
func distance(a, b string, limit uint64) uint64 {
	var d uint64
	for a[0] != b[0] { // step over the lengths between
		toEnd, ok := difference(a, string(a[0])+strings.Repeat("z", len(a)-1), limit)
		d += toEnd + 1
		head, n := nextHead(a[0])
		if !ok || d >= limit || head == 0 {
			return limit
		}
		a = string(head) + strings.Repeat("0", n)
	}
	rest, ok := difference(a, b, limit)
	if !ok {
		return limit
	}
	return min(d+rest, limit)
}

// difference of two integer parts of one length; ok is false from limit on.
func difference(a, b string, limit uint64) (d uint64, ok bool) {
	var diff int64
	for p := 1; p < len(a); p++ {
		diff = diff*base + int64(digit(b[p])-digit(a[p]))
		// The digits to come can take away less than one of this digit, so two above the limit never comes back.
		if diff > int64(limit)+1 {
			return limit, false
		}
	}
	if uint64(diff) >= limit {
		return limit, false
	}
	return uint64(diff), true
}

// valueOf returns the value of few digits: it is called where a number of a few thousand has just wrapped round.
func valueOf(b []byte) uint64 {
	var v uint64
	for _, c := range b {
		v = v*base + uint64(digit(c))
	}
	return v
}

// pow returns 62^n. For n above 10 it wraps round, as valueOf does: the callers' differences are small and stay right
// modulo 2^64.
func pow(n int) uint64 {
	v := uint64(1)
	for range n {
		v *= base
	}
	return v
}

// nextHead returns the head of the next greater length and its digits; 0 behind z.
func nextHead(h byte) (head byte, n int) {
	switch h {
	case 'z':
		return 0, 0
	case 'Z':
		return 'a', 1
	}
	return h + 1, digitsAfter(h + 1)
}

// previousHead returns the head of the next smaller length and its digits; 0 before A.
func previousHead(h byte) (head byte, n int) {
	switch h {
	case 'A':
		return 0, 0
	case 'a':
		return 'Z', 1
	}
	return h - 1, digitsAfter(h - 1)
}
