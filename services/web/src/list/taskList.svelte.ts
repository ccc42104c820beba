// The pages of a task list: which tasks, in which order. The tasks themselves live in the store.
import type { TaskEvent } from '../api/types';
import type { TaskRecord } from '../store/records';
import { store } from '../store/server.svelte';
import { Resource } from '../ui/resource.svelte';

const PAGE = 100;
const RELOAD_AFTER_MS = 300;

interface Page {
  ids: string[];
  next: string | null;
  filter: string;
  sort: string;
}

export class TaskList {
  /** Tasks elsewhere created that are not in the list yet. */
  waiting = $state(0);

  #project: string;
  #pages = new Resource<Page>();
  #filter = '';
  #sort = 'rank';
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(project: string) {
    this.#project = project;
  }

  /** In the order of the list; trashed ones leave at once, one's own new ones come first. */
  readonly tasks: TaskRecord[] = $derived.by(() => {
    const ids = this.#pages.data?.ids ?? [];
    const made = store.outbox.edits.flatMap((edit) => (edit.creates?.project === this.#project ? [edit.creates] : []));
    return [...made, ...ids.map((id) => store.task(id)).filter((task): task is TaskRecord => task !== undefined && !task.trashed)];
  });

  get loaded(): boolean {
    return this.#pages.data !== null;
  }
  /** The list is the server's answer to the present filter. */
  get fresh(): boolean {
    return this.#pages.data?.filter === this.#filter;
  }
  get next(): string | null {
    return this.#pages.data?.next ?? null;
  }
  get error(): Error | null {
    return this.#pages.error;
  }
  get slow(): boolean {
    return this.#pages.slow;
  }

  /** Shows the tasks of a filter in an order. */
  async show(filter: string, sort: string): Promise<void> {
    this.#filter = filter;
    this.#sort = sort;
    await this.#fetch(PAGE);
  }

  /** Loads what is shown again, as many rows as there are now. */
  async reload(): Promise<void> {
    await this.#fetch(Math.min(200, Math.max(PAGE, this.#pages.data?.ids.length ?? 0)));
  }

  async #fetch(limit: number): Promise<void> {
    const [filter, sort] = [this.#filter, this.#sort];
    await this.#pages.load(async (signal) => {
      const page = await store.page(`/api/v1/projects/${this.#project}/tasks`, { filter, sort, limit, include: 'progress' }, signal);
      store.feed.follow(this.#project, page.pos);
      return { ids: page.tasks.map((task) => task.id), next: page.next ?? null, filter, sort };
    });
    if (!this.#pages.error) this.waiting = 0;
  }

  /** Loads the next page and puts it behind. */
  async more(): Promise<void> {
    const now = this.#pages.data;
    if (!now?.next || this.#pages.loading) return;
    await this.#pages.load(async (signal) => {
      const page = await store.page(`/api/v1/projects/${this.#project}/tasks`, { filter: now.filter, sort: now.sort, limit: PAGE, cursor: now.next, include: 'progress' }, signal);
      const known = new Set(now.ids);
      return { ...now, ids: [...now.ids, ...page.tasks.map((task) => task.id).filter((id) => !known.has(id))], next: page.next ?? null };
    });
  }

  /** Changes elsewhere: rows change in place; new ones come by themselves only where that moves nothing under the reader. */
  live(events: TaskEvent[], atTop: boolean): void {
    const known = new Set(this.#pages.data?.ids);
    const news = events.filter((event) => event.aggregate === 'task' && event.task && !known.has(event.task) && (event.kind === 'task.created' || event.kind === 'task.restored'));
    if (news.length === 0) return;
    this.waiting += news.length;
    if (!atTop && !news.some((event) => event.actor === store.me?.person.id)) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.reload(), RELOAD_AFTER_MS);
  }
}
