import { describe, expect, it } from 'vitest';
import { between } from './rank';

describe('between', () => {
  it.each([
    ['', ''], ['', 'a'], ['', '0'], ['a', ''], ['a', 'b'], ['a', 'a1'], ['a', 'a01'], ['a1', 'a2'], ['a1V', 'a1W'],
    ['zz', ''], ['', '01'], ['az', 'b'], ['a', 'aa'], ['az', 'b0'], ['a0', 'a1'],
  ])('sorts between %j and %j', (a, b) => {
    const middle = between(a, b);
    expect(middle > a).toBe(true);
    if (b !== '') expect(middle < b).toBe(true);
  });

  it('never runs out of room on either side of a thousand insertions', () => {
    let low = 'a';
    let high = 'b';
    for (let i = 0; i < 1000; i++) {
      const middle = between(low, high);
      expect(middle > low && middle < high).toBe(true);
      if (i % 3 === 0) low = middle;
      else high = middle;
    }
  });

  it('finds a place at the end again and again', () => {
    let last = '';
    for (let i = 0; i < 300; i++) {
      const next = between(last, '');
      expect(next > last).toBe(true);
      last = next;
    }
  });
});
