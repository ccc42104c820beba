// How services look: a colour each, always beside the name. Databases are drawn by their own kind.
import type { Span } from '../api/types';

const TOKENS: Readonly<Record<string, string>> = { browser: '--svc-browser', edge: '--svc-edge', 'task-service': '--svc-tasks', 'stats-service': '--svc-stats' };
const OTHERS = ['--svc-other-1', '--svc-other-2'];

/** The CSS colour of a service; unknown ones get one by their name, so that it stays. */
export function serviceColor(service: string): string {
  let hash = 0;
  for (const c of service) hash = (hash * 31 + c.charCodeAt(0)) >>> 0;
  return `var(${TOKENS[service] ?? OTHERS[hash % OTHERS.length]})`;
}

/** The database system a span talks to; empty for other spans. */
export function databaseOf(span: Span): string {
  const system = span.attributes['db.system.name'] ?? span.attributes['db.system'];
  return typeof system === 'string' ? system : '';
}

/** The statement of a span, with placeholders where values were. */
export function statementOf(span: Span): string {
  const text = span.attributes['db.query.text'] ?? span.attributes['db.statement'];
  return typeof text === 'string' ? text : '';
}

/** The HTTP status in the attributes, if there is one. */
export function statusOf(span: Span): number | null {
  const status = Number(span.attributes['http.response.status_code']);
  return Number.isFinite(status) && status > 0 ? status : null;
}
