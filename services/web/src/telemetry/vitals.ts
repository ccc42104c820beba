// How fast the page was for the person: the web vitals, sent as histograms. They carry the screen that was opened first,
// and nothing else: no address, no person, no trace.
import { onCLS, onFCP, onINP, onLCP, onTTFB, type Metric } from 'web-vitals';
import { now } from './context';
import { Post } from './export';
import { metricsBody, type Histogram } from './otlp';

/** Seconds. Among them are the bounds of good and poor: LCP 2.5 and 4, INP 0.2 and 0.5, FCP 1.8 and 3, TTFB 0.8 and 1.8. */
export const DURATION_BOUNDS: readonly number[] = [0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.2, 1.8, 2.5, 3, 4, 6, 10];
/** Shares of the screen; good is up to 0.1, poor from 0.25. */
export const SHIFT_BOUNDS: readonly number[] = [0, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1];

/** Values that come close together go out together. */
const GATHER_MS = 5_000;

/** Watches the page from now on; browsers keep what has happened before. `view` is the screen that was opened first. */
export function watchVitals(view: string): void {
  const post = new Post('/otlp/v1/metrics');
  let since = performance.timeOrigin;
  let waiting: Histogram[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  const body = () => {
    clearTimeout(timer);
    timer = undefined;
    const end = now();
    const text = metricsBody(waiting, since, end);
    since = end;
    waiting = [];
    return text;
  };
  const take = (metric: Metric) => {
    waiting.push(histogramOf(metric, view));
    timer ??= setTimeout(() => void post.post(body()), GATHER_MS);
  };
  for (const on of [onCLS, onFCP, onINP, onLCP, onTTFB]) on(take);
  // The library reports what is final then in listeners of its own, which were added before these.
  const leave = () => {
    if (waiting.length > 0) post.leave(body());
  };
  document.addEventListener('visibilitychange', () => document.hidden && leave());
  addEventListener('pagehide', leave);
}

/** One measurement; durations in seconds, as OpenTelemetry wants them. */
export function histogramOf(metric: Pick<Metric, 'name' | 'value'>, view: string): Histogram {
  if (metric.name === 'CLS') {
    return { name: 'browser.web_vital.cls', unit: '1', description: 'Cumulative layout shift of a page.', attributes: { 'ui.view': view }, bounds: SHIFT_BOUNDS, values: [metric.value] };
  }
  return {
    name: 'browser.web_vital.duration', unit: 's', description: 'Web vitals of a page that are durations.',
    attributes: { 'web_vital.name': metric.name.toLowerCase(), 'ui.view': view }, bounds: DURATION_BOUNDS, values: [metric.value / 1_000],
  };
}
