// The time axis of a waterfall: which part of the trace is shown, where a moment stands in it, and the marks of the axis.

/** Part of a trace, in milliseconds after its start. */
export interface Range {
  from: number;
  to: number;
}

/** The narrowest range that can be zoomed to: one microsecond, the unit of spans. */
export const MIN_RANGE_MS = 0.001;
/** How much one step of zoom narrows or widens. */
export const ZOOM_STEP = 2;
/** How far one step of moving goes, as a part of what is shown. */
const PAN_STEP = 0.25;
/** Digits kept in the URL: microseconds. */
const URL_DIGITS = 3;

/** The whole of a trace. A trace without duration has a range nonetheless. */
export function whole(durationMs: number): Range {
  return { from: 0, to: Math.max(durationMs, MIN_RANGE_MS) };
}

/** Reads a range from the URL; what makes no sense is the whole. */
export function parseRange(from: string, to: string, durationMs: number): Range {
  const all = whole(durationMs);
  const a = from === '' ? 0 : Number(from);
  const b = to === '' ? all.to : Number(to);
  if (!Number.isFinite(a) || !Number.isFinite(b) || b - a < MIN_RANGE_MS || b <= 0 || a >= all.to) return all;
  return { from: Math.max(0, a), to: Math.min(all.to, b) };
}

/** Values for the URL; null for the whole, which needs none. */
export function rangeQuery(range: Range, durationMs: number): { from: string | null; to: string | null } {
  const all = whole(durationMs);
  if (range.from <= 0 && range.to >= all.to) return { from: null, to: null };
  const text = (ms: number) => String(Number(ms.toFixed(URL_DIGITS)));
  return { from: text(range.from), to: text(range.to) };
}

/** Zooms by a factor (above 1 widens) about a moment, which stays where it is on the screen. */
export function zoomed(range: Range, factor: number, about: number, durationMs: number): Range {
  const all = whole(durationMs);
  const width = Math.min(all.to, Math.max(MIN_RANGE_MS, (range.to - range.from) * factor));
  const middle = Math.min(range.to, Math.max(range.from, about));
  const share = (middle - range.from) / (range.to - range.from);
  const from = Math.min(Math.max(0, middle - share * width), all.to - width);
  return { from, to: from + width };
}

/** Moves what is shown by steps, to the left where negative, within the trace. */
export function panned(range: Range, steps: number, durationMs: number): Range {
  const width = range.to - range.from;
  const from = Math.min(Math.max(0, range.from + steps * PAN_STEP * width), Math.max(0, whole(durationMs).to - width));
  return { from, to: from + width };
}

/** A range with a little room around a span. */
export function around(offsetMs: number, durationMs: number, traceMs: number): Range {
  const room = Math.max(durationMs * 0.1, MIN_RANGE_MS);
  const all = whole(traceMs);
  return { from: Math.max(0, offsetMs - room), to: Math.min(all.to, offsetMs + durationMs + room) };
}

/** Place of a moment in the range: 0 at its start, 1 at its end, outside beyond. */
export function place(range: Range, ms: number): number {
  return (ms - range.from) / (range.to - range.from);
}

/** A bar cut to the range, as shares of it; null where it is wholly outside. */
export function bar(range: Range, offsetMs: number, durationMs: number): { left: number; width: number } | null {
  const left = place(range, offsetMs);
  const right = place(range, offsetMs + durationMs);
  if (right < 0 || left > 1) return null;
  const from = Math.max(0, left);
  return { left: from, width: Math.min(1, right) - from };
}

/** Marks at round moments (1, 2 or 5 times a power of ten), at most `most` of them. */
export function ticks(range: Range, most: number): number[] {
  const width = range.to - range.from;
  const rough = width / Math.max(1, most);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((one) => one >= rough * 0.999999) ?? 10 * power;
  const out: number[] = [];
  for (let i = Math.ceil(range.from / step - 1e-9); i * step <= range.to + step * 1e-9; i++) out.push(i * step);
  return out;
}
