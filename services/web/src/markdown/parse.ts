// A small Markdown for descriptions and comments. It produces a tree, never HTML: what is shown is made of elements by
// MarkdownView, so no text of anybody's can become markup.

export type Inline =
  | { kind: 'text'; text: string }
  | { kind: 'code'; text: string }
  | { kind: 'break' }
  | { kind: 'strong'; children: Inline[] }
  | { kind: 'em'; children: Inline[] }
  | { kind: 'del'; children: Inline[] }
  | { kind: 'link'; href: string; external: boolean; children: Inline[] }
  | { kind: 'mention'; handle: string }
  | { kind: 'task'; key: string };

export interface ListItem {
  /** undefined: no checkbox. */
  checked?: boolean;
  /** Line of the source (from 0) that carries the checkbox. */
  line: number;
  children: Block[];
}

export type Block =
  | { kind: 'paragraph'; children: Inline[] }
  | { kind: 'heading'; level: number; children: Inline[] }
  | { kind: 'code'; text: string; language: string }
  | { kind: 'quote'; children: Block[] }
  | { kind: 'list'; ordered: boolean; start: number; items: ListItem[] }
  | { kind: 'rule' };

interface Line {
  text: string;
  at: number;
}

/** Deeper nesting is shown as plain text. */
const MAX_DEPTH = 12;
/** How far a closing mark may be from its opening one; bounds the work on hostile input. */
const MAX_SPAN = 4_000;

const BULLET = /^(\s{0,3})([-*+]|\d{1,9}[.)])(\s+|$)/;
const CHECKBOX = /^\[([ xX])\]\s+/;

export function parseMarkdown(source: string): Block[] {
  return blocks(source.replaceAll('\r\n', '\n').split('\n').map((text, at) => ({ text: text.replaceAll('\t', '    '), at })), 0);
}

/** The source with one checkbox turned, or unchanged if there is none on that line. */
export function toggleCheckbox(source: string, line: number): string {
  const lines = source.split('\n');
  lines[line] = (lines[line] ?? '').replace(/^(\s*(?:>\s*)*(?:[-*+]|\d{1,9}[.)])\s+\[)([ xX])(\])/, (_, open: string, mark: string, close: string) => `${open}${mark === ' ' ? 'x' : ' '}${close}`);
  return lines.join('\n');
}

