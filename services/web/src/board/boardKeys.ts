// Moving over the board and moving cards by keyboard. Arrow keys act only while a card has the focus.
import type { State } from '../api/types';
import type { Command } from '../keys/commands.svelte';
import type { TaskRecord } from '../store/records';
import { store } from '../store/server.svelte';
import { focusedTask } from '../store/selection.svelte';
import type { ColumnData } from './columns';

export interface Grid {
  columns: () => ColumnData[];
  readonly: () => boolean;
  focus: (task: TaskRecord) => void;
  /** Puts a task at an index among the others of a state. */
  place: (task: TaskRecord, state: State, index: number, others: TaskRecord[]) => Promise<void>;
}

interface Spot {
  column: number;
  index: number;
}

let last: string | null = null; // where the keyboard was when the focus is nowhere

function spotOf(columns: ColumnData[], id: string | null): Spot | null {
  for (const [column, data] of columns.entries()) {
    const index = data.tasks.findIndex((task) => task.id === id);
    if (index >= 0) return { column, index };
  }
  return null;
}

/** Where a step leads: down and up within a column, sideways to the nearest column with cards at about the same height. */
export function step(columns: readonly { tasks: readonly unknown[] }[], from: Spot | null, dx: number, dy: number): Spot | null {
  if (!from) {
    const column = columns.findIndex((one) => one.tasks.length > 0);
    return column < 0 ? null : { column, index: 0 };
  }
  if (dy !== 0) {
    const index = from.index + dy;
    return index >= 0 && index < columns[from.column]!.tasks.length ? { column: from.column, index } : null;
  }
  for (let column = from.column + dx; column >= 0 && column < columns.length; column += dx) {
    const count = columns[column]!.tasks.length;
    if (count > 0) return { column, index: Math.min(from.index, count - 1) };
  }
  return null;
}

const DIRECTIONS: Record<string, [dx: number, dy: number]> = {
  ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0], k: [0, -1], j: [0, 1], h: [-1, 0], l: [1, 0],
};

/** The board's commands. Arrows are handled here, too, so that they need no handler per card. */
export function boardKeys(grid: Grid): Command[] {
  const go = (key: string) => {
    const columns = grid.columns();
    const [dx, dy] = DIRECTIONS[key]!;
    const next = step(columns, spotOf(columns, focusedTask() ?? last), dx, dy);
    const task = next && columns[next.column]!.tasks[next.index];
    if (!task) return;
    last = task.id;
    grid.focus(task);
  };
  return [
    { id: 'board-arrows', title: 'cmd.arrows', group: 'cmd.group.board', keys: 'arrows' },
    { id: 'board-down', title: 'cmd.down', group: 'cmd.group.board', keys: 'j', run: () => go('j') },
    { id: 'board-up', title: 'cmd.up', group: 'cmd.group.board', keys: 'k', run: () => go('k') },
    { id: 'board-move', title: 'cmd.moveCard', group: 'cmd.group.board', keys: 'shift+arrows' },
    {
      id: 'board-menu', title: 'cmd.moveTo', group: 'cmd.group.board', keys: 'm', icon: 'move-right', when: () => focusedTask() !== null && !grid.readonly(),
      run: () => document.querySelector<HTMLElement>(`[data-task="${focusedTask()}"] .menu`)?.click(),
    },
  ];
}

/** Handles arrow keys on a focused card. Returns whether it did something. */
export function arrowKey(grid: Grid, event: KeyboardEvent): boolean {
  const direction = event.key.startsWith('Arrow') ? DIRECTIONS[event.key] : undefined;
  const id = (event.target as HTMLElement).dataset['card'];
  if (!direction || !id || event.altKey || event.ctrlKey || event.metaKey) return false;
  const [dx, dy] = direction;
  const columns = grid.columns();
  const from = spotOf(columns, id);
  if (!from) return false;
  if (!event.shiftKey) {
    const next = step(columns, from, dx, dy);
    if (next) grid.focus(columns[next.column]!.tasks[next.index]!);
    return true;
  }
  const task = store.task(id);
  const column = columns[from.column + dx];
  if (!task || !column || grid.readonly()) return true;
  const others = column.tasks.filter((other) => other.id !== id);
  const index = dx === 0 ? from.index + dy : Math.min(from.index, others.length);
  if (index >= 0 && index <= others.length) void grid.place(task, column.state, index, others);
  return true;
}
