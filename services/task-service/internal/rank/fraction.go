package rank

// within returns integer + f with lower < f < upper as fractions. openEnd: there is no upper fraction.
func within(r Random, integer, lower, upper string, openEnd bool) (string, error) {
	prefix, lo, hi, block, err := gap(integer, lower, upper, openEnd, minRoom)
	if err != nil {
		return "", err
	}
	room := hi - lo - 1
	step := 1 + r.below(min(room, jitter))
	at := hi - step
	if block%2 == 1 {
		at = lo + step
	}
	return prefix + encode(at), nil
}

// spreadWithin returns n ranks integer + f with lower < f < upper, evenly spread.
func spreadWithin(r Random, integer, lower, upper string, openEnd bool, n int) ([]string, error) {
	if n == 0 {
		return nil, nil
	}
	prefix, lo, hi, _, err := gap(integer, lower, upper, openEnd, uint64(n)*minRoom)
	if err != nil {
		return nil, err
	}
	out := make([]string, n)
	slot := (hi - lo - 1) / uint64(n) // at least 1: see gap
	for i := range out {
		out[i] = prefix + encode(lo+1+uint64(i)*slot+r.below(slot))
	}
	return out, nil
}

// gap finds the first block where at least room values lie between lower and upper. It returns the text in front of the
// block and the open interval (lo, hi) of the values of the block; lo is at least 0, so a value is never 0. If only
// narrower gaps fit into MaxLength, the widest of those is returned, and ErrFull if there is none.
func gap(integer, lower, upper string, openEnd bool, room uint64) (prefix string, lo, hi uint64, block int, err error) {
	prefix = integer
	room = min(room, blockSize-1)
	var best struct {
		prefix string
		lo, hi uint64
		block  int
	}
	for block = 0; len(prefix)+blockLen <= MaxLength; block++ {
		lo, hi = decode(lower, block), blockSize
		if !openEnd {
			hi = decode(upper, block)
		}
		if hi > lo+1 {
			if hi-lo-1 >= room {
				return prefix, lo, hi, block, nil
			}
			if hi-lo > best.hi-best.lo {
				best.prefix, best.lo, best.hi, best.block = prefix, lo, hi, block
			}
		}
		if lo < hi {
			openEnd = true // what follows the lower one's block is below the upper one, whatever it is
		}
		prefix += encode(lo)
	}
	if best.hi > best.lo+1 && (best.hi-best.lo-1)*minRoom >= room {
		return best.prefix, best.lo, best.hi, best.block, nil
	}
	return "", 0, 0, 0, ErrFull
}

// decode returns the value of a block of a fraction; blocks behind its end count 0.
func decode(fraction string, block int) uint64 {
	at := block * blockLen
	if at >= len(fraction) {
		return 0
	}
	var v uint64
	for _, c := range []byte(fraction[at : at+blockLen]) {
		v = v*base + uint64(digit(c))
	}
	return v
}

func encode(v uint64) string {
	var b [blockLen]byte
	for i := blockLen - 1; i >= 0; i-- {
		b[i], v = digits[v%base], v/base
	}
	return string(b[:])
}
