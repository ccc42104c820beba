package consumer

import "github.com/tallyboard/tallyboard/services/internal/kit/jsbus"

// passed is how progress must not be measured: see [seeded.StreamSequenceCursor]. A stream that was made anew counts from 1
// again, and everything in it seems to be known.
func (a *applier) passed(d jsbus.Delivery) bool {
	if d.StreamSeq <= a.sequence {
		return true
	}
	a.sequence = d.StreamSeq
	return false
}
