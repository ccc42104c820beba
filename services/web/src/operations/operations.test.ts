import { describe, expect, it } from 'vitest';
import type { Instance, RouteStatus } from '../api/types';
import { concerns, LATE_SECONDS, measured, poolParts } from './health';
import { chosenSort, parseSort, sortRoutes, sortText } from './routes';

const fine: Instance = {
  service: 'stats-service', instance: 'a', version: '', startedAt: '2026-11-02T00:00:00Z', ready: true, nats: 'connected', goroutines: 1, heapBytes: 1,
  pools: [{ name: 'tasks', engine: 'mysql', max: 10, inUse: 2, idle: 3, waitCount: 0, waitMs: 0 }],
  relay: { leader: true, unpositioned: 0, oldestAgeSeconds: 0, given: 1, published: 1, takeovers: 1 },
  consumer: { leader: true, cursor: 1, lag: 0, lagSeconds: 0, parked: 0, source: 'stream', lastVerify: { at: '2026-11-02T00:00:00Z', equal: true, differences: 0 } },
  live: { subscribers: 1, stale: false },
};

describe('concerns', () => {
  it('has none about what is as it should be, nor about what an instance does not have', () => {
    expect(concerns(fine)).toEqual([]);
    expect(concerns({ ...fine, relay: null, consumer: null, live: null, pools: [] })).toEqual([]);
  });
  it('has all of them, the gravest first', () => {
    const bad: Instance = {
      ...fine, ready: false, nats: 'away', pools: [{ ...fine.pools[0]!, inUse: 9 }], relay: { ...fine.relay!, oldestAgeSeconds: LATE_SECONDS + 1 },
      consumer: { ...fine.consumer!, lagSeconds: LATE_SECONDS + 1, parked: 1, lastVerify: { at: '', equal: false, differences: 2 } }, live: { subscribers: 0, stale: true },
    };
    expect(concerns(bad)).toEqual(['notReady', 'natsAway', 'relayLate', 'consumerLate', 'parked', 'verifyFailed', 'poolFull', 'liveStale']);
  });
  it('does not mind small pools that are in use', () => {
    expect(concerns({ ...fine, pools: [{ ...fine.pools[0]!, max: 1, inUse: 1 }] })).toEqual([]);
  });
  it('does not blame who only stands by', () => {
    expect(concerns({ ...fine, relay: { ...fine.relay!, leader: false, oldestAgeSeconds: 99 }, consumer: { ...fine.consumer!, leader: false, lagSeconds: 99 } })).toEqual([]);
  });
});

describe('a backlog', () => {
  const relay = fine.relay!;
  it('is what was measured, though it is nothing', () => {
    expect(measured(relay)).toEqual({ unpositioned: 0, oldestAgeSeconds: 0, given: 1, published: 1 });
    expect(measured({ ...relay, given: 0, published: 0 })).toEqual({ unpositioned: 0, oldestAgeSeconds: 0, given: 0, published: 0 });
  });
  it('is unknown while it was not measured, and then no concern', () => {
    const unknown = { ...relay, unpositioned: null, oldestAgeSeconds: null, given: null, published: null };
    expect(measured(unknown)).toBeNull();
    expect(concerns({ ...fine, relay: unknown })).toEqual([]);
  });
});

describe('the bar of a pool', () => {
  it('shows what is in use and idle, never more than all', () => {
    expect(poolParts({ ...fine.pools[0]! })).toEqual({ inUse: 20, idle: 30 });
    expect(poolParts({ ...fine.pools[0]!, inUse: 12, idle: 4 })).toEqual({ inUse: 100, idle: 0 });
    expect(poolParts({ ...fine.pools[0]!, max: 0, inUse: 1, idle: 3 })).toEqual({ inUse: 25, idle: 75 });
    expect(poolParts({ ...fine.pools[0]!, max: 0, inUse: 0, idle: 0 })).toEqual({ inUse: 0, idle: 0 });
  });
});

describe('routes', () => {
  const route = (name: string, errors: number, p99Ms: number): RouteStatus => ({ service: 's', route: name, count: 1, errors, p50Ms: 1, p95Ms: 1, p99Ms });
  const list = [route('b', 0, 5), route('a', 0, 9), route('c', 3, 5)];
  const names = (sort: string) => sortRoutes(list, parseSort(sort)).map((one) => one.route).join('');
  it('are sorted by what the URL says, the slowest first where it says nothing', () => {
    expect([names(''), names('-errors'), names('route'), names('-route'), names('p99Ms'), names('nonsense')]).toEqual(['abc', 'cab', 'abc', 'cba', 'bca', 'abc']);
  });
  it('turn the direction when a column is chosen again', () => {
    expect(sortText(chosenSort(parseSort(''), 'p99Ms'))).toBe('p99Ms');
    expect(sortText(chosenSort(parseSort('p99Ms'), 'p99Ms'))).toBeNull();
    expect(sortText(chosenSort(parseSort(''), 'errors'))).toBe('-errors');
    expect(sortText(chosenSort(parseSort(''), 'route'))).toBe('route');
  });
});
