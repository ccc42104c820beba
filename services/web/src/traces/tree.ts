// The spans of a trace as the rows of a tree: parents before their children, children by start, and many spans of the
// same kind under one parent folded into one row.
import type { Span } from '../api/types';

/** From this many spans on, siblings of the same kind are folded. */
export const FOLD_FROM_SPANS = 500;
/** So many of the same kind make a fold worth its row. */
export const FOLD_FROM_SIBLINGS = 5;

export interface SpanNode {
  type: 'span';
  id: string;
  span: Span;
  children: Node[];
  /** The parent named by the span is not in the trace. */
  orphan: boolean;
}

export interface FoldNode {
  type: 'fold';
  id: string;
  service: string;
  name: string;
  /** The spans folded, by start. */
  children: SpanNode[];
  offsetMs: number;
  /** From the first start to the last end. */
  durationMs: number;
  /** What the spans took together. */
  totalMs: number;
  errors: number;
}

export type Node = SpanNode | FoldNode;

export interface Row {
  node: Node;
  /** 1 for the root, as aria-level counts. */
  level: number;
  parent: string | null;
  /** Place among its siblings, from 1, and their number. */
  position: number;
  siblings: number;
}

export interface Tree {
  roots: Node[];
  nodes: ReadonlyMap<string, Node>;
}

const byStart = (a: Span, b: Span) => a.offsetMs - b.offsetMs || b.durationMs - a.durationMs;

/** Builds the tree. Spans without a parent in the trace are roots; so is the earliest of spans that are their own ancestors. */
export function buildTree(spans: readonly Span[], fold: boolean = spans.length > FOLD_FROM_SPANS): Tree {
  const nodes = new Map<string, Node>();
  const sorted = [...spans].sort(byStart);
  for (const span of sorted) nodes.set(span.spanId, { type: 'span', id: span.spanId, span, children: [], orphan: false });
  const parents = new Map<string, string>();
  const roots: SpanNode[] = [];
  for (const span of sorted) {
    const node = nodes.get(span.spanId) as SpanNode;
    if (node.span !== span) continue; // the same id twice: the later one is shown
    const parent = span.parentId === null ? undefined : nodes.get(span.parentId);
    if (!parent || ownAncestor(span.spanId, parent.id, parents)) {
      node.orphan = span.parentId !== null && span.parentId !== '';
      roots.push(node);
      continue;
    }
    parents.set(node.id, parent.id);
    parent.children.push(node as never);
  }
  if (!fold) return { roots, nodes };
  for (const node of [...nodes.values()]) node.children = folded(node.children as SpanNode[], node.id, nodes) as never;
  return { roots: folded(roots, '', nodes), nodes };
}

function ownAncestor(id: string, parent: string, parents: ReadonlyMap<string, string>): boolean {
  for (let at: string | undefined = parent; at !== undefined; at = parents.get(at)) if (at === id) return true;
  return false;
}

/** Puts siblings of the same service, name and kind into one node, at the place of the first. */
function folded(siblings: SpanNode[], parent: string, nodes: Map<string, Node>): Node[] {
  const groups = new Map<string, SpanNode[]>();
  for (const node of siblings) {
    const key = `${node.span.service}\n${node.span.kind}\n${node.span.name}`;
    const group = groups.get(key);
    if (group) group.push(node);
    else groups.set(key, [node]);
  }
  const out: Node[] = [];
  for (const [key, group] of groups) {
    if (group.length < FOLD_FROM_SIBLINGS) {
      out.push(...group);
      continue;
    }
    const offsetMs = group[0]!.span.offsetMs;
    const node: FoldNode = {
      type: 'fold', id: `fold:${parent}:${key}`, service: group[0]!.span.service, name: group[0]!.span.name, children: group, offsetMs,
      durationMs: Math.max(...group.map(({ span }) => span.offsetMs + span.durationMs)) - offsetMs,
      totalMs: group.reduce((sum, { span }) => sum + span.durationMs, 0),
      errors: group.filter(({ span }) => span.error).length,
    };
    nodes.set(node.id, node);
    out.push(node);
  }
  return out.sort((a, b) => offsetOf(a) - offsetOf(b));
}

export function offsetOf(node: Node): number {
  return node.type === 'span' ? node.span.offsetMs : node.offsetMs;
}

export function durationOf(node: Node): number {
  return node.type === 'span' ? node.span.durationMs : node.durationMs;
}

/** What is closed when a trace is opened: the folds. */
export function closedAtFirst(tree: Tree): Set<string> {
  return new Set([...tree.nodes.values()].filter((node) => node.type === 'fold').map((node) => node.id));
}

/** The rows to show, with the children of closed nodes left out. */
export function rowsOf(tree: Tree, closed: ReadonlySet<string>): Row[] {
  const rows: Row[] = [];
  // A stack of its own: a chain of a thousand spans must not exhaust the call stack.
  const stack: Row[] = level(tree.roots, 1, null).reverse();
  for (let row = stack.pop(); row; row = stack.pop()) {
    rows.push(row);
    if (!closed.has(row.node.id)) stack.push(...level(row.node.children, row.level + 1, row.node.id).reverse());
  }
  return rows;
}

function level(nodes: readonly Node[], at: number, parent: string | null): Row[] {
  return nodes.map((node, i) => ({ node, level: at, parent, position: i + 1, siblings: nodes.length }));
}

/** Ids of the ancestors of a node, folds included, the nearest first. */
export function ancestorsOf(tree: Tree, id: string): string[] {
  const parents = new Map<string, string>();
  for (const node of tree.nodes.values()) for (const child of node.children) if (parents.get(child.id) === undefined || node.type === 'fold') parents.set(child.id, node.id);
  const out: string[] = [];
  for (let at = parents.get(id); at !== undefined; at = parents.get(at)) out.push(at);
  return out;
}

/** The part of a span's time that none of its children accounts for, in milliseconds. */
export function ownTime(node: SpanNode): number {
  const end = node.span.offsetMs + node.span.durationMs;
  const pieces = node.children
    .flatMap((child) => (child.type === 'fold' ? child.children : [child]))
    .map(({ span }) => [Math.max(span.offsetMs, node.span.offsetMs), Math.min(span.offsetMs + span.durationMs, end)] as const)
    .filter(([from, to]) => to > from)
    .sort((a, b) => a[0] - b[0]);
  let covered = 0;
  let until = node.span.offsetMs;
  for (const [from, to] of pieces) {
    covered += Math.max(0, to - Math.max(from, until));
    until = Math.max(until, to);
  }
  return Math.max(0, node.span.durationMs - covered);
}
