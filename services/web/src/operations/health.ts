// What an instance tells, as a judgement people can act upon.
import type { Instance, Pool, Relay } from '../api/types';

/** Seconds an event may wait for its position or its application before that is worth a warning. */
export const LATE_SECONDS = 5;
/** A pool used beyond this part is nearly exhausted. */
const NEARLY_FULL = 0.9;
/** Smaller pools are meant to be used up: they hold one worker each, or few. */
const SMALL_POOL = 5;

export type Concern = 'notReady' | 'natsAway' | 'relayLate' | 'consumerLate' | 'parked' | 'liveStale' | 'poolFull' | 'verifyFailed';

/** What is not as it should be, the gravest first. */
export function concerns(instance: Instance): Concern[] {
  const { relay, consumer, live } = instance;
  const found: [Concern, boolean][] = [
    ['notReady', !instance.ready],
    ['natsAway', instance.nats === 'away'],
    ['relayLate', relay !== null && relay.leader && (measured(relay)?.oldestAgeSeconds ?? 0) > LATE_SECONDS],
    ['consumerLate', consumer !== null && consumer.leader && consumer.lagSeconds > LATE_SECONDS],
    ['parked', consumer !== null && consumer.parked > 0],
    ['verifyFailed', consumer?.lastVerify?.equal === false],
    ['poolFull', instance.pools.some(nearlyFull)],
    ['liveStale', live?.stale ?? false],
  ];
  return found.filter(([, yes]) => yes).map(([concern]) => concern);
}

/** What a relay has measured of its backlog; null while it has not: just after the start, or while its database is away. */
export function measured(relay: Relay): { unpositioned: number; oldestAgeSeconds: number; given: number; published: number } | null {
  const { unpositioned, oldestAgeSeconds, given, published } = relay;
  if (unpositioned === null || oldestAgeSeconds === null || given === null || published === null) return null;
  return { unpositioned, oldestAgeSeconds, given, published };
}

export function nearlyFull(pool: Pool): boolean {
  return pool.max >= SMALL_POOL && pool.inUse / pool.max >= NEARLY_FULL;
}

/** Parts of a pool of a hundred, for a bar: in use, idle; the rest is free. Databases without a limit are shown by what is open. */
export function poolParts(pool: Pool): { inUse: number; idle: number } {
  const all = pool.max > 0 ? pool.max : Math.max(1, pool.inUse + pool.idle);
  const inUse = Math.min(100, (pool.inUse / all) * 100);
  return { inUse, idle: Math.min(100 - inUse, (pool.idle / all) * 100) };
}
