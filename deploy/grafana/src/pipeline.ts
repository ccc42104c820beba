// The way of an event: committed, given a position, published, applied, shown.
import { board } from './board.js';
import { heat, lines, value } from './panels.js';

const quantile = (q: number, histogram: string) => `histogram_quantile(${q}, sum by (le) (rate(${histogram}_bucket[$__rate_interval])))`;
const APPLIED = 'tallyboard_stats_apply_delay_seconds';
const SHOWN = 'tallyboard_live_delivery_delay_seconds';
const PUBLISHED = 'tallyboard_relay_publish_delay_seconds';

export const pipeline = board('pipeline', 'Event pipeline', 'From the transaction to the statistics and to other browsers. Every replica measures backlog and lag, so the largest value counts.', [], [
  { title: 'Now', panels: [
    value({ title: 'Leaders', unit: 'none', shows: 'Relays that lead.', good: 'exactly 1; 0 for some seconds during a take-over.', alerts: ['RelayHasNoLeader'], queries: [['sum(tallyboard_relay_leader)', 'leaders']] }),
    value({ title: 'Oldest without position', unit: 's', limit: 30, shows: 'Age of the oldest event without a position.', good: 'below a second.', alerts: ['EventsWithoutPosition'], queries: [['max(tallyboard_relay_oldest_age_seconds)', 'age']] }),
    value({ title: 'Lag of the statistics', unit: 's', limit: 60, shows: 'Age of the oldest event not yet applied.', good: 'below a second.', alerts: ['ConsumerLags'], queries: [['max(tallyboard_stats_lag_seconds)', 'lag']] }),
    value({ title: 'Parked', unit: 'none', limit: 1, shows: 'Tasks whose events could not be applied.', good: '0.', alerts: ['EventsParked'], queries: [['max(tallyboard_stats_parked)', 'parked']] }),
    value({ title: 'NATS', unit: 'none', shows: '1 while every replica is connected to NATS.', good: '1.', alerts: ['NatsAway'], queries: [['min(tallyboard_nats_connected)', 'connected']] }),
    value({ title: 'Differences', unit: 'none', limit: 1, shows: 'Differences that the last recount found.', good: '0.', alerts: ['StatisticsDiffer'], queries: [['max(tallyboard_stats_verify_differences)', 'differences']] }),
  ] },
  { title: 'How late', panels: [
    heat({ title: 'Commit to applied', unit: 's', exemplars: true, shows: 'From the writing of an event to its application in the statistics; points are traces.', good: 'a band of some milliseconds; the objective is 99 % within a second.', alerts: ['FreshnessBurnsFast', 'FreshnessBurnsSlowly'],
      queries: [[`sum by (le) (increase(${APPLIED}_bucket[$__rate_interval]))`, '{{le}}']] }),
    lines({ title: 'p99 of each step', unit: 's', exemplars: true, limit: 1, shows: 'From the writing of an event to its acknowledgement by JetStream, to the statistics, and to another browser’s stream.', good: 'all below a second.', alerts: ['FreshnessBurnsFast'],
      queries: [[quantile(0.99, PUBLISHED), 'published'], [quantile(0.99, APPLIED), 'applied'], [quantile(0.99, SHOWN), 'shown live']] }),
  ] },
  { title: 'Relay', panels: [
    lines({ title: 'Events', unit: 'cps', shows: 'Events per second given a position, and acknowledged by JetStream.', good: 'both the same.', alerts: ['RelayCannotPublish'],
      queries: [['sum(rate(tallyboard_relay_assigned_total[$__rate_interval]))', 'positions given'], ['sum(rate(tallyboard_relay_published_total[$__rate_interval]))', 'published']] }),
    lines({ title: 'Backlog', unit: 'none', shows: 'Events without a position, and events with one that JetStream has not acknowledged.', good: 'near zero; while NATS is away the second one grows.', alerts: ['EventsWithoutPosition', 'RelayCannotPublish'],
      queries: [['max(tallyboard_relay_unpositioned)', 'without position'], ['max(tallyboard_relay_unpublished)', 'unpublished']] }),
    lines({ title: 'Who leads', unit: 'none', shows: '1 at the replica whose relay leads.', good: 'one line at 1; changes only when replicas do.', alerts: ['RelayHasNoLeader'],
      queries: [['max by (instance) (tallyboard_relay_leader)', '{{instance}}']] }),
    lines({ title: 'Take-overs and failures', unit: 'cps', shows: 'How often a relay became leader, failed to publish, or left an event to be read from the database because of its size.', good: 'zero but for take-overs at updates.', alerts: ['RelayCannotPublish'],
      queries: [['sum(rate(tallyboard_relay_takeovers_total[$__rate_interval]))', 'take-overs'], ['sum(rate(tallyboard_relay_publish_failures_total[$__rate_interval]))', 'failures'], ['sum(rate(tallyboard_relay_unpublishable_total[$__rate_interval]))', 'too large']] }),
  ] },
  { title: 'Statistics', panels: [
    lines({ title: 'Applied', unit: 'cps', shows: 'Events per second applied, and seen again and skipped.', good: 'applied follows the relay; skipped are deliveries repeated without harm.',
      queries: [['sum(rate(tallyboard_stats_events_applied_total[$__rate_interval]))', 'applied'], ['sum(rate(tallyboard_stats_events_skipped_total[$__rate_interval]))', 'skipped']] }),
    lines({ title: 'Lag', unit: 'none', shows: 'Positions given but not yet applied.', good: 'near zero; falls fast after an outage.', alerts: ['ConsumerLags'],
      queries: [['max(tallyboard_stats_lag_positions)', 'events']] }),
    lines({ title: 'Repairs', unit: 'cps', shows: 'Events read from the database because NATS left them out, deliveries repeated by NATS, unreadable messages.', good: 'zero; some during updates and outages are what they are for.',
      queries: [['sum(rate(tallyboard_stats_gap_fills_total[$__rate_interval]))', 'gaps filled'], ['sum(rate(tallyboard_stats_redeliveries_total[$__rate_interval]))', 'redeliveries'], ['sum(rate(tallyboard_stats_messages_undecodable_total[$__rate_interval]))', 'unreadable']] }),
    lines({ title: 'Failures', unit: 'cps', shows: 'Attempts to apply that failed, and events parked in the end.', good: 'zero.', alerts: ['ApplyFails', 'EventsParked'],
      queries: [['sum(rate(tallyboard_stats_apply_failures_total[$__rate_interval]))', 'failed attempts'], ['sum(rate(tallyboard_stats_events_parked_total[$__rate_interval]))', 'parked']] }),
  ] },
  { title: 'Live updates', panels: [
    lines({ title: 'Open streams', unit: 'none', shows: 'Browsers that listen, per replica.', good: 'spread over the replicas.', queries: [['sum by (instance) (tallyboard_live_subscribers)', '{{instance}}']] }),
    lines({ title: 'Stale streams', unit: 'none', limit: 1, shows: '1 while events reach the browsers of a replica late.', good: '0.', alerts: ['LiveFeedStale'], queries: [['max by (instance) (tallyboard_live_stale)', '{{instance}}']] }),
    heat({ title: 'Commit to browser', unit: 's', exemplars: true, shows: 'From the writing of an event to its being written to a browser’s stream.', good: 'a band of some milliseconds.',
      queries: [[`sum by (le) (increase(${SHOWN}_bucket[$__rate_interval]))`, '{{le}}']] }),
    lines({ title: 'Gaps and reads', unit: 'cps', shows: 'Gaps filled from the database, and reads of the history for browsers that resume or are slow.', good: 'gaps zero; reads at updates, when browsers resume.',
      queries: [['sum(rate(tallyboard_live_gaps_total[$__rate_interval]))', 'gaps'], ['sum(rate(tallyboard_live_range_reads_total[$__rate_interval]))', 'reads']] }),
  ] },
]);
