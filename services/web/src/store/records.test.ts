import { describe, expect, it } from 'vitest';
import type { Card, TaskEvent } from '../api/types';
import { record, task } from '../../test/records';
import { applyEvent, byRank, newer, toRecord, type TaskRecord } from './records';

function event(fields: Partial<TaskEvent>): TaskEvent {
  return { pos: 1, project: 'WEB', aggregate: 'task', task: 't1', seq: 1, kind: 'task.changed', actor: 'p1', changes: [], occurred: '', recorded: '', traceId: null, ...fields };
}

function card(fields: Partial<Card>): TaskRecord {
  const { description: _, progress: __, ...rest } = task();
  return toRecord({ ...rest, hasDescription: true, subtasks: { done: 1, total: 2 }, ...fields });
}

describe('newer', () => {
  it('ignores an older version', () => {
    const known = record({ version: 3, title: 'new' });
    expect(newer(known, record({ version: 2, title: 'old' }))).toBe(known);
  });

  it('returns the same object when nothing changes, so that nothing is drawn again', () => {
    const known = record({ version: 3 });
    expect(newer(known, record({ version: 3 }))).toBe(known);
  });

  it('keeps the description when a card of the same version arrives, and the subtasks when a task does', () => {
    const whole = record({ description: 'text' });
    const merged = newer(whole, card({ version: 1 }));
    expect(merged.description).toBe('text');
    expect(merged.subtasks).toEqual({ done: 1, total: 2 });
    expect(newer(merged, record({ description: 'text', title: 'B', version: 2 })).subtasks).toEqual({ done: 1, total: 2 });
  });

  it('forgets a description that a card of a later version may have outdated', () => {
    expect(newer(record({ description: 'old' }), card({ version: 2 })).description).toBeUndefined();
  });
});

describe('applyEvent', () => {
  it('applies snapshots by version, once', () => {
    const records = new Map([['t1', record({ version: 1 })]]);
    const change = event({ snapshot: task({ version: 2, title: 'B' }) });
    expect(applyEvent(records, change).changed?.title).toBe('B');
    expect(applyEvent(records, change).changed).toBeNull();
    expect(applyEvent(records, event({ snapshot: task({ version: 1, title: 'A' }) })).changed).toBeNull();
    expect(records.get('t1')?.title).toBe('B');
  });

  it('takes in tasks it has not seen', () => {
    const records = new Map<string, TaskRecord>();
    applyEvent(records, event({ kind: 'task.created', snapshot: task() }));
    expect(records.get('t1')?.key).toBe('WEB-1');
  });

  it('asks for a task whose event carries no snapshot', () => {
    expect(applyEvent(new Map([['t1', record()]]), event({})).reload).toBe('t1');
    expect(applyEvent(new Map(), event({})).reload).toBeNull();
  });

  it('leaves project events alone', () => {
    expect(applyEvent(new Map(), event({ aggregate: 'project', task: null, kind: 'project.changed' }))).toEqual({ changed: null, reload: null });
  });
});

describe('byRank', () => {
  it('compares by byte and breaks ties by id', () => {
    const tasks = [record({ id: 'b', rank: 'a1' }), record({ id: 'c', rank: 'a' }), record({ id: 'a', rank: 'a1' }), record({ id: 'd', rank: 'Z' })];
    expect(tasks.sort(byRank).map((one) => one.id)).toEqual(['d', 'c', 'a', 'b']);
  });
});
