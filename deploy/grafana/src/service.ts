// Rate, errors and duration of the services, per route.
import { board, INSTANCE, NO_OPS, SERVICE, TIMED, TRACES } from './board.js';
import { heat, lines, ranking, value } from './panels.js';

const all = `job=~"$job",instance=~"$instance",${NO_OPS}`;
const timed = `job=~"$job",instance=~"$instance",${TIMED}`;
const DURATION = 'http_server_request_duration_seconds';
const failed = `(sum(rate(${DURATION}_count{${all},http_response_status_code=~"5.."}[$__rate_interval])) or vector(0))`;
const quantile = (q: number, by: string) =>
  `histogram_quantile(${q}, sum by (${['le', by].filter(Boolean).join(', ')}) (rate(${DURATION}_bucket{${timed}}[$__rate_interval])))`;
const route = '${__field.labels.http_request_method:percentencode}%20${__field.labels.http_route:percentencode}';
const cell = '${__data.fields.Method:percentencode}%20${__data.fields.Route:percentencode}';

export const service = board('service', 'Service', 'Requests, failures and durations per route, with traces behind the points.', [SERVICE(), INSTANCE()], [
  { title: 'Now', panels: [
    value({ title: 'Requests', unit: 'reqps', shows: 'Requests per second.', good: 'follows the time of day without steps.', width: 6,
      queries: [[`sum(rate(${DURATION}_count{${all}}[$__rate_interval]))`, 'requests']] }),
    value({ title: 'Failures', unit: 'percentunit', shows: 'Share of requests answered with a 5xx.', good: 'below 0.1 %, which the objective allows.', width: 6, limit: 0.001,
      alerts: ['AvailabilityBurnsFast', 'AvailabilityBurnsSlowly'],
      queries: [[`${failed} / sum(rate(${DURATION}_count{${all}}[$__rate_interval]))`, 'failures']] }),
    value({ title: 'p99', unit: 's', shows: 'Ninety-nine of a hundred requests are faster.', good: 'below 200 ms, the objective.', width: 6, limit: 0.2,
      alerts: ['LatencyBurnsFast', 'LatencyBurnsSlowly'], queries: [[quantile(0.99, ''), 'p99']] }),
    value({ title: 'Replicas', unit: 'none', shows: 'Replicas that report.', good: 'two of each service, or as many as you run.', width: 6,
      alerts: ['ServiceDown', 'InstanceDown'], queries: [['service:instances:count{job=~"$job"} or on (job) 0 * service:instances:expected{job=~"$job"}', '{{job}}']] }),
  ] },
  { title: 'Requests', panels: [
    lines({ title: 'Rate by route', unit: 'reqps', shows: 'Requests per second of each route.', good: 'no route stands out that did not before.',
      links: [['Traces of this route', `${TRACES}?route=${route}`]],
      queries: [[`sum by (http_request_method, http_route) (rate(${DURATION}_count{${all}}[$__rate_interval]))`, '{{http_request_method}} {{http_route}}']] }),
    lines({ title: 'Answers by status', unit: 'reqps', stacked: true, shows: 'Requests per second by status.', good: '2xx and 3xx; some 4xx are people’s mistakes; no 5xx.',
      alerts: ['AvailabilityBurnsFast', 'AvailabilityBurnsSlowly'],
      queries: [[`sum by (http_response_status_code) (rate(${DURATION}_count{${all}}[$__rate_interval]))`, '{{http_response_status_code}}']] }),
    heat({ title: 'Durations', unit: 's', exemplars: true, width: 24, height: 10, shows: 'How many requests took how long. Points are requests that were traced: click one to open its trace.',
      good: 'one dark band far below 200 ms; a second band is a cause of its own.', alerts: ['LatencyBurnsFast'],
      queries: [[`sum by (le) (increase(${DURATION}_bucket{${timed}}[$__rate_interval]))`, '{{le}}']] }),
    lines({ title: 'p50, p95, p99', unit: 's', exemplars: true, limit: 0.2, shows: 'Durations of all timed routes; points are traces.', good: 'p99 below 200 ms, and p95 not far from p50.',
      alerts: ['LatencyBurnsFast', 'LatencyBurnsSlowly'], links: [['Traces slower than 200 ms', `${TRACES}?min=200&order=slowest`]],
      queries: [[quantile(0.5, ''), 'p50'], [quantile(0.95, ''), 'p95'], [quantile(0.99, ''), 'p99']] }),
    lines({ title: 'Under way', unit: 'none', shows: 'Requests being answered at this moment, per replica.', good: 'below the size of the pool; a steady climb means that something hangs.',
      queries: [['sum by (job, instance) (http_server_active_requests{job=~"$job",instance=~"$instance"})', '{{job}} {{instance}}']] }),
  ] },
  { title: 'Routes', panels: [
    ranking({ title: 'Slowest routes (p99)', unit: 's', shows: 'The ten routes with the highest p99 of the last quarter of an hour.', good: 'all below 200 ms.',
      alerts: ['LatencyBurnsFast'], links: [['Slow traces of this route', `${TRACES}?route=${cell}&order=slowest`]],
      queries: [[`topk(10, histogram_quantile(0.99, sum by (le, job, http_request_method, http_route) (rate(${DURATION}_bucket{${timed}}[15m]))))`, '']] }),
    ranking({ title: 'Failing routes (5xx)', unit: 'percentunit', shows: 'The ten routes with the highest share of 5xx in the last quarter of an hour.', good: 'nothing above zero.',
      alerts: ['AvailabilityBurnsFast'], links: [['Failed traces of this route', `${TRACES}?route=${cell}&error=1`]],
      queries: [[`topk(10, (sum by (job, http_request_method, http_route) (rate(${DURATION}_count{${all},http_response_status_code=~"5.."}[15m])) or 0 * sum by (job, http_request_method, http_route) (rate(${DURATION}_count{${all}}[15m]))) / sum by (job, http_request_method, http_route) (rate(${DURATION}_count{${all}}[15m])))`, '']] }),
  ] },
]);
