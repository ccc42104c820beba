import { describe, expect, it } from 'vitest';
import { metricsBody } from './otlp';
import { DURATION_BOUNDS, histogramOf, SHIFT_BOUNDS } from './vitals';

interface Body {
  resourceMetrics: { scopeMetrics: { metrics: { name: string; unit: string; histogram: { aggregationTemporality: number; dataPoints: Record<string, unknown>[] } }[] }[] }[];
}
const metricsOf = (body: string) => (JSON.parse(body) as Body).resourceMetrics[0]!.scopeMetrics[0]!.metrics;

describe('web vitals', () => {
  it('are delta histograms in seconds, one point each', () => {
    const [duration, shift] = metricsOf(metricsBody([histogramOf({ name: 'LCP', value: 1_250 }, 'board'), histogramOf({ name: 'INP', value: 48 }, 'board'), histogramOf({ name: 'CLS', value: 0 }, 'board')], 1_000, 61_000));
    expect(duration).toMatchObject({ name: 'browser.web_vital.duration', unit: 's', histogram: { aggregationTemporality: 1 } });
    expect(duration!.histogram.dataPoints).toMatchObject([
      {
        attributes: [{ key: 'web_vital.name', value: { stringValue: 'lcp' } }, { key: 'ui.view', value: { stringValue: 'board' } }],
        startTimeUnixNano: '1000000000', timeUnixNano: '61000000000', count: '1', sum: 1.25, explicitBounds: DURATION_BOUNDS,
      },
      { count: '1', sum: 0.048 },
    ]);
    expect(shift).toMatchObject({ name: 'browser.web_vital.cls', unit: '1', histogram: { dataPoints: [{ sum: 0, bucketCounts: ['1', ...SHIFT_BOUNDS.map(() => '0')], attributes: [{ key: 'ui.view' }] }] } });
  });

  it.each([[0.01, 0], [0.0101, 1], [10, DURATION_BOUNDS.length - 1], [60, DURATION_BOUNDS.length]])('puts %d s into bucket %d', (seconds, bucket) => {
    const [metric] = metricsOf(metricsBody([histogramOf({ name: 'TTFB', value: seconds * 1_000 }, 'list')], 0, 1));
    const counts = metric!.histogram.dataPoints[0]!['bucketCounts'] as string[];
    expect(counts).toHaveLength(DURATION_BOUNDS.length + 1);
    expect(counts.indexOf('1')).toBe(bucket);
  });
});
