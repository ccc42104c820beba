// Traces and instances as they look: one click, slow and failed ones, one with 2,000 spans. Development only.
import { randomBytes } from 'node:crypto';

const hex = (n) => randomBytes(n).toString('hex');
const INSTANCE = { browser: 'tab-1', edge: 'edge-1', 'task-service': 'task-service-a1', 'stats-service': 'stats-service-b1' };

/** A span; children are given as functions of their parent. */
function build(at, root, options = {}) {
  const traceId = options.traceId ?? hex(16);
  const spans = [];
  const add = (spec, parent) => {
    const span = {
      spanId: hex(8), parentId: parent?.spanId ?? null, service: spec.service, instance: INSTANCE[spec.service] ?? 'x-1', name: spec.name, kind: spec.kind ?? 'internal',
      start: new Date(at + spec.at).toISOString(), offsetMs: spec.at, durationMs: spec.ms, error: spec.error ?? false, statusMessage: spec.message ?? '',
      attributes: spec.attributes ?? {}, events: (spec.events ?? []).map(([name, offsetMs, attributes = {}]) => ({ name, offsetMs, attributes })),
      links: spec.link && parent ? [{ traceId, spanId: parent.spanId }] : (spec.links ?? []), adjustedMs: spec.adjusted ?? 0,
    };
    spans.push(span);
    for (const child of spec.children ?? []) add(child, span);
    return span;
  };
  add(root, null);
  if (options.orphan) spans[2].parentId = hex(8);
  spans.sort((a, b) => a.offsetMs - b.offsetMs);
  const end = Math.max(...spans.map((s) => s.offsetMs + s.durationMs));
  return { traceId, start: new Date(at).toISOString(), durationMs: end, spans, criticalPath: critical(spans, end), orphans: options.orphan ? 1 : 0, dropped: 0, linkedBy: options.linkedBy ?? [] };
}

/** From the end backwards: at each moment the deepest span that ended last. */
function critical(spans, end) {
  const out = [];
  const depth = new Map();
  const byId = new Map(spans.map((s) => [s.spanId, s]));
  const d = (s) => depth.get(s) ?? (depth.set(s, byId.has(s.parentId) ? d(byId.get(s.parentId)) + 1 : 0), depth.get(s));
  const cuts = [...new Set(spans.flatMap((s) => [s.offsetMs, s.offsetMs + s.durationMs]))].sort((a, b) => a - b);
  for (let i = 0; i + 1 < cuts.length && cuts[i] < end; i++) {
    const over = spans.filter((s) => s.offsetMs <= cuts[i] && s.offsetMs + s.durationMs >= cuts[i + 1]).sort((a, b) => d(b) - d(a))[0];
    if (!over) continue;
    const last = out.at(-1);
    if (last?.spanId === over.spanId) last.durationMs = cuts[i + 1] - last.offsetMs;
    else out.push({ spanId: over.spanId, offsetMs: cuts[i], durationMs: cuts[i + 1] - cuts[i] });
  }
  return out;
}

const sql = (at, ms, name, text, more = {}) => ({ service: 'task-service', name, kind: 'client', at, ms, attributes: { 'db.system.name': 'mysql', 'db.operation.name': name.split(' ')[0], 'db.collection.name': name.split(' ')[1], 'db.query.text': text, 'db.namespace': 'tallyboard' }, ...more });

