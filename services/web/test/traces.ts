// Traces for tests.
import type { Span, Trace } from '../src/api/types';

/** A span with what a test says of it. */
export function span(spanId: string, parentId: string | null, offsetMs: number, durationMs: number, more: Partial<Span> = {}): Span {
  return {
    spanId, parentId, offsetMs, durationMs, service: 'task-service', instance: 'a', name: spanId, kind: 'internal', start: new Date(Date.UTC(2026, 10, 2) + offsetMs).toISOString(),
    adjustedMs: 0, error: false, statusMessage: '', attributes: {}, events: [], links: [], ...more,
  };
}

/** A trace of spans. */
export function traceOf(spans: Span[], more: Partial<Trace> = {}): Trace {
  return {
    traceId: 'a'.repeat(32), start: new Date(Date.UTC(2026, 10, 2)).toISOString(), durationMs: Math.max(0, ...spans.map((one) => one.offsetMs + one.durationMs)),
    spans, criticalPath: [], orphans: 0, dropped: 0, linkedBy: [], ...more,
  };
}
