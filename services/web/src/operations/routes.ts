// The table of routes: what it is sorted by, and in which direction.
import type { RouteStatus } from '../api/types';

export const COLUMNS = ['route', 'count', 'errors', 'p50Ms', 'p95Ms', 'p99Ms'] as const;
export type Column = (typeof COLUMNS)[number];

export interface Sort {
  by: Column;
  descending: boolean;
}

const DEFAULT: Sort = { by: 'p99Ms', descending: true };

/** Reads "-errors" or "route" from the URL. */
export function parseSort(text: string): Sort {
  const by = COLUMNS.find((column) => column === text.replace(/^-/, ''));
  return by ? { by, descending: text.startsWith('-') } : DEFAULT;
}

/** For the URL; null for what is shown without. */
export function sortText(sort: Sort): string | null {
  return sort.by === DEFAULT.by && sort.descending === DEFAULT.descending ? null : `${sort.descending ? '-' : ''}${sort.by}`;
}

/** Choosing a column again turns the direction; numbers begin with the largest. */
export function chosenSort(now: Sort, by: Column): Sort {
  return now.by === by ? { by, descending: !now.descending } : { by, descending: by !== 'route' };
}

/** Sorted routes; what is equal keeps the order of routes, so that rows do not jump at each refresh. */
export function sortRoutes(routes: readonly RouteStatus[], { by, descending }: Sort): RouteStatus[] {
  const sign = descending ? -1 : 1;
  const name = (route: RouteStatus) => `${route.route} ${route.service}`;
  const byName = (a: RouteStatus, b: RouteStatus) => (name(a) < name(b) ? -1 : name(a) > name(b) ? 1 : 0);
  return [...routes].sort((a, b) => (by === 'route' ? sign * byName(a, b) : sign * (a[by] - b[by]) || byName(a, b)));
}
