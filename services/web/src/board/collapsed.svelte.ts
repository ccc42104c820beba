/** Which columns of a project are folded away, kept in this browser. */
export class Collapsed {
  #storageKey: string;
  #ids: ReadonlySet<string>;

  constructor(project: string) {
    this.#storageKey = `tallyboard.collapsed.${project}`;
    this.#ids = $state.raw(new Set<string>(JSON.parse(localStorage.getItem(this.#storageKey) ?? '[]') as string[]));
  }

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  toggle(id: string): void {
    const next = new Set(this.#ids);
    if (!next.delete(id)) next.add(id);
    this.#ids = next;
    localStorage.setItem(this.#storageKey, JSON.stringify([...next]));
  }
}
