// One action of a person is one trace: from their browser over the edge, the service, its SQL, the queue and the
// statistics to the other browser that shows the change.
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { Page, Route } from 'playwright-core';
import type { Project, Span, Trace, TraceList } from '../src/api/types';
import { api, card, column, makeProject, makeTask, open, PATIENCE_MS, settled, stateOf, useBrowser } from './support';

/** From the action on until the whole trace can be read. Slow machines may have longer. */
const DEADLINE_MS = Number(process.env['E2E_TRACE_MS'] ?? 2_000);
const POLL_MS = 50;
const TITLE = 'Nobody else reads xsecretx';

/** Tries until nothing is thrown, until a moment in time. */
const until = <T>(moment: number, check: () => Promise<T>) => vi.waitFor(check, { timeout: Math.max(1, moment - Date.now()), interval: POLL_MS });

const childrenOf = (trace: Trace, span: Span) => trace.spans.filter((other) => other.parentId === span.spanId);

/** The one span that matches. */
function only(spans: Span[], what: Partial<Span>): Span {
  const found = spans.filter((span) => Object.entries(what).every(([name, value]) => span[name as keyof Span] === value));
  expect(found, `${JSON.stringify(what)} among ${spans.map((span) => `${span.service} ${span.kind} ${span.name}`).join(', ')}`).toHaveLength(1);
  return found[0]!;
}

/** Statements under a span, at any depth. */
function sqlUnder(trace: Trace, span: Span): Span[] {
  return childrenOf(trace, span).flatMap((child) => (child.attributes['db.system.name'] ? [child] : child.service === span.service && child.kind === 'internal' ? sqlUnder(trace, child) : []));
}

/** The id of the trace of the next request the page sends to a path, as the edge names it, and when it was answered. */
async function traceOf(page: Page, path: RegExp): Promise<string> {
  const response = await page.waitForResponse((one) => path.test(one.url()) && one.request().method() !== 'GET');
  const parts = /^00-([\da-f]{32})-[\da-f]{16}-01$/.exec((await response.allHeaders())['traceresponse'] ?? '');
  expect(parts, 'traceresponse').not.toBeNull();
  return parts![1]!;
}

