// The dashboard's filters, as they stand in its URL and as the API takes them.
import { timeZone } from '../api/zone';
import { addDays, today } from '../i18n/dates';
import { query } from '../router/router.svelte';

export const RANGES = [30, 90, 180, 365] as const;
export const DEFAULT_RANGE = 90;

export type StatsQuery = Record<string, string | string[]>;

/** Query of all statistics: the last `range` days up to today in the viewer's zone, and the chosen filters. */
export function statsQuery(range: string, assignee: string, priority: string, label: string, now: string): StatsQuery {
  const days = (RANGES as readonly number[]).includes(Number(range)) ? Number(range) : DEFAULT_RANGE;
  const ids = (text: string) => text.split(',').filter(Boolean);
  return { from: addDays(now, 1 - days), to: now, tz: timeZone, assignee: ids(assignee), priority: ids(priority), label: ids(label) };
}

export function dashboardQuery(): StatsQuery {
  return statsQuery(query('range'), query('assignee'), query('priority'), query('label'), today());
}
