import type { Change, TaskEvent } from '../api/types';
import { t, type MessageKey } from '../i18n/i18n.svelte';

const HEADLINES: Record<string, MessageKey> = {
  'task.created': 'event.created', 'task.changed': 'event.changed', 'task.trashed': 'event.trashed', 'task.restored': 'event.restored',
  'comment.added': 'event.commented', 'comment.edited': 'event.commentEdited', 'comment.removed': 'event.commentRemoved',
  'relation.added': 'event.related', 'relation.removed': 'event.unrelated',
};
/** Fields that say nothing to people, or what the headline says already. */
const HIDDEN = new Set(['rank', 'number', 'comment', 'body', 'mentions', 'source', 'trashed']);

/** What somebody did, as the rest of a sentence that begins with the name. */
export function headline(event: TaskEvent): string {
  const moved = event.kind === 'task.changed' && event.changes.length > 0 && event.changes.every((change) => change.field === 'rank');
  return t(moved ? 'event.reordered' : (HEADLINES[event.kind] ?? 'event.changed'));
}

/** The changes worth a line. */
export function shownChanges(event: TaskEvent): Change[] {
  return event.changes.filter((change) => !HIDDEN.has(change.field));
}
