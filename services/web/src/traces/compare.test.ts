import { describe, expect, it } from 'vitest';
import { span, traceOf } from '../../test/traces';
import { byDifference, compareTraces } from './compare';

const request = (k: number, extra: ReturnType<typeof span>[] = []) =>
  traceOf([
    span('root', null, 0, 10 * k, { name: 'PATCH', service: 'edge' }),
    span('s1', 'root', 1, 2, { name: 'SELECT tasks' }),
    span('s2', 'root', 4, 1 * k, { name: 'SELECT tasks' }),
    ...extra,
  ]);

describe('comparing traces', () => {
  it('aligns spans by path and place among those alike', () => {
    const { pairs, differenceMs } = compareTraces(request(1), request(2));
    expect(pairs.map((pair) => [pair.level, pair.name, pair.side, pair.differenceMs])).toEqual([[1, 'PATCH', 'both', 10], [2, 'SELECT tasks', 'both', 0], [2, 'SELECT tasks', 'both', 1]]);
    expect(new Set(pairs.map((pair) => pair.id)).size).toBe(pairs.length);
    expect(differenceMs).toBe(10);
  });

  it('says what only one of them has, with what is below', () => {
    const extra = [span('p', 'root', 8, 1, { name: 'publish tasks.WEB.1' }), span('c', 'p', 9, 1, { name: 'process tasks.WEB.1', service: 'stats-service' })];
    const result = compareTraces(request(1), request(1, extra));
    expect(result.onlySecond).toBe(2);
    expect(result.onlyFirst).toBe(0);
    expect(compareTraces(request(1, extra), request(1)).onlyFirst).toBe(2);
  });

  it('takes messages about different tasks for the same span', () => {
    const publish = (id: string) => traceOf([span('a', null, 0, 1, { name: `publish tasks.WEB.${id}` })]);
    expect(compareTraces(publish('WEB-1'), publish('WEB-2')).pairs.map((pair) => pair.side)).toEqual(['both']);
  });

  it('finds where most of the difference arises, in own time and in the direction of the whole', () => {
    const result = compareTraces(request(1), request(2));
    expect(result.most).toMatchObject({ name: 'PATCH', ownMs: 9 });
    expect(compareTraces(request(2), request(1)).most).toMatchObject({ name: 'PATCH', ownMs: -9 });
    expect(compareTraces(request(1), request(1)).most).toBeNull();
  });

  it('sorts by difference of own time, whatever its sign', () => {
    const slow = traceOf([span('root', null, 0, 30, { name: 'PATCH', service: 'edge' }), span('s1', 'root', 1, 28, { name: 'SELECT tasks' })]);
    expect(byDifference(compareTraces(request(1), slow).pairs).map((pair) => [pair.name, pair.ownMs])).toEqual([['SELECT tasks', 26], ['PATCH', -5], ['SELECT tasks', -1]]);
  });
});
