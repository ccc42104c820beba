package consumer

import (
	"testing"

	"github.com/tallyboard/tallyboard/services/internal/kit/jsbus"
)

// TestPassed demands that the bug does what it is for: it takes a stream that counts anew for one that it knows.
func TestPassed(t *testing.T) {
	t.Parallel()
	var a applier
	for i, c := range []struct {
		sequence uint64
		passed   bool
	}{{1, false}, {2, false}, {2, true}, {7, false}, {1, true}, {6, true}, {8, false}} {
		if got := a.passed(jsbus.Delivery{StreamSeq: c.sequence}); got != c.passed {
			t.Errorf("message %d, number %d: %v", i+1, c.sequence, got)
		}
	}
}
