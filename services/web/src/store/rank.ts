// Ranks for the moment between a drop and the server's answer. The server decides the real rank; this one only has to
// sort between its neighbours, by byte.

const FIRST = 0x30; // '0'
const LAST = 0x7a; // 'z'

/** A text that sorts strictly between a and b; empty a is the beginning, empty b the end. */
export function between(a: string, b: string): string {
  let prefix = '';
  for (let i = 0; ; i++) {
    const low = i < a.length ? a.charCodeAt(i) : FIRST - 1;
    const high = b === '' ? LAST + 1 : i < b.length ? b.charCodeAt(i) : FIRST - 1;
    if (low === high) {
      prefix += a[i] ?? '';
      continue;
    }
    if (high - low > 1) return prefix + String.fromCharCode(Math.floor((low + high) / 2));
    // Neighbouring characters: keep a's, then anything behind the rest of a.
    if (low < FIRST) {
      // a is exhausted and b continues with the first character: step into b.
      prefix += String.fromCharCode(high);
      if (i + 1 >= b.length) return prefix.slice(0, -1) + String.fromCharCode(high - 1) + 'V';
      continue;
    }
    return prefix + a[i]! + between(a.slice(i + 1), '');
  }
}
