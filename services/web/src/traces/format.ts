// Numbers of traces as people read them.
import { currentLocale } from '../i18n/i18n.svelte';

const UNITS: [from: number, unit: string, perMs: number][] = [
  [60_000, 'min', 1 / 60_000],
  [1_000, 's', 1 / 1_000],
  [1, 'ms', 1],
  [0, 'µs', 1_000],
];
/** Digits that tell two measurements apart; more is noise. */
const SIGNIFICANT = 3;

/** A duration in the unit that needs the fewest digits: "850 µs", "12.3 ms", "1.25 s", "2.5 min". */
export function ms(value: number): string {
  const size = Math.abs(value);
  // Rounded first, so that 999.9 ms is one second and not 1,000 ms.
  const rounded = Number(size.toPrecision(SIGNIFICANT));
  const [, unit, factor] = UNITS.find(([from]) => rounded >= from)!;
  return `${value < 0 ? '−' : ''}${decimal(rounded * factor)} ${unit}`;
}

/** A difference with its sign: "+1.2 ms", "−3 ms", "±0". */
export function signedMs(value: number): string {
  if (Math.abs(value) < 0.0005) return '±0';
  return value > 0 ? `+${ms(value)}` : ms(value);
}

/** How many times as long: "×1.4"; empty where the first took no time. */
export function times(before: number, after: number): string {
  return before > 0 ? `×${decimal(after / before)}` : '';
}

/** A part of a whole in percent, with a digit where it is small. */
export function percent(part: number, all: number): string {
  return new Intl.NumberFormat(currentLocale(), { style: 'percent', maximumSignificantDigits: 2 }).format(all === 0 ? 0 : part / all);
}

/** Bytes in the unit that fits. */
export function bytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  const power = value < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(value) / 10));
  return `${decimal(value / 1024 ** power)} ${units[power]}`;
}

/** The clock with milliseconds, for what happened within one second. */
export function clock(instant: string): string {
  return new Intl.DateTimeFormat(currentLocale(), { hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3, hourCycle: 'h23' }).format(new Date(instant));
}

function decimal(value: number): string {
  return new Intl.NumberFormat(currentLocale(), { maximumSignificantDigits: SIGNIFICANT }).format(value);
}
