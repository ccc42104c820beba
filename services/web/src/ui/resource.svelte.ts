// Loading something for a screen: with skeletons only where it takes long enough to be noticed.

/** Skeletons before this would only flicker. */
export const SKELETON_AFTER_MS = 300;

export class Resource<T> {
  data = $state.raw<T | null>(null);
  error = $state.raw<Error | null>(null);
  loading = $state(false);
  /** Loading for so long that the screen should say so. */
  slow = $state(false);

  #abort: AbortController | null = null;

  /** Loads; a load under way is given up. Earlier data stays until the new data is there. */
  async load(fetcher: (signal: AbortSignal) => Promise<T>): Promise<void> {
    this.#abort?.abort();
    const abort = new AbortController();
    this.#abort = abort;
    this.loading = true;
    const timer = setTimeout(() => abort.signal.aborted || (this.slow = true), SKELETON_AFTER_MS);
    try {
      const data = await fetcher(abort.signal);
      if (abort.signal.aborted) return;
      this.data = data;
      this.error = null;
    } catch (error) {
      if (!abort.signal.aborted) this.error = error instanceof Error ? error : new Error(String(error));
    } finally {
      clearTimeout(timer);
      if (this.#abort === abort) {
        this.loading = false;
        this.slow = false;
      }
    }
  }

  /** Forgets everything, for a screen that shows something else now. */
  clear(): void {
    this.#abort?.abort();
    this.data = null;
    this.error = null;
    this.loading = false;
    this.slow = false;
  }
}
