// What the last recounts of the instances say.
import type { Instance } from '../api/types';
import { d } from '../i18n/diagnostics.svelte';

export type Recount = NonNullable<NonNullable<Instance['consumer']>['lastVerify']>;

/** The newest recount of all instances: each remembers its own only, and anyone of them may have been asked. Null without any. */
export function newestRecount(instances: readonly Instance[]): Recount | null {
  return instances.reduce<Recount | null>((newest, { consumer }) => {
    const one = consumer?.lastVerify ?? null;
    return one && (!newest || Date.parse(one.at) > Date.parse(newest.at)) ? one : newest;
  }, null);
}

/** The outcome of a recount in words; an earlier one does not say how much was parked then. */
export function outcomeOf({ equal, differences, parked }: { equal: boolean; differences: number; parked?: number }): string {
  if (equal) return d('verify.equal');
  return parked === undefined ? d('verify.differed', { n: differences }) : d('verify.differs', { n: differences, parked });
}
