package soak

import "time"

// What is promised: docs/operations.md, "Objectives".
const (
	availability = 0.999                  // of requests are answered without 5xx
	promptness   = 0.99                   // of those answered are
	promptWithin = 200 * time.Millisecond // within this
)

// Count is how requests ended, as clients saw them: every attempt counts.
type Count struct {
	Requests int64 `json:"requests"`
	Failed   int64 `json:"failed"` // no answer, a broken one, 429 or 5xx
	Timed    int64 `json:"timed"`  // answered, and of a kind that has a limit; imports have none
	Late     int64 `json:"late"`   // of these, beyond the limit
	Missed   int64 `json:"missed"` // not sent at all: their client still waited for an answer
}

func (c Count) plus(o Count) Count {
	return Count{c.Requests + o.Requests, c.Failed + o.Failed, c.Timed + o.Timed, c.Late + o.Late, c.Missed + o.Missed}
}

// Budget says how much of what may go wrong went wrong.
type Budget struct {
	Count

	FailedShare float64 `json:"failedShare"` // of all requests
	LateShare   float64 `json:"lateShare"`   // of those timed
	// AvailabilityUsed and LatencyUsed are the shares in relation to what is allowed: 1 is all of the budget of this time.
	AvailabilityUsed float64 `json:"availabilityUsed"`
	LatencyUsed      float64 `json:"latencyUsed"`
}

// budget holds a count against the objectives.
func budget(c Count) Budget {
	b := Budget{Count: c, FailedShare: share(c.Failed, c.Requests), LateShare: share(c.Late, c.Timed)}
	b.AvailabilityUsed = b.FailedShare / (1 - availability)
	b.LatencyUsed = b.LateShare / (1 - promptness)
	return b
}

func share(part, all int64) float64 {
	if all == 0 {
		return 0
	}
	return float64(part) / float64(all)
}
