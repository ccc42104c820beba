/** Entries that contain all words of the text, those that begin with it first, otherwise in the given order. */
export function ranked<T>(text: string, entries: T[], textOf: (entry: T) => string): T[] {
  const wanted = text.trim().toLowerCase();
  if (wanted === '') return entries;
  const words = wanted.split(/\s+/);
  return entries
    .map((entry, order) => ({ entry, order, label: textOf(entry).toLowerCase() }))
    .filter(({ label }) => words.every((word) => label.includes(word)))
    .sort((a, b) => Number(b.label.startsWith(wanted)) - Number(a.label.startsWith(wanted)) || a.order - b.order)
    .map(({ entry }) => entry);
}
