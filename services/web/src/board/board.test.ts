import { describe, expect, it } from 'vitest';
import { project, record } from '../../test/records';
import { step } from './boardKeys';
import { columnsOf } from './columns';
import { dropIndex, ESTIMATE_PX, indexAt, layout, visible } from './virtual';

describe('a long column', () => {
  const ids = Array.from({ length: 5_000 }, (_, i) => `t${i}`);

  it('renders only what can be seen', () => {
    const [from, to] = visible(layout(ids, new Map()), 200_000, 800);
    expect(to - from).toBeLessThan(30);
    expect(from).toBeGreaterThan(2_000);
  });

  it('uses measured heights', () => {
    const edges = layout(['a', 'b'], new Map([['a', 50]])).edges;
    expect([...edges]).toEqual([0, 50, 50 + ESTIMATE_PX]);
  });

  it('finds items by height, also outside', () => {
    const l = layout(['a', 'b', 'c'], new Map([['a', 10], ['b', 10], ['c', 10]]));
    expect([-5, 0, 9, 10, 29, 99].map((y) => indexAt(l, y))).toEqual([0, 0, 0, 1, 2, 2]);
    expect([-5, 4, 6, 16, 99].map((y) => dropIndex(l, y))).toEqual([0, 0, 1, 2, 3]);
    expect(dropIndex(layout([], new Map()), 10)).toBe(0);
    expect(visible(layout([], new Map()), 0, 100)).toEqual([0, 0]);
  });
});

describe('steps over the board', () => {
  const columns = [{ tasks: [1, 2, 3] }, { tasks: [] }, { tasks: [1] }];
  it.each([
    [null, 0, 1, { column: 0, index: 0 }],
    [{ column: 0, index: 0 }, 0, 1, { column: 0, index: 1 }],
    [{ column: 0, index: 2 }, 0, 1, null],
    [{ column: 0, index: 2 }, 1, 0, { column: 2, index: 0 }],
    [{ column: 2, index: 0 }, -1, 0, { column: 0, index: 0 }],
    [{ column: 0, index: 0 }, -1, 0, null],
  ])('from %j by %i, %i to %j', (from, dx, dy, expected) => {
    expect(step(columns, from, dx, dy)).toEqual(expected);
  });
});

describe('columns', () => {
  it('count all tasks for limits and the children of each parent', () => {
    const tasks = [record({ id: 'a' }), record({ id: 'b', parent: 'a', state: 's-done' }), record({ id: 'c', parent: 'a' })];
    const columns = columnsOf(project(), tasks.slice(0, 1), tasks, true);
    expect(columns.map((column) => [column.state.name, column.tasks.length, column.total])).toEqual([['Backlog', 0, 0], ['To do', 1, 2], ['In progress', 0, 0], ['Done', 0, 1]]);
    expect(columns[1]!.tasks[0]!.subtasks).toEqual({ done: 1, total: 2 });
  });

  it('hide archived states without tasks', () => {
    const states = project().states.map((state) => ({ ...state, archived: state.id === 's-doing' }));
    expect(columnsOf(project({ states }), [], [], true)).toHaveLength(3);
    expect(columnsOf(project({ states }), [], [record({ state: 's-doing' })], true)).toHaveLength(4);
  });
});
