// Dates and durations for people. Civil dates ("2026-12-01") have no zone; instants are shown in the reader's.
import { currentLocale, t } from './i18n.svelte';

const DAY_MS = 86_400_000;

/** Today as a civil date in the reader's zone. */
export function today(now: Date = new Date()): string {
  return civil(now);
}

/** The civil date of an instant in the reader's zone. */
export function civil(date: Date): string {
  const pad = (n: number) => String(n).padStart(2, '0');
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
}

/** Days from a to b, both civil dates. */
export function daysBetween(a: string, b: string): number {
  return Math.round((Date.parse(`${b}T00:00:00Z`) - Date.parse(`${a}T00:00:00Z`)) / DAY_MS);
}

/** A civil date moved by days. */
export function addDays(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
}

/** "Today", "Tomorrow", a weekday within a week, else day and month (with the year if it is another one). */
export function shortDate(date: string): string {
  const days = daysBetween(today(), date);
  if (days >= -1 && days <= 1) {
    const text = new Intl.RelativeTimeFormat(currentLocale(), { numeric: 'auto' }).format(days, 'day');
    return text.charAt(0).toLocaleUpperCase(currentLocale()) + text.slice(1);
  }
  const utc = new Date(`${date}T00:00:00Z`);
  if (days > 1 && days < 7) return new Intl.DateTimeFormat(currentLocale(), { weekday: 'long', timeZone: 'UTC' }).format(utc);
  const sameYear = date.slice(0, 4) === today().slice(0, 4);
  return new Intl.DateTimeFormat(currentLocale(), {
    day: 'numeric',
    month: 'short',
    ...(sameYear ? {} : { year: 'numeric' }),
    timeZone: 'UTC',
  }).format(utc);
}

/** A civil date in full: for tooltips, tables and sentences. */
export function longDate(date: string): string {
  return new Intl.DateTimeFormat(currentLocale(), { dateStyle: 'long', timeZone: 'UTC' }).format(new Date(`${date}T00:00:00Z`));
}

/** Day and time of an instant. */
export function dateTime(instant: string | Date): string {
  return new Intl.DateTimeFormat(currentLocale(), { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(instant));
}

/** "3 minutes ago"; past a week the date. */
export function ago(instant: string, now: number = Date.now()): string {
  const seconds = Math.round((Date.parse(instant) - now) / 1000);
  const relative = new Intl.RelativeTimeFormat(currentLocale(), { numeric: 'auto' });
  const abs = Math.abs(seconds);
  if (abs < 60) return relative.format(0, 'second');
  if (abs < 3600) return relative.format(Math.round(seconds / 60), 'minute');
  if (abs < 86_400) return relative.format(Math.round(seconds / 3600), 'hour');
  if (abs < 7 * 86_400) return relative.format(Math.round(seconds / 86_400), 'day');
  return shortDate(civil(new Date(instant)));
}

/** An elapsed time in its largest useful unit: "4.2 days", "6 hours". */
export function duration(seconds: number): string {
  const number = (value: number, digits: number) => new Intl.NumberFormat(currentLocale(), { maximumFractionDigits: digits }).format(value);
  if (seconds < 3600) return t('unit.minutes', { n: Math.max(1, Math.round(seconds / 60)) });
  if (seconds < 48 * 3600) return t('unit.hours', { n: Math.round(seconds / 3600) });
  const days = seconds / 86_400;
  const rounded = days < 20 ? Math.round(days * 10) / 10 : Math.round(days);
  return t('unit.days', { n: rounded, text: number(rounded, 1) });
}

/** A number in the reader's notation. */
export function number(value: number, digits = 1): string {
  return new Intl.NumberFormat(currentLocale(), { maximumFractionDigits: digits }).format(value);
}
