// OTLP as JSON: ids in hexadecimal, times as text in nanoseconds.
// https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
import type { Attributes, Span } from './tracer';

const RESOURCE = { attributes: attributesOf({ 'service.name': 'browser' }) };
const SCOPE = { name: 'tallyboard.web' };
const DELTA = 1; // AGGREGATION_TEMPORALITY_DELTA
const ERROR = 2; // STATUS_CODE_ERROR

/** Milliseconds since 1970 as nanoseconds; a double holds microseconds exactly, nanoseconds not. */
export function nanos(ms: number): string {
  return `${Math.round(ms * 1_000)}000`;
}

function attributesOf(attributes: Attributes) {
  return Object.entries(attributes).map(([key, value]) => ({
    key,
    value: typeof value === 'string' ? { stringValue: value } : Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value },
  }));
}

/** The body of an export of spans. */
export function tracesBody(spans: Span[]): string {
  return JSON.stringify({
    resourceSpans: [{
      resource: RESOURCE,
      scopeSpans: [{
        scope: SCOPE,
        spans: spans.map((span) => ({
          traceId: span.traceId,
          spanId: span.spanId,
          ...(span.parentId ? { parentSpanId: span.parentId } : {}),
          name: span.name,
          kind: span.kind,
          startTimeUnixNano: nanos(span.start),
          endTimeUnixNano: nanos(Math.max(span.start, span.end)),
          attributes: attributesOf(span.attributes),
          ...(span.failed ? { status: { code: ERROR } } : {}),
        })),
      }],
    }],
  });
}

/** A histogram of one kind of measurements since the last export. */
export interface Histogram {
  name: string;
  unit: string;
  description: string;
  attributes: Attributes;
  /** Upper ends of the buckets, ascending; one more bucket holds what is above. */
  bounds: readonly number[];
  values: number[];
}

/** The body of an export of metrics; `start` and `end` in milliseconds since 1970. */
export function metricsBody(histograms: Histogram[], start: number, end: number): string {
  const byName = new Map<string, Histogram[]>();
  for (const one of histograms) byName.set(one.name, [...(byName.get(one.name) ?? []), one]);
  return JSON.stringify({
    resourceMetrics: [{
      resource: RESOURCE,
      scopeMetrics: [{
        scope: SCOPE,
        metrics: [...byName.values()].map((same) => ({
          name: same[0]!.name,
          unit: same[0]!.unit,
          description: same[0]!.description,
          histogram: { aggregationTemporality: DELTA, dataPoints: same.map((one) => pointOf(one, start, end)) },
        })),
      }],
    }],
  });
}

function pointOf({ attributes, bounds, values }: Histogram, start: number, end: number) {
  const counts = Array.from({ length: bounds.length + 1 }, () => 0);
  for (const value of values) {
    const at = bounds.findIndex((bound) => value <= bound);
    counts[at < 0 ? bounds.length : at]!++;
  }
  return {
    attributes: attributesOf(attributes),
    startTimeUnixNano: nanos(start),
    timeUnixNano: nanos(end),
    count: String(values.length),
    sum: values.reduce((sum, value) => sum + value, 0),
    min: Math.min(...values),
    max: Math.max(...values),
    bucketCounts: counts.map(String),
    explicitBounds: bounds,
  };
}
