// An in-memory stand-in for the two services, for working on the UI and for pictures. Development only: it keeps the
// shapes of the API, not its rules. Serves dist/ with the same content security policy as the product.
//   node dev/mock/server.mjs [port]        FAIL_STATS=1 answers statistics with 503, TRACES=none has none, NATS_AWAY=1
import { randomUUID } from 'node:crypto';
import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { addProject, addTask, changeTask, createWorld, head, listeners, rankBetween, record } from './data.mjs';
import { FilterError, filterTasks } from './filter.mjs';
import { stats } from './stats.mjs';
import { operations, retryParked, searchTraces, statsStatus, traceById, traceGraph, traceSettings, verification } from './traces.mjs';

const dist = process.env.DIST ?? new URL('../../dist', import.meta.url).pathname;
const world = createWorld({ big: Number(process.env.BIG ?? 0) });
const CSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.json': 'application/json' };

class Problem extends Error {
  constructor(status, code, detail, more = {}) {
    super(detail);
    this.body = { type: `/problems/${code}`, title: code, status, code, detail, ...more };
  }
}

const taskOf = (ref) => {
  const task = world.tasks.get(ref) ?? [...world.tasks.values()].find((t) => t.key === ref);
  if (!task) throw new Problem(404, 'not-found', `There is no task ${ref}.`);
  return task;
};
const projectOf = (key) => world.projects.get(key) ?? (() => { throw new Problem(404, 'not-found', `There is no project ${key}.`); })();
const card = (t) => { const { description, ...rest } = t; const kids = [...world.tasks.values()].filter((x) => x.parent === t.id && !x.trashed); return { ...rest, hasDescription: description !== '', subtasks: { total: kids.length, done: kids.filter((k) => k.completed).length } }; };
const changeProject = (project, fn) => { fn(project); project.version++; project.updated = new Date().toISOString(); record(world, null, 'project.changed', [], undefined, project); return project; };

function list(tasks, q) {
  const sort = q.get('sort') ?? 'rank';
  const field = sort.replace('-', '');
  const sign = sort.startsWith('-') ? -1 : 1;
  const sorted = [...tasks].sort((a, b) => (a[field] == null ? 1 : b[field] == null ? -1 : a[field] < b[field] ? -sign : a[field] > b[field] ? sign : 0));
  const from = Number(q.get('cursor') ?? 0);
  const limit = Number(q.get('limit') ?? 50);
  return { tasks: sorted.slice(from, from + limit), next: from + limit < sorted.length ? String(from + limit) : null, pos: head() };
}

function quick(project, text) {
  const out = { title: text, priority: 0, assignees: [], labels: [], due: null, parent: null, state: null, tokens: [] };
  out.title = text.split(/\s+/).filter((word) => {
    if (/^![1-4]$/.test(word)) return (out.priority = Number(word[1]), false);
    if (word.startsWith('@')) { const p = word === '@me' ? world.me : world.people.find((x) => x.handle === word.slice(1)); if (p) out.assignees.push(p.id); return !p; }
    if (word.startsWith('#')) { const l = project.labels.find((x) => x.name === word.slice(1)); if (l) out.labels.push(l.id); return !l; }
    if (word === 'tomorrow' || word === 'today') return (out.due = new Date(Date.now() + (word === 'today' ? 0 : 86_400_000)).toISOString().slice(0, 10), false);
    if (/^\^[A-Z]+-\d+$/.test(word)) return (out.parent = taskOf(word.slice(1)).id, false);
    return true;
  }).join(' ');
  return out;
}

