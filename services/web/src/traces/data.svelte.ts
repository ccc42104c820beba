// One trace, followed while its spans are still coming in.
import { ApiError, get } from '../api/http';
import type { Trace, TraceSettings } from '../api/types';
import { Resource } from '../ui/resource.svelte';

/** Spans of a trace arrive over some seconds: browsers send them in batches, and consumers work after the answer. */
export const ARRIVES_WITHIN_MS = 8_000;
/** Between two looks. */
export const LOOK_AGAIN_MS = 1_000;
/** A screen open for this long looks no more by itself: by a clock that is behind, a trace would be young for hours. */
export const FOLLOWED_MS = 60_000;

export function loadTrace(id: string, signal?: AbortSignal): Promise<Trace> {
  return get<Trace>(`/api/v1/traces/${encodeURIComponent(id)}`, signal);
}

export class TraceData {
  settings = $state.raw<TraceSettings | null>(null);
  readonly #id: string;
  readonly #trace = new Resource<Trace>();
  readonly #opened = performance.now();
  #stopped = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(id: string) {
    this.#id = id;
  }

  get trace(): Trace | null {
    return this.#trace.data;
  }
  get error(): Error | null {
    return this.#trace.error;
  }
  get loading(): boolean {
    return this.#trace.loading;
  }
  get slow(): boolean {
    return this.#trace.slow;
  }

  /** Loads, and looks again while the trace is young or may still arrive. What has not changed is not drawn anew. */
  async load(): Promise<void> {
    this.#hold();
    const before = this.trace;
    await this.#trace.load(async (signal) => {
      const now = await loadTrace(this.#id, signal);
      return before && sameSpans(before, now) ? before : now;
    });
    if (this.#mayGrow()) this.#timer = setTimeout(this.#again, LOOK_AGAIN_MS);
  }

  /** Nobody sees what loads in a hidden tab: it looks again when it is shown. */
  readonly #again = () => {
    if (document.hidden) document.addEventListener('visibilitychange', this.#again, { once: true });
    else void this.load();
  };

  /** Takes back what would look again. */
  #hold(): void {
    clearTimeout(this.#timer);
    document.removeEventListener('visibilitychange', this.#again);
  }

  #mayGrow(): boolean {
    const open = performance.now() - this.#opened;
    if (this.#stopped || open >= FOLLOWED_MS) return false;
    const { error, trace } = this;
    if (error) return error instanceof ApiError && error.status === 404 && open < ARRIVES_WITHIN_MS;
    return trace !== null && Date.now() - Date.parse(trace.start) - trace.durationMs < ARRIVES_WITHIN_MS;
  }

  async loadSettings(): Promise<void> {
    try {
      this.settings = await get<TraceSettings>('/api/v1/traces/settings');
    } catch {
      // Without settings there is no link to another console, and nothing else is missing.
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#hold();
    this.#trace.clear();
  }
}

function sameSpans(a: Trace, b: Trace): boolean {
  return a.spans.length === b.spans.length && a.durationMs === b.durationMs && a.linkedBy.length === b.linkedBy.length;
}
