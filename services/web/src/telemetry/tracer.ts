// Spans of what people do. An action is the root of a trace; requests made for it are its children and carry its context
// to the server. The context is ambient only while the action's function runs, and goes by hand from there on: two
// actions at once cannot mix. Spans are held until an answer says whether the trace is recorded at all.
import { newSpanId, newTraceId, now, parseTraceparent, traceparent, type SpanContext } from './context';
import { templateOf } from './template';

export type Attributes = Record<string, string | number>;

/** Kinds of spans by their numbers in OTLP. */
export const INTERNAL = 1;
export const CLIENT = 3;
export const CONSUMER = 5;

/** A finished span; times in milliseconds since 1970. */
export interface Span extends SpanContext {
  parentId?: string;
  name: string;
  kind: number;
  start: number;
  end: number;
  attributes: Attributes;
  failed?: boolean;
}

/** What an edit keeps of its action, also over a reload of the page. Plain JSON. */
export type ActionRecord = Span;

/** Runs a function as a part of an action, for what comes behind an `await`. */
export type Within = <T>(run: () => T) => T;

/** One request under way. Exactly one of its functions is to be called when it is over. */
export interface Call {
  /** Header to send. */
  traceparent: string;
  answered(response: Response): void;
  /** No answer came: `network`, `timeout` or `aborted`. Or one came that broke off, or ended with a problem of this code. */
  failed(type: string, response?: Response): void;
}

/** A change another browser (or this one) made, as the live stream brings it. */
export interface LiveChange {
  traceparent?: string | null | undefined;
  attributes: Attributes;
}

/** Open actions; edits made offline keep theirs open. The oldest gives way. */
export const MAX_OPEN = 200;
/** Spans an action holds before it is known whether they are recorded. */
export const MAX_HELD = 32;
/** An action without a request under way is given up after this long; an import may take half an hour. */
export const HOLD_MS = 30_000;
/** Longest span that is sent: those who receive them reject spans of more than 10 minutes, and an edit made offline may wait for hours. */
export const MAX_SPAN_MS = 599_000;
/** A screen is open when nothing has been loading for this long... */
export const SETTLE_MS = 300;
/** ...and nothing at all is waited for longer than this; the code of a screen may have to be loaded first. */
export const FIRST_REQUEST_MS = 2_000;
/** Traces of this page that are remembered, to know its own changes when the live stream brings them. */
const MAX_OWN = 100;
/** Live changes of one batch that get a span each. */
const MAX_LIVE = 20;
/** The screen counts as drawn after this long where no frame comes, as in a hidden tab. */
const FRAME_MS = 1_000;

interface Action {
  span: Span;
  busy: number;
  /** Requests under way. */
  calls: number;
  /** An edit in the outbox belongs to it. */
  kept: boolean;
  /** Undefined until an answer says that it is. */
  recorded: boolean | undefined;
  /** An answer said that it is not. Others may know better: some paths are never recorded, such as those that read traces. */
  declined: boolean;
  held: Span[];
  /** Requests whose latest try failed. */
  failing: Set<string>;
  /** Screens: they end when nothing has come for a while, at the time of the last frame. */
  settles: boolean;
  touched: number;
  timer?: ReturnType<typeof setTimeout>;
}

export class Tracer {
  /** The screen in view, such as `board`; on every action. */
  view = '';
  /** Spans given up because no answer ever said whether they are recorded, or because there were too many to hold. */
  dropped = 0;

  #sink: (span: Span) => void;
  #ambient: Action | null = null;
  #screen: Action | null = null;
  #open = new Map<string, Action>(); // by span id, oldest first
  #own = new Set<string>();

  constructor(sink: (span: Span) => void) {
    this.#sink = sink;
  }

