// Statistics as charts: data, drawing and the words for what is under the pointer. Pure, apart from the locale.
import uPlot from 'uplot';
import type { Flow, Throughput, Times } from '../api/types';
import { dateTime, duration, longDate, number } from '../i18n/dates';
import { currentLocale, t } from '../i18n/i18n.svelte';
import { faded, type Palette } from './palette';

export interface LegendEntry {
  label: string;
  /** Design token of the colour. */
  token: string;
  shape: 'box' | 'line' | 'dot';
  opacity?: number;
}

export interface Chart {
  data: uPlot.AlignedData;
  legend: LegendEntry[];
  options: (colors: Palette) => {
    uplot: Pick<uPlot.Options, 'series'> & Partial<Pick<uPlot.Options, 'scales' | 'bands' | 'hooks' | 'tzDate' | 'padding'>>;
    x?: uPlot.Axis;
    y?: uPlot.Axis;
    cursorPoints?: boolean;
  };
  describe: (index: number) => string;
}

const DAY = 86_400;
const utcSeconds = (date: string) => Date.parse(`${date}T00:00:00Z`) / 1000;

/** Civil days are drawn at their UTC midnight, so that every zone sees the same evenly spaced days. */
const days = {
  tzDate: (seconds: number) => uPlot.tzDate(new Date(seconds * 1000), 'UTC'),
  axis: { values: (_: uPlot, ticks: number[]) => dayLabels(ticks, 'UTC'), space: 64 } satisfies uPlot.Axis,
};

function dayLabels(ticks: number[], timeZone: string | undefined): string[] {
  const format = new Intl.DateTimeFormat(currentLocale(), { day: 'numeric', month: 'short', ...(timeZone ? { timeZone } : {}) });
  return ticks.map((seconds) => format.format(new Date(seconds * 1000)));
}

const whole: uPlot.Axis = { values: (_, ticks) => ticks.map((value) => (Number.isInteger(value) ? number(value) : '')) };
const fromZero: uPlot.Scale = { range: (_, __, max) => [0, Math.max(1, max * 1.08)] };

/** Mean over a day and up to six before it; smooths the line so that it shows a direction. */
export function weeklyMean(values: readonly number[]): number[] {
  return values.map((_, i) => {
    const window = values.slice(Math.max(0, i - 6), i + 1);
    return window.reduce((sum, value) => sum + value, 0) / window.length;
  });
}

/** Completed per day as bars; created as a line of weekly means, which is what the eye compares. */
export function throughputChart(throughput: Throughput): Chart {
  const list = throughput.days;
  return {
    data: [list.map((day) => utcSeconds(day.date)), list.map((day) => day.completed), weeklyMean(list.map((day) => day.created))],
    legend: [
      { label: t('chart.completed'), token: '--accent', shape: 'box', opacity: 0.75 },
      { label: t('chart.createdMean'), token: '--cat-doing', shape: 'line' },
    ],
    options: (colors) => ({
      uplot: {
        tzDate: days.tzDate,
        scales: { y: fromZero },
        series: [
          {},
          { label: t('chart.completed'), stroke: colors.accent, fill: faded(colors.accent, 0.75), width: 0, paths: uPlot.paths.bars!({ size: [0.7, 24] }), points: { show: false } },
          { label: t('chart.createdMean'), stroke: colors.category.doing, width: 1.5, dash: [4, 3], points: { show: false } },
        ],
      },
      x: days.axis,
      y: whole,
      cursorPoints: false,
    }),
    describe: (i) => (list[i] ? t('chart.throughputAt', { date: longDate(list[i].date), completed: list[i].completed, created: list[i].created }) : ''),
  };
}

