// Statements and connection pools, as the services see them.
import { board, INSTANCE, SERVICE } from './board.js';
import { heat, lines, ranking, value } from './panels.js';

const at = 'job=~"$job",instance=~"$instance"';
const STATEMENT = 'db_client_operation_duration_seconds';
const pool = '{{job}} {{instance}} {{db_client_connection_pool_name}}';
const quantile = (q: number) => `histogram_quantile(${q}, sum by (le) (rate(${STATEMENT}_bucket{${at}}[$__rate_interval])))`;

export const database = board('database', 'Database and pools', 'What the services wait for when they wait for the database.', [SERVICE(), INSTANCE()], [
  { title: 'Now', panels: [
    value({ title: 'Reachable', unit: 'percentunit', shows: 'Share of task-service’s replicas that can read their backlog from the database.', good: '100 %.', alerts: ['DatabaseUnreachable'], width: 6,
      queries: [['(count(tallyboard_relay_unpositioned) or vector(0)) / count(tallyboard_relay_leader)', 'reachable']] }),
    value({ title: 'Statements', unit: 'cps', shows: 'Statements per second.', good: 'follows the requests; a rise without them is a loop.', width: 6,
      queries: [[`sum(rate(${STATEMENT}_count{${at}}[$__rate_interval]))`, 'statements']] }),
    value({ title: 'Fullest pool', unit: 'percentunit', shows: 'Connections in use of the fullest pool.', good: 'below 80 %.', limit: 0.95, width: 6, alerts: ['PoolExhausted'],
      queries: [[`max(pool:connections:used_ratio{${at}})`, 'used']] }),
    value({ title: 'Waiting', unit: 'percentunit', shows: 'Time spent waiting for a connection: 100 % is one request waiting all the time.', good: 'near zero.', limit: 0.5, width: 6, alerts: ['PoolWaits'],
      queries: [[`sum(pool:waited_seconds:rate5m{${at}})`, 'waiting']] }),
  ] },
  { title: 'Statements', panels: [
    heat({ title: 'Durations of statements', unit: 's', exemplars: true, width: 24, height: 9, shows: 'How many statements took how long; points are traces.', good: 'a band of a few milliseconds.',
      queries: [[`sum by (le) (increase(${STATEMENT}_bucket{${at}}[$__rate_interval]))`, '{{le}}']] }),
    lines({ title: 'p50, p95, p99 of statements', unit: 's', exemplars: true, shows: 'Durations of all statements.', good: 'p99 well below 50 ms; commits carry the disk in them.',
      queries: [[quantile(0.5), 'p50'], [quantile(0.95), 'p95'], [quantile(0.99), 'p99']] }),
    lines({ title: 'Statements by operation', unit: 'cps', stacked: true, shows: 'Statements per second by operation.', good: 'the mix stays the same.',
      queries: [[`sum by (db_operation_name) (rate(${STATEMENT}_count{${at}}[$__rate_interval]))`, '{{db_operation_name}}']] }),
    ranking({ title: 'Slowest statements (p99)', unit: 's', shows: 'Operation and table with the highest p99 in the last quarter of an hour.', good: 'nothing above 50 ms but commits.',
      queries: [[`topk(10, histogram_quantile(0.99, sum by (le, job, db_operation_name, db_collection_name) (rate(${STATEMENT}_bucket{${at}}[15m]))))`, '']] }),
    ranking({ title: 'Time in the database', unit: 'percentunit', shows: 'Where the services spend their time in the database: 100 % is one connection busy all the time.', good: 'no single statement takes most of it.',
      queries: [[`topk(10, sum by (job, db_operation_name, db_collection_name) (rate(${STATEMENT}_sum{${at}}[15m])))`, '']] }),
  ] },
  { title: 'Pools', panels: [
    lines({ title: 'Connections in use', unit: 'none', shows: 'Connections in use per pool and replica.', good: 'below the size of the pool most of the time.', alerts: ['PoolExhausted'],
      queries: [[`sum by (job, instance, db_client_connection_pool_name) (db_client_connection_count{${at},db_client_connection_state="used"})`, pool]] }),
    lines({ title: 'Use of pools', unit: 'percentunit', limit: 0.95, shows: 'Connections in use as a share of the pool’s size.', good: 'below 80 %; at 100 % requests queue.', alerts: ['PoolExhausted'],
      queries: [[`pool:connections:used_ratio{${at}}`, pool]] }),
    lines({ title: 'Waits', unit: 'cps', shows: 'How often per second a caller had to wait for a connection.', good: 'near zero.', alerts: ['PoolWaits'],
      queries: [[`sum by (job, instance, db_client_connection_pool_name) (rate(db_client_connection_waits_total{${at}}[$__rate_interval]))`, pool]] }),
    lines({ title: 'Time waited', unit: 'percentunit', limit: 0.5, shows: 'Seconds of waiting per second.', good: 'near zero.', alerts: ['PoolWaits'],
      queries: [[`pool:waited_seconds:rate5m{${at}}`, pool]] }),
  ] },
]);
