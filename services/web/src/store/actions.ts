// What people do to tasks: each shows at once, goes to the server through the outbox, and can be undone.
import { newKey } from '../api/http';
import type { BulkChange, Project, QuickParsed, State, TaskComment } from '../api/types';
import { t } from '../i18n/i18n.svelte';
import { keysOf } from '../telemetry/screens';
import { tracer } from '../telemetry/telemetry';
import { announce } from '../ui/toasts.svelte';
import type { FieldPatch } from './merge';
import type { Overlay } from './outbox.svelte';
import { between } from './rank';
import type { TaskRecord } from './records';
import { store } from './server.svelte';
import { undoable } from './undo.svelte';

/** Where a task goes in a column: between two neighbours, either of which may be missing. */
export interface Spot {
  after?: TaskRecord | undefined;
  before?: TaskRecord | undefined;
}

const silent = { undo: false };

/** Runs an action on tasks as the root of a trace. */
function act<T>(name: string, tasks: TaskRecord[], run: () => T): T {
  const only = tasks.length === 1 ? tasks[0]!.key : tasks[0]!.project;
  return tracer.act(name, { ...keysOf(only), 'ui.tasks': tasks.length }, run);
}

/** Changes fields of one task. */
export function change(task: TaskRecord, patch: FieldPatch, options = { undo: true }): void {
  const before = pick(task, patch);
  act('change task', [task], () =>
    void store.write({
      lanes: [task.id],
      method: 'PATCH',
      path: `/api/v1/tasks/${task.id}`,
      body: patch,
      overlay: { [task.id]: patch },
      seen: { task: task.id, record: { ...task }, patch },
    }),
  );
  if (options.undo) undoable(t('done.changed', { key: task.key }), () => again(task.id, (now) => change(now, before, silent)));
}

/** Changes many tasks in one transaction: all or none. One task goes the way of single edits, which merge. */
export function changeAll(tasks: TaskRecord[], patch: FieldPatch): void {
  if (tasks.length === 1) return change(tasks[0]!, patch);
  bulk(tasks, patch as BulkChange, Object.fromEntries(tasks.map((task) => [task.id, patch])));
  const before = tasks.map((task) => ({ id: task.id, patch: pick(task, patch) }));
  undoable(t('done.changedMany', { n: tasks.length }), () => {
    for (const { id, patch } of before) again(id, (now) => change(now, patch, silent));
  });
}

/** Adds or removes a label or a person on many tasks. */
export function toggleAll(tasks: TaskRecord[], field: 'labels' | 'assignees', id: string, on: boolean): void {
  const next = (task: TaskRecord) => (on ? [...new Set([...task[field], id])] : task[field].filter((other) => other !== id));
  if (tasks.length === 1) return change(tasks[0]!, { [field]: next(tasks[0]!) });
  const name = `${on ? 'add' : 'remove'}${field === 'labels' ? 'Labels' : 'Assignees'}` as keyof BulkChange;
  bulk(tasks, { [name]: [id] }, Object.fromEntries(tasks.map((task) => [task.id, { [field]: next(task) }])));
  const before = tasks.map((task) => ({ id: task.id, patch: { [field]: task[field] } }));
  undoable(t('done.changedMany', { n: tasks.length }), () => {
    for (const { id: task, patch } of before) again(task, (now) => change(now, patch, silent));
  });
}

function bulk(tasks: TaskRecord[], body: BulkChange, overlay: Record<string, Overlay>): void {
  act('change tasks', tasks, () =>
    void store.write({
      lanes: tasks.map((task) => task.id),
      method: 'POST',
      path: `/api/v1/projects/${tasks[0]!.project}/tasks/bulk`,
      body: { tasks: tasks.map((task) => task.id), change: body },
      overlay,
    }),
  );
}

/** Moves a task to a state and a place. Without a spot it keeps its place in the order. */
export function move(task: TaskRecord, state: State, spot?: Spot, options = { undo: true }): void {
  const column = store.tasksOf(task.project).filter((other) => other.state === task.state);
  const at = column.findIndex((other) => other.id === task.id);
  const back = { state: task.state, after: column[at - 1]?.id, before: column[at + 1]?.id };
  const place = spot?.after ? { after: spot.after.id } : spot?.before ? { before: spot.before.id } : {};
  const overlay: Overlay = { state: state.id };
  if (spot?.after || spot?.before) overlay.rank = between(spot.after?.rank ?? '', spot.before?.rank ?? '');
  act('move task', [task], () =>
    void store.write({
      lanes: [task.id],
      method: 'POST',
      path: `/api/v1/tasks/${task.id}/move`,
      body: { state: state.id, ...place },
      overlay: { [task.id]: overlay },
    }),
  );
  if (!options.undo) return;
  undoable(t('done.moved', { key: task.key, state: state.name }), () =>
    again(task.id, (now) => {
      const was = store.project(now.project)?.states.find((other) => other.id === back.state);
      const neighbour = (id: string | undefined) => (id ? store.task(id) : undefined);
      if (was) move(now, was, { after: neighbour(back.after), before: neighbour(back.before) }, silent);
    }),
  );
}

