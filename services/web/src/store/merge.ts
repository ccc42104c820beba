// Three-way merge of fields, for edits that meet a newer version of the task.
import { equalValue, type TaskRecord } from './records';

/** Fields a person edits; everything else follows from them. */
export type EditableField =
  | 'title' | 'description' | 'state' | 'priority' | 'assignees' | 'labels' | 'start' | 'due' | 'estimate' | 'parent' | 'recurrence' | 'rank';

export type FieldPatch = Partial<Pick<TaskRecord, EditableField>>;

/** Both sides changed one field to different values. */
export interface FieldConflict {
  field: EditableField;
  base: unknown;
  mine: unknown;
  theirs: unknown;
}

export interface Merge {
  /** What still has to be sent on top of theirs; empty when theirs already says it. */
  patch: FieldPatch;
  conflicts: FieldConflict[];
}

/**
 * Merges my patch, made on `base`, into `theirs`. Different fields never collide. Lists of people and labels merge by
 * what each side added and removed. The same field with different values is a conflict and stays out of `patch`.
 */
export function merge(base: TaskRecord, mine: FieldPatch, theirs: TaskRecord): Merge {
  const patch: FieldPatch = {};
  const conflicts: FieldConflict[] = [];
  for (const field of Object.keys(mine) as EditableField[]) {
    const was = base[field];
    const want = mine[field];
    const is = theirs[field];
    if (equalValue(want, is)) continue; // both did the same
    if (equalValue(was, is) || field === 'rank') {
      Object.assign(patch, { [field]: want }); // only I changed it; a place in the order has no true conflict
    } else if (Array.isArray(was) && Array.isArray(want) && Array.isArray(is)) {
      Object.assign(patch, { [field]: mergeLists(was, want, is) });
    } else {
      conflicts.push({ field, base: was, mine: want, theirs: is });
    }
  }
  return { patch, conflicts };
}

function mergeLists(was: string[], mine: string[], theirs: string[]): string[] {
  const removed = new Set(was.filter((id) => !mine.includes(id)));
  const added = mine.filter((id) => !was.includes(id) && !theirs.includes(id));
  return [...theirs.filter((id) => !removed.has(id)), ...added];
}
