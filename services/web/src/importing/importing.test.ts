import { describe, expect, it } from 'vitest';
import { suggestKey } from '../projects/key';
import { handleOf } from '../settings/handle';
import { statsQuery } from '../dashboard/query';
import { guessFormat, headerOf, lines } from './importing';

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
