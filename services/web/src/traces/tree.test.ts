import { describe, expect, it } from 'vitest';
import { span } from '../../test/traces';
import { waterfallKey } from './keys';
import { ancestorsOf, buildTree, closedAtFirst, FOLD_FROM_SPANS, ownTime, rowsOf, type SpanNode } from './tree';

const shape = (tree: ReturnType<typeof buildTree>, closed: ReadonlySet<string> = new Set()) => rowsOf(tree, closed).map((row) => `${'.'.repeat(row.level - 1)}${row.node.id}`);

describe('the tree of spans', () => {
  it('puts parents before children and siblings by start, whatever order they came in', () => {
    const tree = buildTree([span('c', 'a', 5, 2), span('d', 'b', 3, 1), span('b', 'a', 2, 3), span('a', null, 0, 10)]);
    expect(shape(tree)).toEqual(['a', '.b', '..d', '.c']);
    expect(rowsOf(tree, new Set()).map((row) => [row.position, row.siblings])).toEqual([[1, 1], [1, 2], [1, 1], [2, 2]]);
  });

  it('makes spans whose parent has not arrived roots of their own, and says so', () => {
    const tree = buildTree([span('a', null, 0, 10), span('x', 'missing', 4, 2), span('y', 'x', 5, 1)]);
    expect(shape(tree)).toEqual(['a', 'x', '.y']);
    expect(tree.roots.map((node) => (node as SpanNode).orphan)).toEqual([false, true]);
  });

  it('shows every span of a circle of parents', () => {
    const tree = buildTree([span('a', 'c', 0, 1), span('b', 'a', 1, 1), span('c', 'b', 2, 1), span('self', 'self', 3, 1)]);
    expect(rowsOf(tree, new Set()).map((row) => row.node.id).sort()).toEqual(['a', 'b', 'c', 'self']);
  });

  it('shows a span reported twice once', () => {
    expect(shape(buildTree([span('a', null, 0, 5), span('a', null, 0, 4), span('b', 'a', 1, 1)]))).toEqual(['a', '.b']);
  });

  it('keeps children that begin after their parent has ended', () => {
    expect(shape(buildTree([span('a', null, 0, 10), span('late', 'a', 50, 3)]))).toEqual(['a', '.late']);
  });

  it('leaves out what is below closed rows', () => {
    const tree = buildTree([span('a', null, 0, 10), span('b', 'a', 1, 5), span('c', 'b', 2, 1), span('d', 'a', 7, 1)]);
    expect(shape(tree, new Set(['b']))).toEqual(['a', '.b', '.d']);
    expect(ancestorsOf(tree, 'c')).toEqual(['b', 'a']);
  });

  it('folds many siblings of one kind in large traces only', () => {
    const many = [span('root', null, 0, 900), ...Array.from({ length: FOLD_FROM_SPANS }, (_, i) => span(`s${i}`, 'root', i, 1, { name: 'INSERT tasks', error: i === 7 })), span('one', 'root', 3.5, 1, { name: 'COMMIT' })];
    const tree = buildTree(many);
    const [root, fold, one] = rowsOf(tree, closedAtFirst(tree)).map((row) => row.node);
    expect(root!.id).toBe('root');
    expect(fold).toMatchObject({ type: 'fold', name: 'INSERT tasks', totalMs: FOLD_FROM_SPANS, offsetMs: 0, durationMs: FOLD_FROM_SPANS, errors: 1 });
    expect(one!.id).toBe('one');
    expect(rowsOf(tree, new Set())).toHaveLength(FOLD_FROM_SPANS + 3);
    expect(ancestorsOf(tree, 's3')).toEqual([fold!.id, 'root']);
    expect(rowsOf(buildTree(many.slice(0, 20)), new Set())).toHaveLength(20);
  });

  it('builds a chain of thousands of spans', () => {
    const chain = Array.from({ length: 5_000 }, (_, i) => span(`s${i}`, i ? `s${i - 1}` : null, i, 5_000 - i));
    expect(rowsOf(buildTree(chain), new Set()).at(-1)!.level).toBe(5_000);
  });

  it('counts as own time what no child covers, overlaps once and only within the span', () => {
    const tree = buildTree([span('a', null, 0, 10), span('b', 'a', 1, 4), span('c', 'a', 3, 4), span('d', 'a', 9, 20)]);
    expect(ownTime(tree.nodes.get('a') as SpanNode)).toBe(3);
    expect(ownTime(tree.nodes.get('d') as SpanNode)).toBe(20);
  });
});

describe('the keys of the waterfall', () => {
  const rows = rowsOf(buildTree([span('a', null, 0, 10), span('b', 'a', 1, 5)]), new Set());
  const where = { closed: false, at: 0, last: 1, page: 10 };

  it.each([
    ['ArrowDown', rows[0]!, where, { do: 'focus', at: 1 }],
    ['ArrowUp', rows[0]!, where, { do: 'focus', at: 0 }],
    ['End', rows[0]!, where, { do: 'focus', at: 1 }],
    ['PageDown', rows[0]!, where, { do: 'focus', at: 1 }],
    ['ArrowRight', rows[0]!, { ...where, closed: true }, { do: 'toggle', open: true }],
    ['ArrowRight', rows[0]!, where, { do: 'focus', at: 1 }],
    ['ArrowRight', rows[1]!, { ...where, at: 1 }, null],
    ['ArrowLeft', rows[0]!, where, { do: 'toggle', open: false }],
    ['ArrowLeft', rows[1]!, { ...where, at: 1 }, { do: 'parent' }],
    ['Enter', rows[1]!, where, { do: 'details' }],
    ['q', rows[1]!, where, null],
  ])('%s', (key, row, at, step) => {
    expect(waterfallKey(key, false, row, at)).toEqual(step);
  });

  it('moves the time with Shift', () => {
    expect(waterfallKey('ArrowRight', true, rows[0]!, where)).toEqual({ do: 'right' });
    expect(waterfallKey('ArrowLeft', true, rows[0]!, where)).toEqual({ do: 'left' });
  });
});