describe('one click, one trace', () => {
  useBrowser();
  let project: Project;

  beforeAll(async () => {
    project = await makeProject('Traced');
    await makeTask(project, { title: TITLE, state: stateOf(project, 'todo').id });
  });

  /** Opens the board and waits until the trace of that is complete, so that nothing of it is taken for the click's. */
  async function openBoard(): Promise<Page> {
    const since = new Date().toISOString();
    const page = await open(`/p/${project.key}/board`);
    await card(page, TITLE).waitFor();
    await until(Date.now() + PATIENCE_MS, async () => {
      const { traces } = await api<TraceList>('GET', `/api/v1/traces?since=${since}&limit=100`);
      expect(traces.filter((trace) => trace.name === 'open board' && trace.services.includes('browser'))).toHaveLength(1);
    });
    return page;
  }

  it('from the browser to the last row and to the other browser, and nothing beside it', async () => {
    const ada = await openBoard();
    const grace = await openBoard();
    await ada.keyboard.press('j');
    await expect.poll(() => ada.evaluate(() => document.activeElement?.textContent)).toBe(TITLE);

    const answered = traceOf(ada, /\/move$/);
    const clicked = Date.now();
    await ada.keyboard.press('Shift+ArrowRight');
    const id = await answered;
    await until(clicked + DEADLINE_MS, async () => {
      const trace = await api<Trace>('GET', `/api/v1/traces/${id}`);
      const root = only(trace.spans.filter((span) => span.parentId === null), { service: 'browser', kind: 'internal', name: 'move task' });
      expect(trace.orphans).toBe(0);
      expect([...new Set(trace.spans.map((span) => span.service))].sort()).toEqual(['browser', 'edge', 'stats-service', 'task-service']);
      expect(root.attributes).toMatchObject({ 'ui.action': 'move task', 'ui.view': 'board', 'tallyboard.task.key': `${project.key}-1` });

      const call = only(childrenOf(trace, root), { service: 'browser', kind: 'client', name: 'POST /api/v1/tasks/{ref}/move' });
      const edge = only(childrenOf(trace, call), { service: 'edge', kind: 'server' });
      const server = only(childrenOf(trace, edge), { service: 'task-service', kind: 'server' });
      expect(sqlUnder(trace, server).length).toBeGreaterThan(0);
      const publish = only(childrenOf(trace, server), { service: 'task-service', kind: 'producer' });
      expect(publish.name).toMatch(/^publish /);

      const process = only(childrenOf(trace, publish), { service: 'stats-service', kind: 'consumer' });
      expect(process.name).toMatch(/^process /);
      expect(process.links).toContainEqual({ traceId: id, spanId: publish.spanId });
      expect(sqlUnder(trace, process).length).toBeGreaterThan(0);

      const deliver = only(trace.spans, { service: 'task-service', kind: 'consumer' });
      expect(deliver.name).toMatch(/^deliver /);
      expect([server.spanId, publish.spanId]).toContain(deliver.parentId);
      expect(deliver.events.map((event) => event.name)).toContain('sse.deliver');
      const updates = childrenOf(trace, deliver).filter((span) => span.service === 'browser' && span.name === 'live update');
      expect(updates.map((span) => span.attributes['ui.origin']).sort()).toEqual(['other', 'self']);
      expect(JSON.stringify(trace)).not.toContain('xsecretx');
    });
    await card(column(grace, 'In progress'), TITLE).waitFor();

    const { traces } = await api<TraceList>('GET', `/api/v1/traces?since=${new Date(clicked).toISOString()}&limit=100`);
    expect(traces.map((trace) => trace.traceId)).toEqual([id]);
  });

  it('even if the network is away when it is made: each try is a span of it', async () => {
    const page = await open(`/p/${project.key}/board`, { expectErrors: /ERR_INTERNET_DISCONNECTED/ });
    await card(page, TITLE).waitFor();
    await page.keyboard.press('j');
    await expect.poll(() => page.evaluate(() => document.activeElement?.textContent)).toBe(TITLE);
    const cut = (route: Route) => route.abort('internetdisconnected');
    await page.route('**/api/v1/tasks/*', cut);
    await page.keyboard.press('1');
    await page.getByText('1 edit is kept').waitFor();

    const answered = traceOf(page, /\/api\/v1\/tasks\/[^/]+$/);
    await page.unroute('**/api/v1/tasks/*', cut);
    const id = await answered;
    await settled(page);
    await until(Date.now() + DEADLINE_MS, async () => {
      const trace = await api<Trace>('GET', `/api/v1/traces/${id}`);
      expect(trace.orphans).toBe(0);
      const root = only(trace.spans.filter((span) => span.parentId === null), { service: 'browser', name: 'change task' });
      const tries = childrenOf(trace, root).sort((a, b) => a.offsetMs - b.offsetMs);
      expect(tries.length).toBeGreaterThan(1);
      expect(tries[0]).toMatchObject({ kind: 'client', error: true, attributes: { 'error.type': 'network' } });
      expect(tries.at(-1)).toMatchObject({ kind: 'client', error: false });
      expect(childrenOf(trace, tries.at(-1)!)).toMatchObject([{ service: 'edge' }]);
    });
  });

  it('is found from the message that says what went wrong', async () => {
    const page = await open(`/p/${project.key}/board`, { expectErrors: /400/ });
    await card(page, TITLE).waitFor();
    await page.route('**/move', (route) => route.continue({ postData: JSON.stringify({ state: 'nowhere' }) }));
    await page.keyboard.press('j');
    await expect.poll(() => page.evaluate(() => document.activeElement?.textContent)).toBe(TITLE);
    const answered = traceOf(page, /\/move$/);
    await page.keyboard.press('Shift+ArrowRight');
    const id = await answered;
    const notice = page.getByRole('group').filter({ hasText: `${project.key}-1 was put back` });
    await notice.getByRole('link', { name: 'Trace' }).click();
    await page.waitForURL(new RegExp(`/traces/${id}$`));
    await page.getByText('POST /api/v1/tasks/{ref}/move').first().waitFor();
  });
});

describe('web vitals', () => {
  useBrowser();

  it('are taken by the server, without a word about the person', async () => {
    const project = await makeProject('Xsecretx');
    const page = await open(`/p/${project.key}/board`);
    const taken = await page.waitForResponse((response) => response.url().endsWith('/otlp/v1/metrics'));
    expect(taken.ok()).toBe(true);
    let bodies = taken.request().postData() ?? '';
    for (const part of ['browser.web_vital.duration', '"ttfb"', '"fcp"', '"ui.view"', '"board"']) expect(bodies).toContain(part);

    // Others are final once the person does something or leaves the page, and go by a beacon then.
    await page.keyboard.press('j');
    bodies += await page.evaluate(async () => {
      for (let i = 0; i < 2; i++) await new Promise((resolve) => requestIdleCallback(resolve));
      const left: Blob[] = [];
      const send = navigator.sendBeacon.bind(navigator);
      navigator.sendBeacon = (url, data) => send(url, data) && left.push(data as Blob) > 0;
      for (const [name, value] of [['hidden', true], ['visibilityState', 'hidden']] as const) Object.defineProperty(document, name, { get: () => value });
      document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
      return (await Promise.all(left.map((blob) => blob.text()))).join();
    });
    for (const part of ['"lcp"', 'browser.web_vital.cls']) expect(bodies).toContain(part);
    expect(bodies.toLowerCase()).not.toMatch(/xsecretx|http|localhost/);
    expect(bodies).not.toContain(project.key);
  });
});
