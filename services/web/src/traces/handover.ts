// Hands between spans: from a message's producer to those who take it, across the queue.
import type { Span } from '../api/types';

export interface Handover {
  from: string;
  to: string;
  /** Milliseconds the message waited; negative where the clocks or the queue make it so. */
  waitMs: number;
}

/** The handovers of a trace: consumer spans whose parent, or a link within the trace, is a producer; and consumers whose parent has ended. */
export function handovers(spans: readonly Span[], traceId: string): Handover[] {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const out: Handover[] = [];
  for (const span of spans) {
    if (span.kind !== 'consumer') continue;
    const sources = new Set([span.parentId ?? '', ...span.links.filter((link) => link.traceId === traceId).map((link) => link.spanId)]);
    for (const id of sources) {
      const source = byId.get(id);
      if (!source || source === span) continue;
      out.push({ from: id, to: span.spanId, waitMs: span.offsetMs - (source.offsetMs + source.durationMs) });
    }
  }
  return out;
}

/** Time between the end of a span's parent and its own start, where it began only afterwards: a gap nobody worked in. */
export function waitAfter(span: Span, parent: Span | undefined): number {
  return parent ? Math.max(0, span.offsetMs - parent.offsetMs - parent.durationMs) : 0;
}

/** Links of a span that lead to other traces. */
export function foreignLinks(span: Span, traceId: string): Span['links'] {
  return span.links.filter((link) => link.traceId !== traceId);
}
