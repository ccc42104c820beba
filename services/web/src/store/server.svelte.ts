// The one store for what the server knows. Screens read from it; edits go through it and show at once; the live stream
// patches it by id and version.
import { ApiError, get, traceIdOf, type RequestOptions, withQuery } from '../api/http';
import type { Board, Me, Person, Project, Task, TaskDetails, TaskEvent, TaskPage } from '../api/types';
import { timeZone } from '../api/zone';
import { t } from '../i18n/i18n.svelte';
import { toast } from '../ui/toasts.svelte';
import { LiveFeed } from './live.svelte';
import { merge, type FieldConflict, type FieldPatch } from './merge';
import { Outbox, type Edit, type NewEdit, type Overlay } from './outbox.svelte';
import { applyEvent, byRank, newer, toRecord, type TaskRecord } from './records';

export interface BoardState {
  truncated: boolean;
  pos: number;
}

type Listener = (events: TaskEvent[]) => void;

class ServerStore {
  me = $state.raw<Me | null>(null);
  people = $state.raw<ReadonlyMap<string, Person>>(new Map());
  projects = $state.raw<ReadonlyMap<string, Project>>(new Map());
  projectsLoaded = $state(false);
  boards = $state.raw<ReadonlyMap<string, BoardState>>(new Map());
  details = $state.raw<ReadonlyMap<string, TaskDetails>>(new Map());
  conflicts = $state.raw<ReadonlyMap<string, readonly FieldConflict[]>>(new Map());

  readonly outbox: Outbox;
  readonly feed: LiveFeed;

  #records = new Map<string, TaskRecord>();
  #detailTurns = new Map<string, number>();
  #ids = new Map<string, string>(); // WEB-42 → id
  #tick = $state(0); // grows with every change of #records
  #overlays = $derived.by(() => overlaysOf(this.outbox.edits));
  #lists = new Map<string, { tick: number; edits: readonly Edit[]; tasks: TaskRecord[] }>();
  #listeners = new Set<Listener>();
  #held: TaskEvent[] = [];
  #renamed = new Map<string, string>(); // temporary id → real id

  constructor(storage: Storage | null) {
    this.outbox = new Outbox(this, undefined, storage);
    this.feed = new LiveFeed({
      events: (batch) => this.receive(batch),
      reset: () => this.feedReset(),
      opened: () => this.outbox.flush(),
    });
  }

  // ---- reading

  /** The task as the person sees it: the server's, with edits on their way laid over it. */
  task(ref: string): TaskRecord | undefined {
    void this.#tick;
    const id = this.#renamed.get(ref) ?? this.#ids.get(ref) ?? ref;
    const overlay = this.#overlays.get(id);
    const record = this.#records.get(id) ?? this.outbox.edits.find((edit) => edit.creates?.id === id)?.creates;
    return record && overlay ? { ...record, ...overlay } : record;
  }

