package traces

import (
	"context"
	"slices"
	"time"
)

// Trace implements Source.
func (b *Buffer) Trace(ctx context.Context, id string) (*Trace, error) {
	id, err := CheckTraceID(id)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	e, known := b.entries[id]
	if !known || e.waiting {
		b.mu.Unlock()
		return nil, notFound()
	}
	spans, dropped, linkedBy := e.spans, e.dropped, slices.Clone(b.linkedBy[id])
	b.mu.Unlock()
	t, err := assemble(ctx, id, slices.Clone(spans))
	if err != nil {
		return nil, err
	}
	slices.Reverse(linkedBy)
	t.Dropped, t.LinkedBy = dropped, linkedBy
	return t, nil
}

// Search implements Source. It looks at all kept traces; what it learns of each is remembered until a span is added.
func (b *Buffer) Search(ctx context.Context, q Query) ([]Summary, error) {
	var found []*digest
	for _, s := range b.snapshot() {
		d, err := b.digestOf(ctx, s)
		if err != nil {
			return nil, err
		}
		if d.matches(&q) {
			found = append(found, d)
		}
	}
	return newest(found, q.limit()), nil
}

// Graph implements Source.
func (b *Buffer) Graph(ctx context.Context, since time.Time) (*Graph, error) {
	all := b.snapshot()
	g := newGraphBuilder()
	for _, s := range all {
		g.learn(s.entry.id, s.spans)
	}
	for _, s := range all {
		d, err := b.digestOf(ctx, s)
		if err != nil {
			return nil, err
		}
		if inWindow(d.Start, since, time.Time{}) {
			g.add(s.spans)
		}
	}
	return g.graph(), nil
}

// Settings implements Source.
func (b *Buffer) Settings() Settings { return Settings{Source: SourceBuffer, Capacity: b.cfg.Traces} }

// snapshot is a kept trace as it stood at a moment. Only spans and digest may be read without the lock.
type snapshot struct {
	entry  *entry
	spans  []Span
	digest *digest
}

func (b *Buffer) snapshot() []snapshot {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]snapshot, 0, b.kept.order.Len())
	for place := b.kept.order.Front(); place != nil; place = place.Next() {
		e, _ := place.Value.(*entry)
		out = append(out, snapshot{e, e.spans, e.digest})
	}
	return out
}

// digestOf returns what a search looks at; made without the lock, and remembered if the trace is still as it was.
// It fails only with the error of ctx.
func (b *Buffer) digestOf(ctx context.Context, s snapshot) (*digest, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if s.digest != nil {
		return s.digest, nil
	}
	d, err := newDigest(ctx, s.entry.id, slices.Clone(s.spans))
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if same := len(s.spans) == len(s.entry.spans) && &s.spans[0] == &s.entry.spans[0]; same {
		s.entry.digest = d
	}
	return d, nil
}
