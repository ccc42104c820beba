// Believable data for looking at the UI without the services. Development only.
import { randomUUID } from 'node:crypto';

let counter = 0;
const uuid = () => randomUUID();
const rankOf = (n) => `a${n.toString(36).padStart(5, '0')}`;

let seed = 42;
/** Repeatable random numbers, so that pictures can be compared. */
const random = () => ((seed = (seed * 1103515245 + 12345) & 0x7fffffff) / 0x7fffffff);
const pick = (list) => list[Math.floor(random() * list.length)];

const VERBS = ['Fix', 'Add', 'Rework', 'Document', 'Speed up', 'Test', 'Remove', 'Design', 'Review', 'Measure'];
const THINGS = ['the login form', 'password reset by e-mail', 'search over archived orders', 'the invoice export', 'keyboard use of the date picker', 'retry of failed payments', 'the empty state of the basket', 'image upload on slow connections', 'the cookie banner', 'address validation for Austria', 'the newsletter sign-up', 'the dark theme of the shop', 'deep links from push messages', 'the order confirmation page', 'filters on the product list', 'session expiry on shared computers', 'the sitemap', 'stock levels after a refund', 'rounding of VAT in the basket', 'the shipping estimate'];

const day = 86_400_000;
export const now = () => new Date();
const ago = (days) => new Date(Date.now() - days * day);

export function createWorld({ tasks = 140, big = 0 } = {}) {
  const people = [['owner', 'Robin Vega', 'member'], ['ada', 'Ada Lovelace', 'member'], ['grace', 'Grace Hopper', 'member'], ['linus', 'Linus Ek', 'member'], ['mo', 'Mo Salah', 'imported']].map(([handle, name, kind]) => ({ id: uuid(), handle, name, kind, created: ago(120).toISOString() }));
  const world = { people, me: people[0], projects: new Map(), tasks: new Map(), events: [], comments: [], relations: [], views: [], keys: new Map() };
  const web = addProject(world, { key: 'WEB', name: 'Website', description: 'Everything the visitors see.' });
  web.created = ago(95).toISOString();
  web.states[2].wipLimit = 4;
  web.states.splice(3, 0, { id: uuid(), name: 'Review', category: 'doing', wipLimit: 3, archived: false });
  web.labels = [['bug', '#d73a4a'], ['shop', '#0e8a6d'], ['design', '#8f5bd6'], ['infra', '#3b6fd4'], ['quick win', '#d9a514']].map(([name, color]) => ({ id: uuid(), name, color }));
  web.members = people.slice(0, 4).map((p, i) => ({ person: p.id, role: i ? 'editor' : 'owner' }));
  addProject(world, { key: 'OPS', name: 'Operations', description: 'Servers, backups and being on call.' });
  const states = web.states;
  for (let i = 0; i < tasks + big; i++) {
    const created = ago(90 * (1 - i / (tasks + big)) + random());
    const age = (Date.now() - created) / day;
    const roll = random();
    const state = age > 20 && roll < 0.86 ? states[4] : age > 8 && roll < 0.55 ? states[4] : roll < 0.06 ? states[2] : roll < 0.1 ? states[3] : roll < 0.4 ? states[1] : roll > 0.97 ? states[5] : states[0];
    const started = ['doing', 'done'].includes(state.category) ? new Date(+created + random() * Math.min(age, 6) * day * 0.7) : null;
    const completed = state.category === 'done' ? new Date(Math.min(Date.now() - 3_600_000, +started + (0.3 + random() * random() * 14) * day)) : null;
    const task = addTask(world, web, {
      title: `${pick(VERBS)} ${pick(THINGS)}`, state: state.id, priority: pick([0, 0, 0, 1, 2, 2, 3, 3, 4]),
      assignees: random() < 0.65 ? [pick(people.slice(0, 4)).id] : [], labels: random() < 0.6 ? [pick(web.labels).id] : [],
      due: random() < 0.3 ? new Date(Date.now() + (random() * 30 - 8) * day).toISOString().slice(0, 10) : null,
      estimate: random() < 0.4 ? pick([1, 2, 3, 5, 8]) : null,
      description: i % 3 === 0 ? 'As a visitor I want this to **just work**.\n\n- [x] agree on the wording\n- [ ] build it\n- [ ] measure it\n\nSee `docs/shop.md` and https://example.org/spec for the rules. cc @ada' : '',
    }, created.toISOString());
    task.started = started?.toISOString() ?? null;
    task.completed = completed?.toISOString() ?? null;
  }
  const open = [...world.tasks.values()].filter((t) => t.state === states[1].id || t.state === states[2].id);
  if (open.length > 6) {
    open[0].labels = web.labels.slice(0, 2).map((l) => l.id);
    open[0].assignees = people.slice(0, 2).map((p) => p.id);
    for (const child of open.slice(3, 6)) child.parent = open[0].id;
    world.relations.push({ from: open[0].id, to: open[1].id, kind: 'blocks', created: ago(3).toISOString() });
    world.comments.push({ id: uuid(), task: open[0].id, author: people[1].id, body: 'I can reproduce this with a **fresh profile**. @owner can you have a look?', mentions: [people[0].id], created: ago(1.2).toISOString(), edited: null });
  }
  return world;
}

