// Sends telemetry to the edge. What cannot be sent is dropped and counted: nothing here is worth a person's time.
import { tracesBody } from './otlp';
import type { Sender } from './queue';
import type { Span } from './tracer';

/** Most spans the receiver takes at once. */
export const MAX_SPANS = 100;
/** Longest body the receiver takes, in bytes; browsers also end `keepalive` and beacons here. */
export const MAX_BODY_BYTES = 64 * 1024;
/** How long an export may take. */
const TIMEOUT_MS = 10_000;
/** Pauses after 429, 503 and a dead network, where the answer names none: doubled each time. */
export const PAUSE_MIN_MS = 5_000;
export const PAUSE_MAX_MS = 300_000;

/** Posts bodies to one address; pauses when told to, and gives up for good where nobody receives. */
export class Post {
  #url: string;
  #until = 0;
  #failures = 0;

  constructor(url: string) {
    this.#url = url;
  }

  /** Nothing should be sent now. */
  get paused(): boolean {
    return performance.now() < this.#until;
  }

  /** Resolves to whether the body was taken. Never rejects. */
  async post(body: string): Promise<boolean> {
    if (this.paused) return false;
    try {
      const response = await fetch(this.#url, {
        method: 'POST', body, credentials: 'same-origin', priority: 'low', signal: AbortSignal.timeout(TIMEOUT_MS), headers: { 'Content-Type': 'application/json' },
      });
      if (response.ok) this.#failures = 0;
      else if (response.status === 403 || response.status === 404) this.#until = Infinity; // not from here, or not at all
      else if (response.status !== 413 && response.status !== 400) this.#pause(Number(response.headers.get('Retry-After')) * 1_000);
      return response.ok;
    } catch {
      this.#pause(0);
      return false;
    }
  }

  /** Hands the body to the browser, which sends it after the page has gone. Returns whether it was accepted. */
  leave(body: string): boolean {
    return !this.paused && navigator.sendBeacon(this.#url, new Blob([body], { type: 'application/json' }));
  }

  #pause(asked: number): void {
    const pause = asked > 0 ? asked : PAUSE_MIN_MS * 2 ** this.#failures;
    this.#failures = Math.min(this.#failures + 1, 10);
    this.#until = performance.now() + Math.min(pause, PAUSE_MAX_MS);
  }
}

export class Exporter implements Sender {
  /** Spans that did not reach the receiver. */
  dropped = 0;
  #post = new Post('/otlp/v1/traces');

  async send(spans: Span[]): Promise<void> {
    for (const { body, count } of batches(spans)) if (!(await this.#post.post(body))) this.dropped += count;
  }

  leave(spans: Span[]): void {
    for (const { body, count } of batches(spans)) if (!this.#post.leave(body)) this.dropped += count;
  }
}

/** Bodies within the receiver's limits. A span that alone is too long is left out. */
export function batches(spans: Span[]): { body: string; count: number }[] {
  if (spans.length === 0) return [];
  if (spans.length <= MAX_SPANS) {
    const body = tracesBody(spans);
    if (new TextEncoder().encode(body).length <= MAX_BODY_BYTES) return [{ body, count: spans.length }];
    if (spans.length === 1) return [];
  }
  const half = Math.ceil(spans.length / 2);
  return [...batches(spans.slice(0, half)), ...batches(spans.slice(half))];
}
