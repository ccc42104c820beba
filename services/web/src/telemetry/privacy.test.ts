// What leaves the browser as telemetry names no person and holds none of their words: the real store, tracer and exporter,
// with secrets in everything a person can type.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { get, request, withQuery } from '../api/http';
import { change, changeAll, comment, create, move, trash } from '../store/actions';
import { store } from '../store/server.svelte';
import { undo } from '../store/undo.svelte';
import { project, record, task } from '../../test/records';
import { shows } from './screens';
import { tracer } from './telemetry';

const SECRET = 'xsecretx';
let exported: string[] = [];
let traceparents: string[] = [];

beforeEach(() => {
  vi.useFakeTimers();
  exported = [];
  traceparents = [];
  vi.stubGlobal('fetch', async (path: string, init: RequestInit) => {
    if (path.startsWith('/otlp/')) {
      exported.push(String(init.body));
      return new Response('{}');
    }
    const parent = (init.headers as Headers).get('traceparent')!;
    traceparents.push(parent);
    const body = init.method === 'POST' && path.includes('/tasks?') ? task({ id: 'made', key: 'WEB-2', number: 2, title: SECRET }) : { ...task({ version: 9 }), id: 't1' };
    return new Response(JSON.stringify(body), { headers: { traceresponse: `00-${parent.slice(3, 35)}-00f067aa0ba902b7-01` } });
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** Lets everything happen, the exporter's code being loaded included. */
async function settle(): Promise<void> {
  await vi.advanceTimersByTimeAsync(10_000);
  await vi.dynamicImportSettled();
  await vi.advanceTimersByTimeAsync(1_000);
}

describe('exported spans', () => {
  it('hold no titles, texts, names, searches, ids or addresses', async () => {
    const person = { id: `person-${SECRET}`, handle: SECRET, name: SECRET, kind: 'member' as const, created: '' };
    store.me = { person, siteAdmin: true };
    store.putProject(project({ name: SECRET, description: SECRET }));
    const one = record({ title: SECRET, description: SECRET });
    store.putTasks([one, record({ id: 't3', key: 'WEB-3', number: 3, title: SECRET })]);

    shows({ name: 'project', project: SECRET.toUpperCase(), view: 'board' }, SECRET); // an address typed by hand
    shows({ name: 'task', ref: `${SECRET} & more` }, '');
    change(one, { title: `${SECRET} 2`, description: SECRET, assignees: [person.id] });
    changeAll([one, store.task('t3')!], { labels: [SECRET] });
    move(one, { ...project().states[3]!, name: SECRET });
    undo();
    void create(project(), `${SECRET} @${SECRET} #${SECRET}`);
    void comment(one, SECRET).catch(() => undefined);
    trash([one]);
    void get(withQuery('/api/v1/tasks', { filter: SECRET, tz: SECRET }));
    void request('PUT', `/api/v1/projects/${SECRET}/members/${SECRET}`, { body: { name: SECRET } });
    tracer.live([{ traceparent: `00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01`, attributes: {} }], () => void get(`/api/v1/people/${SECRET}#${SECRET}`));
    await settle();

    const spans = exported.join('\n');
    for (const name of ['open task', 'change task', 'change tasks', 'move task', 'undo', 'create task', 'add comment', 'trash task', 'save data', 'live update']) expect(spans).toContain(`"name":"${name}"`);
    expect(spans.toLowerCase()).not.toContain(SECRET);
    expect(traceparents.length).toBeGreaterThan(9);
    for (const parent of traceparents) expect(spans).toContain(`"spanId":"${parent.slice(36, 52)}"`);
  });

  it('have no attributes but those the receiver lets through', async () => {
    change(record(), { title: SECRET });
    await settle();
    const keys = [...exported.join().matchAll(/"key":"([^"]+)"/g)].map((match) => match[1]!);
    expect(keys).toContain('tallyboard.task.key');
    for (const key of keys) {
      expect(key).toMatch(/^(service\.name|ui\.\w+|http\.request\.method|http\.response\.status_code|url\.template|error\.type|tallyboard\.(task|project)\.key)$/);
    }
  });
});
