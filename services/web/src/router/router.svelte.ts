// The URL is the state: view, project, filter, open task. Screens read `route()` and `query()`, and change them by `go`
// and `setQuery`, so that Back works and every link can be shared.

import { shows } from '../telemetry/screens';

export type View = 'board' | 'list' | 'dashboard' | 'trash' | 'settings';

export type Route =
  | { name: 'projects' }
  | { name: 'project'; project: string; view: View }
  | { name: 'task'; ref: string }
  | { name: 'search' }
  | { name: 'traces' }
  | { name: 'trace'; id: string }
  | { name: 'operations' }
  | { name: 'missing' };

const VIEWS: readonly string[] = ['board', 'list', 'dashboard', 'trash', 'settings'];

/** Parses a path. Keys of projects and tasks are upper-cased, so hand-typed links work. */
export function parseRoute(path: string): Route {
  const parts = path.split('/').filter(Boolean).map(decodeURIComponent);
  if (parts.length === 0) return { name: 'projects' };
  if (parts[0] === 'p' && parts[1] && parts.length <= 3) {
    const view = parts[2] ?? 'board';
    if (VIEWS.includes(view)) return { name: 'project', project: parts[1].toUpperCase(), view: view as View };
  }
  if (parts[0] === 't' && parts[1] && parts.length === 2) return { name: 'task', ref: parts[1].toUpperCase() };
  if ((parts[0] === 'search' || parts[0] === 'traces' || parts[0] === 'operations') && parts.length === 1) return { name: parts[0] };
  if (parts[0] === 'traces' && parts[1] && parts.length === 2) return { name: 'trace', id: parts[1].toLowerCase() };
  return { name: 'missing' };
}

/** Path of a view of a project. */
export function pathOf(project: string, view: View = 'board'): string {
  return `/p/${project}/${view}`;
}

/** Returns the query with some values changed; null and empty values go. Order of the others is kept. */
export function changedQuery(search: string, changes: Record<string, string | null>): string {
  const params = new URLSearchParams(search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === '') params.delete(name);
    else params.set(name, value);
  }
  // Filters are read by people: colons and commas need no escape in a query.
  const text = params.toString().replaceAll('%3A', ':').replaceAll('%2C', ',').replaceAll('%40', '@');
  return text ? `?${text}` : '';
}

const start = typeof location === 'undefined' ? { pathname: '/', search: '' } : location;
let pathname = $state(start.pathname);
let search = $state(start.search);
const current = $derived(parseRoute(pathname));
const params = $derived(new URLSearchParams(search));

export function route(): Route {
  return current;
}

export function query(name: string): string {
  return params.get(name) ?? '';
}

export function queryAll(name: string): string[] {
  return params.getAll(name);
}

/** Goes to a path of the UI (with query). */
export function go(to: string, options: { replace?: boolean } = {}): void {
  const url = new URL(to, location.href);
  history[options.replace ? 'replaceState' : 'pushState'](null, '', url);
  sync();
}

/** Changes values of the query and stays on the screen. */
export function setQuery(changes: Record<string, string | null>, options: { replace?: boolean } = {}): void {
  go(location.pathname + changedQuery(location.search, changes), options);
}

/** Link to a task beside the present view. */
export function taskHref(key: string): string {
  void search;
  return pathname.startsWith('/p/') ? pathname + changedQuery(search, { task: key }) : `/t/${key}`;
}

/** Makes Back and plain clicks on links work without loading the page again. Returns a function that stops it. */
export function startRouter(): () => void {
  const click = (event: MouseEvent) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element).closest?.('a');
    if (!link || link.target || link.hasAttribute('download') || link.origin !== location.origin || link.pathname.startsWith('/api/')) return;
    event.preventDefault();
    if (link.href !== location.href) go(link.href);
  };
  window.addEventListener('popstate', sync);
  document.addEventListener('click', click);
  return () => {
    window.removeEventListener('popstate', sync);
    document.removeEventListener('click', click);
  };
}

function sync(): void {
  pathname = location.pathname;
  search = location.search;
  shows(current, query('task'));
}
