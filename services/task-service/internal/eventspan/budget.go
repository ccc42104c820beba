package eventspan

// Limits of a Budget.
const (
	maxSpansPerTrace = 32   // events of one trace that get a span
	maxTraces        = 1024 // traces remembered
)

// Lengths of a W3C traceparent of version 00: "00-" trace id "-" span id "-" flags.
const (
	traceparentLength = 55
	traceEnd          = 35
)

// flagsUnsampled are the flags of a trace that is not recorded, the last two digits of a traceparent.
const flagsUnsampled = "00"

// Budget keeps traces readable: of a bulk edit or an import, whose thousands of events all continue one trace, only the
// first few get a span of their own. The zero value is ready; it is used by one goroutine at a time.
type Budget struct{ spent map[string]spent }

// spent is what one trace has had.
type spent struct {
	n    int
	upto int64 // highest position that got a span
}

// Limit returns the traceparent to go on with in place of an event's own: the same, or marked as not sampled once the
// trace has had its share. It returns "" for what is no traceparent. Events come in order of position; asked again about
// one, as after a failure, it answers as before.
func (b *Budget) Limit(traceparent string, pos int64) string {
	if len(traceparent) != traceparentLength {
		return ""
	}
	if !Sampled(traceparent) {
		return traceparent
	}
	if b.spent == nil || len(b.spent) >= maxTraces {
		b.spent = make(map[string]spent, maxTraces)
	}
	trace := traceparent[:traceEnd]
	s := b.spent[trace]
	switch {
	case pos <= s.upto:
		return traceparent
	case s.n < maxSpansPerTrace:
		b.spent[trace] = spent{s.n + 1, pos}
		return traceparent
	}
	return traceparent[:traceparentLength-len(flagsUnsampled)] + flagsUnsampled
}

// Sampled reports whether the trace that a traceparent names is recorded: the lowest bit of its flags says so.
func Sampled(traceparent string) bool {
	if len(traceparent) != traceparentLength {
		return false
	}
	switch traceparent[traceparentLength-1] {
	case '1', '3', '5', '7', '9', 'b', 'd', 'f':
		return true
	}
	return false
}
