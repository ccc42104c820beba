import { afterEach, describe, expect, it, vi } from 'vitest';
import { ApiError, NetworkError } from '../api/http';
import { suggestKey } from '../projects/key';
import { handleOf } from '../settings/handle';
import { statsQuery } from '../dashboard/query';
import { tracer } from '../telemetry/telemetry';
import { guessFormat, headerOf, lines, sendImport } from './importing';

describe('a file to import', () => {
  it('tells its columns, quoted ones too', async () => {
    expect(await headerOf(new Blob(['\ufeffid,"a, ""b""",title\r\n1,2,3']))).toEqual(['id', 'a, "b"', 'title']);
    expect(await headerOf(new Blob(['{"project":{}}']))).toEqual([]);
  });

  it('is recognised', () => {
    expect(guessFormat('x.json', [])).toBe('tallyboard');
    expect(guessFormat('jira.csv', ['issue_key', 'status_change_date'])).toBe('jira-changelog');
    expect(guessFormat('tasks.csv', ['title'])).toBe('csv');
  });

  it('reports progress line by line, however the stream is cut', async () => {
    const bytes = new TextEncoder().encode('{"a":"ä"}\n\n{"b":2}\n{"c":3}');
    const stream = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const byte of bytes) controller.enqueue(new Uint8Array([byte]));
        controller.close();
      },
    });
    const got: string[] = [];
    for await (const line of lines(stream)) got.push(line);
    expect(got).toEqual(['{"a":"ä"}', '{"b":2}', '{"c":3}']);
  });
});

describe('sending an import', () => {
  afterEach(() => vi.restoreAllMocks());

  /** Sends a file; the answer's body is written and ended by the test. */
  function send(init: ResponseInit = {}) {
    const call = { traceparent: '', answered: vi.fn(), failed: vi.fn() };
    vi.spyOn(tracer, 'call').mockReturnValue(call);
    let body!: ReadableStreamDefaultController<Uint8Array>;
    const response = new Response(new ReadableStream<Uint8Array>({ start: (controller) => void (body = controller) }), init);
    vi.spyOn(globalThis, 'fetch').mockResolvedValue(response);
    const abort = new AbortController();
    const onprogress = vi.fn();
    const done = sendImport({ project: 'WEB', file: new File(['id'], 'a.csv'), format: 'csv', mapping: {}, invalidDates: 'refuse', dryRun: false, signal: abort.signal, onprogress });
    done.catch(() => undefined); // looked at when the test gets there
    const line = (step: object) => body.enqueue(new TextEncoder().encode(`${JSON.stringify(step)}\n`));
    return { abort, body, call, done, line, onprogress, response };
  }

  it('is under way until its stream has ended', async () => {
    const { body, call, done, line, onprogress, response } = send();
    line({ type: 'progress', rows: 1 });
    await vi.waitFor(() => expect(onprogress).toHaveBeenCalledOnce());
    line({ type: 'report', report: { tasks: 1 } });
    expect(call.answered).not.toHaveBeenCalled();
    body.close();
    await expect(done).resolves.toEqual({ tasks: 1 });
    expect(call.answered.mock.calls).toEqual([[response]]);
    expect(call.failed).not.toHaveBeenCalled();
  });

  it('fails when its stream breaks, or ends without a report', async () => {
    const broken = send();
    broken.line({ type: 'progress', rows: 1 });
    broken.body.error(new TypeError('network error'));
    await expect(broken.done).rejects.toThrow(NetworkError);
    expect(broken.call.failed.mock.calls).toEqual([['network', broken.response]]);
    expect(broken.call.answered).not.toHaveBeenCalled();

    const cut = send();
    cut.line({ type: 'progress', rows: 1 });
    cut.body.close();
    await expect(cut.done).rejects.toThrow(NetworkError);
    expect(cut.call.failed.mock.calls).toEqual([['network', cut.response]]);

    const left = send();
    left.abort.abort();
    left.body.error(left.abort.signal.reason);
    await expect(left.done).rejects.toThrow(NetworkError);
    expect(left.call.failed.mock.calls).toEqual([['aborted', left.response]]);
  });

  it('fails with the problem its stream ends with', async () => {
    const { body, call, done, line, response } = send();
    line({ type: 'problem', problem: { title: 'Bad', detail: 'Row 7 has no title.', code: 'invalid-row', status: 422 } });
    body.close();
    await expect(done).rejects.toThrow('Row 7 has no title.');
    expect(call.failed.mock.calls).toEqual([['invalid-row', response]]);
    expect(call.answered).not.toHaveBeenCalled();
  });

  it('that is refused is answered', async () => {
    const { body, call, done, response } = send({ status: 413, statusText: 'Too large' });
    body.close();
    await expect(done).rejects.toThrow(ApiError);
    expect(call.answered.mock.calls).toEqual([[response]]);
    expect(call.failed).not.toHaveBeenCalled();
  });
});

describe('names made of names', () => {
  it.each([['Website', [], 'WEB'], ['Web shop', [], 'WS'], ['Web shop', ['WS'], 'WS2'], ['Über uns', [], 'UU'], ['', [], ''], ['1', [], '']])('key of %j beside %j is %j', (name, taken, key) => {
    expect(suggestKey(name, taken)).toBe(key);
  });

  it('gives handles the API accepts', () => {
    expect(handleOf('Ada Lovelace', [])).toBe('ada-lovelace');
    expect(handleOf('Ada Lovelace', ['ada-lovelace'])).toBe('ada-lovelace2');
    expect(handleOf('!!!', [])).toBe('person');
  });
});

describe('the dashboard’s query', () => {
  it('counts the range with today', () => {
    expect(statsQuery('30', 'p1,p2', '', 'none', '2026-11-23')).toMatchObject({ from: '2026-10-25', to: '2026-11-23', assignee: ['p1', 'p2'], priority: [], label: ['none'] });
    expect(statsQuery('nonsense', '', '', '', '2026-11-23')).toMatchObject({ from: '2026-08-26' });
  });
});