function click(at, key, k = 1, fail = false, options = {}) {
  const project = key.split('-')[0];
  const statuses = { 'http.request.method': 'PATCH', 'http.route': '/api/v1/tasks/{key}', 'http.response.status_code': fail ? 503 : 200 };
  const tx = [
    sql(6.4 * k, 0.8 * k, 'SELECT tasks', 'SELECT t.id, t.version, t.title, t.state_id, t.rank\nFROM tasks t\nWHERE t.project_id = ? AND t.number = ?\nFOR UPDATE'),
    sql(7.5 * k, fail ? 26 : 1.1 * k, 'UPDATE tasks', 'UPDATE tasks SET state_id = ?, rank = ?, version = version + 1, updated_at = ?\nWHERE id = ? AND version = ?', fail ? { error: true, message: 'context deadline exceeded' } : {}),
  ];
  if (!fail) tx.push(sql(9 * k, 0.7 * k, 'INSERT events', 'INSERT INTO events (id, project_id, task_id, seq, kind, actor, changes, traceparent, recorded)\nVALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)'), sql(10 * k, 2.1 * k, 'COMMIT', 'COMMIT'));
  const after = fail ? [] : [{
    service: 'task-service', name: `publish tasks.${project}.${key}`, kind: 'producer', at: 22 * k, ms: 1.6 * k, attributes: { 'messaging.system': 'nats', 'messaging.destination.name': 'tasks', 'tallyboard.event.pos': 4711 },
    children: [
      { service: 'stats-service', name: `process tasks.${project}.${key}`, kind: 'consumer', link: true, at: 24.3 * k, ms: 9 * k, attributes: { 'messaging.system': 'nats', 'messaging.operation.type': 'process', 'tallyboard.event.pos': 4711 }, children: [
        { ...sql(25 * k, 1.2 * k, 'SELECT projection_cursor', 'SELECT pos, generation FROM projection_cursor WHERE id = ? FOR UPDATE'), service: 'stats-service' },
        { ...sql(27 * k, 1.6 * k, 'INSERT transitions', 'INSERT INTO transitions (task_id, seq, from_state, to_state, at) VALUES (?, ?, ?, ?, ?)'), service: 'stats-service' },
        { ...sql(30 * k, 2.2 * k, 'COMMIT', 'COMMIT'), service: 'stats-service' },
      ] },
      { service: 'task-service', name: `deliver tasks.${project}.${key}`, kind: 'consumer', link: true, at: 24.1 * k, ms: 0.6 * k, events: [['sse.deliver', 24.5 * k, { subscribers: 2 }]], children: [
        { service: 'browser', name: 'live update', kind: 'consumer', at: 26 * k, ms: 3.4 * k, adjusted: 12.4, attributes: { 'ui.view': 'board' } },
      ] },
    ],
  }];
  return build(at, {
    service: 'browser', name: 'move task', at: 0, ms: (fail ? 39 : 18) * k, error: fail, attributes: { 'ui.action': 'move task', 'ui.view': 'board' }, children: [
      { service: 'browser', name: 'PATCH', kind: 'client', at: 0.9, ms: (fail ? 37 : 16) * k, attributes: statuses, error: fail, children: [
        { service: 'edge', name: 'PATCH /api/v1/tasks/{key}', kind: 'server', at: 2.6 * k, ms: (fail ? 34.6 : 12.2) * k, attributes: statuses, error: fail, children: [
          { service: 'task-service', name: 'PATCH /api/v1/tasks/{key}', kind: 'server', at: 3.4 * k, ms: (fail ? 33 : 10.4) * k, error: fail, message: fail ? 'the database did not answer in time' : '', attributes: { ...statuses, 'tallyboard.task.key': key, 'tallyboard.project.key': project }, events: fail ? [['exception', 34, { 'exception.type': 'context.DeadlineExceeded' }]] : [], children: [...tx, ...after] },
        ] },
      ] },
    ],
  }, options);
}

function board(at, k = 1) {
  return build(at, { service: 'browser', name: 'open board', at: 0, ms: 60 * k, attributes: { 'ui.action': 'open board', 'ui.view': 'board' }, children: [
    { service: 'browser', name: 'GET', kind: 'client', at: 4, ms: 40 * k, children: [{ service: 'edge', name: 'GET /api/v1/projects/{key}/board', kind: 'server', at: 6 * k, ms: 35 * k, attributes: { 'http.response.status_code': 200 }, children: [
      { service: 'task-service', name: 'GET /api/v1/projects/{key}/board', kind: 'server', at: 7 * k, ms: 33 * k, attributes: { 'http.response.status_code': 200, 'tallyboard.project.key': 'WEB' }, children: [sql(8 * k, 2 * k, 'SELECT projects', 'SELECT * FROM projects WHERE key = ?'), sql(11 * k, 24 * k, 'SELECT tasks', 'SELECT * FROM tasks WHERE project_id = ? ORDER BY rank LIMIT ?')] },
    ] }] },
  ] });
}