const routes = [
  ['GET', '/api/v1/me', () => ({ person: world.me, siteAdmin: true })],
  ['GET', '/api/v1/people', () => ({ people: world.people })],
  ['POST', '/api/v1/people', (p, q, body) => { const one = { id: randomUUID(), kind: 'member', created: new Date().toISOString(), ...body }; world.people.push(one); return one; }],
  ['GET', '/api/v1/projects', () => ({ projects: [...world.projects.values()] })],
  ['POST', '/api/v1/projects', (p, q, body) => { if (world.projects.has(body.key)) throw new Problem(409, 'conflict', `The key ${body.key} is taken.`); return addProject(world, body); }],
  ['GET', '/api/v1/projects/:key', ({ key }) => projectOf(key)],
  ['PATCH', '/api/v1/projects/:key', ({ key }, q, body) => changeProject(projectOf(key), (p) => { const { archived, ...rest } = body; Object.assign(p, rest); if (archived !== undefined) p.archived = archived ? new Date().toISOString() : null; })],
  ['POST', '/api/v1/projects/:key/states', ({ key }, q, body) => changeProject(projectOf(key), (p) => p.states.push({ id: randomUUID(), wipLimit: null, archived: false, ...body }))],
  ['PATCH', '/api/v1/projects/:key/states/:id', ({ key, id }, q, body) => changeProject(projectOf(key), (p) => { const s = p.states.find((x) => x.id === id); const { position, ...rest } = body; Object.assign(s, rest); if (position !== undefined) { p.states.splice(p.states.indexOf(s), 1); p.states.splice(position, 0, s); } })],
  ['DELETE', '/api/v1/projects/:key/states/:id', ({ key, id }) => { if ([...world.tasks.values()].some((t) => t.state === id)) throw new Problem(409, 'conflict', 'There are still tasks in this state.'); return changeProject(projectOf(key), (p) => (p.states.find((x) => x.id === id).archived = true)); }],
  ['POST', '/api/v1/projects/:key/labels', ({ key }, q, body) => changeProject(projectOf(key), (p) => p.labels.push({ id: randomUUID(), ...body }))],
  ['PATCH', '/api/v1/projects/:key/labels/:id', ({ key, id }, q, body) => changeProject(projectOf(key), (p) => Object.assign(p.labels.find((x) => x.id === id), body))],
  ['DELETE', '/api/v1/projects/:key/labels/:id', ({ key, id }) => changeProject(projectOf(key), (p) => (p.labels = p.labels.filter((x) => x.id !== id)))],
  ['PUT', '/api/v1/projects/:key/members/:id', ({ key, id }, q, body) => changeProject(projectOf(key), (p) => { p.members = [...p.members.filter((m) => m.person !== id), { person: id, role: body.role }]; })],
  ['DELETE', '/api/v1/projects/:key/members/:id', ({ key, id }) => changeProject(projectOf(key), (p) => (p.members = p.members.filter((m) => m.person !== id)))],
  ['GET', '/api/v1/projects/:key/views', () => ({ views: world.views })],
  ['POST', '/api/v1/projects/:key/views', (p, q, body) => { const v = { id: randomUUID(), filter: '', groupBy: '', sort: '', shared: false, owner: world.me.id, version: 1, created: '', updated: '', ...body }; world.views.push(v); return v; }],
  ['DELETE', '/api/v1/projects/:key/views/:id', ({ id }) => { world.views = world.views.filter((v) => v.id !== id); }],
  ['GET', '/api/v1/projects/:key/board', ({ key }, q) => {
    const project = projectOf(key);
    const at = q.get('at');
    let tasks = [...world.tasks.values()].filter((t) => t.project === key && !t.trashed);
    if (at) tasks = tasks.filter((t) => t.created <= at).map((t) => (t.completed && t.completed > at ? { ...t, state: project.states[t.started && t.started <= at ? 2 : 1].id } : t));
    return { project, tasks: filterTasks(world, tasks, q.get('filter')).sort((a, b) => (a.rank < b.rank ? -1 : 1)).slice(0, 2000).map(card), pos: head(), truncated: tasks.length > 2000 };
  }],
  ['GET', '/api/v1/projects/:key/tasks', ({ key }, q) => list(filterTasks(world, [...world.tasks.values()].filter((t) => t.project === key && (q.get('trashed') === 'true') === !!t.trashed), q.get('filter')), q)],
  ['GET', '/api/v1/tasks', (p, q) => list(filterTasks(world, [...world.tasks.values()].filter((t) => (q.get('trashed') === 'true') === !!t.trashed), q.get('filter')), q)],
  ['POST', '/api/v1/projects/:key/tasks', ({ key }, q, body) => {
    const project = projectOf(key);
    const { quick: line, ...fields } = body;
    const parsed = line ? quick(project, line) : { title: body.title };
    const known = Object.fromEntries(Object.entries(parsed).filter(([, v]) => v !== null && v !== 0 && !(Array.isArray(v) && !v.length)));
    return addTask(world, project, { ...fields, ...known });
  }],
  ['POST', '/api/v1/projects/:key/quickadd/parse', ({ key }, q, body) => quick(projectOf(key), body.text)],
  ['POST', '/api/v1/projects/:key/tasks/bulk', ({ key }, q, body) => {
    const apply = (t) => {
      if (body.trash || body.restore) return changeTask(world, t, { trashed: body.trash ? new Date().toISOString() : null });
      const { addLabels = [], removeLabels = [], addAssignees = [], removeAssignees = [], ...plain } = body.change;
      const lists = (ids, add, remove) => [...new Set([...ids, ...add])].filter((id) => !remove.includes(id));
      return changeTask(world, t, { ...plain, labels: plain.labels ?? lists(t.labels, addLabels, removeLabels), assignees: plain.assignees ?? lists(t.assignees, addAssignees, removeAssignees) });
    };
    return { tasks: body.tasks.map(taskOf).map(apply) };
  }],
  ['GET', '/api/v1/tasks/:ref', ({ ref }) => taskOf(ref)],
  ['PATCH', '/api/v1/tasks/:ref', ({ ref }, q, body, headers) => {
    const task = taskOf(ref);
    const match = headers['if-match'];
    if (!match) throw new Problem(428, 'precondition-required', 'If-Match is missing.');
    if (match !== '*' && match !== `"${task.version}"`) throw new Problem(412, 'stale-version', 'Somebody else changed it first.', { current: task });
    return changeTask(world, task, body);
  }],
  ['DELETE', '/api/v1/tasks/:ref', ({ ref }) => changeTask(world, taskOf(ref), { trashed: new Date().toISOString() })],
  ['POST', '/api/v1/tasks/:ref/restore', ({ ref }) => changeTask(world, taskOf(ref), { trashed: null })],
  ['POST', '/api/v1/tasks/:ref/move', ({ ref }, q, body) => { const t = taskOf(ref); const rank = rankBetween(world, t, body); return changeTask(world, t, { ...(body.state ? { state: body.state } : {}), rank: `${rank}0` }); }],
  ['GET', '/api/v1/tasks/:ref/details', ({ ref }) => {
    const task = taskOf(ref);
    const inverse = { blocks: 'blocked-by', duplicates: 'duplicated-by', relates: 'relates' };
    const relations = world.relations.filter((r) => r.from === task.id || r.to === task.id).map((r) => (r.from === task.id ? { kind: r.kind, task: r.to, created: r.created } : { kind: inverse[r.kind], task: r.from, created: r.created }));
    return { task, subtasks: [...world.tasks.values()].filter((t) => t.parent === task.id && !t.trashed), relations, related: [...relations.map((r) => world.tasks.get(r.task)), ...(task.parent ? [world.tasks.get(task.parent)] : [])], comments: world.comments.filter((c) => c.task === task.id) };
  }],
  ['GET', '/api/v1/tasks/:ref/history', ({ ref }) => ({ events: world.events.filter((e) => e.task === taskOf(ref).id).reverse().slice(0, 50), next: null })],
  ['POST', '/api/v1/tasks/:ref/comments', ({ ref }, q, body) => { const t = taskOf(ref); const c = { id: randomUUID(), task: t.id, author: world.me.id, body: body.body, mentions: [], created: new Date().toISOString(), edited: null }; world.comments.push(c); record(world, t, 'comment.added', [{ field: 'comment', after: c.id }, { field: 'body', after: c.body }]); return c; }],
  ['PATCH', '/api/v1/tasks/:ref/comments/:id', ({ id }, q, body) => { const c = world.comments.find((x) => x.id === id); c.body = body.body; c.edited = new Date().toISOString(); return c; }],
  ['DELETE', '/api/v1/tasks/:ref/comments/:id', ({ ref, id }) => { world.comments = world.comments.filter((c) => c.id !== id); record(world, taskOf(ref), 'comment.removed', [{ field: 'comment', before: id }]); }],
  ['PUT', '/api/v1/tasks/:ref/relations/:kind/:other', ({ ref, kind, other }) => { const a = taskOf(ref); const b = taskOf(other); const swap = kind.endsWith('-by'); world.relations.push({ from: swap ? b.id : a.id, to: swap ? a.id : b.id, kind: { 'blocked-by': 'blocks', 'duplicated-by': 'duplicates' }[kind] ?? kind, created: new Date().toISOString() }); record(world, a, 'relation.added', [{ field: 'relation', after: { kind, task: b.id } }]); }],
  ['DELETE', '/api/v1/tasks/:ref/relations/:kind/:other', ({ ref, other }) => { const a = taskOf(ref); const b = taskOf(other); world.relations = world.relations.filter((r) => !([r.from, r.to].includes(a.id) && [r.from, r.to].includes(b.id))); record(world, a, 'relation.removed', [{ field: 'relation', before: { kind: 'relates', task: b.id } }]); }],
  ['GET', '/api/v1/stats/projects/:key/:what', ({ key, what }, q) => { if (process.env.FAIL_STATS) throw new Problem(503, 'unavailable', 'Statistics are away.'); return stats(world, projectOf(key), what, q) ?? (() => { throw new Problem(404, 'not-found', 'No such statistic.'); })(); }],
  ['GET', '/api/v1/stats/status', () => { if (process.env.FAIL_STATS) throw new Problem(503, 'unavailable', 'Statistics are away.'); return statsStatus(); }],
  ['GET', '/api/v1/stats/verify', () => verification()],
  ['POST', '/api/v1/stats/parked/:task/retry', ({ task }) => retryParked(task)],
  ['GET', '/api/v1/traces', (p, q) => searchTraces(q)],
  ['GET', '/api/v1/traces/settings', () => traceSettings()],
  ['GET', '/api/v1/traces/graph', () => traceGraph()],
  ['GET', '/api/v1/traces/:id', ({ id }) => traceById(id) ?? (() => { throw new Problem(404, 'not-found', `There is no trace ${id}.`); })()],
  ['GET', '/api/v1/operations', () => operations()],
  ['POST', '/api/v1/projects/:key/import', ({ key }, q, text) => {
    const rows = String(text).trim().split('\n').slice(1);
    const refusals = rows.map((row, i) => ({ line: i + 2, reason: row.split(',').length < 2 ? 'the row has too few columns' : '' })).filter((r) => r.reason);
    if (q.get('dryRun') !== 'true') for (const row of rows) if (row.split(',')[1]) addTask(world, projectOf(key), { title: row.split(',')[1] });
    const report = { dryRun: q.get('dryRun') === 'true', rows: rows.length, format: q.get('format'), tasks: rows.length - refusals.length, known: 0, events: rows.length, clamped: 0, refusedRows: refusals.length, refused: refusals, people: [], states: [], labels: [], columns: {}, unusedColumns: [] };
    return { ndjson: [{ type: 'progress', rows: rows.length >> 1, totalRows: rows.length, tasks: 0 }, { type: 'report', report }] };
  }],
].map(([method, path, run]) => ({ method, run, pattern: new RegExp(`^${path.replace(/:(\w+)/g, '(?<$1>[^/]+)')}$`) }));

