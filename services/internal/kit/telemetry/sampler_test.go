package telemetry

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"io"
	"math"
	"strings"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// traceIDs returns n different ids as a caller might count them up.
func traceIDs(n int) []trace.TraceID {
	ids := make([]trace.TraceID, n)
	for i := range ids {
		binary.BigEndian.PutUint64(ids[i][8:], uint64(i)+1)
	}
	return ids
}

func TestTheSamplerKeepsItsShareWhateverTheIDs(t *testing.T) {
	t.Parallel()
	const n = 20_000
	s := Sampler{Ratio: 0.1, Key: []byte("salt")}
	sampled := 0
	for _, id := range traceIDs(n) {
		if s.Sampled(id) {
			sampled++
		}
	}
	if share := float64(sampled) / n; math.Abs(share-s.Ratio) > 0.01 { // 4.7 standard deviations; and it never varies
		t.Errorf("%v of the traces", share)
	}
}

func TestTheSamplersEdges(t *testing.T) {
	t.Parallel()
	for ratio, want := range map[float64]bool{0: false, -1: false, math.NaN(): false, 1: true, 2: true} {
		s := Sampler{Ratio: ratio}
		for _, id := range traceIDs(100) {
			if s.Sampled(id) != want {
				t.Fatalf("ratio %v: not %v", ratio, want)
			}
		}
	}
}

func TestWhoSharesTheKeySharesTheAnswer(t *testing.T) {
	t.Parallel()
	a, same, other := Sampler{0.5, []byte("k")}, Sampler{0.5, []byte("k")}, Sampler{0.5, []byte("l")}
	wider := Sampler{0.75, []byte("k")}
	differ := 0
	for _, id := range traceIDs(1000) {
		if a.Sampled(id) != same.Sampled(id) {
			t.Fatal("two answers with one key")
		}
		if a.Sampled(id) != other.Sampled(id) {
			differ++
		}
		if a.Sampled(id) && !wider.Sampled(id) {
			t.Fatal("a greater share leaves out a trace of the smaller one")
		}
	}
	if differ < 300 {
		t.Errorf("another key changes only %d answers of 1000", differ)
	}
}

func TestTheAnswerIsAnHMAC(t *testing.T) {
	t.Parallel()
	for _, length := range []int{0, 1, 32, sha256.BlockSize, sha256.BlockSize + 1, 200} {
		s := Sampler{Key: bytes.Repeat([]byte{7}, length)}
		for _, id := range traceIDs(3) {
			want := hmac.New(sha256.New, s.Key)
			want.Write(id[:])
			if got := s.mac(id); !hmac.Equal(got[:], want.Sum(nil)) {
				t.Errorf("key of %d bytes: %x", length, got)
			}
		}
	}
}

func TestAKeyIsMadeUpWhereNoneIsGiven(t *testing.T) {
	t.Parallel()
	a, err := newSampler(Config{SampleRatio: 0.5})
	if err != nil {
		t.Fatal(err)
	}
	b, err := newSampler(Config{SampleRatio: 0.5})
	if err != nil || len(a.Key) < 16 || string(a.Key) == string(b.Key) {
		t.Errorf("keys %x and %x, %v", a.Key, b.Key, err)
	}
	given, err := newSampler(Config{SampleRatio: 0.5, SampleKey: "salt"})
	if err != nil || string(given.Key) != "salt" || given.Ratio != 0.5 {
		t.Errorf("got %+v, %v", given, err)
	}
}

//nolint:paralleltest // see begin
func TestRootsAreChosenByTheKey(t *testing.T) {
	tel := begin(t, Config{SampleRatio: 0.5, SampleKey: "salt", LogWriter: io.Discard}, map[string]string{
		"OTEL_TRACES_EXPORTER": "console", "OTEL_METRICS_EXPORTER": "none",
	})
	defer end(t, tel)
	for range 100 {
		_, span := tel.Tracer.Start(t.Context(), "x", trace.WithNewRoot())
		sc := span.SpanContext()
		if sc.IsSampled() != tel.Sampler.Sampled(sc.TraceID()) || sc.IsSampled() != (Sampler{0.5, []byte("salt")}).Sampled(sc.TraceID()) {
			t.Fatalf("trace %s: sampled %v", sc.TraceID(), sc.IsSampled())
		}
	}
}

