// One way to the server: JSON in, JSON out, failures as one of two error classes. Every request is a span of the action
// that made it.
import { tracer } from '../telemetry/telemetry';
import type { ActionRecord } from '../telemetry/tracer';
import type { Problem } from './types';

/** How long a request may take before it counts as failed. */
export const REQUEST_TIMEOUT_MS = 20_000;

/** The server answered with a problem. `message` is the sentence meant for people. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  constructor(
    readonly status: number,
    readonly problem: Problem,
    /** Milliseconds after which the server asks to be tried again, if it said so. */
    readonly retryAfterMs?: number,
  ) {
    super(problem.detail ?? problem.title);
  }
  get code(): string {
    return this.problem.code;
  }
  /** By which the server's logs and traces of this request are found. */
  get traceId(): string | undefined {
    return this.problem.traceId;
  }
  /** The request may succeed unchanged a little later. */
  get temporary(): boolean {
    return [408, 429, 502, 503, 504].includes(this.status);
  }
}

/** Trace of the request that failed with an error, for whoever looks into it. What is not there needs no looking into. */
export function traceIdOf(error: unknown): string | undefined {
  return error instanceof ApiError && error.status !== 404 ? error.traceId : undefined;
}

/** No answer came: offline, refused, cut or timed out. Whether the server acted is unknown. */
export class NetworkError extends Error {
  override readonly name = 'NetworkError';
}

export interface RequestOptions {
  body?: unknown;
  /** Version the caller saw; becomes If-Match. */
  ifMatch?: number | '*';
  idempotencyKey?: string;
  signal?: AbortSignal;
  timeoutMs?: number;
  /** The action it is made for, where that began earlier; else the one at hand. */
  trace?: ActionRecord;
}

export interface Answer<T> {
  data: T;
  status: number;
  traceId: string | null;
}

/** Sends a request. Rejects with ApiError, NetworkError, or the AbortError of `signal`. */
export async function request<T>(method: string, path: string, options: RequestOptions = {}): Promise<Answer<T>> {
  const headers = new Headers({ Accept: 'application/json' });
  if (options.ifMatch !== undefined) headers.set('If-Match', options.ifMatch === '*' ? '*' : `"${options.ifMatch}"`);
  if (options.idempotencyKey) headers.set('Idempotency-Key', options.idempotencyKey);
  if (options.body !== undefined) headers.set('Content-Type', 'application/json');
  const timeout = AbortSignal.timeout(options.timeoutMs ?? REQUEST_TIMEOUT_MS);
  const call = tracer.call(method, path, options.trace);
  headers.set('traceparent', call.traceparent);
  let response: Response;
  let text: string;
  try {
    response = await fetch(path, {
      method,
      headers,
      credentials: 'same-origin',
      signal: options.signal ? AbortSignal.any([options.signal, timeout]) : timeout,
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    });
    text = await response.text();
  } catch (cause) {
    call.failed(options.signal?.aborted ? 'aborted' : timeout.aborted ? 'timeout' : 'network');
    if (options.signal?.aborted) throw cause;
    throw new NetworkError(`${method} ${path}`, { cause });
  }
  call.answered(response);
  if (!response.ok) throw problemOf(response, text);
  return {
    data: (text === '' ? undefined : JSON.parse(text)) as T,
    status: response.status,
    traceId: response.headers.get('X-Trace-Id'),
  };
}

/** Waits before a GET that met a dead network is tried again: a laptop that changes networks cuts what is under way. */
export const GET_RETRY_MS: readonly number[] = [250, 1_000];

/** GET returning the body only; tried again a little later where no answer came. */
export function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return tracer.during('GET', async (trace) => {
    for (let tries = 0; ; tries++) {
      try {
        return (await request<T>('GET', path, signal ? { signal, trace } : { trace })).data;
      } catch (error) {
        const wait = GET_RETRY_MS[tries];
        if (!(error instanceof NetworkError) || wait === undefined || !navigator.onLine) throw error;
        await new Promise((resolve) => setTimeout(resolve, wait));
        signal?.throwIfAborted();
      }
    }
  });
}

/** Builds a path with a query; empty and missing values are left out, arrays repeat their name. */
export function withQuery(path: string, query: Record<string, string | number | boolean | string[] | null | undefined>): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (Array.isArray(value)) for (const one of value) params.append(name, one);
    else if (value !== null && value !== undefined && value !== '' && value !== false) params.set(name, String(value));
  }
  const text = params.toString();
  return text ? `${path}?${text}` : path;
}

/** A new key for one write and all its retries. */
export function newKey(): string {
  if (typeof crypto.randomUUID === 'function') return crypto.randomUUID();
  // randomUUID exists in secure contexts only; a LAN address over plain HTTP is none.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
}

export function problemOf(response: Response, text: string): ApiError {
  let problem: Problem = { type: 'about:blank', title: response.statusText || `HTTP ${response.status}`, status: response.status, code: 'unknown' };
  if (response.headers.get('Content-Type')?.includes('json')) {
    try {
      problem = { ...problem, ...(JSON.parse(text) as Partial<Problem>) };
    } catch {
      // A proxy's broken body: the status says enough.
    }
  }
  const traceId = problem.traceId ?? response.headers.get('X-Trace-Id');
  if (traceId) problem.traceId = traceId;
  const seconds = Number(response.headers.get('Retry-After'));
  return new ApiError(response.status, problem, Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : undefined);
}
