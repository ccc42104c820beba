import type { Project } from '../api/types';
import { t } from '../i18n/i18n.svelte';
import { store } from '../store/server.svelte';
import type { PickItem } from '../ui/Picker.svelte';

export type PickField = 'state' | 'priority' | 'assignees' | 'labels';

/** What can be chosen for a field in a project. Members come before other people. */
export function pickItems(field: PickField, project: Project): PickItem[] {
  if (field === 'state') return project.states.filter((state) => !state.archived).map((state) => ({ id: state.id, label: state.name }));
  if (field === 'priority') return ([1, 2, 3, 4, 0] as const).map((n) => ({ id: String(n), label: t(`priority.${n}`), hint: String(n) }));
  if (field === 'labels') return project.labels.map((label) => ({ id: label.id, label: label.name }));
  const members = new Set(project.members.map((member) => member.person));
  return [...store.people.values()]
    .filter((person) => person.kind !== 'system')
    .sort((a, b) => Number(members.has(b.id)) - Number(members.has(a.id)) || a.name.localeCompare(b.name))
    .map((person) => ({ id: person.id, label: person.name, hint: `@${person.handle}` }));
}
