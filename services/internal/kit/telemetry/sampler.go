package telemetry

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

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
	sum := s.mac(id)
	return float64(binary.BigEndian.Uint64(sum[:])) < s.Ratio*math.MaxUint64
}

// The padding of HMAC (RFC 2104).
const (
	innerPad = 0x36
	outerPad = 0x5c
)

// mac is HMAC-SHA256 of the id, written out because it runs for each request: crypto/hmac allocates its state anew.
func (s Sampler) mac(id trace.TraceID) [sha256.Size]byte {
	key := s.Key
	if len(key) > sha256.BlockSize {
		sum := sha256.Sum256(key)
		key = sum[:]
	}
	var inner [sha256.BlockSize + len(id)]byte
	var outer [sha256.BlockSize + sha256.Size]byte
	copy(inner[:], key)
	copy(outer[:], key)
	for i := range sha256.BlockSize {
		inner[i] ^= innerPad
		outer[i] ^= outerPad
	}
	copy(inner[sha256.BlockSize:], id[:])
	sum := sha256.Sum256(inner[:])
	copy(outer[sha256.BlockSize:], sum[:])
	return sha256.Sum256(outer[:])
}

// newSampler returns the sampler that cfg asks for, with a key of this process's own if it has none.
func newSampler(cfg Config) (Sampler, error) {
	ratio, err := sampleRatio(cfg)
	if err != nil {
		return Sampler{}, err
	}
	s := Sampler{Ratio: ratio, Key: []byte(cfg.SampleKey)}
	if len(s.Key) == 0 {
		s.Key = make([]byte, sampleKeySize)
		if _, err := rand.Read(s.Key); err != nil {
			return Sampler{}, fmt.Errorf("sampling key: %w", err)
		}
	}
	return s, nil
}

// sampleRatio returns the share of new traces that cfg wants recorded.
func sampleRatio(cfg Config) (float64, error) {
	inShare := func(ratio float64) bool { return ratio >= 0 && ratio <= 1 } // NaN is not
	if !inShare(cfg.SampleRatio) {
		return 0, fmt.Errorf("TRACE_SAMPLE_RATIO must be from 0 to 1, not %v", cfg.SampleRatio)
	}
	name := strings.ToLower(strings.TrimSpace(cfg.TracesSampler)) // as the SDK reads it
	switch strings.TrimPrefix(name, "parentbased_") {
	case "":
		if name == "" {
			return cfg.SampleRatio, nil
		}
	case "always_on":
		return 1, nil
	case "always_off":
		return 0, nil
	case "traceidratio":
		arg := strings.TrimSpace(cfg.TracesSamplerArg)
		if arg == "" {
			return 1, nil
		}
		ratio, err := strconv.ParseFloat(arg, 64)
		if err != nil || !inShare(ratio) {
			return 0, fmt.Errorf("OTEL_TRACES_SAMPLER_ARG must be from 0 to 1, not %q", cfg.TracesSamplerArg)
		}
		return ratio, nil
	}
	return 0, fmt.Errorf("OTEL_TRACES_SAMPLER must be always_on, always_off or traceidratio, each with or without parentbased_, not %q", cfg.TracesSampler)
}

// rootSampler is a Sampler as the SDK wants it, for spans without a parent. A root that links to other traces, such as a
// batch's or that of an event published late, is there for their sake: it is recorded if one of them is, so that a trace
// which is recorded leads on, and one which is not leaves no span anywhere. Of a server's span the links are what a
// caller claims, and decide nothing.
type rootSampler struct{ Sampler }

func (s rootSampler) ShouldSample(p sdktrace.SamplingParameters) sdktrace.SamplingResult {
	result := sdktrace.SamplingResult{Decision: sdktrace.Drop, Tracestate: trace.SpanContextFromContext(p.ParentContext).TraceState()}
	var sampled bool
	if p.Kind == trace.SpanKindServer || len(p.Links) == 0 {
		sampled = s.Sampled(p.TraceID)
	} else {
		sampled = slices.ContainsFunc(p.Links, func(l trace.Link) bool { return l.SpanContext.IsSampled() })
	}
	if sampled {
		result.Decision = sdktrace.RecordAndSample
	}
	return result
}

func (s rootSampler) Description() string { return fmt.Sprintf("KeyedTraceID{%g}", s.Ratio) }
