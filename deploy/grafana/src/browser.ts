// What people feel: web vitals and the duration of their actions, as their browsers tell.
import { board, choice, TRACES } from './board.js';
import { lines, ranking, value } from './panels.js';

const VITAL = 'browser_web_vital_duration_seconds';
const at = 'ui_view=~"$view"';
/** People's pages are few compared with requests: half an hour makes a sample. */
const p75 = (name: string, by = '') => `histogram_quantile(0.75, sum by (${by}le) (rate(${VITAL}_bucket{web_vital_name="${name}",${at}}[30m])))`;
const ACTION = 'traces_span_metrics_duration_seconds';
const acted = 'service_name="browser",span_kind="SPAN_KIND_INTERNAL"';

const vitals = [
  ['lcp', 'Largest paint (LCP)', 'When the largest part of the page was there.', 2.5],
  ['inp', 'Interaction (INP)', 'How long the page took to react to what people did, at its worst.', 0.2],
  ['fcp', 'First paint (FCP)', 'When the first thing was to be seen.', 1.8],
  ['ttfb', 'First byte (TTFB)', 'When the first byte of the page arrived.', 0.8],
] as const;

export const browser = board('browser', 'Frontend vitals', 'Web vitals at the 75th percentile, as Core Web Vitals are judged, and the duration of actions. Anyone can send these numbers, so they show trends and decide nothing.',
  [choice('view', 'Screen', `label_values(${VITAL}_count, ui_view)`)], [
  { title: 'Now', panels: [
    ...vitals.map(([name, title, shows, good]) => value({ title, unit: 's', limit: good, width: 5, shows: `${shows} At the 75th percentile.`, good: `up to ${good} s.`, queries: [[p75(name), name]] })),
    value({ title: 'Layout shift (CLS)', unit: 'none', limit: 0.1, width: 4, shows: 'How much things moved while people looked, at the 75th percentile.', good: 'up to 0.1.',
      queries: [[`histogram_quantile(0.75, sum by (le) (rate(browser_web_vital_cls_bucket{${at}}[30m])))`, 'cls']] }),
  ] },
  { title: 'By screen', panels: vitals.map(([name, title, shows, good]) =>
    lines({ title: `${title} by screen`, unit: 's', limit: good, shows: `${shows} At the 75th percentile, per screen.`, good: `up to ${good} s on every screen.`, queries: [[p75(name, 'ui_view, '), '{{ui_view}}']] })) },
  { title: 'Actions', panels: [
    lines({ title: 'Actions', unit: 'cps', shows: 'Actions of people per second, as their browsers traced them.', good: 'follows the time of day.',
      queries: [[`sum by (span_name) (rate(traces_span_metrics_calls_total{${acted}}[5m]))`, '{{span_name}}']] }),
    lines({ title: 'p95 of actions', unit: 's', exemplars: true, shows: 'From the click to its end in the browser; points are traces.', good: 'below half a second.',
      links: [['Traces', `${TRACES}?service=browser&order=slowest`]],
      queries: [[`histogram_quantile(0.95, sum by (le, span_name) (rate(${ACTION}_bucket{${acted}}[5m])))`, '{{span_name}}']] }),
    ranking({ title: 'Failing actions', unit: 'percentunit', shows: 'Share of actions that ended with an error, in the last hour.', good: 'nothing above zero.',
      queries: [[`topk(10, (sum by (span_name) (rate(traces_span_metrics_calls_total{${acted},status_code="STATUS_CODE_ERROR"}[1h])) or 0 * sum by (span_name) (rate(traces_span_metrics_calls_total{${acted}}[1h]))) / sum by (span_name) (rate(traces_span_metrics_calls_total{${acted}}[1h])))`, '']] }),
    lines({ title: 'Pages measured', unit: 'cps', shows: 'Web vitals that arrived per second.', good: 'more than zero while people are there; otherwise the numbers above are old.',
      queries: [[`sum by (web_vital_name) (rate(${VITAL}_count{${at}}[5m]))`, '{{web_vital_name}}']] }),
  ] },
]);
