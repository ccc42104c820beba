// The search for traces as it stands in the URL.
import { query } from '../router/router.svelte';
import type { TraceSummary } from '../api/types';

export const ORDERS = ['newest', 'slowest'] as const;
export type Order = (typeof ORDERS)[number];

/** Periods to choose from, in minutes. */
export const PERIODS: readonly number[] = [15, 60, 360, 1_440, 10_080];

/** The service names of the product; others are found by what they sent. */
export const SERVICES: readonly string[] = ['browser', 'edge', 'task-service', 'stats-service'];

const LIST_LIMIT = 50;
/** The server answers newest first: the slowest are sought among the most it gives. */
const SLOWEST_OF = 100;

export interface TraceQuery {
  task: string;
  service: string;
  route: string;
  minMs: string;
  error: boolean;
  /** Minutes back; 0 is any time. */
  period: number;
  order: Order;
}

/** The search in the URL. Values that make no sense count as absent. */
export function traceQuery(read: (name: string) => string = query): TraceQuery {
  const minMs = Math.round(Number(read('min')));
  const period = Number(read('period'));
  return {
    task: read('task').trim().toUpperCase(), service: read('service'), route: read('route'),
    minMs: read('min') !== '' && Number.isFinite(minMs) && minMs > 0 ? String(minMs) : '',
    error: read('error') === '1', period: PERIODS.includes(period) ? period : 0,
    order: read('order') === 'slowest' ? 'slowest' : 'newest',
  };
}

/** Whether anything narrows the search. */
export function narrowed(q: TraceQuery): boolean {
  return Boolean(q.task || q.service || q.route || q.minMs || q.error || q.period);
}

/** The search as parameters of the API. */
export function apiQuery(q: TraceQuery, now: number = Date.now()): Record<string, string | number | boolean> {
  return {
    task: q.task, service: q.service, route: q.route, minMs: q.minMs, error: q.error,
    since: q.period ? new Date(now - q.period * 60_000).toISOString() : '',
    limit: q.order === 'slowest' ? SLOWEST_OF : LIST_LIMIT,
  };
}

/** Traces in the order asked for. */
export function ordered(traces: readonly TraceSummary[], order: Order): TraceSummary[] {
  return order === 'slowest' ? [...traces].sort((a, b) => b.durationMs - a.durationMs).slice(0, LIST_LIMIT) : [...traces];
}

/** What a trace is called: the person's action, or else the route, which says more than the span's name of the edge. */
export function titleOf(trace: Pick<TraceSummary, 'name' | 'service' | 'route'>): string {
  return trace.service === 'browser' || !trace.route ? trace.name : trace.route;
}

/** The trace id in a text people paste: bare, in a traceparent, or in an address. Null where there is none. */
export function traceIdIn(text: string): string | null {
  return /(?:^|[^0-9a-f])([0-9a-f]{32})(?:$|[^0-9a-f])/.exec(text.trim().toLowerCase())?.[1] ?? null;
}

/** Path of a trace; with another one beside it for comparison. */
export function tracePath(id: string, other?: string): string {
  return `/traces/${id}${other ? `?with=${other}` : ''}`;
}

/** Address of a trace in another console; null where none is configured or what is configured is no web address. */
export function externalHref(template: string | null | undefined, id: string): string | null {
  if (!template || !/^https?:\/\//.test(template)) return null;
  return template.replaceAll('{traceId}', id);
}
