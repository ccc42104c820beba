// Attributes of spans as rows of text.
import type { Span } from '../api/types';

/** Shown elsewhere in the details. */
const APART = new Set(['db.query.text', 'db.statement']);

/** An attribute's value as text; lists by commas. */
export function attributeText(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (Array.isArray(value)) return value.map(attributeText).join(', ');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** Name and text of a span's attributes, by name; the statement stands apart. */
export function attributeRows(span: Span): [name: string, text: string][] {
  return Object.entries(span.attributes)
    .filter(([name]) => !APART.has(name))
    .map(([name, value]): [string, string] => [name, attributeText(value)])
    .sort(([a], [b]) => (a < b ? -1 : 1));
}
