import { describe, expect, it } from 'vitest';
import { merge } from './merge';
import { record } from '../../test/records';

describe('merge', () => {
  it('keeps both changes of different fields', () => {
    const base = record({ title: 'A', priority: 0 });
    const theirs = record({ title: 'A', priority: 2, version: 2 });
    expect(merge(base, { title: 'B' }, theirs)).toEqual({ patch: { title: 'B' }, conflicts: [] });
  });

  it('reports both values where one field was changed twice', () => {
    const base = record({ title: 'A' });
    const theirs = record({ title: 'theirs', version: 2 });
    const { patch, conflicts } = merge(base, { title: 'mine', due: '2026-12-01' }, theirs);
    expect(patch).toEqual({ due: '2026-12-01' });
    expect(conflicts).toEqual([{ field: 'title', base: 'A', mine: 'mine', theirs: 'theirs' }]);
  });

  it('sends nothing where both did the same', () => {
    const base = record({ priority: 0 });
    expect(merge(base, { priority: 1 }, record({ priority: 1, version: 2 }))).toEqual({ patch: {}, conflicts: [] });
  });

  it('joins what each side added to a list and took from it', () => {
    const base = record({ labels: ['bug', 'old'] });
    const theirs = record({ labels: ['bug', 'old', 'theirs'], version: 2 });
    expect(merge(base, { labels: ['bug', 'mine'] }, theirs).patch).toEqual({ labels: ['bug', 'theirs', 'mine'] });
  });

  it('lets the last move win: a place in the order has no true conflict', () => {
    const base = record({ rank: 'a' });
    expect(merge(base, { rank: 'c' }, record({ rank: 'b', version: 2 }))).toEqual({ patch: { rank: 'c' }, conflicts: [] });
  });
});
