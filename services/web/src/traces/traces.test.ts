import { describe, expect, it } from 'vitest';
import { span } from '../../test/traces';
import type { TraceSummary } from '../api/types';
import { parseRoute } from '../router/router.svelte';
import { attributeRows } from './attributes';
import { bytes, ms, percent, signedMs, times } from './format';
import { foreignLinks, handovers, waitAfter } from './handover';
import { criticalLines, handoverLines, type Frame } from './overlay';
import { apiQuery, externalHref, narrowed, ordered, titleOf, traceIdIn, tracePath, traceQuery } from './query';

const ID = '4bf92f3577b34da6a3ce929d0e0e4736';

describe('paths', () => {
  it.each([
    ['/traces', { name: 'traces' }],
    [`/traces/${ID.toUpperCase()}`, { name: 'trace', id: ID }],
    ['/operations', { name: 'operations' }],
    ['/operations/x', { name: 'missing' }],
    ['/traces/x/y', { name: 'missing' }],
  ])('%s', (path, route) => {
    expect(parseRoute(path)).toEqual(route);
  });
});

describe('numbers', () => {
  it.each([[0, '0 µs'], [0.0123, '12.3 µs'], [0.85, '850 µs'], [1, '1 ms'], [12.345, '12.3 ms'], [999.96, '1 s'], [1_254, '1.25 s'], [90_000, '1.5 min'], [-3, '−3 ms']])('%d ms is %s', (value, text) => {
    expect(ms(value)).toBe(text);
  });
  it('have signs, factors, shares and sizes', () => {
    expect([signedMs(1.2), signedMs(-3), signedMs(0.0001)]).toEqual(['+1.2 ms', '−3 ms', '±0']);
    expect([times(10, 27.3), times(0, 4)]).toEqual(['×2.73', '']);
    expect([percent(1, 3), percent(4, 3110), percent(0, 0)]).toEqual(['33%', '0.13%', '0%']);
    expect([bytes(0), bytes(2_048), bytes(23_400_000)]).toEqual(['0 B', '2 KiB', '22.3 MiB']);
  });
});

describe('the search in the URL', () => {
  const read = (query: string) => traceQuery((name) => new URLSearchParams(query).get(name) ?? '');
  it('is read, and what makes no sense is left out', () => {
    expect(read('task=web-4&service=edge&route=GET /x&min=20&error=1&period=60&order=slowest')).toEqual({ task: 'WEB-4', service: 'edge', route: 'GET /x', minMs: '20', error: true, period: 60, order: 'slowest' });
    expect(read('min=-3&period=7&order=up&error=no')).toEqual({ task: '', service: '', route: '', minMs: '', error: false, period: 0, order: 'newest' });
    expect(read('min=2.6').minMs).toBe('3');
    expect(narrowed(read('order=slowest'))).toBe(false);
    expect(narrowed(read('error=1'))).toBe(true);
  });
  it('becomes parameters of the API', () => {
    expect(apiQuery(read('period=15'), Date.UTC(2026, 0, 1))).toMatchObject({ since: '2025-12-31T23:45:00.000Z', limit: 50, error: false });
    expect(apiQuery(read('order=slowest'))).toMatchObject({ limit: 100, since: '' });
  });
  it('orders by duration where asked', () => {
    const list = [1, 3, 2].map((durationMs) => ({ durationMs }) as TraceSummary);
    expect(ordered(list, 'slowest').map((one) => one.durationMs)).toEqual([3, 2, 1]);
    expect(ordered(list, 'newest').map((one) => one.durationMs)).toEqual([1, 3, 2]);
  });
  it.each([[ID, ID], [` ${ID.toUpperCase()}\n`, ID], [`00-${ID}-00f067aa0ba902b7-01`, ID], [`http://localhost:8080/traces/${ID}?span=1`, ID], [ID.slice(1), null], [`${ID}0`, null], ['', null]])('finds the id in %j', (text, id) => {
    expect(traceIdIn(text)).toBe(id);
  });
  it('calls traces by the action, or by the route where no browser took part', () => {
    expect(titleOf({ name: 'move task', service: 'browser', route: 'POST /x' })).toBe('move task');
    expect(titleOf({ name: 'POST /api/v1/{+}', service: 'edge', route: 'POST /api/v1/tasks/{ref}/move' })).toBe('POST /api/v1/tasks/{ref}/move');
    expect(titleOf({ name: 'reconcile', service: 'stats-service', route: null })).toBe('reconcile');
  });
  it('makes paths and addresses, of web addresses only', () => {
    expect(tracePath(ID, 'b')).toBe(`/traces/${ID}?with=b`);
    expect(externalHref('https://jaeger.example/trace/{traceId}', ID)).toBe(`https://jaeger.example/trace/${ID}`);
    expect(externalHref('javascript:alert(1)//{traceId}', ID)).toBeNull();
    expect(externalHref(null, ID)).toBeNull();
  });
});

