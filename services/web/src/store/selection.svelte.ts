// Which tasks a command means: the selected ones, else the one with the focus, else the one that is open.
import { query, route } from '../router/router.svelte';
import type { TaskRecord } from './records';
import { store } from './server.svelte';

let selected = $state.raw<ReadonlySet<string>>(new Set());
let focused = $state<string | null>(null);

export function selection(): ReadonlySet<string> {
  return selected;
}

export function select(ids: Iterable<string>): void {
  selected = new Set(ids);
}

export function toggleSelected(id: string): void {
  const next = new Set(selected);
  if (!next.delete(id)) next.add(id);
  selected = next;
}

/** Cards and rows carry data-task; call on focusin and focusout. */
export function trackFocus(event: FocusEvent): void {
  const element = (event.target as Element).closest?.<HTMLElement>('[data-task]');
  focused = element?.dataset['task'] ?? null;
}

export function focusedTask(): string | null {
  return focused;
}

export function openTaskRef(): string {
  const at = route();
  return at.name === 'task' ? at.ref : query('task');
}

/** The tasks a command is about. */
export function targets(): TaskRecord[] {
  const ids = selected.size > 0 ? [...selected] : [focused ?? openTaskRef()];
  return ids.map((id) => store.task(id)).filter((task): task is TaskRecord => task !== undefined && !task.trashed);
}
