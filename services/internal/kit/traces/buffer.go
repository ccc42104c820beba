package traces

import (
	"container/list"
	"context"
	"slices"
	"sync"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
)

// BufferConfig bounds a Buffer. It is no part of a service's configuration: who makes a buffer decides.
type BufferConfig struct {
	// Traces is the number of traces kept at most; the oldest leave first. Zero means 2,000.
	Traces int
	// Bytes is the memory of all kept spans at most, as estimated from their texts and numbers. Zero means 32 MiB.
	Bytes int
	// MaxSpans is the number of spans of one trace at most; further ones are counted and dropped. Zero means 2,000.
	MaxSpans int
	// OnBrowser is told what was kept of each request of a browser, by trace id, freed of what is not trusted; nil: nobody
	// is. It must neither wait nor change the spans.
	OnBrowser func(map[string][]Span)
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

const (
	defaultTraces = 2000
	defaultBytes  = 32 << 20
	defaultSpans  = 2000
)

// Limits of what browsers may occupy.
const (
	// maxBrowserSpans and maxBrowserBytes bound what browsers add to one trace.
	maxBrowserSpans = 200
	maxBrowserBytes = 64 << 10
	// maxWaiting is the number of traces of which only a browser has told so far, and waitFor is how long they are kept.
	// They are not found before a service has told of them, too.
	maxWaiting = 200
	waitFor    = time.Minute
	// waitingShare is the part of BufferConfig.Bytes that these may occupy: one of so many.
	waitingShare = 8
)

// Limits of single traces.
const (
	// traceShare is the part of BufferConfig.Bytes that one trace may occupy: one of so many.
	traceShare = 4
	// maxLinkedBy is the number of traces with links to one that are remembered, the newest.
	maxLinkedBy = 100
	// maxLinked is the number of traces that one may link to and be found from.
	maxLinked = 1000
)

// Buffer keeps the newest traces in memory. It receives the spans of services as an otlptrace.Client, and those of browsers
// by ServeBrowser. Spans that come late join their trace; when there is no room, the trace that came first leaves as a
// whole. It is safe for concurrent use and runs no goroutine.
type Buffer struct {
	cfg BufferConfig

	mu       sync.Mutex
	entries  map[string]*entry
	kept     ring                // traces of which a service has told
	waiting  ring                // traces of which only browsers have told
	linkedBy map[string][]string // trace → those with links to it, oldest first
}

// ring is traces, the oldest first, and their bytes.
type ring struct {
	order list.List // of *entry
	bytes int
}

// entry is one trace. Its slices grow by append only, and are replaced where a span is: who has read their headers
// under the lock may go on reading without.
type entry struct {
	id      string
	place   *list.Element
	waiting bool
	since   time.Time // of its first span's arrival
	spans   []Span
	index   map[string]int // span id → place in spans
	browser struct{ spans, bytes int }
	bytes   int
	dropped int
	links   []string // distinct traces this one links to
	digest  *digest  // nil: not made since the last span came
}

var _ Source = (*Buffer)(nil)

// NewBuffer returns an empty buffer.
func NewBuffer(cfg BufferConfig) *Buffer {
	if cfg.Traces <= 0 {
		cfg.Traces = defaultTraces
	}
	if cfg.Bytes <= 0 {
		cfg.Bytes = defaultBytes
	}
	if cfg.MaxSpans <= 0 {
		cfg.MaxSpans = defaultSpans
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Buffer{cfg: cfg, entries: map[string]*entry{}, linkedBy: map[string][]string{}}
}

// Start does nothing; it is there for otlptrace.Client.
func (b *Buffer) Start(context.Context) error { return nil }

// Stop does nothing; it is there for otlptrace.Client. The buffer may be used by several exporters, and read after them.
func (b *Buffer) Stop(context.Context) error { return nil }

// UploadTraces takes in spans of services of this process, which are trusted. It keeps none of its arguments and never
// fails.
func (b *Buffer) UploadTraces(_ context.Context, spans []*tracepb.ResourceSpans) error {
	b.add(convert(spans), false)
	return nil
}

// add takes spans in and returns how many of them were dropped.
func (b *Buffer) add(spans []received, fromBrowser bool) (dropped int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.cfg.Now()
	for i := range spans {
		e := b.entry(spans[i].traceID, fromBrowser, now)
		if !b.addSpan(e, &spans[i].span, fromBrowser) {
			e.dropped++
			dropped++
		}
	}
	b.evict(now)
	return dropped
}

// entry returns the trace with the id, new if need be. A trace that waited for a service becomes a kept one when a
// service tells of it.
func (b *Buffer) entry(id string, fromBrowser bool, now time.Time) *entry {
	e, known := b.entries[id]
	switch {
	case !known:
		e = &entry{id: id, since: now, waiting: fromBrowser, index: map[string]int{}}
		b.entries[id] = e
		e.place = b.ringOf(e).order.PushBack(e)
	case e.waiting && !fromBrowser:
		b.waiting.order.Remove(e.place)
		b.waiting.bytes -= e.bytes
		e.waiting, e.since = false, now
		e.place = b.kept.order.PushBack(e)
		b.kept.bytes += e.bytes
	}
	return e
}

func (b *Buffer) ringOf(e *entry) *ring {
	if e.waiting {
		return &b.waiting
	}
	return &b.kept
}

// addSpan reports whether the span is part of the trace now. A span that is there already stays as it is, unless it came
// from a browser and this one from a service: nobody can take the place of a service's span by being first.
func (b *Buffer) addSpan(e *entry, s *Span, fromBrowser bool) bool {
	size := sizeOf(s)
	at, known := e.index[s.SpanID]
	switch {
	case known && (fromBrowser || e.spans[at].Service != BrowserService || s.Service == BrowserService):
		return true
	case known:
		old := sizeOf(&e.spans[at])
		e.browser.spans--
		e.browser.bytes -= old
		b.grow(e, size-old)
		e.spans = slices.Clone(e.spans)
		e.spans[at] = *s
	case len(e.spans) >= b.cfg.MaxSpans, e.bytes+size > b.cfg.Bytes/traceShare,
		fromBrowser && (e.browser.spans >= maxBrowserSpans || e.browser.bytes+size > maxBrowserBytes):
		return false
	default:
		if fromBrowser {
			e.browser.spans++
			e.browser.bytes += size
		}
		b.grow(e, size)
		e.index[s.SpanID] = len(e.spans)
		e.spans = append(e.spans, *s)
	}
	e.digest = nil
	b.link(e, s.Links)
	return true
}

func (b *Buffer) grow(e *entry, by int) {
	e.bytes += by
	b.ringOf(e).bytes += by
}

// link remembers which traces this one goes back to.
func (b *Buffer) link(e *entry, links []Link) {
	for _, l := range links {
		if len(e.links) >= maxLinked || l.TraceID == e.id || slices.Contains(e.links, l.TraceID) {
			continue
		}
		e.links = append(e.links, l.TraceID)
		by := slices.Concat(b.linkedBy[l.TraceID], []string{e.id})
		b.linkedBy[l.TraceID] = by[max(0, len(by)-maxLinkedBy):]
	}
}

// evict makes room: by number, by bytes, and by age for traces that wait for a service.
func (b *Buffer) evict(now time.Time) {
	for b.kept.order.Len() > b.cfg.Traces || b.kept.bytes > b.cfg.Bytes && b.kept.order.Len() > 1 {
		b.remove(b.kept.order.Front())
	}
	for front := b.waiting.order.Front(); front != nil; front = b.waiting.order.Front() {
		oldest, _ := front.Value.(*entry)
		if b.waiting.order.Len() <= maxWaiting && b.waiting.bytes <= b.cfg.Bytes/waitingShare && now.Sub(oldest.since) <= waitFor {
			break
		}
		b.remove(front)
	}
}

func (b *Buffer) remove(place *list.Element) {
	e, _ := place.Value.(*entry)
	ring := b.ringOf(e)
	ring.order.Remove(place)
	ring.bytes -= e.bytes
	delete(b.entries, e.id)
	for _, target := range e.links {
		left := slices.DeleteFunc(slices.Clone(b.linkedBy[target]), func(id string) bool { return id == e.id })
		if len(left) == 0 {
			delete(b.linkedBy, target)
		} else {
			b.linkedBy[target] = left
		}
	}
}

// What a span costs beside its texts, in bytes: the struct with its place in the index, and one attribute in a map.
const (
	spanCost      = 400
	attributeCost = 64
	eventCost     = 72
	linkCost      = 32 + 2*(traceIDBytes+spanIDBytes)
)

// sizeOf estimates the memory of a span, in bytes.
func sizeOf(s *Span) int {
	n := spanCost + len(s.Name) + len(s.StatusMessage) + sizeOfAttributes(s.Attributes) + len(s.Links)*linkCost
	for i := range s.Events {
		n += eventCost + len(s.Events[i].Name) + sizeOfAttributes(s.Events[i].Attributes)
	}
	return n
}

func sizeOfAttributes(attributes map[string]any) int {
	n := 0
	for key, v := range attributes {
		n += attributeCost + len(key) + sizeOfValue(v)
	}
	return n
}

func sizeOfValue(v any) int {
	switch v := v.(type) {
	case string:
		return len(v)
	case []any:
		n := 0
		for _, item := range v {
			n += 16 + sizeOfValue(item)
		}
		return n
	}
	return 8
}
