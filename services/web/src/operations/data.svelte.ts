// How the instances are, asked again and again while somebody looks.
import { get, request, withQuery } from '../api/http';
import type { Operations, ParkedRetry, StatsStatus, TraceList, TraceSummary, Verification } from '../api/types';
import { Resource } from '../ui/resource.svelte';

/** Between two looks at the instances. */
export const REFRESH_MS = 3_000;
/** Every fourth refresh asks for traces and parked events, too: they change slower, and finding them costs more. */
const REST_EVERY = 4;
/** A recount reads every task; the server ends it by itself before this. */
const VERIFY_TIMEOUT_MS = 5 * 60_000;
const LISTED = 8;
/** The slowest are sought among as many as the server gives. */
const SLOWEST_OF = 100;

export class OperationsData {
  readonly #operations = new Resource<Operations>();
  readonly #stats = new Resource<StatsStatus>();
  slowest = $state.raw<TraceSummary[] | null>(null);
  failed = $state.raw<TraceSummary[] | null>(null);
  /** Where traces come from; "away" where they could not be asked. */
  source = $state<TraceList['source'] | 'away'>('buffer');
  verification = $state.raw<Verification | null>(null);
  verifying = $state(false);

  #timer: ReturnType<typeof setTimeout> | undefined;
  #round = 0;
  #stopped = false;

  get now(): Operations | null {
    return this.#operations.data;
  }
  get error(): Error | null {
    return this.#operations.error;
  }
  get slow(): boolean {
    return this.#operations.slow;
  }
  get stats(): StatsStatus | null {
    return this.#stats.data;
  }
  get statsError(): Error | null {
    return this.#stats.error;
  }

  /** Looks now, then again and again while the page is visible. Returns a function that ends it. */
  follow(): () => void {
    const look = async () => {
      clearTimeout(this.#timer);
      await this.refresh();
      if (!this.#stopped && !document.hidden) this.#timer = setTimeout(look, REFRESH_MS);
    };
    const changed = () => (document.hidden ? clearTimeout(this.#timer) : void look());
    document.addEventListener('visibilitychange', changed);
    void look();
    return () => {
      this.#stopped = true;
      clearTimeout(this.#timer);
      document.removeEventListener('visibilitychange', changed);
      this.#operations.clear();
      this.#stats.clear();
    };
  }

  async refresh(): Promise<void> {
    const rest = this.#round++ % REST_EVERY === 0;
    await Promise.all([
      this.#operations.load((signal) => get<Operations>('/api/v1/operations', signal)),
      ...(rest ? [this.#parked(), this.#traces()] : []),
    ]);
  }

  #parked(): Promise<void> {
    return this.#stats.load((signal) => get<StatsStatus>('/api/v1/stats/status', signal));
  }

  async #traces(): Promise<void> {
    try {
      const [recent, failed] = await Promise.all([
        get<TraceList>(withQuery('/api/v1/traces', { limit: SLOWEST_OF })),
        get<TraceList>(withQuery('/api/v1/traces', { error: true, limit: LISTED })),
      ]);
      this.source = recent.source;
      this.slowest = [...recent.traces].sort((a, b) => b.durationMs - a.durationMs).slice(0, LISTED);
      this.failed = failed.traces;
    } catch {
      this.source = 'away';
    }
  }

  /** Recounts the statistics; rejects with what the server said. */
  async verify(): Promise<void> {
    this.verifying = true;
    try {
      this.verification = (await request<Verification>('GET', '/api/v1/stats/verify', { timeoutMs: VERIFY_TIMEOUT_MS })).data;
    } finally {
      this.verifying = false;
    }
    await Promise.all([this.refresh(), this.#parked()]);
  }

  /** Tries the parked events of a task or project again; rejects with what the server said. */
  async retry(id: string): Promise<ParkedRetry> {
    const { data } = await request<ParkedRetry>('POST', `/api/v1/stats/parked/${id}/retry`);
    await Promise.all([this.refresh(), this.#parked()]);
    return data;
  }
}
