import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CLIENT, CONSUMER, FIRST_REQUEST_MS, HOLD_MS, INTERNAL, MAX_HELD, MAX_OPEN, MAX_SPAN_MS, SETTLE_MS, Tracer, type ActionRecord, type Call, type Span } from './tracer';

let sent: Span[] = [];
let tracer: Tracer;

beforeEach(() => {
  vi.useFakeTimers();
  sent = [];
  tracer = new Tracer((span) => sent.push(span));
});

afterEach(() => {
  vi.useRealTimers();
});

/** An answer of the edge to a request; `flags` 01 says that its trace is recorded. */
function answer(call: Call, flags: '00' | '01', status = 200): Response {
  const traceId = call.traceparent.slice(3, 35);
  return new Response(null, { status, headers: { traceresponse: `00-${traceId}-00f067aa0ba902b7-${flags}` } });
}

const names = () => sent.map((span) => span.name);

describe('an action', () => {
  it('is the root of the trace its requests carry', async () => {
    tracer.view = 'board';
    const call = tracer.act('move task', { 'tallyboard.task.key': 'WEB-42' }, () => tracer.call('POST', '/api/v1/tasks/0198/move?tz=Europe/Berlin'));
    expect(call.traceparent).toMatch(/^00-[\da-f]{32}-[\da-f]{16}-01$/);
    await vi.advanceTimersByTimeAsync(40);
    call.answered(answer(call, '01'));
    const [request, root] = sent as [Span, Span];
    expect(root).toMatchObject({ name: 'move task', kind: INTERNAL, failed: false, attributes: { 'ui.action': 'move task', 'ui.view': 'board', 'tallyboard.task.key': 'WEB-42' } });
    expect(root.parentId).toBeUndefined();
    expect(request).toMatchObject({
      name: 'POST /api/v1/tasks/{ref}/move', kind: CLIENT, traceId: root.traceId, parentId: root.spanId,
      attributes: { 'http.request.method': 'POST', 'url.template': '/api/v1/tasks/{ref}/move', 'http.response.status_code': 200 },
    });
    expect(call.traceparent).toBe(`00-${root.traceId}-${request.spanId}-01`);
    expect(root.end - root.start).toBeCloseTo(40, 0);
  });

  it('is not mixed up with another one that goes on at the same time', async () => {
    const inTurn = (name: string) => tracer.act(name, {}, async (within) => {
      const first = tracer.call('GET', '/api/v1/me');
      await Promise.resolve();
      first.answered(answer(first, '01'));
      await Promise.resolve();
      const second = within(() => tracer.call('GET', '/api/v1/people'));
      await Promise.resolve();
      second.answered(answer(second, '01'));
    });
    await Promise.all([inTurn('a'), inTurn('b')]);
    const roots = sent.filter((span) => span.kind === INTERNAL);
    expect(roots.map((root) => root.name).sort()).toEqual(['a', 'b']);
    for (const root of roots) {
      const children = sent.filter((span) => span.parentId === root.spanId);
      expect(children.map((child) => [child.traceId, child.name])).toEqual([[root.traceId, 'GET /api/v1/me'], [root.traceId, 'GET /api/v1/people']]);
    }
    expect(sent).toHaveLength(6);
  });

  it('within another is a part of it', () => {
    const call = tracer.act('undo', {}, () => tracer.act('change task', {}, () => tracer.call('PATCH', '/api/v1/tasks/WEB-1')));
    call.answered(answer(call, '01'));
    expect(names()).toEqual(['PATCH /api/v1/tasks/{ref}', 'undo']);
  });

  it('ends when its promise has, and gives that promise’s outcome on', async () => {
    const failure = tracer.act('search', {}, async () => {
      const call = tracer.call('GET', '/api/v1/tasks');
      call.answered(answer(call, '01', 503));
      return Promise.reject(new Error('no'));
    });
    await expect(failure).rejects.toThrow('no');
    expect(sent).toMatchObject([{ failed: true, attributes: { 'error.type': '503' } }, { name: 'search', failed: true }]);
  });

  it('that sends nothing leaves nothing', () => {
    tracer.act('select', {}, () => undefined);
    expect(() => tracer.act('throw', {}, () => { throw new Error('ours'); })).toThrow('ours');
    expect(sent).toEqual([]);
  });

  it('of nobody, such as a refresh by timer, is a root as well', () => {
    const call = tracer.call('GET', '/api/v1/operations');
    call.answered(answer(call, '01'));
    expect(sent).toMatchObject([{ name: 'GET /api/v1/operations' }, { name: 'load data', kind: INTERNAL }]);
  });
});

