// Recorded spans on their way out. The code that encodes and sends them is loaded when the first is there; nothing here
// waits, throws or grows without bound.
import type { Span } from './tracer';

/** What sends; see Exporter. */
export interface Sender {
  send(spans: Span[]): Promise<void>;
  /** Sends while the page goes; no answer is awaited. */
  leave(spans: Span[]): void;
}

/** Pause between two exports. */
export const EXPORT_EVERY_MS = 500;
/** Spans of one action come together: the first waits this long for the others. */
export const GATHER_MS = 100;
/** A busy page exports after this long all the same. */
const IDLE_WITHIN_MS = 300;
/** Spans kept meanwhile; further ones are dropped. */
export const MAX_QUEUED = 500;

export class SpanQueue {
  /** Spans that did not fit, or whose sender could not be loaded. */
  dropped = 0;

  #load: () => Promise<Sender>;
  #sender: Sender | null = null;
  #spans: Span[] = [];
  #planned = false;
  #last = -Infinity;

  constructor(load: () => Promise<Sender>) {
    this.#load = load;
  }

  push = (span: Span): void => {
    if (this.#spans.length >= MAX_QUEUED) this.dropped++;
    else this.#spans.push(span);
    if (this.#planned) return;
    this.#planned = true;
    setTimeout(() => whenIdle(() => void this.#flush(), IDLE_WITHIN_MS), Math.max(GATHER_MS, this.#last + EXPORT_EVERY_MS - performance.now()));
  };

  /** The page may go, and nothing of it run again: out with what is there. */
  leave(): void {
    if (this.#sender && this.#spans.length > 0) this.#sender.leave(this.#take());
  }

  async #flush(): Promise<void> {
    this.#planned = false;
    this.#last = performance.now();
    const spans = this.#take();
    if (spans.length === 0) return;
    try {
      this.#sender ??= await this.#load();
      await this.#sender.send(spans);
    } catch {
      this.dropped += spans.length;
    }
  }

  #take(): Span[] {
    const spans = this.#spans;
    this.#spans = [];
    return spans;
  }
}

/** Runs something when the page has nothing better to do, or after `within` milliseconds. */
export function whenIdle(run: () => void, within: number): void {
  if (typeof requestIdleCallback === 'function') requestIdleCallback(run, { timeout: within });
  else setTimeout(run, 0); // Safari
}
