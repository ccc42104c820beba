import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Task, TaskEvent } from '../api/types';
import { record, task } from '../../test/records';
import type { NewEdit } from './outbox.svelte';
import { ServerStore } from './server.svelte';

interface Call {
  method: string;
  path: string;
  key: string | null;
  traceparent: string | null;
  ifMatch: string | null;
  body: unknown;
  answer: (status: number, body: unknown, headers?: Record<string, string>) => void;
  fail: () => void;
}

let calls: Call[] = [];

beforeEach(() => {
  calls = [];
  vi.useFakeTimers();
  vi.stubGlobal('fetch', (path: string, init: RequestInit) => {
    const headers = init.headers as Headers;
    return new Promise((resolve, reject) => {
      calls.push({
        method: init.method ?? 'GET', path, key: headers.get('Idempotency-Key'), traceparent: headers.get('traceparent'), ifMatch: headers.get('If-Match'), body: init.body ? JSON.parse(String(init.body)) : undefined,
        answer: (status, body, more = {}) => resolve(new Response(JSON.stringify(body), { status, headers: { 'Content-Type': status < 400 ? 'application/json' : 'application/problem+json', ...more } })),
        fail: () => reject(new TypeError('network')),
      });
    });
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const traceOf = (call: Call) => call.traceparent?.slice(3, 35);
const settle = () => vi.advanceTimersByTimeAsync(0);
const problem = (status: number, code: string, more = {}) => ({ type: `/problems/${code}`, title: code, status, code, detail: `${code} it is`, ...more });

function storeWith(...tasks: Task[]): ServerStore {
  const store = new ServerStore(null);
  store.putTasks(tasks.map((one) => record(one)));
  return store;
}

function patch(store: ServerStore, fields: Partial<Task>): NewEdit {
  const seen = store.task('t1')!;
  return { lanes: ['t1'], method: 'PATCH', path: '/api/v1/tasks/t1', body: fields, overlay: { t1: fields as never }, seen: { task: 't1', record: seen, patch: fields as never } };
}

describe('an edit', () => {
  it('shows at once, is sent with the version seen, and gives way to the answer', async () => {
    const store = storeWith(task());
    void store.write(patch(store, { title: 'B' }));
    expect(store.task('t1')?.title).toBe('B');
    await settle();
    expect(calls).toMatchObject([{ method: 'PATCH', ifMatch: '"1"', body: { title: 'B' } }]);
    calls[0]!.answer(200, task({ title: 'B', version: 2 }));
    await settle();
    expect(store.outbox.edits).toHaveLength(0);
    expect(store.task('t1')).toMatchObject({ title: 'B', version: 2 });
  });

  it('is taken back when refused', async () => {
    const store = storeWith(task());
    const refused = expect(store.write(patch(store, { title: 'B' }))).rejects.toThrow('forbidden it is');
    await settle();
    calls[0]!.answer(403, problem(403, 'forbidden'));
    await refused;
    expect(store.task('t1')?.title).toBe('A task');
  });

  it('goes on top of another field’s change after a 412, under a new key', async () => {
    const store = storeWith(task());
    void store.write(patch(store, { title: 'B' }));
    await settle();
    calls[0]!.answer(412, problem(412, 'stale-version', { current: task({ priority: 1, version: 5 }) }));
    await settle();
    expect(calls[1]).toMatchObject({ ifMatch: '"5"', body: { title: 'B' } });
    expect(calls[1]!.key).not.toBe(calls[0]!.key);
    expect(store.task('t1')).toMatchObject({ title: 'B', priority: 1 });
    expect(store.conflicts.size).toBe(0);
  });

  it('shows both values when the same field was changed by somebody else', async () => {
    const store = storeWith(task());
    store.write(patch(store, { title: 'mine' })).catch(() => undefined);
    await settle();
    calls[0]!.answer(412, problem(412, 'stale-version', { current: task({ title: 'theirs', version: 2 }) }));
    await settle();
    expect(calls).toHaveLength(1);
    expect(store.task('t1')?.title).toBe('theirs');
    expect(store.conflicts.get('t1')).toEqual([{ field: 'title', base: 'A task', mine: 'mine', theirs: 'theirs' }]);
    store.settleConflict('t1', 'title');
    expect(store.conflicts.size).toBe(0);
  });

  it('does not hold up the edits behind it when nothing of it is left to send', async () => {
    const store = storeWith(task());
    const first = patch(store, { title: 'mine' });
    const second = patch(store, { priority: 1 });
    store.receive([event({ snapshot: task({ title: 'theirs', version: 2 }) })]);
    void store.write(first);
    void store.write(second);
    await settle();
    expect(store.conflicts.get('t1')).toHaveLength(1);
    expect(calls).toMatchObject([{ ifMatch: '"2"', body: { priority: 1 } }]);
  });

  it('merges before sending when the stream was faster', async () => {
    const store = storeWith(task());
    const edit = patch(store, { title: 'B' });
    store.receive([event({ snapshot: task({ priority: 3, version: 2 }) })]);
    void store.write(edit);
    await settle();
    expect(calls[0]).toMatchObject({ ifMatch: '"2"', body: { title: 'B' } });
  });
});

describe('a dead network', () => {
  it('keeps edits, sends each once with its own key, in order', async () => {
    const store = storeWith(task());
    void store.write(patch(store, { title: 'B' }));
    void store.write(patch(store, { priority: 2 }));
    await settle();
    expect(calls).toHaveLength(1); // the second waits for the first: same task
    calls[0]!.fail();
    await settle();
    expect(store.outbox.cut).toBe(true);
    expect(store.task('t1')).toMatchObject({ title: 'B', priority: 2 });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(calls[1]).toMatchObject({ key: calls[0]!.key, body: { title: 'B' } });
    expect(traceOf(calls[1]!)).toBe(traceOf(calls[0]!));
    expect(calls[1]!.traceparent).not.toBe(calls[0]!.traceparent); // each try is a span of its own
    calls[1]!.answer(200, task({ title: 'B', version: 2 }));
    await settle();
    expect(traceOf(calls[2]!)).not.toBe(traceOf(calls[0]!)); // another edit, another action
    expect(store.outbox.cut).toBe(false);
    expect(calls[2]).toMatchObject({ ifMatch: '"2"', body: { priority: 2 } });
    calls[2]!.answer(200, task({ title: 'B', priority: 2, version: 3 }));
    await settle();
    expect(calls).toHaveLength(3);
    expect(store.outbox.edits).toHaveLength(0);
  });

  it('waits as long as the server asks', async () => {
    const store = storeWith(task());
    void store.write(patch(store, { title: 'B' }));
    await settle();
    calls[0]!.answer(503, problem(503, 'unavailable'), { 'Retry-After': '7' });
    await vi.advanceTimersByTimeAsync(6_900);
    expect(calls).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(200);
    expect(calls).toHaveLength(2);
  });

  it('survives a reload', async () => {
    const kept = new Map<string, string>();
    const storage = { getItem: (k: string) => kept.get(k) ?? null, setItem: (k: string, v: string) => void kept.set(k, v), removeItem: (k: string) => void kept.delete(k) } as Storage;
    const before = new ServerStore(storage);
    before.putTasks([record()]);
    void before.write(patch(before, { title: 'B' }));
    await settle();
    calls[0]!.fail();
    await settle();
    const after = new ServerStore(storage);
    after.putTasks([record()]);
    after.outbox.resume();
    expect(after.task('t1')?.title).toBe('B');
    await settle();
    expect(calls[1]).toMatchObject({ key: calls[0]!.key });
    expect(traceOf(calls[1]!)).toBe(traceOf(calls[0]!));
    calls[1]!.answer(200, task({ title: 'B', version: 2 }));
    await settle();
    expect(kept.size).toBe(0);
  });
});

describe('a new task', () => {
  const made = task({ id: 'real', key: 'WEB-9', number: 9, title: 'New' });
  const create: NewEdit = { lanes: ['new-1'], method: 'POST', path: '/api/v1/projects/WEB/tasks', body: { quick: 'New' }, overlay: {}, creates: record({ id: 'new-1', key: 'WEB-…', number: 0, title: 'New', version: 0 }) };

  it('shows once, although stream and answer both bring it', async () => {
    const store = storeWith();
    store.me = { person: { id: 'p1', handle: 'me', name: 'Me', kind: 'member', created: '' }, siteAdmin: true };
    void store.write(create);
    expect(store.tasksOf('WEB')).toHaveLength(1);
    await settle();
    store.receive([event({ kind: 'task.created', task: 'real', snapshot: made })]);
    expect(store.tasksOf('WEB')).toHaveLength(1);
    calls[0]!.answer(201, made);
    await settle();
    expect(store.tasksOf('WEB').map((one) => one.key)).toEqual(['WEB-9']);
  });

  it('gives its id to edits that were made meanwhile', async () => {
    const store = storeWith();
    void store.write(create);
    void store.write({ lanes: ['new-1'], method: 'DELETE', path: '/api/v1/tasks/new-1', overlay: { 'new-1': { trashed: 'now' } } });
    await settle();
    calls[0]!.answer(201, made);
    await settle();
    expect(calls[1]?.path).toBe('/api/v1/tasks/real');
    expect(store.tasksOf('WEB')).toHaveLength(0);
  });
});

describe('live events', () => {
  it('hand out the same list until something changes', () => {
    const store = storeWith(task());
    const before = store.tasksOf('WEB');
    store.receive([event({ snapshot: task() })]);
    expect(store.tasksOf('WEB')).toBe(before);
    store.receive([event({ snapshot: task({ version: 2, title: 'B' }) })]);
    expect(store.tasksOf('WEB')[0]?.title).toBe('B');
  });

  it('take trashed tasks off the board', () => {
    const store = storeWith(task());
    store.receive([event({ kind: 'task.trashed', snapshot: task({ version: 2, trashed: '2026-11-02T00:00:00Z' }) })]);
    expect(store.tasksOf('WEB')).toHaveLength(0);
  });
});

function event(fields: Partial<TaskEvent>): TaskEvent {
  return { pos: 1, project: 'WEB', aggregate: 'task', task: 't1', seq: 1, kind: 'task.changed', actor: 'p1', changes: [], occurred: '', recorded: '', traceId: null, ...fields };
}
