import { describe, expect, it } from 'vitest';
import type { Instance } from '../api/types';
import { newestRecount, outcomeOf } from './recount';

const instance = (at: string | null, equal = true): Instance => ({
  service: 'stats-service', instance: at ?? 'none', version: '', startedAt: '2026-11-02T00:00:00Z', ready: true, nats: 'connected', goroutines: 1, heapBytes: 1,
  pools: [], relay: null, live: null,
  consumer: { leader: true, cursor: 1, lag: 0, lagSeconds: 0, parked: 0, source: 'stream', lastVerify: at === null ? null : { at, equal, differences: equal ? 0 : 2 } },
});

describe('the last recount', () => {
  it('is the newest of all instances, in whatever order they come', () => {
    const old = instance('2026-11-02T10:00:00Z', false);
    const newest = instance('2026-11-02T10:00:00.5Z'); // sorts before the old one as text
    const all = [instance(null), old, newest, { ...old, consumer: null }];
    expect(newestRecount(all)).toBe(newest.consumer!.lastVerify);
    expect(newestRecount([...all].reverse())).toBe(newest.consumer!.lastVerify);
  });
  it('is none where nobody has recounted', () => {
    expect(newestRecount([])).toBeNull();
    expect(newestRecount([instance(null), { ...instance(null), consumer: null }])).toBeNull();
  });
});

describe('the outcome of a recount', () => {
  it('tells of parked events only where it knows of them', () => {
    expect(outcomeOf({ equal: false, differences: 1 })).toBe('1 difference');
    expect(outcomeOf({ equal: false, differences: 2, parked: 0 })).toBe('2 differences, 0 parked');
    expect(outcomeOf({ equal: true, differences: 0 })).toBe('The statistics are what a recount gives.');
  });
});
