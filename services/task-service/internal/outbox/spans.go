package outbox

// Limits of spanBudget.
const (
	maxSpansPerTrace = 32   // publish spans in one trace
	maxTraces        = 1024 // traces remembered
)

// Lengths of a W3C traceparent of version 00: "00-" trace id "-" span id "-" flags.
const (
	traceparentLength = 55
	traceEnd          = 35
)

// spanBudget keeps traces readable: of a bulk edit or an import, whose thousands of events all continue one trace, only
// the first few get a span for their publishing. The rest travel with the trace's id, marked as not sampled.
// Used by one goroutine at a time.
type spanBudget struct{ spent map[string]int }

// limit returns the traceparent to send in place of an event's own.
func (b *spanBudget) limit(traceparent string) string {
	if len(traceparent) != traceparentLength {
		return ""
	}
	if b.spent == nil || len(b.spent) >= maxTraces {
		b.spent = make(map[string]int, maxTraces)
	}
	trace := traceparent[:traceEnd]
	if b.spent[trace]++; b.spent[trace] <= maxSpansPerTrace {
		return traceparent
	}
	return traceparent[:traceparentLength-2] + "00"
}
