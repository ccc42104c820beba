import type { Project, Task } from '../src/api/types';
import { toRecord, type TaskRecord } from '../src/store/records';

/** A task as the API sends it, with the given fields. */
export function task(fields: Partial<Task> = {}): Task {
  return {
    id: 't1', key: 'WEB-1', project: 'WEB', number: 1, title: 'A task', description: '', state: 's-todo', rank: 'a', priority: 0,
    assignees: [], labels: [], start: null, due: null, estimate: null, parent: null, recurrence: null, version: 1,
    created: '2026-11-01T08:00:00Z', createdBy: 'p1', updated: '2026-11-01T08:00:00Z', updatedBy: 'p1', started: null, completed: null, trashed: null,
    ...fields,
  };
}

export function record(fields: Partial<Task> = {}): TaskRecord {
  return toRecord(task(fields));
}

export function project(fields: Partial<Project> = {}): Project {
  const state = (id: string, name: string, category: Project['states'][number]['category']) => ({ id, name, category, wipLimit: null, archived: false });
  return {
    id: 'pr1', key: 'WEB', name: 'Website', description: '',
    states: [state('s-backlog', 'Backlog', 'backlog'), state('s-todo', 'To do', 'todo'), state('s-doing', 'In progress', 'doing'), state('s-done', 'Done', 'done')],
    labels: [{ id: 'l1', name: 'bug', color: '#d73a4a' }, { id: 'l2', name: 'quick win', color: '#0e8a6d' }],
    members: [{ person: 'p1', role: 'owner' }], version: 1, created: '2026-01-01T00:00:00Z', updated: '2026-01-01T00:00:00Z', archived: null,
    ...fields,
  };
}
