// The part of ICU MessageFormat the catalogues use: {name}, {n, number} and {n, plural, =0 {…} one {# …} other {# …}}.
// https://unicode-org.github.io/icu/userguide/format_parse/messages/

export type Params = Record<string, string | number>;

type Node = string | { arg: string } | { arg: string; number: true } | { arg: string; cases: Map<string, Node[]> } | { hash: true };

const parsed = new Map<string, Node[]>();

/** Formats a message for a locale. Unknown arguments stay visible as {name}, so that a mistake is seen. */
export function format(message: string, params: Params, locale: string): string {
  if (!message.includes('{')) return message;
  let nodes = parsed.get(message);
  if (!nodes) {
    nodes = parse(message);
    parsed.set(message, nodes);
  }
  return render(nodes, params, locale, undefined);
}

/** Names of the arguments a message uses, sorted. */
export function argumentsOf(message: string): string[] {
  const names = new Set<string>();
  const visit = (nodes: Node[]) => {
    for (const node of nodes) {
      if (typeof node === 'string' || 'hash' in node) continue;
      names.add(node.arg);
      if ('cases' in node) for (const branch of node.cases.values()) visit(branch);
    }
  };
  visit(parse(message));
  return [...names].sort();
}

function render(nodes: Node[], params: Params, locale: string, count: number | undefined): string {
  let out = '';
  for (const node of nodes) {
    if (typeof node === 'string') out += node;
    else if ('hash' in node) out += new Intl.NumberFormat(locale).format(count ?? 0);
    else if ('cases' in node) {
      const n = Number(params[node.arg]);
      const branch = node.cases.get(`=${n}`) ?? node.cases.get(new Intl.PluralRules(locale).select(n)) ?? node.cases.get('other') ?? [];
      out += render(branch, params, locale, n);
    } else {
      const value = params[node.arg];
      if (value === undefined) out += `{${node.arg}}`;
      else out += 'number' in node || typeof value === 'number' ? new Intl.NumberFormat(locale).format(Number(value)) : value;
    }
  }
  return out;
}

/** Parses a message; throws on unbalanced braces or unknown argument types, which the catalogue test finds. */
export function parse(message: string): Node[] {
  let at = 0;
  const nodes = (inPlural: boolean, nested: boolean): Node[] => {
    const list: Node[] = [];
    let text = '';
    const flush = () => {
      if (text) list.push(text);
      text = '';
    };
    while (at < message.length) {
      const c = message[at]!;
      if (c === '}') {
        if (!nested) throw new Error(`unexpected } at ${at} in ${message}`);
        flush();
        return list;
      }
      at++;
      if (c === '#' && inPlural) {
        flush();
        list.push({ hash: true });
      } else if (c === '{') {
        flush();
        list.push(argument());
      } else text += c;
    }
    if (nested) throw new Error(`missing } in ${message}`);
    flush();
    return list;
  };
  const argument = (): Node => {
    const head = /^\s*(\w+)\s*(?:,\s*(\w+)\s*)?(,|\})/.exec(message.slice(at));
    if (!head) throw new Error(`bad argument at ${at} in ${message}`);
    at += head[0].length;
    const arg = head[1]!;
    if (head[3] === '}') {
      if (head[2] === undefined) return { arg };
      if (head[2] === 'number') return { arg, number: true };
    }
    if (head[2] !== 'plural') throw new Error(`unknown type ${head[2]} in ${message}`);
    const cases = new Map<string, Node[]>();
    for (;;) {
      const selector = /^\s*(?:(=\d+|\w+)\s*\{|\})/.exec(message.slice(at));
      if (!selector) throw new Error(`bad plural at ${at} in ${message}`);
      at += selector[0].length;
      if (selector[1] === undefined) break;
      cases.set(selector[1], nodes(true, true));
      at++; // the closing brace of the case
    }
    if (!cases.has('other')) throw new Error(`plural without other in ${message}`);
    return { arg, cases };
  };
  return nodes(false, false);
}
