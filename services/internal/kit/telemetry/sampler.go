package telemetry

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// sampleKeySize is the length of a random sampling key, in bytes.
const sampleKeySize = 32

// Sampler decides which traces are recorded: those whose id, put through HMAC-SHA256 with a secret key, falls into the
// share Ratio. Everyone who has the key gives a trace the same answer, however many of its requests and spans they see,
// and whoever chooses trace ids without knowing the key cannot choose the answer. The zero value records nothing.
type Sampler struct {
	// Ratio is the share of traces that are recorded, 0 to 1.
	Ratio float64
	// Key is the secret; replicas and the edge share it.
	Key []byte
}

// Sampled reports whether the trace with that id is recorded.
func (s Sampler) Sampled(id trace.TraceID) bool {
	switch {
	case s.Ratio >= 1:
		return true
	case !(s.Ratio > 0): // NaN included
		return false
	}
	mac := hmac.New(sha256.New, s.Key)
	mac.Write(id[:])
	var sum [sha256.Size]byte
	return float64(binary.BigEndian.Uint64(mac.Sum(sum[:0]))) < s.Ratio*math.MaxUint64
}

// newSampler returns the sampler that cfg asks for, with a key of this process's own if it has none.
func newSampler(cfg Config) (Sampler, error) {
	s := Sampler{Ratio: cfg.SampleRatio, Key: []byte(cfg.SampleKey)}
	if len(s.Key) == 0 {
		s.Key = make([]byte, sampleKeySize)
		if _, err := rand.Read(s.Key); err != nil {
			return Sampler{}, fmt.Errorf("sampling key: %w", err)
		}
	}
	return s, nil
}

// rootSampler is a Sampler as the SDK wants it, for spans without a parent.
type rootSampler struct{ Sampler }

func (s rootSampler) ShouldSample(p sdktrace.SamplingParameters) sdktrace.SamplingResult {
	result := sdktrace.SamplingResult{Decision: sdktrace.Drop, Tracestate: trace.SpanContextFromContext(p.ParentContext).TraceState()}
	if s.Sampled(p.TraceID) {
		result.Decision = sdktrace.RecordAndSample
	}
	return result
}

func (s rootSampler) Description() string { return fmt.Sprintf("KeyedTraceID{%g}", s.Ratio) }
