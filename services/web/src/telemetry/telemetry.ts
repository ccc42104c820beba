// The page's tracer, and what starts it. Nobody is followed here: there are no ids of people, devices or visits, and no
// words of theirs, so it does not depend on "do not track". The server decides by TRACE_SAMPLE_RATIO how many are kept.
import { SpanQueue, whenIdle } from './queue';
import { Tracer } from './tracer';

const queue = new SpanQueue(async () => new (await import('./export')).Exporter());

export const tracer = new Tracer(queue.push);

/** The vitals' code is loaded this long after the page at the latest. */
const VITALS_WITHIN_MS = 10_000;

/** Starts what runs beside the page; call once. */
export function startTelemetry(): void {
  const view = tracer.view;
  const vitals = () => whenIdle(() => void import('./vitals').then(({ watchVitals }) => watchVitals(view), () => undefined), VITALS_WITHIN_MS);
  if (document.readyState === 'complete') vitals();
  else addEventListener('load', vitals, { once: true });
  document.addEventListener('visibilitychange', () => document.hidden && queue.leave());
  addEventListener('pagehide', () => {
    tracer.leave();
    queue.leave();
  });
}