function large(at, n) {
  const children = Array.from({ length: n }, (_, i) => sql(3 + i * 1.2, 0.9 + (i % 7) * 0.05, i % 40 === 0 ? 'COMMIT' : i % 3 ? 'INSERT tasks' : 'INSERT events', 'INSERT INTO tasks (id, project_id, number, title) VALUES (?, ?, ?, ?)', i % 700 === 699 ? { error: true, message: 'Duplicate entry' } : {}));
  return build(at, { service: 'edge', name: 'POST /api/v1/projects/{key}/import', kind: 'server', at: 0, ms: 6 + n * 1.2, attributes: { 'http.response.status_code': 200 }, children: [
    { service: 'task-service', name: 'POST /api/v1/projects/{key}/import', kind: 'server', at: 1, ms: 4 + n * 1.2, attributes: { 'http.response.status_code': 200, 'tallyboard.project.key': 'WEB' }, children },
  ] });
}

const now = Date.now();
const known = [];
for (let i = 0; i < 24; i++) known.push(i % 6 === 5 ? board(now - i * 41_000, 1 + (i % 4) / 3) : click(now - i * 41_000, `WEB-${1 + (i % 12)}`, 1 + ((i * 7) % 10) / 6, i % 9 === 4));
known.push(large(now - 1_200_000, 2_000), click(now - 1_300_000, 'WEB-3', 1, false, { orphan: true }), click(now - 1_400_000, 'WEB-1', 14, false, { linkedBy: [known[0].traceId, known[1].traceId] }));
known[0].spans.find((s) => s.kind === 'consumer').links.push({ traceId: known[1].traceId, spanId: hex(8) });
// Addresses that stay, for pictures.
for (const [i, id] of [[0, 'a'], [1, 'b'], [4, 'e'], [24, 'c'], [25, 'd']]) known[i].traceId = id.repeat(32);

const root = (t) => t.spans.find((s) => !s.parentId) ?? t.spans[0];
const server = (t) => t.spans.find((s) => s.kind === 'server');
const summary = (t) => ({ traceId: t.traceId, name: root(t).name, service: root(t).service, start: t.start, durationMs: t.durationMs, spans: t.spans.length, services: [...new Set(t.spans.map((s) => s.service))].sort(), error: t.spans.some((s) => s.error), status: server(t)?.attributes['http.response.status_code'] ?? 0, route: server(t)?.name ?? '' });

export function traceById(id) {
  return known.find((t) => t.traceId === id);
}

export function searchTraces(q) {
  if (process.env.TRACES === 'none') return { source: 'none', traces: [] };
  const has = (name) => q.get(name) !== null && q.get(name) !== '';
  const all = known.map((t) => [t, summary(t)]).filter(([t, s]) =>
    (!has('task') || t.spans.some((x) => x.attributes['tallyboard.task.key'] === q.get('task'))) && (!has('service') || s.services.includes(q.get('service'))) && (!has('route') || s.route === q.get('route')) &&
    (!has('minMs') || s.durationMs >= Number(q.get('minMs'))) && (!has('error') || s.error === (q.get('error') === 'true')) && (!has('since') || s.start >= q.get('since')));
  return { source: 'buffer', traces: all.map(([, s]) => s).slice(0, Number(q.get('limit') ?? 20)) };
}

export const traceSettings = () => (process.env.TRACES === 'none' ? { source: 'none', capacity: 0, externalUrl: null } : { source: 'buffer', capacity: 2000, externalUrl: 'https://jaeger.example/trace/{traceId}' });

export const traceGraph = () => ({
  nodes: [{ service: 'browser', calls: 412, errors: 4, p95Ms: 61 }, { service: 'edge', calls: 408, errors: 4, p95Ms: 44 }, { service: 'task-service', calls: 371, errors: 4, p95Ms: 36.5 }, { service: 'stats-service', calls: 402, errors: 0, p95Ms: 15.1 }, { service: 'mysql', calls: 3110, errors: 4, p95Ms: 2.4 }],
  edges: [{ from: 'browser', to: 'edge', kind: 'http', calls: 408, errors: 4, p95Ms: 46 }, { from: 'edge', to: 'task-service', kind: 'http', calls: 371, errors: 4, p95Ms: 36.5 }, { from: 'edge', to: 'stats-service', kind: 'http', calls: 37, errors: 0, p95Ms: 8.8 }, { from: 'task-service', to: 'stats-service', kind: 'messaging', calls: 365, errors: 0, p95Ms: 15.1 }, { from: 'task-service', to: 'browser', kind: 'messaging', calls: 730, errors: 0, p95Ms: 5 }, { from: 'task-service', to: 'mysql', kind: 'db', calls: 2015, errors: 4, p95Ms: 2.4 }, { from: 'stats-service', to: 'mysql', kind: 'db', calls: 1095, errors: 0, p95Ms: 1.9 }],
});

