/** Up to two initials: "Ada Lovelace" → "AL", "owner" → "OW". */
export function initialsOf(name: string): string {
  const words = name.trim().split(/\s+/);
  const first = [...(words[0] ?? '')];
  const letters = words.length > 1 ? [first[0], [...words.at(-1)!][0]] : first.slice(0, 2);
  return letters.join('').toLocaleUpperCase();
}

/** A hue from 0 to 359 that stays with an id. The last characters of a UUIDv7 are the random ones. */
export function hueOf(id: string): number {
  let hash = 0;
  for (const c of id.slice(-12)) hash = (hash * 31 + c.charCodeAt(0)) % 360;
  return hash;
}
