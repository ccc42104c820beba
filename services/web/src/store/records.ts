// Pure rules for keeping task records current: which of two versions wins, and what an event changes.
import type { Card, Task, TaskEvent } from '../api/types';

/**
 * A task as the UI knows it: a card from the board (no description yet), or the whole task. Members of cards only, such as
 * `subtasks`, are kept when a whole task arrives.
 */
export interface TaskRecord extends Omit<Task, 'description' | 'progress'> {
  description?: string;
  hasDescription: boolean;
  subtasks?: { done: number; total: number };
}

/** Makes a record of what the API sent. */
export function toRecord(input: Task | Card): TaskRecord {
  if ('hasDescription' in input) return { ...input };
  const { progress, ...task } = input;
  return { ...task, hasDescription: task.description !== '', ...(progress ? { subtasks: progress } : {}) };
}

/**
 * The newer of two records of one task. Equal versions merge, because a card knows the subtasks and a task the description.
 * Returns `existing` itself when nothing changes, so that callers can compare by identity.
 */
export function newer(existing: TaskRecord | undefined, incoming: TaskRecord): TaskRecord {
  if (!existing) return incoming;
  if (incoming.version < existing.version) return existing;
  const merged: TaskRecord = { ...existing, ...incoming };
  // A card of a later version does not carry the description, and the one at hand may be outdated by it.
  if (incoming.description === undefined && incoming.version > existing.version) delete merged.description;
  return same(existing, merged) ? existing : merged;
}

function same(a: TaskRecord, b: TaskRecord): boolean {
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]) as Set<keyof TaskRecord>;
  for (const key of keys) if (!equalValue(a[key], b[key])) return false;
  return true;
}

/** Compares field values: scalars, arrays of ids, small objects. */
export function equalValue(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return false;
  return JSON.stringify(a) === JSON.stringify(b);
}

/** What an event did to the records: the task it changed, and whether the caller must load something to know. */
export interface Effect {
  changed: TaskRecord | null;
  /** Set when the event carries no snapshot although it is about a task that is known. */
  reload: string | null;
}

/** Applies a live event to the records. Older and repeated events change nothing. */
export function applyEvent(records: Map<string, TaskRecord>, event: TaskEvent): Effect {
  if (event.aggregate !== 'task' || !event.task) return { changed: null, reload: null };
  const existing = records.get(event.task);
  if (!event.snapshot) return { changed: null, reload: existing || event.kind === 'task.created' ? event.task : null };
  const next = newer(existing, toRecord(event.snapshot));
  if (next === existing) return { changed: null, reload: null };
  records.set(event.task, next);
  return { changed: next, reload: null };
}

/** Order on the board: rank by byte, ties by id. Ranks are ASCII, so comparing UTF-16 units compares bytes. */
export function byRank(a: TaskRecord, b: TaskRecord): number {
  if (a.rank !== b.rank) return a.rank < b.rank ? -1 : 1;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}