/** One point per completed task, with lines at the percentiles. */
export function cycleChart(times: Times): Chart {
  const { points, cycle } = times;
  return {
    data: [points.map((point) => Date.parse(point.completed) / 1000), points.map((point) => point.cycleSeconds / DAY)],
    legend: [
      { label: t('chart.oneTask'), token: '--accent', shape: 'dot', opacity: 0.6 },
      { label: t('chart.percentiles'), token: '--warn', shape: 'line' },
    ],
    options: (colors) => ({
      uplot: {
        padding: [null, 40, null, null],
        scales: { y: fromZero },
        series: [{}, { stroke: colors.accent, paths: () => null, points: { show: true, size: 6, width: 0, fill: faded(colors.accent, 0.6) } }],
        hooks: {
          draw: [
            (u) => {
              for (const [name, seconds] of [['50 %', cycle.p50], ['85 %', cycle.p85], ['95 %', cycle.p95]] as const) {
                if (seconds !== null) levelLine(u, seconds / DAY, name, colors);
              }
            },
          ],
        },
      },
      x: { values: (_, ticks) => dayLabels(ticks, undefined), space: 64 },
      y: { values: (_, ticks) => ticks.map((value) => t('unit.d', { n: number(value) })) },
    }),
    describe: (i) => (points[i] ? t('chart.cycleAt', { key: points[i].key, date: dateTime(points[i].completed), time: duration(points[i].cycleSeconds) }) : ''),
  };
}

function levelLine(u: uPlot, value: number, name: string, colors: Palette): void {
  const y = Math.round(u.valToPos(value, 'y', true));
  const { left, width } = u.bbox;
  u.ctx.save();
  u.ctx.strokeStyle = colors.warn;
  u.ctx.fillStyle = colors.warn;
  u.ctx.lineWidth = devicePixelRatio;
  u.ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
  u.ctx.beginPath();
  u.ctx.moveTo(left, y);
  u.ctx.lineTo(left + width, y);
  u.ctx.stroke();
  u.ctx.font = `${11 * devicePixelRatio}px ${colors.font}`;
  u.ctx.textBaseline = 'middle';
  u.ctx.textAlign = 'left';
  u.ctx.fillText(name, left + width + 4 * devicePixelRatio, y);
  u.ctx.restore();
}

/** Tasks per state at the end of each day, stacked: what is finished lies at the bottom. */
export function flowChart(flow: Flow): Chart {
  const order = flow.states.map((_, i) => i).filter((i) => flow.days.some((day) => (day.counts[i] ?? 0) > 0)).reverse();
  let sums = flow.days.map(() => 0);
  const layers = order.map((state) => (sums = sums.map((sum, day) => sum + (flow.days[day]!.counts[state] ?? 0))));
  // The highest layer is drawn first; each band is filled down to the one below it.
  const drawn = [...layers].reverse();
  const states = [...order].reverse().map((i) => flow.states[i]!);
  // States of one category alternate in strength, so that neighbours can be told apart.
  const strength = (i: number) => (states.slice(0, i).filter((other) => other.category === states[i]!.category).length % 2 === 0 ? 0.5 : 0.28);
  return {
    data: [flow.days.map((day) => utcSeconds(day.date)), ...drawn],
    legend: states.map((state, i) => ({ label: state.name, token: `--cat-${state.category}`, shape: 'box', opacity: strength(i) + 0.3 })),
    options: (colors) => ({
      uplot: {
        tzDate: days.tzDate,
        scales: { y: fromZero },
        series: [
          {},
          ...states.map((state, i): uPlot.Series => {
            const color = colors.category[state.category];
            return { label: state.name, stroke: color, width: 1, fill: faded(color, strength(i)), points: { show: false } };
          }),
        ],
        bands: drawn.slice(1).map((_, i) => ({ series: [i + 1, i + 2] as [number, number] })),
      },
      x: days.axis,
      y: whole,
      cursorPoints: false,
    }),
    describe: (i) => {
      const day = flow.days[i];
      if (!day) return '';
      return [longDate(day.date), ...flow.states.flatMap((state, n) => (day.counts[n] ? [`${state.name} ${number(day.counts[n])}`] : []))].join(' · ');
    },
  };
}
