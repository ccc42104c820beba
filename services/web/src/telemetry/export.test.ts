import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { batches, Exporter, MAX_BODY_BYTES, MAX_SPANS, PAUSE_MIN_MS } from './export';
import { nanos } from './otlp';
import { EXPORT_EVERY_MS, GATHER_MS, MAX_QUEUED, SpanQueue, type Sender } from './queue';
import { CLIENT, type Span } from './tracer';

const span = (fields: Partial<Span> = {}): Span => ({
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7', name: 'move task', kind: 1, start: 1_763_900_000_000.25, end: 1_763_900_000_040.5, attributes: {}, ...fields,
});
const many = (n: number, fields: Partial<Span> = {}) => Array.from({ length: n }, () => span(fields));

interface Post {
  url: string;
  body: { resourceSpans: { resource: unknown; scopeSpans: { spans: Record<string, unknown>[] }[] }[] };
  bytes: number;
}
let posts: Post[] = [];
let status = 200;
let headers: Record<string, string> = {};

beforeEach(() => {
  vi.useFakeTimers();
  posts = [];
  status = 200;
  headers = {};
  vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
    posts.push({ url, body: JSON.parse(String(init.body)), bytes: String(init.body).length });
    if (status === 0) throw new TypeError('network');
    return new Response('{}', { status, headers });
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const spansOf = (post: Post) => post.body.resourceSpans[0]!.scopeSpans[0]!.spans;

describe('an export', () => {
  it('is OTLP as JSON', async () => {
    await new Exporter().send([span({ parentId: 'b7ad6b7169203331', kind: CLIENT, failed: true, attributes: { 'ui.action': 'move task', 'http.response.status_code': 503, 'ui.share': 0.5 } })]);
    expect(posts[0]).toMatchObject({ url: '/otlp/v1/traces', body: { resourceSpans: [{ resource: { attributes: [{ key: 'service.name', value: { stringValue: 'browser' } }] } }] } });
    expect(spansOf(posts[0]!)).toEqual([{
      traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7', parentSpanId: 'b7ad6b7169203331', name: 'move task', kind: 3,
      startTimeUnixNano: '1763900000000250000', endTimeUnixNano: '1763900000040500000',
      attributes: [
        { key: 'ui.action', value: { stringValue: 'move task' } },
        { key: 'http.response.status_code', value: { intValue: '503' } },
        { key: 'ui.share', value: { doubleValue: 0.5 } },
      ],
      status: { code: 2 },
    }]);
    expect(nanos(1_763_900_000_000.001)).toBe('1763900000000001000');
  });

  it('never ends before it began', () => {
    expect(batches([span({ end: 0 })])[0]!.body).toContain('"endTimeUnixNano":"1763900000000250000"');
  });

  it('stays within the receiver’s limits', async () => {
    await new Exporter().send(many(2 * MAX_SPANS + 1));
    expect(posts.every((post) => spansOf(post).length <= MAX_SPANS)).toBe(true);
    expect(posts.reduce((sum, post) => sum + spansOf(post).length, 0)).toBe(2 * MAX_SPANS + 1);
    posts = [];
    await new Exporter().send(many(90, { attributes: { 'ui.action': 'x'.repeat(2_000) } }));
    expect(posts.length).toBeGreaterThan(1);
    expect(posts.every((post) => post.bytes <= MAX_BODY_BYTES)).toBe(true);
    expect(posts.reduce((sum, post) => sum + spansOf(post).length, 0)).toBe(90);
    expect(batches([span({ name: 'x'.repeat(MAX_BODY_BYTES) })])).toEqual([]);
  });

  it.each([
    ['a pause the server names', 429, { 'Retry-After': '7' }, 7_000],
    ['a pause of its own', 503, {}, PAUSE_MIN_MS],
    ['the same for a dead network', 0, {}, PAUSE_MIN_MS],
  ])('that fails is dropped, counted, and followed by %s', async (_, code, more, pause) => {
    const exporter = new Exporter();
    status = code;
    headers = more as Record<string, string>;
    await exporter.send([span()]);
    expect(exporter.dropped).toBe(1);
    status = 200;
    await vi.advanceTimersByTimeAsync(pause - 1);
    await exporter.send([span()]);
    expect(posts).toHaveLength(1);
    expect(exporter.dropped).toBe(2);
    await vi.advanceTimersByTimeAsync(2);
    await exporter.send([span()]);
    expect(posts).toHaveLength(2);
    expect(exporter.dropped).toBe(2);
  });

  it('pauses longer each time, and starts afresh after a success', async () => {
    const exporter = new Exporter();
    status = 503;
    await exporter.send([span()]);
    await vi.advanceTimersByTimeAsync(PAUSE_MIN_MS + 1);
    await exporter.send([span()]);
    await vi.advanceTimersByTimeAsync(PAUSE_MIN_MS + 1);
    await exporter.send([span()]);
    expect(posts).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(PAUSE_MIN_MS);
    status = 200;
    await exporter.send([span()]);
    status = 503;
    await exporter.send([span()]);
    await vi.advanceTimersByTimeAsync(PAUSE_MIN_MS + 1);
    await exporter.send([span()]);
    expect(posts).toHaveLength(5);
  });

  it.each([403, 404])('answered with %i is the last', async (code) => {
    const exporter = new Exporter();
    status = code;
    await exporter.send([span()]);
    await vi.advanceTimersByTimeAsync(3_600_000);
    await exporter.send([span()]);
    expect(posts).toHaveLength(1);
  });

  it('goes by beacon when the page goes', async () => {
    const beacons: [string, Blob][] = [];
    vi.stubGlobal('navigator', { sendBeacon: (url: string, body: Blob) => beacons.push([url, body]) > 0 });
    new Exporter().leave([span()]);
    expect(posts).toEqual([]);
    expect(beacons[0]![0]).toBe('/otlp/v1/traces');
    expect(beacons[0]![1].type).toBe('application/json');
    expect(JSON.parse(await beacons[0]![1].text())).toHaveProperty('resourceSpans');
  });
});

describe('the queue', () => {
  class Fake implements Sender {
    sent: number[] = [];
    left: number[] = [];
    send(spans: Span[]) {
      this.sent.push(spans.length);
      return Promise.resolve();
    }
    leave(spans: Span[]) {
      this.left.push(spans.length);
    }
  }

  it('sends what comes together at once, and waits before the next', async () => {
    const fake = new Fake();
    const queue = new SpanQueue(async () => fake);
    many(3).forEach(queue.push);
    await vi.advanceTimersByTimeAsync(EXPORT_EVERY_MS);
    expect(fake.sent).toEqual([3]);
    queue.push(span());
    await vi.advanceTimersByTimeAsync(GATHER_MS);
    queue.push(span());
    await vi.advanceTimersByTimeAsync(EXPORT_EVERY_MS);
    expect(fake.sent).toEqual([3, 2]);
  });

  it('is bounded', async () => {
    const fake = new Fake();
    const queue = new SpanQueue(async () => fake);
    many(MAX_QUEUED + 5).forEach(queue.push);
    await vi.advanceTimersByTimeAsync(EXPORT_EVERY_MS);
    expect(fake.sent).toEqual([MAX_QUEUED]);
    expect(queue.dropped).toBe(5);
  });

  it('outlives a sender that cannot be loaded or throws', async () => {
    const fake = new Fake();
    let tries = 0;
    const queue = new SpanQueue(async () => {
      if (++tries === 1) throw new Error('offline');
      return fake;
    });
    queue.push(span());
    await vi.advanceTimersByTimeAsync(EXPORT_EVERY_MS);
    expect(queue.dropped).toBe(1);
    queue.push(span());
    await vi.advanceTimersByTimeAsync(2 * EXPORT_EVERY_MS);
    expect(fake.sent).toEqual([1]);
    fake.send = () => Promise.reject(new Error('ours'));
    queue.push(span());
    await vi.advanceTimersByTimeAsync(2 * EXPORT_EVERY_MS);
    expect(queue.dropped).toBe(2);
  });

  it('hands over what is left when the page goes', async () => {
    const fake = new Fake();
    const queue = new SpanQueue(async () => fake);
    queue.push(span());
    await vi.advanceTimersByTimeAsync(EXPORT_EVERY_MS);
    queue.push(span());
    queue.leave();
    queue.leave();
    expect(fake.left).toEqual([1]);
  });
});