export function addProject(world, { key, name, description = '', states, labels = [] }) {
  const made = (states ?? [['Backlog', 'backlog'], ['To do', 'todo'], ['In progress', 'doing'], ['Done', 'done'], ['Cancelled', 'cancelled']].map(([n, c]) => ({ name: n, category: c }))).map((s) => ({ id: uuid(), name: s.name, category: s.category, wipLimit: s.wipLimit ?? null, archived: false }));
  const at = now().toISOString();
  const project = { id: uuid(), key, name, description, states: made, labels: labels.map((l) => ({ id: uuid(), ...l })), members: [{ person: world.me.id, role: 'owner' }], version: 1, created: at, updated: at, archived: null };
  world.projects.set(key, project);
  return project;
}

export function addTask(world, project, fields, created = now().toISOString()) {
  const numbers = [...world.tasks.values()].filter((t) => t.project === project.key);
  const number = numbers.length + 1;
  const state = fields.state ?? (project.states.find((s) => s.category === 'todo') ?? project.states[0]).id;
  const task = {
    id: uuid(), key: `${project.key}-${number}`, project: project.key, number, title: fields.title, description: fields.description ?? '', state, rank: rankOf(++counter),
    priority: fields.priority ?? 0, assignees: fields.assignees ?? [], labels: fields.labels ?? [], start: fields.start ?? null, due: fields.due ?? null, estimate: fields.estimate ?? null,
    parent: fields.parent ?? null, recurrence: fields.recurrence ?? null, version: 1, created, createdBy: world.me.id, updated: created, updatedBy: world.me.id, started: null, completed: null, trashed: null,
  };
  world.tasks.set(task.id, task);
  record(world, task, 'task.created', [{ field: 'title', after: task.title }, { field: 'state', after: state }], created);
  return task;
}

let pos = 0;
export const listeners = new Set();

export function record(world, task, kind, changes, occurred = now().toISOString(), project) {
  const own = world.events.filter((e) => e.task === (task?.id ?? null)).length;
  const event = { pos: ++pos, project: task?.project ?? project.key, aggregate: task ? 'task' : 'project', task: task?.id ?? null, seq: own + 1, kind, actor: world.me.id, changes, occurred, recorded: occurred, traceId: uuid().replaceAll('-', '') };
  world.events.push(event);
  const live = { ...event, ...(task ? { snapshot: { ...task } } : { settings: structuredClone(project) }) };
  for (const listener of listeners) listener(live);
  return event;
}

export const head = () => pos;

export function category(world, task) {
  return world.projects.get(task.project).states.find((s) => s.id === task.state)?.category;
}

/** Applies a change of fields with its rules and history. */
export function changeTask(world, task, patch) {
  const changes = [];
  for (const [field, after] of Object.entries(patch)) {
    if (JSON.stringify(task[field]) === JSON.stringify(after)) continue;
    changes.push({ field, before: task[field], after });
    task[field] = after;
  }
  if (changes.length === 0) return task;
  if (changes.some((c) => c.field === 'state')) {
    const c = category(world, task);
    if (c === 'doing') task.started ??= now().toISOString();
    task.completed = c === 'done' ? now().toISOString() : null;
  }
  task.version++;
  task.updated = now().toISOString();
  record(world, task, 'trashed' in patch ? (patch.trashed ? 'task.trashed' : 'task.restored') : 'task.changed', changes);
  return task;
}

export function rankBetween(world, task, move) {
  const all = [...world.tasks.values()].filter((t) => t.project === task.project && t.id !== task.id).sort((a, b) => (a.rank < b.rank ? -1 : 1));
  let at = all.length;
  if (move.after) at = all.findIndex((t) => t.id === move.after) + 1;
  else if (move.before) at = all.findIndex((t) => t.id === move.before);
  else if (move.top) at = 0;
  else if (!move.bottom) return task.rank;
  all.splice(at, 0, task);
  all.forEach((t, i) => (t.rank = rankOf(i + 1)));
  counter = all.length;
  return task.rank;
}