/** Creates a task from a quick-add line; fields beside it are used where the line says nothing. */
export function create(project: Project, line: string, fields: { state?: string; parent?: string } = {}, parsed?: QuickParsed): Promise<unknown> {
  const state = parsed?.state ?? fields.state ?? defaultState(project).id;
  const now = new Date().toISOString();
  const me = store.me?.person.id ?? '';
  const last = store.tasksOf(project.key).at(-1);
  const record: TaskRecord = {
    id: `new-${newKey()}`, key: `${project.key}-…`, project: project.key, number: 0,
    title: parsed?.title || line, hasDescription: false, state, rank: between(last?.rank ?? '', ''),
    priority: parsed?.priority ?? 0, assignees: parsed?.assignees ?? [], labels: parsed?.labels ?? [],
    start: null, due: parsed?.due ?? null, estimate: null,
    parent: parsed?.parent ?? fields.parent ?? null, recurrence: null, version: 0,
    created: now, createdBy: me, updated: now, updatedBy: me, started: null, completed: null, trashed: null,
  };
  const answer = tracer.act('create task', keysOf(project.key), () =>
    store.write({
      lanes: [record.id, ...(fields.parent ? [fields.parent] : [])],
      method: 'POST',
      path: `/api/v1/projects/${project.key}/tasks?tz=${encodeURIComponent(Intl.DateTimeFormat().resolvedOptions().timeZone)}`,
      body: { quick: line, ...fields },
      overlay: {},
      creates: record,
    }),
  );
  void answer.then((task) => {
    const made = task as TaskRecord;
    announce(t('done.created', { key: made.key }));
    undoable(t('done.created', { key: made.key }), () => again(made.id, (current) => trash([current], silent)));
  }, () => undefined);
  return answer;
}

/** Where a task goes that names no state; as the server decides it. */
export function defaultState(project: Project): State {
  const open = project.states.filter((state) => !state.archived);
  return open.find((state) => state.category === 'backlog' || state.category === 'todo') ?? open[0]!;
}

export function trash(tasks: TaskRecord[], options = { undo: true }): void {
  const now = new Date().toISOString();
  writeTrash(tasks, { trashed: now }, 'trash');
  const ids = tasks.map((task) => task.id);
  if (options.undo) undoable(tasks.length === 1 ? t('done.trashed', { key: tasks[0]!.key }) : t('done.trashedMany', { n: tasks.length }), () => {
    const back = ids.map((id) => store.task(id)).filter((task) => task !== undefined);
    if (back.length) restore(back, silent);
  });
}

export function restore(tasks: TaskRecord[], options = { undo: true }): void {
  writeTrash(tasks, { trashed: null }, 'restore');
  if (options.undo) undoable(tasks.length === 1 ? t('done.restored', { key: tasks[0]!.key }) : t('done.restoredMany', { n: tasks.length }), () => {
    const back = tasks.map((task) => store.task(task.id)).filter((task) => task !== undefined);
    if (back.length) trash(back, silent);
  });
}

function writeTrash(tasks: TaskRecord[], overlay: Overlay, what: 'trash' | 'restore'): void {
  const one = tasks.length === 1 ? tasks[0] : undefined;
  act(`${what} task`, tasks, () => void store.write({
    lanes: tasks.map((task) => task.id),
    method: one && what === 'trash' ? 'DELETE' : 'POST',
    path: one ? `/api/v1/tasks/${one.id}${what === 'restore' ? '/restore' : ''}` : `/api/v1/projects/${tasks[0]!.project}/tasks/bulk`,
    ...(one ? {} : { body: { tasks: tasks.map((task) => task.id), [what]: true } }),
    overlay: Object.fromEntries(tasks.map((task) => [task.id, overlay])),
  }));
}

/** Comments on a task; shown as pending until the server has it. */
export async function comment(task: TaskRecord, body: string): Promise<void> {
  const made = (await act('add comment', [task], () =>
    store.write({
      lanes: [task.id],
      method: 'POST',
      path: `/api/v1/tasks/${task.id}/comments`,
      body: { body },
      overlay: {},
      comment: { task: task.id, body, created: new Date().toISOString() },
    }),
  )) as TaskComment;
  store.setDetails(task.id, (details) =>
    details.comments.some((other) => other.id === made.id) ? details : { ...details, comments: [...details.comments, made] },
  );
}

function again(id: string, run: (task: TaskRecord) => void): void {
  const task = store.task(id);
  if (task) run(task);
}

function pick(task: TaskRecord, patch: FieldPatch): FieldPatch {
  return Object.fromEntries((Object.keys(patch) as (keyof FieldPatch)[]).map((field) => [field, task[field]]));
}