describe('the decision', () => {
  it('is the server’s: nothing leaves before it, all of it after', () => {
    let first!: Call;
    let second!: Call;
    tracer.act('create project', {}, () => {
      first = tracer.call('POST', '/api/v1/projects');
      second = tracer.call('GET', '/api/v1/projects');
    });
    first.failed('network');
    expect(sent).toEqual([]);
    second.answered(answer(second, '01'));
    expect(names()).toEqual(['POST /api/v1/projects', 'GET /api/v1/projects', 'create project']);
    expect(sent[0]).toMatchObject({ failed: true, attributes: { 'error.type': 'network' } });
  });

  it('not to record leaves no span anywhere', () => {
    const call = tracer.act('create task', {}, () => tracer.call('POST', '/api/v1/projects/WEB/tasks'));
    call.answered(answer(call, '00'));
    expect(sent).toEqual([]);
    expect(tracer.dropped).toBe(0);
  });

  it('to record wins over answers of paths that are never recorded', async () => {
    tracer.opens('traces', 'open traces', {});
    const [quiet, loud] = [tracer.call('GET', '/api/v1/traces'), tracer.call('GET', '/api/v1/me')];
    quiet.answered(answer(quiet, '00'));
    loud.answered(answer(loud, '01'));
    await vi.advanceTimersByTimeAsync(SETTLE_MS);
    expect(names()).toEqual(['GET /api/v1/traces', 'GET /api/v1/me', 'open traces']);
  });

  it('of a server that began a trace of its own is none for ours', () => {
    const call = tracer.act('create task', {}, () => tracer.call('POST', '/api/v1/projects/WEB/tasks'));
    call.answered(new Response(null, { headers: { traceresponse: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' } }));
    expect(sent).toEqual([]);
  });

  it('that never comes drops what was held', () => {
    const call = tracer.act('create task', {}, () => tracer.call('POST', '/api/v1/projects/WEB/tasks'));
    call.answered(new Response(null));
    expect(sent).toEqual([]);
    expect(tracer.dropped).toBe(1);
  });

  it('is waited for within bounds', async () => {
    const held: Call[] = [];
    tracer.act('import tasks', {}, () => {
      for (let i = 0; i < MAX_HELD + 10; i++) held.push(tracer.call('GET', '/api/v1/me'));
    });
    held.slice(1).forEach((call) => call.failed('network'));
    held[0]!.answered(answer(held[0]!, '01'));
    expect(sent).toHaveLength(MAX_HELD + 2); // and the one that was answered, and the root
    expect(tracer.dropped).toBe(9);

    const calls = Array.from({ length: MAX_OPEN + 1 }, (_, i) => tracer.act(`a${i}`, {}, () => tracer.call('GET', '/api/v1/me')));
    sent = [];
    for (const call of calls) call.answered(answer(call, '01'));
    expect(names().filter((name) => name.startsWith('a'))).toHaveLength(MAX_OPEN);
  });

  it('is waited for as long as a request is under way, and not much longer', async () => {
    let over!: () => void;
    const act = tracer.act('import tasks', {}, (within) => new Promise<Tracer['call']>((resolve) => (over = () => resolve((...of) => within(() => tracer.call(...of))))));
    const slow = tracer.act('export tasks', {}, () => tracer.call('GET', '/api/v1/projects/WEB/export'));
    await vi.advanceTimersByTimeAsync(HOLD_MS * 10);
    tracer.act('other', {}, () => undefined);
    slow.answered(answer(slow, '01'));
    expect(names()).toEqual(['GET /api/v1/projects/{key}/export', 'export tasks']);

    sent = [];
    over(); // the other action had no request all the while
    const late = (await act)('POST', '/api/v1/projects/WEB/import');
    late.answered(answer(late, '01'));
    expect(sent).toEqual([]);
  });

  it('is read from an answer that broke off', () => {
    const call = tracer.act('import tasks', {}, () => tracer.call('POST', '/api/v1/projects/WEB/import'));
    call.failed('network', answer(call, '01'));
    expect(sent).toMatchObject([{ failed: true, attributes: { 'error.type': 'network', 'http.response.status_code': 200 } }, { name: 'import tasks', failed: true }]);
  });
});

describe('an edit in the outbox', () => {
  it('keeps its action open over retries; the last outcome counts', async () => {
    let record!: ActionRecord;
    const first = tracer.act('move task', {}, () => {
      record = tracer.keep();
      return tracer.call('POST', '/api/v1/tasks/1/move', record);
    });
    first.failed('network');
    await vi.advanceTimersByTimeAsync(120_000);
    tracer.act('other', {}, () => undefined);
    const second = tracer.call('POST', '/api/v1/tasks/1/move', record);
    second.answered(answer(second, '01'));
    tracer.release(record);
    expect(names()).toEqual(['POST /api/v1/tasks/{ref}/move', 'POST /api/v1/tasks/{ref}/move', 'move task']);
    expect(new Set(sent.map((span) => span.traceId))).toEqual(new Set([record.traceId]));
    expect(sent[2]).toMatchObject({ failed: false });
    expect(sent[2]!.end - sent[2]!.start).toBeGreaterThanOrEqual(120_000);
  });

  it('that waited longer than a span may last keeps its root, which says how long it was', async () => {
    const hour = 3_600_000;
    const record = tracer.act('move task', {}, () => tracer.keep());
    await vi.advanceTimersByTimeAsync(hour);
    const call = tracer.call('POST', '/api/v1/tasks/1/move', record);
    call.answered(answer(call, '01'));
    tracer.release(record);
    const [request, root] = sent as [Span, Span];
    expect(request.attributes).not.toHaveProperty('ui.waited_ms');
    expect(root).toMatchObject({ name: 'move task', spanId: request.parentId, attributes: { 'ui.waited_ms': hour } });
    expect(root.end - root.start).toBeCloseTo(MAX_SPAN_MS, 0);
    expect(root.end).toBeGreaterThanOrEqual(request.end);
    expect(root.start).toBeLessThanOrEqual(request.start);
  });

  it('or a request that takes that long keeps its start, where the server’s span is', async () => {
    const start = performance.timeOrigin + performance.now();
    const call = tracer.act('import tasks', {}, () => tracer.call('POST', '/api/v1/projects/WEB/import'));
    await vi.advanceTimersByTimeAsync(1_500_000);
    call.answered(answer(call, '01'));
    expect(sent).toMatchObject([{ kind: CLIENT, attributes: { 'ui.waited_ms': 1_500_000 } }, { name: 'import tasks', attributes: { 'ui.waited_ms': 1_500_000 } }]);
    expect(sent[0]!.start).toBeCloseTo(start, 0);
    for (const span of sent) expect(span.end - span.start).toBeCloseTo(MAX_SPAN_MS, 0);
  });

  it('belongs to the same action after the page was loaded again', () => {
    const record = tracer.act('change task', { 'tallyboard.task.key': 'WEB-1' }, () => tracer.keep());
    const stored = JSON.parse(JSON.stringify(record)) as ActionRecord;
    const next = new Tracer((span) => sent.push(span));
    next.resume(stored);
    const call = next.call('PATCH', '/api/v1/tasks/1', stored);
    call.answered(answer(call, '01'));
    next.release(stored);
    expect(sent).toMatchObject([{ parentId: record.spanId }, { name: 'change task', spanId: record.spanId, start: record.start, attributes: { 'tallyboard.task.key': 'WEB-1' } }]);
  });

  it('of an action given up long ago still carries its trace', () => {
    const record = new Tracer(() => undefined).act('change task', {}, () => tracer.keep());
    const call = new Tracer((span) => sent.push(span)).call('PATCH', '/api/v1/tasks/1', record);
    expect(call.traceparent).toContain(record.traceId);
    call.answered(answer(call, '01'));
    expect(sent).toEqual([]);
  });
});

describe('a screen', () => {
  it('takes in what is loaded until nothing comes any more', async () => {
    tracer.opens('board', 'open board', { 'tallyboard.project.key': 'WEB' });
    const first = tracer.call('GET', '/api/v1/me');
    await vi.advanceTimersByTimeAsync(100);
    first.answered(answer(first, '01'));
    await vi.advanceTimersByTimeAsync(SETTLE_MS - 100);
    const second = tracer.call('GET', '/api/v1/projects/WEB/board');
    await vi.advanceTimersByTimeAsync(500);
    second.answered(answer(second, '01'));
    await vi.advanceTimersByTimeAsync(SETTLE_MS);
    expect(names()).toEqual(['GET /api/v1/me', 'GET /api/v1/projects/{key}/board', 'open board']);
    expect(sent[2]!.end - sent[2]!.start).toBeLessThan(100 + SETTLE_MS + 500);
    sent = [];
    const later = tracer.call('GET', '/api/v1/me');
    later.answered(answer(later, '01'));
    expect(names()).toEqual(['GET /api/v1/me', 'load data']);
  });

  it('without requests, or with an action meanwhile, keeps to itself', async () => {
    tracer.opens('list', 'open list', {});
    const call = tracer.act('move task', {}, () => tracer.call('POST', '/api/v1/tasks/1/move'));
    call.answered(answer(call, '01'));
    await vi.advanceTimersByTimeAsync(FIRST_REQUEST_MS);
    expect(names()).toEqual(['POST /api/v1/tasks/{ref}/move', 'move task']);
  });

  it('that is left while it loads ends there', () => {
    tracer.opens('board', 'open board', {});
    const call = tracer.call('GET', '/api/v1/me');
    call.answered(answer(call, '01'));
    tracer.leave();
    expect(names()).toEqual(['GET /api/v1/me', 'open board']);
  });

  it('keeps a retried request and its outcome together', async () => {
    tracer.opens('board', 'open board', {});
    await tracer.during('GET', async (trace) => {
      tracer.call('GET', '/api/v1/me', trace).failed('network');
      await vi.advanceTimersByTimeAsync(FIRST_REQUEST_MS * 2);
      const again = tracer.call('GET', '/api/v1/me', trace);
      again.answered(answer(again, '01'));
    });
    await vi.advanceTimersByTimeAsync(SETTLE_MS);
    expect(sent).toMatchObject([{ failed: true }, { failed: false }, { name: 'open board', failed: false }]);
  });
});

describe('a live change', () => {
  const parent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

  it('is a span of the trace that made it, until the screen shows it', async () => {
    const frames: (() => void)[] = [];
    vi.stubGlobal('requestAnimationFrame', (run: () => void) => frames.push(run));
    let shown = false;
    tracer.live([{ traceparent: parent, attributes: { 'tallyboard.task.key': 'WEB-1' } }], () => (shown = true));
    expect(shown).toBe(true);
    expect(sent).toEqual([]);
    await vi.advanceTimersByTimeAsync(16);
    frames.forEach((run) => run());
    vi.unstubAllGlobals();
    expect(sent).toMatchObject([{
      name: 'live update', kind: CONSUMER, traceId: '4bf92f3577b34da6a3ce929d0e0e4736', parentId: '00f067aa0ba902b7',
      attributes: { 'ui.origin': 'other', 'tallyboard.task.key': 'WEB-1' },
    }]);
    expect(sent[0]!.end - sent[0]!.start).toBeCloseTo(16, 0);
  });

  it('takes along what the page loads because of it', async () => {
    let call!: Call;
    tracer.live([{ traceparent: parent, attributes: {} }], () => (call = tracer.call('GET', '/api/v1/tasks/1')));
    call.answered(answer(call, '01'));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(sent).toMatchObject([{ name: 'GET /api/v1/tasks/{ref}', traceId: '4bf92f3577b34da6a3ce929d0e0e4736' }, { name: 'live update' }]);
  });

  it('of a trace that is not recorded leaves no span, and passes that on', async () => {
    let call!: Call;
    tracer.live([{ traceparent: parent.replace(/01$/, '00'), attributes: {} }], () => (call = tracer.call('GET', '/api/v1/tasks/1')));
    expect(call.traceparent).toContain('4bf92f3577b34da6a3ce929d0e0e4736');
    call.answered(answer(call, '00'));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(sent).toEqual([]);
  });

  it('says whether it is this page’s own', async () => {
    const mine = tracer.act('move task', {}, () => tracer.call('POST', '/api/v1/tasks/1/move'));
    tracer.live([{ traceparent: mine.traceparent, attributes: {} }, { traceparent: null, attributes: {} }, { traceparent: 'nonsense', attributes: {} }], () => undefined);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(sent).toMatchObject([{ name: 'live update', attributes: { 'ui.origin': 'self' } }]);
  });
});
