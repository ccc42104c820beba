// The filter of a screen: in the URL, decided here where possible, by the server where not.
import { ApiError } from '../api/http';
import { tracer } from '../telemetry/telemetry';
import type { ProblemField } from './problem';
import { today } from '../i18n/dates';
import { query, setQuery } from '../router/router.svelte';
import type { TaskRecord } from '../store/records';
import { store } from '../store/server.svelte';
import { decidable, matches, parseFilter } from './filter';

const ASK_AFTER_MS = 250;

export class FilterState {
  readonly text = $derived(query('filter'));
  readonly terms = $derived(parseFilter(this.text));
  /** What the server says is wrong with the filter. */
  problem = $state.raw<ProblemField | null>(null);

  #project: string;
  #found = $state.raw<{ text: string; ids: ReadonlySet<string> } | null>(null);
  #changes = $state(0);

  constructor(project: string) {
    this.#project = project;
  }

  /** Call from an effect: asks the server while the filter needs it, again after live changes. `all`: the browser does not have all tasks. */
  follow(all: boolean): (() => void) | undefined {
    const text = this.text;
    if (text === '') {
      this.problem = null;
      this.#found = null;
      return;
    }
    void this.#changes;
    const local = all && decidable(this.terms);
    const abort = new AbortController();
    const timer = setTimeout(async () => {
      try {
        const ids = await tracer.act('filter tasks', {}, () => store.matching(this.#project, text, abort.signal));
        this.problem = null;
        this.#found = local ? null : { text, ids };
      } catch (error) {
        if (abort.signal.aborted) return;
        const field = error instanceof ApiError ? error.problem.errors?.[0] : undefined;
        this.problem = error instanceof ApiError && error.status === 400 ? (field ?? { name: 'filter', message: error.message }) : null;
      }
    }, ASK_AFTER_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }

  /** Something changed that may change what the server finds. */
  changed(): void {
    if (this.#found) this.#changes++;
  }

  accepts(task: TaskRecord): boolean {
    if (this.text === '') return true;
    if (this.#found?.text === this.text) return this.#found.ids.has(task.id) || task.number === 0;
    const project = store.project(task.project);
    if (!project) return true;
    return matches(task, this.terms, {
      project, people: store.people, me: store.me?.person.id ?? '', today: today(), idOf: (key) => store.task(key)?.id,
    });
  }

  set(text: string, options = { replace: true }): void {
    setQuery({ filter: text.trim() === '' ? null : text }, options);
  }
}
