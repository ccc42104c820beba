// Package signals holds the tests of what the whole product says about itself: one trace for one change, none for a
// change that is not sampled, and nothing of what people wrote in traces, metrics or logs.
package signals
