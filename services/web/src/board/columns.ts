import type { Project, State } from '../api/types';
import type { TaskRecord } from '../store/records';

export interface ColumnData {
  state: State;
  tasks: TaskRecord[];
  /** Tasks in the state without the filter. */
  total: number;
}

/**
 * Sorts tasks (already in board order) into the columns of a project. With `complete`, where all tasks are at hand,
 * progress of subtasks is counted here, so that it moves with every live change.
 */
export function columnsOf(project: Project, shown: TaskRecord[], all: TaskRecord[], complete: boolean): ColumnData[] {
  const totals = new Map<string, number>();
  const done = new Set(project.states.filter((state) => state.category === 'done' || state.category === 'cancelled').map((state) => state.id));
  const progress = new Map<string, { done: number; total: number }>();
  for (const task of all) {
    totals.set(task.state, (totals.get(task.state) ?? 0) + 1);
    if (!task.parent) continue;
    const sum = progress.get(task.parent) ?? { done: 0, total: 0 };
    sum.total++;
    if (done.has(task.state)) sum.done++;
    progress.set(task.parent, sum);
  }
  const byState = new Map<string, TaskRecord[]>();
  for (const task of shown) {
    const sum = complete ? progress.get(task.id) : task.subtasks;
    const same = sum?.done === task.subtasks?.done && sum?.total === task.subtasks?.total;
    const record = same ? task : { ...task, subtasks: sum ?? { done: 0, total: 0 } };
    const list = byState.get(task.state);
    if (list) list.push(record);
    else byState.set(task.state, [record]);
  }
  return project.states
    .filter((state) => !state.archived || totals.has(state.id))
    .map((state) => ({ state, tasks: byState.get(state.id) ?? [], total: totals.get(state.id) ?? 0 }));
}

/** How many tasks are not finished. */
export function countOpen(project: Project, tasks: TaskRecord[]): number {
  const open = new Set(project.states.filter((state) => !['done', 'cancelled'].includes(state.category)).map((state) => state.id));
  return tasks.filter((task) => open.has(task.state)).length;
}
