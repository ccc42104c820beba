// The queue of edits on their way to the server. Each is sent with one Idempotency-Key for all its tries, edits of one
// task go in order, and what meets a dead network waits here, also over a reload of the page, and is sent once.
import { ApiError, NetworkError, newKey, request, type RequestOptions } from '../api/http';
import { tracer } from '../telemetry/telemetry';
import type { ActionRecord } from '../telemetry/tracer';
import type { FieldPatch } from './merge';
import type { TaskRecord } from './records';

/** Optimistic values of a task while an edit is on its way. */
export type Overlay = FieldPatch & Partial<Pick<TaskRecord, 'trashed'>>;

export interface PendingComment {
  task: string;
  body: string;
  created: string;
}

/** One edit. Everything in it is plain JSON, so that it survives a reload. */
export interface Edit {
  key: string;
  /** Ids of the tasks it touches; edits sharing one are sent in order. */
  lanes: string[];
  method: 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  path: string;
  body?: unknown;
  /** What the screen shows meanwhile, by task id. */
  overlay: Record<string, Overlay>;
  /** Set for a PATCH of one task: the values the person saw, for If-Match and merging. */
  seen?: { task: string; record: TaskRecord; patch: FieldPatch };
  /** Set for a new task: the record shown until the server has named it. */
  creates?: TaskRecord;
  comment?: PendingComment;
  tries: number;
  /** What the person did to make it: all its tries belong to that trace. Edits kept by an earlier version have none. */
  trace?: ActionRecord;
}

export type NewEdit = Omit<Edit, 'key' | 'tries' | 'trace'>;

/** What the owner of the records does with answers. */
export interface OutboxHandler {
  /** Called before each try; returns the request's version and body, or null if nothing is left to send. */
  prepare(edit: Edit): RequestOptions | null;
  done(edit: Edit, data: unknown): void;
  /** The server said no: roll back. */
  refused(edit: Edit, error: ApiError): void;
  /** 412: returns true to try again (the handler has changed the edit), false to drop it. */
  stale(edit: Edit, error: ApiError): boolean;
}

export const RETRY_MIN_MS = 1_000;
export const RETRY_MAX_MS = 15_000;
/** A 500 leaves open whether the change was made; the same key settles it. After this many tries it counts as refused. */
export const MAX_SERVER_FAULTS = 4;
const MAX_PARALLEL = 4;
const STORAGE_KEY = 'tallyboard.outbox';

type Send = typeof request;
type Store = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

export class Outbox {
  /** Edits not yet answered, oldest first. Replaced, never mutated, so that readers can react. */
  edits = $state.raw<readonly Edit[]>([]);
  /** The last try of some edit found no server. */
  cut = $state(false);

  #inFlight = new Set<string>();
  #waiters = new Map<string, (result: { data?: unknown; error?: Error }) => void>();
  #retry: ReturnType<typeof setTimeout> | undefined;
  #handler: OutboxHandler;
  #send: Send;
  #storage: Store | null;

  constructor(handler: OutboxHandler, send: Send = request, storage: Store | null = null) {
    this.#handler = handler;
    this.#send = send;
    this.#storage = storage;
  }

  /** Takes up edits a reload interrupted. */
  resume(): void {
    const stored = this.#storage?.getItem(STORAGE_KEY);
    if (!stored) return;
    const edits = JSON.parse(stored) as Edit[];
    for (const edit of edits) if (edit.trace) tracer.resume(edit.trace);
    this.edits = [...edits, ...this.edits];
    this.flush();
  }

  /** Queues an edit and sends it as soon as its turn comes. Resolves with the answer; rejects when refused. */
  add(edit: NewEdit): Promise<unknown> {
    const full: Edit = { ...edit, key: newKey(), tries: 0, trace: tracer.keep() };
    this.#set([...this.edits, full]);
    const result = new Promise<unknown>((resolve, reject) => {
      this.#waiters.set(full.key, ({ data, error }) => (error ? reject(error) : resolve(data)));
    });
    result.catch(() => undefined); // refusals are shown by the handler; a caller may still await
    this.flush();
    return result;
  }