describe('what passes between spans', () => {
  const producer = span('p', 'root', 10, 2, { kind: 'producer' });
  const link = { traceId: ID, spanId: 'p' };
  it('leads from producers to consumers once, be they child, linked or both', () => {
    const spans = [producer, span('both', 'p', 15, 1, { kind: 'consumer', links: [link] }), span('linked', null, 20, 1, { kind: 'consumer', links: [link, { traceId: 'other', spanId: 'p' }] }), span('sql', 'p', 11, 1, { kind: 'client' })];
    expect(handovers(spans, ID)).toEqual([{ from: 'p', to: 'both', waitMs: 3 }, { from: 'p', to: 'linked', waitMs: 8 }]);
    expect(foreignLinks(spans[2]!, ID)).toEqual([{ traceId: 'other', spanId: 'p' }]);
  });
  it('waits only where a span begins after its parent', () => {
    expect(waitAfter(span('c', 'p', 15, 1), producer)).toBe(3);
    expect(waitAfter(span('c', 'p', 11, 1), producer)).toBe(0);
    expect(waitAfter(span('c', null, 11, 1), undefined)).toBe(0);
  });
});

describe('lines over the rows', () => {
  const frame: Frame = { range: { from: 0, to: 100 }, width: 100, rowHeight: 20, along: 15, middle: 10, connect: true, from: 0, to: 10 };
  const rows = new Map([['a', 0], ['b', 1], ['far', 500]]);
  const rowOf = (id: string) => rows.get(id);
  it('runs along the bars, across to the next row, and dashed where nothing worked', () => {
    const path = [{ spanId: 'a', offsetMs: 0, durationMs: 20 }, { spanId: 'b', offsetMs: 20, durationMs: 30 }, { spanId: 'a', offsetMs: 60, durationMs: 40 }];
    expect(criticalLines(path, rowOf, frame)).toEqual({ solid: 'M0 15H20M20 35H50M20 15V35M60 15H100', dashed: 'M50 35V15H60' });
  });
  it('leaves out rows that are not rendered, spans without a row, and crossings too close to tell apart', () => {
    expect(criticalLines([{ spanId: 'far', offsetMs: 0, durationMs: 5 }, { spanId: 'gone', offsetMs: 5, durationMs: 5 }], rowOf, frame)).toEqual({ solid: '', dashed: '' });
    const dense = Array.from({ length: 100 }, (_, i) => ({ spanId: i % 2 ? 'a' : 'b', offsetMs: i, durationMs: 1 }));
    expect(criticalLines(dense, rowOf, frame).solid.match(/V/g)!.length).toBeLessThanOrEqual(10);
    expect(criticalLines(dense, rowOf, { ...frame, connect: false }).solid).not.toContain('V');
  });
  it('draws messages as curves to where they are taken', () => {
    const one = { from: 'a', to: 'b', waitMs: 5, sentMs: 10, takenMs: 15 };
    expect(handoverLines([one], rowOf, frame)).toEqual(['M10 10C24 10 1 30 13 30']);
    expect(handoverLines([{ ...one, to: 'a' }, { ...one, to: 'gone' }], rowOf, frame)).toEqual([]);
  });
});

describe('attributes', () => {
  it('are rows of text by name, without the statement', () => {
    const one = span('a', null, 0, 1, { attributes: { b: [1, 'x'], 'db.query.text': 'SELECT ?', a: true, c: { d: 1 }, n: null } });
    expect(attributeRows(one)).toEqual([['a', 'true'], ['b', '1, x'], ['c', '{"d":1}'], ['n', '']]);
  });
});