func TestTheStandardSamplersAreSharesOfOurs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		sampler, arg string
		want         float64 // negative: refused
	}{
		{"", "", 0.5},
		{"", "0.1", 0.5}, // an argument alone is none of a sampler's
		{"always_on", "", 1},
		{"parentbased_always_on", "0.1", 1},
		{"always_off", "", 0},
		{"parentbased_always_off", "", 0},
		{"traceidratio", "0.25", 0.25},
		{" ParentBased_TraceIDRatio ", "0.25", 0.25},
		{"parentbased_traceidratio", "", 1},
		{"traceidratio", "2", -1},
		{"traceidratio", "NaN", -1},
		{"traceidratio", "half", -1},
		{"jaeger_remote", "", -1},
		{"parentbased_", "", -1},
		{"parentbased_jaeger_remote", "endpoint=x", -1},
	} {
		s, err := newSampler(Config{SampleRatio: 0.5, SampleKey: "salt", TracesSampler: c.sampler, TracesSamplerArg: c.arg})
		switch {
		case c.want < 0:
			if err == nil || !strings.Contains(err.Error(), "OTEL_TRACES_SAMPLER") {
				t.Errorf("%q with %q: %v", c.sampler, c.arg, err)
			}
		case err != nil || s.Ratio != c.want || string(s.Key) != "salt":
			t.Errorf("%q with %q: %+v, %v", c.sampler, c.arg, s, err)
		}
	}
}

// Callers' traces are marked by Sampler and roots by the SDK: with a standard sampler as well, both must say the same.
//
//nolint:paralleltest // see begin
func TestAStandardSamplerChoosesByTheKey(t *testing.T) {
	environ := map[string]string{
		"OTEL_TRACES_EXPORTER": "console", "OTEL_METRICS_EXPORTER": "none", "OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.5",
	}
	tel := begin(t, Config{
		SampleRatio: 1, SampleKey: "salt", LogWriter: io.Discard, TracesSampler: environ["OTEL_TRACES_SAMPLER"], TracesSamplerArg: environ["OTEL_TRACES_SAMPLER_ARG"],
	}, environ)
	defer end(t, tel)
	for range 100 {
		_, span := tel.Tracer.Start(t.Context(), "x", trace.WithNewRoot())
		sc := span.SpanContext()
		if want := (Sampler{0.5, []byte("salt")}).Sampled(sc.TraceID()); sc.IsSampled() != want || tel.Sampler.Sampled(sc.TraceID()) != want {
			t.Fatalf("trace %s: sampled %v, want %v", sc.TraceID(), sc.IsSampled(), want)
		}
	}
	not := ContextWithTraceparent(t.Context(), strings.TrimSuffix(parent, "1")+"0")
	if _, child := tel.Tracer.Start(not, "x"); child.SpanContext().IsSampled() {
		t.Error("the child of an unrecorded parent is recorded")
	}
}

func TestARootIsRecordedForTheSakeOfWhatItLinksTo(t *testing.T) {
	t.Parallel()
	recorded, _ := LinkTo(parent)
	not := trace.Link{SpanContext: recorded.SpanContext.WithTraceFlags(0)}
	for _, c := range []struct {
		ratio float64
		kind  trace.SpanKind
		links []trace.Link
		want  bool
	}{
		{0, trace.SpanKindConsumer, []trace.Link{not, recorded}, true},
		{1, trace.SpanKindConsumer, []trace.Link{not}, false},
		{1, trace.SpanKindProducer, []trace.Link{not}, false},
		{1, trace.SpanKindConsumer, nil, true},
		{0, trace.SpanKindConsumer, nil, false},
		{0, trace.SpanKindServer, []trace.Link{recorded}, false},
		{1, trace.SpanKindServer, []trace.Link{not}, true},
	} {
		got := rootSampler{Sampler{Ratio: c.ratio}}.ShouldSample(sdktrace.SamplingParameters{ParentContext: t.Context(), Kind: c.kind, Links: c.links})
		if (got.Decision == sdktrace.RecordAndSample) != c.want {
			t.Errorf("%+v: %v", c, got.Decision)
		}
	}
}

func BenchmarkSampled(b *testing.B) {
	s, ids := Sampler{0.01, make([]byte, sampleKeySize)}, traceIDs(1)
	b.ReportAllocs()
	for b.Loop() {
		s.Sampled(ids[0])
	}
}