  /**
   * Runs what an action of the person does; requests it makes become its children, also those of edits it puts into the
   * outbox. It ends when the returned promise and all of those have ended. Within another action it is a part of that.
   */
  act<T>(name: string, attributes: Attributes, run: (within: Within) => T): T {
    const outer = this.#ambient;
    if (outer) return run((part) => this.#within(outer, part));
    const action = this.#begin(name, attributes);
    const within: Within = (part) => this.#within(action, part);
    action.busy++;
    try {
      const result = within(() => run(within));
      if (result instanceof Promise) return result.finally(() => this.#done(action)) as T;
      this.#done(action);
      return result;
    } catch (error) {
      action.failing.add(name);
      this.#done(action);
      throw error;
    }
  }

  /** A screen is being opened: what is loaded from now on, until nothing comes any more, is a part of that. */
  opens(view: string, name: string, attributes: Attributes, start = now()): void {
    this.view = view;
    const screen = this.#begin(name, attributes, start);
    screen.settles = true;
    screen.timer = setTimeout(() => this.#end(screen), FIRST_REQUEST_MS);
    this.#screen = screen;
  }

  /** Applies changes of the live stream; their spans end when the screen shows them. `apply` is to update the page at once. */
  live(changes: LiveChange[], apply: () => void): void {
    const actions = new Map<string, Action>();
    for (const { traceparent: parent, attributes } of changes) {
      const context = parseTraceparent(parent);
      if (!context || actions.has(context.spanId) || actions.size >= MAX_LIVE) continue;
      const action = this.#begin('live update', { ...attributes, 'ui.origin': this.#own.has(context.traceId) ? 'self' : 'other' }, now(), context);
      action.recorded = context.sampled;
      action.busy++;
      actions.set(context.spanId, action);
    }
    try {
      // What is loaded because of several changes belongs to none of them.
      this.#within(actions.size === 1 ? [...actions.values()][0]! : null, apply);
    } finally {
      if (actions.size > 0) nextFrame(() => actions.forEach((action) => this.#done(action)));
    }
  }

  /** Begins a request for the action at hand, or for the one given. */
  call(method: string, path: string, record?: ActionRecord): Call {
    const action = record ? this.#of(record) : this.#parent(method);
    const template = templateOf(path);
    const span: Span = {
      traceId: action.span.traceId, spanId: newSpanId(), parentId: action.span.spanId, name: `${method} ${template}`, kind: CLIENT, start: now(), end: 0,
      attributes: { 'http.request.method': method, 'url.template': template },
    };
    this.#hold(action);
    action.calls++;
    const over = (error: string) => {
      action.calls--;
      span.end = now();
      if (error) span.attributes['error.type'] = error;
      span.failed = error !== '' && error !== 'aborted';
      if (span.failed) action.failing.add(span.name);
      else action.failing.delete(span.name);
      this.#record(action, span);
      this.#done(action);
    };
    const read = (response: Response) => {
      const decision = parseTraceparent(response.headers.get('traceresponse'));
      // Where the server began a trace of its own, ours has nothing to stand on.
      if (decision?.sampled && decision.traceId === span.traceId) this.#keepSpans(action);
      else if (decision) action.declined = true;
      span.attributes['http.response.status_code'] = response.status;
    };
    return {
      traceparent: traceparent(span),
      answered: (response) => {
        read(response);
        over(response.ok ? '' : String(response.status));
      },
      failed: (type, response) => {
        if (response) read(response);
        over(type);
      },
    };
  }

  /** Keeps an action open over several tries of one request. */
  async during<T>(method: string, run: (record: ActionRecord) => Promise<T>): Promise<T> {
    const action = this.#parent(method);
    this.#hold(action);
    try {
      return await run(action.span);
    } finally {
      this.#done(action);
    }
  }

  /** For an edit that is being queued: keeps the action open until `release`. */
  keep(): ActionRecord {
    const action = this.#parent('POST');
    action.kept = true;
    return action.span;
  }

  /** Takes up the action of an edit that was queued before the page was loaded again. */
  resume(record: ActionRecord): void {
    const action = this.#open.get(record.spanId) ?? this.#add({ ...record });
    action.kept = true;
  }

  /** The last edit of the action is settled. */
  release(record: ActionRecord): void {
    const action = this.#open.get(record.spanId);
    if (!action) return;
    action.kept = false;
    action.busy++;
    this.#done(action);
  }

  /** The page goes: a screen that is still loading ends here. */
  leave(): void {
    if (this.#screen?.recorded) this.#end(this.#screen);
  }

  #within<T>(action: Action | null, run: () => T): T {
    const before = this.#ambient;
    this.#ambient = action;
    try {
      return run();
    } finally {
      this.#ambient = before;
    }
  }

  /** The action a request belongs to. What nobody asked for, such as a refresh by timer, is one of its own. */
  #parent(method: string): Action {
    if (this.#ambient) return this.#ambient;
    if (method === 'GET' && this.#screen && this.#open.has(this.#screen.span.spanId)) return this.#screen;
    return this.#begin(method === 'GET' ? 'load data' : 'save data', {});
  }

  #of(record: ActionRecord): Action {
    const action = this.#open.get(record.spanId);
    if (action) return action;
    const gone = this.#add({ ...record }); // given up, but the server's spans still find together
    gone.recorded = false;
    return gone;
  }

  #begin(name: string, attributes: Attributes, start = now(), parent?: SpanContext): Action {
    const span: Span = {
      traceId: parent?.traceId ?? newTraceId(), spanId: newSpanId(), name, kind: parent ? CONSUMER : INTERNAL, start, end: 0,
      attributes: { 'ui.action': name, 'ui.view': this.view, ...attributes },
    };
    if (parent) span.parentId = parent.spanId;
    return this.#add(span);
  }

  #add(span: Span): Action {
    if (!span.parentId) this.#own.add(span.traceId);
    if (this.#own.size > MAX_OWN) this.#own.delete(this.#own.values().next().value!);
    const touched = now();
    for (const [id, old] of this.#open) {
      if (this.#open.size >= MAX_OPEN || (!old.kept && !old.settles && old.calls === 0 && touched - old.touched > HOLD_MS)) this.#give(id, old);
    }
    const action: Action = { span, busy: 0, calls: 0, kept: false, recorded: undefined, declined: false, held: [], failing: new Set(), settles: false, touched };
    this.#open.set(span.spanId, action);
    return action;
  }

  #hold(action: Action): void {
    clearTimeout(action.timer);
    action.busy++;
    action.touched = now();
  }

  #done(action: Action): void {
    action.touched = now();
    if (--action.busy > 0 || action.kept) return;
    if (!action.settles) return this.#end(action);
    const answered = action.touched;
    nextFrame(() => {
      if (action.touched === answered) action.touched = now();
    });
    clearTimeout(action.timer);
    action.timer = setTimeout(() => this.#end(action), SETTLE_MS);
  }

  #end(action: Action): void {
    clearTimeout(action.timer);
    if (!this.#open.delete(action.span.spanId)) return;
    if (action.recorded === undefined) {
      if (!action.declined) this.dropped += action.held.length;
      return;
    }
    action.span.end = action.touched;
    action.span.failed = action.failing.size > 0;
    this.#record(action, action.span);
  }

  #give(id: string, action: Action): void {
    this.#open.delete(id);
    clearTimeout(action.timer);
    this.dropped += action.held.length + 1;
    action.recorded = false;
    action.held = [];
  }

  #keepSpans(action: Action): void {
    action.recorded ??= true;
    if (action.recorded) action.held.forEach(this.#sink);
    action.held = [];
  }

  #record(action: Action, whole: Span): void {
    const span = cut(whole);
    if (action.recorded) this.#sink(span);
    else if (action.recorded === undefined) {
      if (action.held.length < MAX_HELD) action.held.push(span);
      else this.dropped++;
    }
  }
}

/**
 * The span as it may be sent. Of one that is too long the end is kept, where an edit that waited met the server; of a request
 * the beginning, where the server's span is: moved, the two would seem to be of clocks that differ.
 */
function cut(span: Span): Span {
  const waited = span.end - span.start;
  if (waited <= MAX_SPAN_MS) return span;
  const times = span.kind === CLIENT ? { end: span.start + MAX_SPAN_MS } : { start: span.end - MAX_SPAN_MS };
  return { ...span, ...times, attributes: { ...span.attributes, 'ui.waited_ms': Math.round(waited) } };
}

/** Calls back when what the page is now has been drawn, or nearly so. */
function nextFrame(then: () => void): void {
  let called = false;
  const once = () => {
    if (!called) then();
    called = true;
  };
  if (typeof requestAnimationFrame === 'function') requestAnimationFrame(once);
  setTimeout(once, FRAME_MS);
}
