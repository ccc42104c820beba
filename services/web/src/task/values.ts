// Values of fields in words: for history and conflicts.
import type { Project } from '../api/types';
import { longDate, number } from '../i18n/dates';
import { t, type MessageKey } from '../i18n/i18n.svelte';
import { store } from '../store/server.svelte';

const NAMED = new Set(['title', 'description', 'state', 'rank', 'priority', 'assignees', 'labels', 'start', 'due', 'estimate', 'parent', 'recurrence', 'trashed']);

export function fieldName(field: string): string {
  return NAMED.has(field) ? t(`field.${field}` as MessageKey) : field;
}

/** A value as people say it; ids become names, nothing becomes "none". */
export function valueText(field: string, value: unknown, project: Project): string {
  if (value === null || value === undefined || value === '' || (Array.isArray(value) && value.length === 0)) return t('value.none');
  switch (field) {
    case 'state':
      return project.states.find((state) => state.id === value)?.name ?? t('value.gone');
    case 'priority':
      return t(`priority.${Number(value) as 0 | 1 | 2 | 3 | 4}`);
    case 'assignees':
    case 'mentions':
      return (value as string[]).map((id) => store.people.get(id)?.name ?? t('value.gone')).join(', ');
    case 'labels':
      return (value as string[]).map((id) => project.labels.find((label) => label.id === id)?.name ?? t('value.gone')).join(', ');
    case 'start':
    case 'due':
      return longDate(String(value));
    case 'estimate':
      return number(Number(value));
    case 'parent':
      return store.task(String(value))?.key ?? t('value.gone');
    default:
      return typeof value === 'string' ? value : JSON.stringify(value);
  }
}
