package traces

import (
	"testing"
	"time"
)

func TestBufferIsASource(t *testing.T) {
	t.Parallel()
	b := NewBuffer(BufferConfig{Now: func() time.Time { return origin }})
	for _, s := range append(append(oneClick(), failedRequest()...), batch()...) {
		if err := b.UploadTraces(t.Context(), otlp(t, s)); err != nil {
			t.Fatal(err)
		}
	}
	exercise(t, b)
}
