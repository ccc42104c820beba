// Two traces side by side: spans are matched by their path, which is the services and names from the root down, and by
// their place among siblings that look the same.
import { buildTree, ownTime, type SpanNode } from './tree';
import type { Span, Trace } from '../api/types';

export type Side = 'both' | 'first' | 'second';

export interface Pair {
  /** Path from the root, unique within the comparison. */
  id: string;
  level: number;
  service: string;
  name: string;
  side: Side;
  first: Span | null;
  second: Span | null;
  /** Second minus first in milliseconds; a side that lacks the span counts as 0. */
  differenceMs: number;
  /** The same of the time no child accounts for: where the difference arises. */
  ownMs: number;
}

export interface Comparison {
  /** In the order of the tree: of the first trace, with what only the second has after its siblings. */
  pairs: Pair[];
  differenceMs: number;
  onlyFirst: number;
  onlySecond: number;
  /** The pair in which most of the difference arises, in the direction of the whole; null where nothing differs. */
  most: Pair | null;
}

interface Level {
  level: number;
  path: string;
  first: SpanNode[];
  second: SpanNode[];
}

/** Compares two traces. */
export function compareTraces(first: Trace, second: Trace): Comparison {
  const pairs: Pair[] = [];
  const walk = ({ level, path, first, second }: Level): void => {
    const [a, b] = [named(first), named(second)];
    for (const key of new Set([...a.keys(), ...b.keys()])) {
      const [one, other] = [a.get(key) ?? null, b.get(key) ?? null];
      const id = `${path}/${key}`;
      const shown = (one ?? other)!.span;
      pairs.push({
        id, level, service: shown.service, name: shown.name,
        side: one && other ? 'both' : one ? 'first' : 'second',
        first: one?.span ?? null, second: other?.span ?? null,
        differenceMs: (other?.span.durationMs ?? 0) - (one?.span.durationMs ?? 0),
        ownMs: own(other) - own(one),
      });
      walk({ level: level + 1, path: id, first: spansOf(one), second: spansOf(other) });
    }
  };
  walk({ level: 1, path: '', first: roots(first), second: roots(second) });
  const differenceMs = second.durationMs - first.durationMs;
  const most = pairs.reduce<Pair | null>((best, pair) => (pair.ownMs * Math.sign(differenceMs) > (best ? best.ownMs * Math.sign(differenceMs) : 0) ? pair : best), null);
  return {
    pairs, differenceMs, most,
    onlyFirst: pairs.filter((pair) => pair.side === 'first').length,
    onlySecond: pairs.filter((pair) => pair.side === 'second').length,
  };
}

/** The pairs with the largest difference of own time first; where that is the same, the order stays. */
export function byDifference(pairs: readonly Pair[]): Pair[] {
  return [...pairs].sort((a, b) => Math.abs(b.ownMs) - Math.abs(a.ownMs));
}

function roots(trace: Trace): SpanNode[] {
  return buildTree(trace.spans, false).roots as SpanNode[];
}

function spansOf(node: SpanNode | null): SpanNode[] {
  return (node?.children ?? []) as SpanNode[];
}

/** Siblings by service, name and occurrence. */
function named(nodes: readonly SpanNode[]): Map<string, SpanNode> {
  const counts = new Map<string, number>();
  const out = new Map<string, SpanNode>();
  for (const node of nodes) {
    const key = `${node.span.service}:${generic(node.span.name)}`;
    const n = (counts.get(key) ?? 0) + 1;
    counts.set(key, n);
    out.set(n === 1 ? key : `${key}#${n}`, node);
  }
  return out;
}

/** Names of messaging spans carry the ids of project and task, which differ between traces of the same action. */
function generic(name: string): string {
  return name.replace(/^(publish|process|deliver) (\w+)\..*$/, '$1 $2');
}

function own(node: SpanNode | null): number {
  return node ? ownTime(node) : 0;
}