  /** Tasks of a project that are not in the trash, in board order. The same array until something changes. */
  tasksOf(project: string): TaskRecord[] {
    const tick = this.#tick;
    const edits = this.outbox.edits;
    const cached = this.#lists.get(project);
    if (cached && cached.tick === tick && cached.edits === edits) return cached.tasks;
    const tasks: TaskRecord[] = [];
    const take = (record: TaskRecord) => {
      const overlay = this.#overlays.get(record.id);
      const task = overlay ? { ...record, ...overlay } : record;
      if (task.project === project && !task.trashed) tasks.push(task);
    };
    for (const record of this.#records.values()) take(record);
    for (const edit of edits) if (edit.creates && !this.#records.has(edit.creates.id)) take(edit.creates);
    tasks.sort(byRank);
    this.#lists.set(project, { tick, edits, tasks });
    return tasks;
  }

  project(key: string): Project | undefined {
    return this.projects.get(key);
  }

  /** An edit of this task is on its way. */
  pending(id: string): boolean {
    return this.outbox.edits.some((edit) => edit.lanes.includes(id));
  }

  // ---- loading

  async start(): Promise<void> {
    const [me, people] = await Promise.all([get<Me>('/api/v1/me'), get<{ people: Person[] }>('/api/v1/people'), this.loadProjects()]);
    this.me = me;
    this.people = new Map(people.people.map((person) => [person.id, person]));
  }

  async loadProjects(archived = false): Promise<void> {
    const { projects } = await get<{ projects: Project[] }>(withQuery('/api/v1/projects', { archived }));
    this.projects = new Map([...this.projects, ...projects.map((project) => [project.key, project] as const)]);
    this.projectsLoaded = true;
  }

  async loadPeople(): Promise<void> {
    const { people } = await get<{ people: Person[] }>('/api/v1/people');
    this.people = new Map(people.map((person) => [person.id, person]));
  }

  /** Loads the whole board of a project and follows its changes. */
  async openBoard(key: string): Promise<void> {
    const board = await get<Board>(`/api/v1/projects/${key}/board`);
    this.putProject(board.project);
    const present = new Set(board.tasks.map((task) => task.id));
    if (!board.truncated) {
      // What is not on a complete board is gone; only records that are newer than the board stay.
      for (const [id, record] of this.#records) if (record.project === key && !present.has(id) && !record.trashed) this.#records.delete(id);
    }
    this.putTasks(board.tasks.map(toRecord));
    this.boards = new Map(this.boards).set(key, { truncated: board.truncated, pos: board.pos });
    this.feed.follow(key, board.pos);
  }

  /** Ids of the tasks a filter matches on the server; for terms the browser cannot decide. */
  async matching(key: string, filter: string, signal: AbortSignal): Promise<Set<string>> {
    const board = await get<Board>(withQuery(`/api/v1/projects/${key}/board`, { filter, tz: timeZone }), signal);
    this.putTasks(board.tasks.map(toRecord));
    return new Set(board.tasks.map((task) => task.id));
  }

  async page(path: string, query: Parameters<typeof withQuery>[1], signal?: AbortSignal): Promise<TaskPage> {
    const page = await get<TaskPage>(withQuery(path, { ...query, tz: timeZone }), signal);
    this.putTasks(page.tasks.map(toRecord));
    return page;
  }

  /** Loads what the task panel shows and follows the task's project. */
  async loadDetails(ref: string): Promise<TaskDetails> {
    const turn = (this.#detailTurns.get(ref) ?? 0) + 1;
    this.#detailTurns.set(ref, turn);
    const details = await get<TaskDetails>(`/api/v1/tasks/${ref}/details`);
    this.putTasks([details.task, ...details.subtasks, ...details.related].map(toRecord));
    // An answer that was overtaken by a later question's would bring back what has changed since.
    if (this.#detailTurns.get(ref) === turn) this.details = new Map(this.details).set(details.task.id, details);
    return details;
  }

  putTasks(records: TaskRecord[]): void {
    let changed = false;
    for (const record of records) {
      const existing = this.#records.get(record.id);
      const next = newer(existing, record);
      if (next === existing) continue;
      this.#records.set(record.id, next);
      this.#ids.set(record.key, record.id);
      changed = true;
    }
    if (changed) this.#tick++;
  }

  putProject(project: Project): void {
    const known = this.projects.get(project.key);
    if (known && known.version > project.version) return;
    this.projects = new Map(this.projects).set(project.key, project);
  }

  setDetails(id: string, change: (details: TaskDetails) => TaskDetails): void {
    const details = this.details.get(id);
    if (details) this.details = new Map(this.details).set(id, change(details));
  }

  // ---- live

  /** Calls back with every batch of live events. Returns a function that ends it. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  receive(events: TaskEvent[]): void {
    // A task of mine may arrive here before the answer to its creation: wait for the answer, or it would show twice.
    const creating = this.outbox.edits.some((edit) => edit.creates);
    const now = events.filter((event) => {
      const hold = creating && event.kind === 'task.created' && event.actor === this.me?.person.id;
      if (hold) this.#held.push(event);
      return !hold;
    });
    let changed = false;
    for (const event of now) {
      if (event.settings) this.putProject(event.settings);
      const effect = applyEvent(this.#records, event);
      if (effect.changed) this.#ids.set(effect.changed.key, effect.changed.id);
      changed ||= effect.changed !== null;
      if (effect.reload) void this.#reload(effect.reload);
    }
    if (changed) this.#tick++;
    for (const listener of this.#listeners) listener(now);
  }

  feedReset(): void {
    for (const key of this.boards.keys()) void this.openBoard(key).catch(() => undefined); // the banner says it; the feed tries again
  }

  async #reload(id: string): Promise<void> {
    try {
      this.putTasks([toRecord(await get<Task>(`/api/v1/tasks/${id}`))]);
    } catch {
      // The next event or the next visit brings it.
    }
  }

  // ---- writing; see actions.ts for what people do

  write(edit: NewEdit): Promise<unknown> {
    return this.outbox.add(edit);
  }

  prepare(edit: Edit): RequestOptions | null {
    if (!edit.seen) return edit.body === undefined ? {} : { body: edit.body };
    const { task, record, patch } = edit.seen;
    const current = this.#records.get(task);
    if (!current || current.version === record.version) return { body: edit.body, ifMatch: record.version };
    // The task has moved on since the person saw it: merge here instead of being told so by a 412.
    const merged = merge(record, patch, current);
    if (merged.conflicts.length > 0) this.#addConflicts(task, merged.conflicts);
    this.#amend(edit, current, merged.patch);
    return Object.keys(merged.patch).length === 0 ? null : { body: merged.patch, ifMatch: current.version };
  }

  done(edit: Edit, data: unknown): void {
    const answers = answeredTasks(data);
    if (edit.creates && answers[0]) {
      this.#renamed.set(edit.creates.id, answers[0].id);
      this.outbox.rename(edit.creates.id, answers[0].id);
    }
    this.putTasks(answers.map(toRecord));
    if (edit.creates) {
      const held = this.#held;
      this.#held = [];
      queueMicrotask(() => this.receive(held));
    }
    if (isProject(data)) this.putProject(data);
  }

  refused(edit: Edit, error: ApiError): void {
    const created = edit.creates?.id;
    if (created) this.outbox.drop((other) => other !== edit && other.key !== edit.key && other.lanes.includes(created));
    const key = edit.creates?.key ?? this.#records.get(edit.lanes[0] ?? '')?.key;
    const text = [error.message, ...(error.problem.errors ?? []).map((field) => field.message).filter((m) => !error.message.includes(m))].join(' ');
    toast({ kind: 'error', text: key && !edit.creates ? t('error.rolledBack', { key, reason: text }) : text, traceId: traceIdOf(error) });
    if (error.status === 404 && edit.lanes[0]) this.#forget(edit.lanes[0]);
  }

  stale(edit: Edit, error: ApiError): boolean {
    const current = error.problem.current as Task | undefined;
    if (!edit.seen || !current) {
      this.refused(edit, error);
      return false;
    }
    const live = this.outbox.edits.find((other) => other.key === edit.key)?.seen ?? edit.seen;
    const record = toRecord(current);
    this.putTasks([record]);
    const merged = merge(live.record, live.patch, record);
    if (merged.conflicts.length > 0) this.#addConflicts(edit.seen.task, merged.conflicts);
    this.#amend(edit, record, merged.patch);
    return Object.keys(merged.patch).length > 0;
  }

  #amend(edit: Edit, record: TaskRecord, patch: FieldPatch): void {
    const task = edit.seen!.task;
    this.outbox.amend(edit.key, { body: patch, overlay: { [task]: patch }, seen: { task, record, patch } });
  }

  #addConflicts(task: string, conflicts: FieldConflict[]): void {
    const others = (this.conflicts.get(task) ?? []).filter((known) => !conflicts.some((c) => c.field === known.field));
    this.conflicts = new Map(this.conflicts).set(task, [...others, ...conflicts]);
    const key = this.#records.get(task)?.key ?? '';
    toast({ kind: 'error', text: t('conflict.toast', { key }), action: { label: t('conflict.review'), href: `?task=${key}` } });
  }

  /** The person has decided; both ways the notice goes. */
  settleConflict(task: string, field: string): void {
    const rest = (this.conflicts.get(task) ?? []).filter((conflict) => conflict.field !== field);
    const next = new Map(this.conflicts);
    if (rest.length) next.set(task, rest);
    else next.delete(task);
    this.conflicts = next;
  }

  #forget(id: string): void {
    if (this.#records.delete(id)) this.#tick++;
  }
}

function overlaysOf(edits: readonly Edit[]): Map<string, Overlay> {
  const overlays = new Map<string, Overlay>();
  for (const edit of edits) {
    for (const [id, overlay] of Object.entries(edit.overlay)) overlays.set(id, { ...overlays.get(id), ...overlay });
  }
  return overlays;
}

/** The tasks in an answer: one task, a bulk result, or none. */
function answeredTasks(data: unknown): Task[] {
  if (typeof data !== 'object' || data === null) return [];
  if ('tasks' in data && Array.isArray(data.tasks)) return data.tasks as Task[];
  return 'version' in data && 'number' in data ? [data as Task] : [];
}

function isProject(data: unknown): data is Project {
  return typeof data === 'object' && data !== null && 'states' in data && 'labels' in data;
}

export { ServerStore };
export const store = new ServerStore(typeof sessionStorage === 'undefined' ? null : sessionStorage);
