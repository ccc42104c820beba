// Sending an import: the file streams up, progress comes back line by line.
import { ApiError, NetworkError, problemOf, withQuery } from '../api/http';
import { timeZone } from '../api/zone';
import type { ImportProgress, ImportReport } from '../api/types';
import { tracer } from '../telemetry/telemetry';

export type Format = 'csv' | 'jira-changelog' | 'tallyboard';

/** Fields of tasks a CSV column can be mapped to. */
export const FIELDS = ['id', 'title', 'created', 'started', 'finished', 'state', 'type', 'description', 'assignee', 'labels', 'priority', 'estimate', 'start', 'due'] as const;

/** A header line longer than this is no header. */
const HEADER_BYTES = 16_384;

/** Names of the columns of a CSV file; empty if it has none. */
export async function headerOf(file: Blob): Promise<string[]> {
  const text = (await file.slice(0, HEADER_BYTES).text()).replace(/^\ufeff/, '');
  const line = /^[^\r\n]*/.exec(text)![0];
  if (line.trimStart().startsWith('{')) return [];
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map((match) => (match[1] ?? match[2] ?? '').replaceAll('""', '"').trim());
}

/** What a file probably is. */
export function guessFormat(name: string, columns: string[]): Format {
  if (name.endsWith('.json') || columns.length === 0) return 'tallyboard';
  return columns.includes('issue_key') && columns.includes('status_change_date') ? 'jira-changelog' : 'csv';
}

interface Options {
  project: string;
  file: File;
  format: Format;
  /** Column by field, where it differs from the field's own name. */
  mapping: Record<string, string>;
  /** Rows that finish before they were created: refuse them, or put the creation at the finish. */
  invalidDates: 'refuse' | 'clamp';
  dryRun: boolean;
  signal: AbortSignal;
  onprogress: (progress: ImportProgress) => void;
}

/** Sends the file and resolves with the report. Rejects with a sentence for people. */
export async function sendImport({ project, file, format, mapping, invalidDates, dryRun, signal, onprogress }: Options): Promise<ImportReport> {
  const maps = format === 'csv' ? Object.fromEntries(Object.entries(mapping).filter(([, column]) => column).map(([field, column]) => [`map.${field}`, column])) : {};
  const path = `/api/v1/projects/${project}/import`;
  const call = tracer.call('POST', path);
  let response: Response | undefined;
  let outcome: ImportProgress | ApiError;
  try {
    response = await fetch(withQuery(path, { format, dryRun, tz: timeZone, ...(format === 'tallyboard' ? {} : { invalidDates }), ...maps }), {
      method: 'POST',
      headers: { 'Content-Type': format === 'tallyboard' ? 'application/json' : 'text/csv', Accept: 'application/x-ndjson', traceparent: call.traceparent },
      body: file,
      signal,
    });
    outcome = response.ok && response.body ? await lastStep(response.body, onprogress) : problemOf(response, await response.text());
  } catch (cause) {
    call.failed(signal.aborted ? 'aborted' : 'network', response);
    throw new NetworkError('', { cause });
  }
  if (outcome instanceof ApiError) {
    call.answered(response);
    throw outcome;
  }
  const { report, problem } = outcome;
  if (!report) {
    call.failed(problem?.code ?? 'unknown', response); // the answer had begun with 200
    throw new Error(problem?.detail ?? problem?.title ?? '');
  }
  call.answered(response);
  return report;
}

/** Follows the stream to its end; resolves with its report or problem. Rejects when it breaks off before. */
async function lastStep(stream: ReadableStream<Uint8Array>, onprogress: (progress: ImportProgress) => void): Promise<ImportProgress> {
  let last: ImportProgress | undefined;
  for await (const line of lines(stream)) {
    const step = JSON.parse(line) as ImportProgress;
    if (step.type === 'progress') onprogress(step);
    else last = step;
  }
  if (!last) throw new Error('the stream ended without a report');
  return last;
}

/** The lines of a stream of UTF-8, without empty ones. */
export async function* lines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  for (;;) {
    const { value, done } = await reader.read();
    rest += decoder.decode(value, { stream: !done });
    const parts = rest.split('\n');
    rest = done ? '' : parts.pop()!;
    for (const part of parts) if (part.trim()) yield part;
    if (done) return;
  }
}
