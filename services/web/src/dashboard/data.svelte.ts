// The statistics of one project: loaded together, loaded again when the stats stream says they have changed.
import { get, withQuery } from '../api/http';
import type { Ageing, Flow, Forecast, Overdue, StreamState, Summary, Throughput, Times } from '../api/types';
import { keysOf } from '../telemetry/screens';
import { tracer } from '../telemetry/telemetry';
import { Resource } from '../ui/resource.svelte';
import type { StatsQuery } from './query';

export interface AllStats {
  summary: Summary;
  throughput: Throughput;
  times: Times;
  flow: Flow;
  ageing: Ageing;
  overdue: Overdue;
  forecast: Forecast;
}

export type StatName = keyof AllStats;

const NAMES: StatName[] = ['summary', 'throughput', 'times', 'flow', 'ageing', 'overdue', 'forecast'];
/** Changes that come together are loaded together. */
const RELOAD_AFTER_MS = 200;
const REOPEN_MS = 5_000;

export class DashboardData {
  staleSince = $state<string | null>(null);
  /** What is shown answers an earlier choice of period or filter than the current one. */
  earlierChoice = $state(false);

  #project: string;
  #query: StatsQuery = {};
  #answered = '';
  #resource = new Resource<AllStats>();
  #pos = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(project: string) {
    this.#project = project;
  }

  get all(): AllStats | null {
    return this.#resource.data;
  }
  get error(): Error | null {
    return this.#resource.error;
  }
  get slow(): boolean {
    return this.#resource.slow;
  }

  show(query: StatsQuery): void {
    this.#query = query;
    this.earlierChoice = this.#answered !== '' && this.#answered !== JSON.stringify(query);
    void this.reload();
  }

  async reload(): Promise<void> {
    const asked = JSON.stringify(this.#query);
    await this.#resource.load(async (signal) => {
      const answers = await Promise.all(NAMES.map((name) => get<AllStats[StatName]>(this.#path(name), signal)));
      const all = Object.fromEntries(NAMES.map((name, i) => [name, answers[i]])) as unknown as AllStats;
      this.staleSince = all.summary.asOf.staleSince ?? null;
      this.#answered = asked;
      this.earlierChoice = asked !== JSON.stringify(this.#query);
      return all;
    });
  }

  /** Link to the same numbers as CSV. */
  csv(name: StatName): string {
    return withQuery(this.#path(name), {}) + '&format=csv';
  }

  #path(name: StatName): string {
    return withQuery(`/api/v1/stats/projects/${this.#project}/${name}`, this.#query);
  }

  /** Follows the stats stream. Returns a function that ends it. */
  follow(): () => void {
    let source: EventSource | null = null;
    let reopen: ReturnType<typeof setTimeout> | undefined;
    const changed = (message: Event) => {
      const state = JSON.parse((message as MessageEvent<string>).data) as StreamState;
      this.staleSince = state.staleSince ?? null;
      if (state.pos === this.#pos && this.all && !this.error) return;
      const first = this.#pos === 0;
      this.#pos = state.pos;
      if (first && this.all && state.pos <= this.all.summary.asOf.pos) return;
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => void tracer.act('refresh dashboard', keysOf(this.#project), () => this.reload()), RELOAD_AFTER_MS);
    };
    const open = () => {
      source = new EventSource(`/api/v1/stats/projects/${this.#project}/events`);
      source.addEventListener('ready', changed);
      source.addEventListener('stats', changed);
      source.addEventListener('stale', (message) => {
        this.staleSince = (JSON.parse((message as MessageEvent<string>).data) as StreamState).staleSince ?? new Date().toISOString();
      });
      source.addEventListener('error', () => {
        if (source?.readyState === EventSource.CLOSED) reopen = setTimeout(open, REOPEN_MS);
      });
    };
    open();
    return () => {
      source?.close();
      clearTimeout(reopen);
      clearTimeout(this.#timer);
    };
  }
}