  /** Sends what can be sent now. Call when the network is back. */
  flush(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    const busy = new Set<string>();
    for (const edit of this.edits) {
      const blocked = edit.lanes.some((lane) => busy.has(lane));
      for (const lane of edit.lanes) busy.add(lane);
      if (blocked || this.#inFlight.has(edit.key) || this.#inFlight.size >= MAX_PARALLEL) continue;
      void this.#try(edit);
    }
  }

  /** Replaces a task's temporary id by its real one in everything that waits. */
  rename(from: string, to: string): void {
    this.#set(this.edits.map((edit) => (JSON.stringify(edit).includes(from) ? (JSON.parse(JSON.stringify(edit).replaceAll(from, to)) as Edit) : edit)));
  }

  /** Drops edits that make no sense any more, such as those of a task that was never created. */
  drop(matches: (edit: Edit) => boolean): void {
    this.#set(this.edits.filter((edit) => !matches(edit)));
  }

  async #try(edit: Edit): Promise<void> {
    this.#inFlight.add(edit.key);
    try {
      const options = this.#handler.prepare(edit);
      if (!options) {
        this.#finish(edit, { data: undefined });
        return;
      }
      const answer = await this.#send<unknown>(edit.method, edit.path, { ...options, idempotencyKey: edit.key, ...(edit.trace ? { trace: edit.trace } : {}) });
      this.cut = false;
      // First the records, then the queue: the overlay goes when the truth is there, and no frame shows the old value.
      this.#handler.done(edit, answer.data);
      this.#finish(edit, { data: answer.data });
    } catch (error) {
      this.#failed(edit, error);
    } finally {
      this.#inFlight.delete(edit.key);
      // What waited for this one may go now, however it ended; only a dead network makes everything wait.
      if (this.#retry === undefined) this.flush();
    }
  }

  #failed(edit: Edit, error: unknown): void {
    if (error instanceof NetworkError || (error instanceof ApiError && error.temporary)) {
      this.cut = error instanceof NetworkError;
      this.#later(edit, error instanceof ApiError ? error.retryAfterMs : undefined);
    } else if (error instanceof ApiError && error.status >= 500 && edit.tries + 1 < MAX_SERVER_FAULTS) {
      this.#later(edit, error.retryAfterMs);
    } else if (error instanceof ApiError && error.status === 412 && this.#handler.stale(edit, error)) {
      // A 412 changed nothing on the server, so the merged edit is a new request with a key of its own.
      this.#replace(edit, { ...edit, key: newKey() });
    } else if (error instanceof ApiError) {
      if (error.status !== 412) this.#handler.refused(edit, error);
      this.#finish(edit, { error });
    } else {
      this.#finish(edit, { error: error instanceof Error ? error : new Error(String(error)) });
      throw error; // a fault of ours: let the console have it
    }
  }

  #later(edit: Edit, retryAfterMs: number | undefined): void {
    const tries = edit.tries + 1;
    this.#replace(edit, { ...edit, tries });
    const backoff = Math.min(RETRY_MIN_MS * 2 ** (tries - 1), RETRY_MAX_MS);
    this.#retry ??= setTimeout(() => this.flush(), retryAfterMs ?? backoff);
  }

  #replace(old: Edit, next: Edit): void {
    const waiter = this.#waiters.get(old.key);
    if (waiter && next.key !== old.key) {
      this.#waiters.delete(old.key);
      this.#waiters.set(next.key, waiter);
    }
    this.#set(this.edits.map((edit) => (edit.key === old.key ? { ...next, seen: edit.seen, body: edit.body, overlay: edit.overlay } as Edit : edit)));
  }

  #finish(edit: Edit, result: { data?: unknown; error?: Error }): void {
    this.#set(this.edits.filter((other) => other.key !== edit.key));
    this.#waiters.get(edit.key)?.(result);
    this.#waiters.delete(edit.key);
  }

  /** Changes an edit in place of the old one; for merges. */
  amend(key: string, change: Partial<Pick<Edit, 'body' | 'overlay' | 'seen'>>): void {
    this.#set(this.edits.map((edit) => (edit.key === key ? { ...edit, ...change } : edit)));
  }

  #set(edits: readonly Edit[]): void {
    const before = this.edits;
    this.edits = edits;
    const left = new Set(edits.map((edit) => edit.trace?.spanId));
    for (const { trace } of before) if (trace && !left.has(trace.spanId)) tracer.release(trace);
    if (edits.length === 0) this.#storage?.removeItem(STORAGE_KEY);
    else this.#storage?.setItem(STORAGE_KEY, JSON.stringify(edits));
  }
}
