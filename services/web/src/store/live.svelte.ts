// The live stream of a project's events. The browser reconnects by itself with Last-Event-ID; where it gives up (an
// error status), the feed opens a new stream behind the last position. Nothing is lost and nothing comes twice.
import { flushSync } from 'svelte';
import type { TaskEvent } from '../api/types';
import { keysOf } from '../telemetry/screens';
import { tracer } from '../telemetry/telemetry';
import type { LiveChange } from '../telemetry/tracer';

export type FeedState = 'idle' | 'connecting' | 'live' | 'stale' | 'cut';

const KINDS = [
  'task.created', 'task.changed', 'task.trashed', 'task.restored', 'comment.added', 'comment.edited', 'comment.removed',
  'relation.added', 'relation.removed', 'project.created', 'project.changed', 'view.saved', 'view.removed',
] as const;

const REOPEN_MIN_MS = 500;
const REOPEN_MAX_MS = 10_000;
/** A tab in the background gives its connection back after this long; browsers allow six per host over HTTP/1.1. */
const HIDDEN_CLOSE_MS = 60_000;

export interface FeedHandler {
  events(batch: TaskEvent[]): void;
  /** The position is unknown to the server: load the board again. */
  reset(): void;
  /** The stream is open (again). */
  opened(): void;
}

export class LiveFeed {
  state = $state<FeedState>('idle');
  /** Since when changes may be missing; null while live. */
  since = $state.raw<Date | null>(null);

  #source: EventSource | null = null;
  #project: string | null = null;
  #pos = 0;
  #batch: TaskEvent[] = [];
  #delay = REOPEN_MIN_MS;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #handler: FeedHandler;

  constructor(handler: FeedHandler) {
    this.#handler = handler;
  }

  /** Follows a project from a position on; the one before is left. */
  follow(project: string, pos: number): void {
    if (this.#project === project && this.#source) {
      return;
    }
    this.close();
    this.#project = project;
    this.#pos = pos;
    this.#open();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
    this.#project = null;
    this.state = 'idle';
    this.since = null;
  }

  /** Reacts to the tab being hidden, shown, and to the network coming back. Returns a function that stops it. */
  watchPage(): () => void {
    let hiding: ReturnType<typeof setTimeout> | undefined;
    const visibility = () => {
      clearTimeout(hiding);
      if (document.hidden) hiding = setTimeout(() => this.#pause(), HIDDEN_CLOSE_MS);
      else this.reopen();
    };
    const online = () => this.reopen();
    document.addEventListener('visibilitychange', visibility);
    window.addEventListener('online', online);
    return () => {
      clearTimeout(hiding);
      document.removeEventListener('visibilitychange', visibility);
      window.removeEventListener('online', online);
    };
  }

  /** Opens the stream at once if it is not open. */
  reopen(): void {
    if (!this.#project || this.#source?.readyState === EventSource.OPEN) return;
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#open();
  }

  #pause(): void {
    this.#source?.close();
    this.#source = null;
  }

  #open(): void {
    if (this.state === 'idle') this.state = 'connecting';
    const source = new EventSource(`/api/v1/projects/${this.#project}/events?after=${this.#pos}`);
    this.#source = source;
    for (const kind of KINDS) source.addEventListener(kind, (message) => this.#receive(message as MessageEvent<string>));
    source.addEventListener('ready', () => {
      this.#delay = REOPEN_MIN_MS;
      this.state = 'live';
      this.since = null;
      this.#handler.opened();
    });
    source.addEventListener('stale', (message) => {
      this.state = 'stale';
      const { since } = JSON.parse((message as MessageEvent<string>).data) as { since?: string };
      this.since = since ? new Date(since) : new Date();
    });
    source.addEventListener('reset', (message) => {
      this.#pos = (JSON.parse((message as MessageEvent<string>).data) as { pos: number }).pos;
      this.#handler.reset();
    });
    source.addEventListener('error', () => {
      if (source !== this.#source) return;
      if (this.state !== 'cut') this.since = new Date();
      this.state = 'cut';
      if (source.readyState !== EventSource.CLOSED) return; // the browser is reconnecting
      this.#timer = setTimeout(() => this.reopen(), this.#delay);
      this.#delay = Math.min(this.#delay * 2, REOPEN_MAX_MS);
    });
  }

  #receive(message: MessageEvent<string>): void {
    const event = JSON.parse(message.data) as TaskEvent;
    if (event.pos > this.#pos) this.#pos = event.pos;
    // Events that arrive together are applied together, so a burst costs one update of the screen.
    if (this.#batch.push(event) > 1) return;
    queueMicrotask(() => {
      const batch = this.#batch;
      this.#batch = [];
      // The page is updated here and now, so that what it loads because of these changes belongs to their traces.
      tracer.live(batch.map(changeOf), () => {
        this.#handler.events(batch);
        flushSync();
      });
    });
  }
}

function changeOf(event: TaskEvent): LiveChange {
  return { traceparent: event.traceparent, attributes: keysOf(event.snapshot?.key ?? event.project) };
}
