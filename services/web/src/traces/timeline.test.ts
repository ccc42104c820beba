import { describe, expect, it } from 'vitest';
import { around, bar, MIN_RANGE_MS, panned, parseRange, place, rangeQuery, ticks, whole, zoomed } from './timeline';

describe('the part of a trace that is shown', () => {
  it('is read from the URL and written to it', () => {
    expect(parseRange('', '', 50)).toEqual({ from: 0, to: 50 });
    expect(parseRange('10', '20.5', 50)).toEqual({ from: 10, to: 20.5 });
    expect(rangeQuery({ from: 10.00049, to: 20.5 }, 50)).toEqual({ from: '10', to: '20.5' });
    expect(rangeQuery({ from: 0, to: 50 }, 50)).toEqual({ from: null, to: null });
  });

  it.each([['20', '10'], ['x', '10'], ['60', '70'], ['-20', '-10'], ['10', '10'], ['NaN', 'Infinity']])('is the whole for %s to %s', (from, to) => {
    expect(parseRange(from, to, 50)).toEqual({ from: 0, to: 50 });
  });

  it('is cut to the trace', () => {
    expect(parseRange('-5', '70', 50)).toEqual({ from: 0, to: 50 });
    expect(whole(0).to).toBeGreaterThan(0);
  });

  it('zooms about a moment that stays where it is', () => {
    const range = zoomed({ from: 0, to: 100 }, 0.5, 20, 100);
    expect(range).toEqual({ from: 10, to: 60 });
    expect(place(range, 20)).toBeCloseTo(place({ from: 0, to: 100 }, 20));
    expect(zoomed(range, 100, 20, 100)).toEqual({ from: 0, to: 100 });
    const least = zoomed({ from: 0, to: 100 }, 1e-12, 50, 100);
    expect(least.to - least.from).toBeCloseTo(MIN_RANGE_MS);
  });

  it('moves within the trace and no further', () => {
    expect(panned({ from: 40, to: 60 }, 1, 100)).toEqual({ from: 45, to: 65 });
    expect(panned({ from: 40, to: 60 }, 100, 100)).toEqual({ from: 80, to: 100 });
    expect(panned({ from: 40, to: 60 }, -100, 100)).toEqual({ from: 0, to: 20 });
  });

  it('leaves room around a span', () => {
    expect(around(40, 20, 100)).toEqual({ from: 38, to: 62 });
    expect(around(0, 100, 100)).toEqual({ from: 0, to: 100 });
  });

  it('cuts bars to it', () => {
    const range = { from: 10, to: 20 };
    expect(bar(range, 5, 10)).toEqual({ left: 0, width: 0.5 });
    expect(bar(range, 12, 100)).toEqual({ left: 0.2, width: 0.8 });
    expect(bar(range, 0, 5)).toBeNull();
    expect(bar(range, 25, 5)).toBeNull();
  });

  it.each([
    [{ from: 0, to: 34 }, 8, [0, 5, 10, 15, 20, 25, 30]],
    [{ from: 0, to: 1 }, 5, [0, 0.2, 0.4, 0.6, 0.8, 1]],
    [{ from: 995, to: 1_015 }, 4, [995, 1_000, 1_005, 1_010, 1_015]],
  ])('has round marks', (range, most, want) => {
    const got = ticks(range, most);
    expect(got).toHaveLength(want.length);
    got.forEach((one, i) => expect(one).toBeCloseTo(want[i]!));
  });
});
