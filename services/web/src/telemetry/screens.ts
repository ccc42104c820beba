// Opening a screen is an action: it covers what the screen loads, and on the first one the page itself.
import type { Route } from '../router/router.svelte';
import type { Attributes } from './tracer';
import { tracer } from './telemetry';

let last = '';

/** What a route shows, without what people typed: `board`, or `task` with its key. */
function screenOf(route: Route, task: string): { view: string; ref: string } {
  const ref = route.name === 'task' ? route.ref : task || (route.name === 'project' ? route.project : '');
  return { view: route.name === 'task' || task ? 'task' : route.name === 'project' ? route.view : route.name, ref };
}

/** Tells the tracer which screen is open. The same one again, with another filter say, is no news. `start`: when the person asked for it. */
export function shows(route: Route, task: string, start?: number): void {
  const { view, ref } = screenOf(route, task);
  if (last === `${view} ${ref}`) return;
  last = `${view} ${ref}`;
  tracer.opens(view, `open ${view}`, keysOf(ref), start);
}

/** The key of a task or a project as attributes. An address typed by hand can hold anything: what is no key is left out. */
export function keysOf(ref: string): Attributes {
  const parts = /^([A-Z][A-Z0-9]{0,15})(?:-\d{1,9})?$/.exec(ref);
  if (!parts) return {};
  return { 'tallyboard.project.key': parts[1]!, ...(parts[0] === parts[1] ? {} : { 'tallyboard.task.key': ref }) };
}