let ticks = 0;
export function operations() {
  ticks++;
  const base = { version: 'v1.4.0-12-gf67b6cd', startedAt: new Date(now - 7_300_000).toISOString(), ready: true, nats: process.env.NATS_AWAY ? 'away' : 'connected' };
  return {
    at: new Date().toISOString(), natsAway: Boolean(process.env.NATS_AWAY),
    instances: [
      { ...base, service: 'task-service', instance: 'task-service-a1', pools: [{ name: 'tasks', engine: 'mysql', max: 16, inUse: 3 + (ticks % 5), idle: 6, waitCount: 12, waitMs: 81 }], relay: { leader: true, unpositioned: 0, oldestAgeSeconds: 0, given: 4711 + ticks, published: 4711 + ticks, takeovers: 1 }, consumer: null, live: { subscribers: 3, stale: false }, goroutines: 84, heapBytes: 23_400_000 },
      { ...base, service: 'task-service', instance: 'task-service-a2', pools: [{ name: 'tasks', engine: 'mysql', max: 16, inUse: 15, idle: 1, waitCount: 812, waitMs: 9_300 }], relay: { leader: false, unpositioned: null, oldestAgeSeconds: null, given: null, published: null, takeovers: 0 }, consumer: null, live: { subscribers: 2, stale: true }, goroutines: 131, heapBytes: 31_000_000 },
      { ...base, service: 'stats-service', instance: 'stats-service-b1', pools: [{ name: 'tasks', engine: 'mysql', max: 8, inUse: 0, idle: 2, waitCount: 0, waitMs: 0 }, { name: 'stats', engine: 'postgresql', max: 8, inUse: 1, idle: 4, waitCount: 0, waitMs: 0 }], relay: null, consumer: { leader: true, cursor: 4709 + ticks, lag: ticks % 3, lagSeconds: (ticks % 3) * 0.4, parked: 2, source: 'stream', lastVerify: { at: new Date(now - 3_600_000).toISOString(), equal: true, differences: 0 } }, live: null, goroutines: 61, heapBytes: 18_200_000 },
    ],
    routes: [
      { service: 'task-service', route: 'GET /api/v1/projects/{key}/board', count: 1201, errors: 0, p50Ms: 4.2, p95Ms: 18.9, p99Ms: 41 }, { service: 'task-service', route: 'PATCH /api/v1/tasks/{key}', count: 873 + ticks, errors: 4, p50Ms: 6.1, p95Ms: 14.4, p99Ms: 212 },
      { service: 'task-service', route: 'GET /api/v1/tasks', count: 96, errors: 0, p50Ms: 8.8, p95Ms: 31, p99Ms: 60 }, { service: 'task-service', route: 'POST /api/v1/projects/{key}/import', count: 3, errors: 1, p50Ms: 1_800, p95Ms: 2_406, p99Ms: 2_406 }, { service: 'stats-service', route: 'GET /api/v1/stats/projects/{key}/summary', count: 240, errors: 0, p50Ms: 3.1, p95Ms: 7, p99Ms: 12.6 },
    ],
  };
}

let parked = [{ aggregate: 'task', task: '0190a000-0000-7000-8000-00000000aaaa', project: '0190a000-0000-7000-8000-00000000bbbb', pos: 4690, seq: 7, reason: 'a state of the event is not known', since: new Date(now - 600_000).toISOString(), attempts: 5, events: 2 }];
export const statsStatus = () => ({ cursor: 4711, head: 4712, lagPositions: 1, lagSeconds: 0.4, source: 'nats', generation: 3, applier: true, nats: { connected: true, since: new Date(now).toISOString() }, parkedCount: parked.length, parked });
export function retryParked(task) {
  parked = parked.filter((one) => one.task !== task);
  return { task, applied: 2, remaining: 0 };
}
export const verification = () => ({ equal: true, pos: 4711, generation: 3, tasks: 412, transitions: 1_907, states: 20, parked: 0, count: 0, differences: [], tookSeconds: 0.42 });
