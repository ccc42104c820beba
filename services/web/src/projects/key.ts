/** A free project key made of a name: "Web shop" → WS, "Website" → WEB. Empty while the name gives nothing. */
export function suggestKey(name: string, taken: readonly string[]): string {
  const words = name.normalize('NFD').replace(/\p{M}/gu, '').toUpperCase().split(/[^A-Z0-9]+/).filter(Boolean);
  const initials = words.map((word) => word[0]).join('').replace(/^[0-9]+/, '').slice(0, 5);
  const base = initials.length > 1 ? initials : (words[0] ?? '').replace(/^[0-9]+/, '').slice(0, 3);
  if (base.length < 2) return '';
  for (let n = 1; ; n++) {
    const key = n === 1 ? base : `${base}${n}`;
    if (!taken.includes(key)) return key;
  }
}
