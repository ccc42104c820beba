package traces

import (
	"encoding/hex"
	"testing"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
)

func TestParentThatAnEdgeWithoutSpansMadeUpIsNone(t *testing.T) {
	t.Parallel()
	const traceID = "b5bbc92f3d12b892e97d0f80e009c4e4"
	id := func(text string) []byte {
		raw, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	for parent, want := range map[string]string{traceID[16:]: "", "b7ad6b7169203331": "b7ad6b7169203331"} {
		got, ok := convertSpan(&tracepb.Span{TraceId: id(traceID), SpanId: id("00f067aa0ba902b7"), ParentSpanId: id(parent)})
		if !ok || got.span.ParentID != want {
			t.Errorf("from OTLP: parent %q, want %q", got.span.ParentID, want)
		}
		span := Span{SpanID: "00f067aa0ba902b7"}
		span.refer([]jaegerReference{{Type: "CHILD_OF", TraceID: traceID, SpanID: parent}}, traceID)
		if span.ParentID != want {
			t.Errorf("from Jaeger: parent %q, want %q", span.ParentID, want)
		}
	}
}