function sse(request, response, key, url) {
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
  const after = Number(request.headers['last-event-id'] ?? url.searchParams.get('after') ?? head());
  response.write(`event: ready\ndata: ${JSON.stringify({ pos: after, live: true })}\n\n`);
  const send = (event) => event.project === key && response.write(`id: ${event.pos}\nevent: ${event.kind}\ndata: ${JSON.stringify(event)}\n\n`);
  for (const event of world.events) if (event.pos > after) send({ ...event, ...(event.task ? { snapshot: world.tasks.get(event.task) } : {}) });
  listeners.add(send);
  const beat = setInterval(() => response.write(': beat\n\n'), 10_000);
  request.on('close', () => (listeners.delete(send), clearInterval(beat)));
}

function statsSse(request, response, key) {
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
  const say = (event) => response.write(`event: ${event}\nid: ${head()}\ndata: ${JSON.stringify({ project: key, pos: head(), generation: 1 })}\n\n`);
  say('ready');
  const send = (event) => event.project === key && setImmediate(() => say('stats'));
  listeners.add(send);
  request.on('close', () => listeners.delete(send));
}

const seen = new Map(); // idempotency key → answer

const server = createServer(async (request, response) => {
  const url = new URL(request.url, 'http://mock');
  const live = /^\/api\/v1\/projects\/(\w+)\/events$/.exec(url.pathname);
  if (live) return sse(request, response, live[1], url);
  const statsLive = /^\/api\/v1\/stats\/projects\/(\w+)\/events$/.exec(url.pathname);
  if (statsLive) return statsSse(request, response, statsLive[1]);
  if (!url.pathname.startsWith('/api/')) return file(url.pathname, response);
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  const answer = (status, body, type = 'application/json') => {
    response.writeHead(status, { 'Content-Type': type, 'X-Trace-Id': randomUUID().replaceAll('-', '') });
    response.end(body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body));
  };
  try {
    const key = request.headers['idempotency-key'];
    if (key && seen.has(key)) return answer(200, seen.get(key));
    for (const { method, pattern, run } of routes) {
      const match = method === request.method && pattern.exec(decodeURIComponent(url.pathname));
      if (!match) continue;
      const body = request.headers['content-type']?.includes('json') && text ? JSON.parse(text) : text;
      const result = run(match.groups ?? {}, url.searchParams, body, request.headers);
      if (result?.ndjson) return answer(200, result.ndjson.map((line) => JSON.stringify(line)).join('\n') + '\n', 'application/x-ndjson');
      if (key) seen.set(key, result);
      return answer(result === undefined ? 204 : request.method === 'POST' ? 201 : 200, result);
    }
    throw new Problem(404, 'not-found', 'There is no such path.');
  } catch (error) {
    const problem = error instanceof FilterError ? new Problem(400, 'invalid', `filter: ${error.message}`, { errors: [{ name: 'filter', message: error.message, position: error.position }] }) : error instanceof Problem ? error : new Problem(500, 'internal', String(error.stack));
    answer(problem.body.status, problem.body, 'application/problem+json');
  }
});

function file(path, response) {
  let name = join(dist, normalize(path));
  if (!name.startsWith(dist) || !existsSync(name) || statSync(name).isDirectory()) name = join(dist, 'index.html');
  if (!existsSync(name)) return response.writeHead(404).end('run npm run build first');
  response.writeHead(200, { 'Content-Type': TYPES[extname(name)] ?? 'application/octet-stream', 'Content-Security-Policy': CSP, 'X-Content-Type-Options': 'nosniff' });
  createReadStream(name).pipe(response);
}

server.listen(Number(process.argv[2] ?? 8090), '127.0.0.1', () => console.log(`Tallyboard is ready at http://localhost:${server.address().port} (mock)`));
