// The lines drawn over the rows of a waterfall: the critical path, and messages on their way across the queue. Pixels
// count from the upper left corner of the rows' timelines.
import type { Segment } from '../api/types';
import type { Handover } from './handover';
import { place, type Range } from './timeline';

export interface Frame {
  range: Range;
  /** Width of the timelines. */
  width: number;
  rowHeight: number;
  /** Height in a row at which lines along a bar run, and the middle of the bar. */
  along: number;
  middle: number;
  /** Whether lines may run from row to row: not where they would cross the names. */
  connect: boolean;
  /** Rows that are rendered; lines wholly outside are left out. */
  from: number;
  to: number;
}

/** Row of a span, or of the nearest ancestor that is shown; undefined where there is none. */
export type RowOf = (spanId: string) => number | undefined;

/** Lines from row to row closer together than this would be a block of ink. */
const APART_PX = 10;
/** Far outside is far enough: browsers draw lines of a million pixels badly. */
const FAR_PX = 4_000;

/** The critical path: solid where work was done, dashed across time in which nothing worked. */
export function criticalLines(path: readonly Segment[], rowOf: RowOf, frame: Frame): { solid: string; dashed: string } {
  const solid: string[] = [];
  const dashed: string[] = [];
  let before: { x: number; row: number; end: number } | null = null;
  let last = -Infinity;
  for (const segment of path) {
    const row = rowOf(segment.spanId);
    if (row === undefined) continue;
    const end = segment.offsetMs + segment.durationMs;
    const [x1, x2] = [x(frame, segment.offsetMs), x(frame, end)];
    const y = row * frame.rowHeight + frame.along;
    if (shown(frame, row, row)) solid.push(`M${x1} ${y}H${x2}`);
    if (frame.connect && before && before.row !== row && x1 - last >= APART_PX && shown(frame, before.row, row)) {
      last = x1;
      const y0 = before.row * frame.rowHeight + frame.along;
      if (segment.offsetMs - before.end > 0.0005) dashed.push(`M${before.x} ${y0}V${y}H${x1}`);
      else solid.push(`M${x1} ${y0}V${y}`);
    }
    before = { x: x2, row, end };
  }
  return { solid: solid.join(''), dashed: dashed.join('') };
}

export interface Ends {
  /** When the producer had sent it, and when the consumer began, in milliseconds after the start of the trace. */
  sentMs: number;
  takenMs: number;
}

/** Messages from producers to consumers, as curves that end at the consumer's start. */
export function handoverLines(handovers: readonly (Handover & Ends)[], rowOf: RowOf, frame: Frame): string[] {
  const out: string[] = [];
  for (const one of handovers) {
    const [a, b] = [rowOf(one.from), rowOf(one.to)];
    if (a === undefined || b === undefined || a === b || !shown(frame, a, b)) continue;
    const [x1, x2] = [x(frame, one.sentMs), x(frame, one.takenMs)];
    const [y1, y2] = [a * frame.rowHeight + frame.middle, b * frame.rowHeight + frame.middle];
    const bend = Math.max(14, Math.abs(x2 - x1) / 2);
    out.push(`M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2 - 2} ${y2}`);
  }
  return out;
}

function shown(frame: Frame, a: number, b: number): boolean {
  return Math.max(a, b) >= frame.from && Math.min(a, b) < frame.to;
}

function x(frame: Frame, ms: number): number {
  const px = place(frame.range, ms) * frame.width;
  return Math.round(Math.min(frame.width + FAR_PX, Math.max(-FAR_PX, px)) * 10) / 10;
}