function blocks(lines: Line[], depth: number): Block[] {
  const out: Block[] = [];
  let i = 0;
  while (i < lines.length) {
    const { text } = lines[i]!;
    if (text.trim() === '') {
      i++;
      continue;
    }
    const fence = /^\s{0,3}(```+|~~~+)\s*([\w+-]*)/.exec(text);
    if (fence) {
      const body: string[] = [];
      for (i++; i < lines.length && !lines[i]!.text.trimStart().startsWith(fence[1]!); i++) body.push(lines[i]!.text);
      i++;
      out.push({ kind: 'code', text: body.join('\n'), language: fence[2]! });
      continue;
    }
    const heading = /^\s{0,3}(#{1,6})\s+(.*?)\s*#*\s*$/.exec(text);
    if (heading) {
      out.push({ kind: 'heading', level: heading[1]!.length, children: parseInline(heading[2]!) });
      i++;
      continue;
    }
    if (/^\s{0,3}([-*_])(\s*\1){2,}\s*$/.test(text)) {
      out.push({ kind: 'rule' });
      i++;
      continue;
    }
    if (depth < MAX_DEPTH && /^\s{0,3}>/.test(text)) {
      const inner: Line[] = [];
      for (; i < lines.length && /^\s{0,3}>/.test(lines[i]!.text); i++) inner.push({ text: lines[i]!.text.replace(/^\s{0,3}>\s?/, ''), at: lines[i]!.at });
      out.push({ kind: 'quote', children: blocks(inner, depth + 1) });
      continue;
    }
    if (depth < MAX_DEPTH && BULLET.test(text)) {
      const [list, next] = listAt(lines, i, depth);
      out.push(list);
      i = next;
      continue;
    }
    const paragraph: string[] = [];
    for (; i < lines.length && lines[i]!.text.trim() !== '' && (paragraph.length === 0 || !startsBlock(lines[i]!.text, depth)); i++) paragraph.push(lines[i]!.text.trim());
    out.push({ kind: 'paragraph', children: parseInline(paragraph.join('\n')) });
  }
  return out;
}

function startsBlock(text: string, depth: number): boolean {
  return /^\s{0,3}(#{1,6}\s|```|~~~)/.test(text) || (depth < MAX_DEPTH && (/^\s{0,3}>/.test(text) || BULLET.test(text)));
}

function listAt(lines: Line[], from: number, depth: number): [Block, number] {
  const first = BULLET.exec(lines[from]!.text)!;
  const ordered = /\d/.test(first[2]!);
  const items: ListItem[] = [];
  let i = from;
  while (i < lines.length) {
    const head = BULLET.exec(lines[i]!.text);
    if (!head || /\d/.test(head[2]!) !== ordered) break;
    const indent = head[0].length;
    const line = lines[i]!.at;
    let rest = lines[i]!.text.slice(indent);
    const box = CHECKBOX.exec(rest);
    if (box) rest = rest.slice(box[0].length);
    const inner: Line[] = [{ text: rest, at: line }];
    for (i++; i < lines.length; i++) {
      const { text, at } = lines[i]!;
      const deep = text.length - text.trimStart().length;
      if (text.trim() === '') {
        const next = lines[i + 1]?.text ?? '';
        if (next.trim() === '' || next.length - next.trimStart().length < 2) break;
        inner.push({ text: '', at });
      } else if (deep >= 2) inner.push({ text: text.slice(Math.min(deep, indent)), at });
      else break;
    }
    items.push({ ...(box ? { checked: box[1] !== ' ' } : {}), line, children: blocks(inner, depth + 1) });
    let blank = i;
    while (blank < lines.length && lines[blank]!.text.trim() === '') blank++;
    if (blank < lines.length && BULLET.test(lines[blank]!.text)) i = blank;
  }
  return [{ kind: 'list', ordered, start: ordered ? Number.parseInt(first[2]!, 10) : 1, items }, i];
}

const PAIRS: [mark: string, kind: 'strong' | 'em' | 'del'][] = [['**', 'strong'], ['__', 'strong'], ['~~', 'del'], ['*', 'em'], ['_', 'em']];

/** Parses the marks within a paragraph. */
export function parseInline(text: string, depth = 0): Inline[] {
  const out: Inline[] = [];
  let plain = '';
  let i = 0;
  const flush = () => {
    if (plain) out.push({ kind: 'text', text: plain });
    plain = '';
  };
  const push = (node: Inline, length: number) => {
    flush();
    out.push(node);
    i += length;
  };
  scan: while (i < text.length) {
    const c = text[i]!;
    if (c === '\\' && /[\\`*_~[\](){}#+\-.!@<>]/.test(text[i + 1] ?? '')) {
      plain += text[i + 1]!;
      i += 2;
      continue;
    }
    if (c === '\n') {
      push({ kind: 'break' }, 1);
      continue;
    }
    if (c === '`') {
      const ticks = /^`+/.exec(text.slice(i, i + 20))![0];
      const end = close(text, ticks, i + ticks.length);
      if (end > 0) {
        push({ kind: 'code', text: text.slice(i + ticks.length, end).replace(/^ (.*) $/s, '$1') }, end + ticks.length - i);
        continue;
      }
    }
    if (depth < MAX_DEPTH) {
      for (const [mark, kind] of PAIRS) {
        if (!text.startsWith(mark, i) || /\s/.test(text[i + mark.length] ?? ' ')) continue;
        if (mark[0] === '_' && /\w/.test(text[i - 1] ?? '')) continue; // snake_case is no emphasis
        const end = close(text, mark, i + mark.length + 1);
        if (end < 0 || /\s/.test(text[end - 1]!) || (mark[0] === '_' && /\w/.test(text[end + mark.length] ?? ''))) continue;
        push({ kind, children: parseInline(text.slice(i + mark.length, end), depth + 1) }, end + mark.length - i);
        continue scan;
      }
      const link = c === '[' ? /^\[([^\]\n]{1,500})\]\(\s*<?([^\s)>]{1,2000})>?(?:\s+"[^"\n]*")?\s*\)/.exec(text.slice(i, i + MAX_SPAN)) : null;
      const href = link ? safeHref(link[2]!) : null;
      if (link && href) {
        push({ kind: 'link', href, external: !href.startsWith('/'), children: parseInline(link[1]!, depth + 1) }, link[0].length);
        continue;
      }
    }
    const word = i === 0 || /[\s(["'>]/.test(text[i - 1]!) ? /^(?:(https?:\/\/[^\s<>"]{1,2000})|@([a-z0-9][a-z0-9._-]{0,38})|([A-Z][A-Z0-9]{1,9}-\d{1,12})\b)/.exec(text.slice(i, i + 2_010)) : null;
    if (word?.[1]) {
      const url = word[1].replace(/[.,;:!?)\]'"]+$/, '');
      push({ kind: 'link', href: url, external: true, children: [{ kind: 'text', text: url }] }, url.length);
    } else if (word?.[2]) {
      const handle = word[2].replace(/[._-]+$/, '');
      push({ kind: 'mention', handle }, handle.length + 1);
    } else if (word?.[3]) push({ kind: 'task', key: word[3] }, word[3].length);
    else {
      plain += c;
      i++;
    }
  }
  flush();
  return out;
}

function close(text: string, mark: string, from: number): number {
  const end = text.indexOf(mark, from);
  return end > from + MAX_SPAN ? -1 : end;
}

/** The address if a click on it can do no harm: the web, mail, or this server. Null for everything else. */
export function safeHref(href: string): string | null {
  // Browsers skip control characters and blanks inside a scheme; so does this check.
  const bare = [...href].filter((c) => c > ' ' && c !== '\u007f').join('');
  if (/^(https?:\/\/|mailto:)/i.test(bare)) return bare;
  return /^\/(?![/\\])/.test(bare) ? bare : null;
}
