package traces

import (
	"fmt"
	"testing"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
)

// BenchmarkBuffer measures a full buffer: taking in one trace of eleven spans, and a search and a graph over all traces
// after one of them has changed.
func BenchmarkBuffer(b *testing.B) {
	clicks := make([][]*tracepb.ResourceSpans, 4000)
	for i := range clicks {
		spans := oneClick()
		for k := range spans {
			spans[k].trace = fmt.Sprint("t", i)
		}
		clicks[i] = otlp(b, spans...)
	}
	buffer, _ := newTestBuffer(BufferConfig{})
	at := 0
	take := func() {
		if err := buffer.UploadTraces(b.Context(), clicks[at%len(clicks)]); err != nil {
			b.Fatal(err)
		}
		at++
	}
	for range 2000 {
		take()
	}
	b.Run("take in", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			take()
		}
	})
	b.Run("search", func(b *testing.B) {
		for b.Loop() {
			take()
			if _, err := buffer.Search(b.Context(), Query{Task: "WEB-42"}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("graph", func(b *testing.B) {
		for b.Loop() {
			take()
			if _, err := buffer.Graph(b.Context(), time.Time{}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
