// The filter language of the API, as far as the browser needs it: to answer at once for tasks it knows. What it cannot
// decide (words in descriptions, blocking relations) is left to the server.
import type { Person, Project } from '../api/types';
import { addDays } from '../i18n/dates';
import type { TaskRecord } from '../store/records';

export interface Term {
  field: string;
  op: ':' | '<' | '<=' | '>' | '>=';
  values: string[];
  not: boolean;
  /** Where the term stands in the text: [start, end). */
  start: number;
  end: number;
}

export interface Context {
  project: Project;
  people: ReadonlyMap<string, Person>;
  me: string;
  today: string;
  /** Resolves a task key to its id, for parent:WEB-12. */
  idOf: (key: string) => string | undefined;
}

const FIELDS = new Set(['state', 'assignee', 'label', 'priority', 'due', 'start', 'created', 'updated', 'completed', 'estimate', 'parent', 'is', 'creator', 'text']);
const LOCAL_FLAGS = new Set(['open', 'done', 'overdue', 'subtask', 'recurring', 'unassigned']);
const PRIORITIES = ['none', 'urgent', 'high', 'medium', 'low'];

/** Splits a filter into terms. Never fails: what it does not understand is a word, and the server says what is wrong. */
export function parseFilter(source: string): Term[] {
  const terms: Term[] = [];
  const pattern = /(-?)(?:([a-z]+)(:|<=|>=|<|>))?((?:"(?:[^"\\]|\\.)*"?|[^\s"])*)/g;
  for (const match of source.matchAll(pattern)) {
    if (match[0] === '') continue;
    const [text, minus, name, op, value] = match;
    const known = name !== undefined && FIELDS.has(name);
    const raw = known ? value! : text.slice(minus!.length);
    terms.push({
      field: known ? name : 'text',
      op: known ? (op as Term['op']) : ':',
      values: known && name !== 'text' ? splitValues(raw) : [unquote(raw)],
      not: minus === '-',
      start: match.index,
      end: match.index + text.length,
    });
  }
  return terms;
}

function splitValues(raw: string): string[] {
  return (raw.match(/(?:"(?:[^"\\]|\\.)*"?|[^,"])+/g) ?? ['']).map(unquote);
}

function unquote(text: string): string {
  return text.replace(/^"((?:[^"\\]|\\.)*)"?$/, '$1').replace(/\\(.)/g, '$1');
}

/** Writes a value so that it reads back as one: quoted where it has blanks, commas or quotes. */
export function quoteValue(value: string): string {
  return /[\s,":<>]/.test(value) || value === '' ? `"${value.replace(/(["\\])/g, '\\$1')}"` : value;
}

/** The filter with one field set to values (none removes it); other terms stay as they were typed. */
export function withField(source: string, field: string, values: string[]): string {
  const kept = parseFilter(source).filter((term) => !(term.field === field && term.op === ':' && !term.not));
  const parts = kept.map((term) => source.slice(term.start, term.end));
  if (values.length) parts.push(`${field}:${values.map(quoteValue).join(',')}`);
  return parts.join(' ');
}

/** The values of a plain `field:a,b` term, lower case. */
export function valuesOf(source: string, field: string): string[] {
  return parseFilter(source)
    .filter((term) => term.field === field && term.op === ':' && !term.not)
    .flatMap((term) => term.values.map((value) => value.toLowerCase()));
}

/** Whether the browser can decide all terms by itself. */
export function decidable(terms: Term[]): boolean {
  return terms.every((term) => {
    if (term.field === 'text' || term.field === 'created' || term.field === 'updated' || term.field === 'completed') return false;
    return term.field !== 'is' || term.values.every((value) => LOCAL_FLAGS.has(value.toLowerCase()));
  });
}

/** Whether a task matches all decidable terms; words are looked for in title and key, the others count as met. */
export function matches(task: TaskRecord, terms: Term[], context: Context): boolean {
  return terms.every((term) => {
    const verdict = term.values.some((value) => holds(task, term, value.toLowerCase(), context));
    return undecided(term) ? true : verdict !== term.not;
  });
}

function undecided(term: Term): boolean {
  if (term.field === 'text') return term.not;
  return term.field !== 'text' && !decidable([term]);
}

function holds(task: TaskRecord, term: Term, value: string, context: Context): boolean {
  switch (term.field) {
    case 'state': {
      const state = context.project.states.find((one) => one.id === task.state);
      return state !== undefined && (state.name.toLowerCase() === value || state.category === value);
    }
    case 'assignee':
      return value === 'none' ? task.assignees.length === 0 : task.assignees.some((id) => isPerson(id, value, context));
    case 'creator':
      return isPerson(task.createdBy, value, context);
    case 'label':
      if (value === 'none') return task.labels.length === 0;
      return task.labels.some((id) => context.project.labels.find((label) => label.id === id)?.name.toLowerCase() === value);
    case 'priority': {
      const wanted = PRIORITIES.includes(value) ? PRIORITIES.indexOf(value) : Number(value);
      return compare(task.priority, wanted, term.op);
    }
    case 'due':
    case 'start':
      return dateHolds(task[term.field] ?? null, term.op, value, context.today);
    case 'estimate':
      if (value === 'none') return task.estimate === null;
      return task.estimate !== null && compare(task.estimate, Number(value), term.op);
    case 'parent':
      return value === 'none' ? task.parent === null : task.parent !== null && task.parent === context.idOf(value.toUpperCase());
    case 'is':
      return flag(task, value, context);
    case 'text':
      return value.split(/\s+/).every((word) => `${task.key} ${task.title}`.toLowerCase().includes(word));
    default:
      return true;
  }
}

function flag(task: TaskRecord, name: string, context: Context): boolean {
  const category = context.project.states.find((one) => one.id === task.state)?.category;
  const open = category !== 'done' && category !== 'cancelled';
  switch (name) {
    case 'open':
      return open;
    case 'done':
      return category === 'done';
    case 'overdue':
      return open && task.due !== null && task.due < context.today;
    case 'subtask':
      return task.parent !== null;
    case 'recurring':
      return task.recurrence !== null;
    case 'unassigned':
      return task.assignees.length === 0;
    default:
      return true;
  }
}

function isPerson(id: string, value: string, context: Context): boolean {
  return value === 'me' ? id === context.me : context.people.get(id)?.handle === value.replace(/^@/, '');
}

function dateHolds(date: string | null, op: Term['op'], value: string, today: string): boolean {
  if (value === 'none') return date === null;
  return date !== null && compare(date, resolveDate(value, today), op);
}

/** today, tomorrow, yesterday, +7d, -2w, or the date itself. */
export function resolveDate(value: string, today: string): string {
  const named: Record<string, number> = { today: 0, tomorrow: 1, yesterday: -1 };
  if (value in named) return addDays(today, named[value]!);
  const relative = /^([+-]\d+)([dw])$/.exec(value);
  return relative ? addDays(today, Number(relative[1]) * (relative[2] === 'w' ? 7 : 1)) : value;
}

function compare<T extends number | string>(a: T, b: T, op: Term['op']): boolean {
  if (op === '<') return a < b;
  if (op === '<=') return a <= b;
  if (op === '>') return a > b;
  if (op === '>=') return a >= b;
  return a === b;
}
