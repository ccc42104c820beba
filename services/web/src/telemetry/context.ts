// Ids of traces and spans and their W3C form, https://www.w3.org/TR/trace-context/.

/** Names one span of one trace, in lower-case hexadecimal: 32 digits and 16. */
export interface SpanContext {
  traceId: string;
  spanId: string;
}

const hex = (bytes: number) => Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => byte.toString(16).padStart(2, '0')).join('');

export const newTraceId = (): string => hex(16);
export const newSpanId = (): string => hex(8);

/** The header for a request. The flag is a wish: the edge decides what is recorded and says so in `traceresponse`. */
export function traceparent(context: SpanContext): string {
  return `00-${context.traceId}-${context.spanId}-01`;
}

/** Reads a `traceparent` or `traceresponse`; null if it is none. */
export function parseTraceparent(header: string | null | undefined): (SpanContext & { sampled: boolean }) | null {
  const parts = /^00-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-([\da-f]{2})$/.exec(header ?? '');
  return parts && { traceId: parts[1]!, spanId: parts[2]!, sampled: (parseInt(parts[3]!, 16) & 1) === 1 };
}

/** Milliseconds since 1970 with fractions, on a clock that does not jump while a page works. */
export function now(): number {
  const monotonic = performance.timeOrigin + performance.now();
  const wall = Date.now();
  // The monotonic clock stands still while a laptop sleeps.
  return Math.abs(wall - monotonic) > 1_000 ? wall : monotonic;
}
