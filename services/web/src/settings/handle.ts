/** A free handle made of a name: "Ada Lovelace" → ada-lovelace. */
export function handleOf(name: string, taken: readonly string[]): string {
  const base = name.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase().replace(/[^a-z0-9._]+/g, '-').replace(/^[-._]+|[-._]+$/g, '').slice(0, 36) || 'person';
  for (let n = 1; ; n++) {
    const handle = n === 1 ? base : `${base}${n}`;
    if (!taken.includes(handle)) return handle;
  }
}
