// The screens of traces and operations: found, read and compared by keyboard, honest when something is away.
import type { Locator, Page } from 'playwright-core';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { Operations, Project, Task, Trace, TraceList } from '../src/api/types';
import { span, traceOf } from '../test/traces';
import { api, expectAccessible, makeProject, makeTask, open, PATIENCE_MS, picture, useBrowser } from './support';

/** Spans from the change to the statistics: enough for a trace worth looking at. */
const WHOLE = ['edge', 'stats-service', 'task-service'];

describe('traces and operations', () => {
  useBrowser();
  let project: Project;
  let task: Task;
  /** Two changes of the same kind. */
  let first: string;
  let second: string;

  const grid = (page: Page) => page.getByRole('treegrid');
  const rows = (page: Page) => grid(page).locator('[data-row]');
  const focused = (page: Page) => page.evaluate(() => document.activeElement?.getAttribute('data-row'));
  const query = (page: Page, name: string) => new URL(page.url()).searchParams.get(name);
  /** A row by the name of its span and its service. */
  const row = (page: Page, name: RegExp, service: string): Locator => rows(page).filter({ hasText: name }).filter({ hasText: service }).first();

  /** Changes the task and returns the id of the trace of that, once it has arrived as a whole. */
  async function traced(priority: number): Promise<string> {
    const since = new Date().toISOString();
    await api('PATCH', `/api/v1/tasks/${task.key}`, { priority }, { 'If-Match': '*' });
    return vi.waitFor(async () => {
      const { traces } = await api<TraceList>('GET', `/api/v1/traces?task=${task.key}&since=${since}`);
      const found = traces.find((one) => one.route?.startsWith('PATCH') && WHOLE.every((service) => one.services.includes(service)));
      expect(found, JSON.stringify(traces)).toBeDefined();
      return found!.traceId;
    }, { timeout: PATIENCE_MS, interval: 200 });
  }

  beforeAll(async () => {
    project = await makeProject('Traces');
    task = await makeTask(project, { title: 'Watch me' });
    first = await traced(1);
    second = await traced(2);
  });

  it('leads from a change in the history to its trace', async () => {
    const page = await open(`/t/${task.key}`);
    await page.getByRole('tab', { name: 'History' }).click();
    const change = page.locator('li', { hasText: 'changed this' }).filter({ hasText: 'Priority' }).first();
    await change.getByRole('link', { name: /^Trace/ }).click();
    await expect.poll(() => new URL(page.url()).pathname).toMatch(/^\/traces\/[0-9a-f]{32}$/);
    await row(page, /UPDATE/, 'task-service').waitFor();
    await row(page, /^.*process /, 'stats-service').waitFor();
    await page.goBack();
    await page.getByRole('tab', { name: 'History' }).waitFor();
  });

  it('finds traces by task, duration and id, in an address that can be shared', async () => {
    const page = await open('/traces');
    await page.getByLabel('Task', { exact: true }).fill(task.key.toLowerCase());
    await expect.poll(() => query(page, 'task')?.toUpperCase()).toBe(task.key);
    const table = page.getByRole('group', { name: 'Traces found' });
    await table.locator(`a[href="/traces/${first}"]`).waitFor();
    expect(await table.locator('tbody tr').count()).toBeGreaterThanOrEqual(2);
    await page.getByLabel('At least (ms)').fill('86000000');
    await page.getByRole('heading', { name: 'Nothing found' }).waitFor();
    await page.reload();
    await page.getByRole('heading', { name: 'Nothing found' }).waitFor();
    await page.getByRole('button', { name: 'Clear the search' }).click();
    await page.getByLabel('Order').selectOption({ label: 'Slowest first' });
    await table.locator('th[aria-sort=descending]', { hasText: 'Duration' }).waitFor();
    await page.getByLabel('Trace id').fill('no id');
    await page.keyboard.press('Enter');
    await page.getByText('A trace id has 32 hexadecimal digits.').waitFor();
    await page.getByLabel('Trace id').fill(`00-${second}-00f067aa0ba902b7-01`);
    await page.keyboard.press('Enter');
    await expect.poll(() => new URL(page.url()).pathname).toBe(`/traces/${second}`);
    await rows(page).first().waitFor();
  });

  it('reads a waterfall without a pointer', async () => {
    const page = await open(`/traces/${first}`);
    await rows(page).first().waitFor();
    await rows(page).first().focus();
    const all = await rows(page).count();
    await page.keyboard.press('ArrowLeft');
    await expect.poll(() => rows(page).count()).toBe(1);
    expect(await rows(page).first().getAttribute('aria-expanded')).toBe('false');
    await page.keyboard.press('ArrowRight');
    await expect.poll(() => rows(page).count()).toBe(all);
    await page.keyboard.press('End');
    await expect.poll(() => focused(page)).toBe(await rows(page).last().getAttribute('data-row'));
    await page.keyboard.press('Home');

    const update = await row(page, /UPDATE/, 'task-service').getAttribute('data-row');
    for (let i = 0; i < all && (await focused(page)) !== update; i++) await page.keyboard.press('ArrowDown');
    expect(await focused(page)).toBe(update);
    await page.keyboard.press('Enter');
    const statement = page.getByRole('group', { name: /^Statement/ });
    await statement.waitFor();
    expect(await statement.innerText()).toMatch(/\$1|\?/);
    expect(await statement.innerText()).not.toContain('Watch me');
    expect(query(page, 'span')).toBe(update);
    await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe('span-name');
    await picture(page, 'trace-details');
    await expectAccessible(page);
    await page.keyboard.press('Escape');
    await statement.waitFor({ state: 'detached' });
    await expect.poll(() => focused(page)).toBe(update);

    await page.keyboard.press('f');
    await expect.poll(() => Number(query(page, 'to')) - Number(query(page, 'from'))).toBeGreaterThan(0);
    const [from, to] = [query(page, 'from'), query(page, 'to')];
    await page.keyboard.press('s');
    await expect.poll(() => query(page, 'to')).not.toBe(to);
    await page.keyboard.press('0');
    await expect.poll(() => query(page, 'from')).toBeNull();
    await page.goto(`/traces/${first}?from=${from}&to=${to}`);
    await page.getByRole('button', { name: 'The whole trace' }).waitFor();
    await page.keyboard.press('?');
    await page.getByRole('dialog').getByText('Zoom in').waitFor();
    expect(await page.getByRole('dialog').innerText()).toMatch(/Operations/);
  });

  it('zooms by dragging over the overview', async () => {
    const page = await open(`/traces/${first}`);
    await rows(page).first().waitFor();
    const box = (await page.locator('.overview').boundingBox())!;
    await page.mouse.move(box.x + box.width * 0.25, box.y + 10);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.5, box.y + 10, { steps: 4 });
    await page.mouse.up();
    const trace = await api<Trace>('GET', `/api/v1/traces/${first}`);
    await expect.poll(() => Number(query(page, 'from')) / trace.durationMs).toBeCloseTo(0.25, 1);
    expect(Number(query(page, 'to')) / trace.durationMs).toBeCloseTo(0.5, 1);
  });

  it('shows what differs between two traces', async () => {
    const page = await open(`/traces?task=${task.key}`);
    for (const id of [first, second]) await page.locator('tr', { has: page.locator(`a[href="/traces/${id}"]`) }).getByRole('checkbox').check();
    await page.getByRole('button', { name: /Compare/ }).click();
    await page.getByText(/^(B took .* (longer|less) than A|Both took the same time)/).waitFor();
    expect([first, second]).toContain(query(page, 'with'));
    const table = page.getByRole('group', { name: 'Spans of both traces' });
    expect(await table.locator('tbody tr').count()).toBeGreaterThan(5);
    await page.getByRole('button', { name: 'Largest difference first' }).click();
    await expect.poll(() => query(page, 'sort')).toBe('difference');
    await expectAccessible(page);
    await picture(page, 'trace-compare', true);
    await page.getByRole('link', { name: 'End the comparison' }).click();
    await rows(page).first().waitFor();
    await page.getByRole('button', { name: 'Compare with…' }).click();
    await page.getByRole('dialog').getByRole('textbox').fill(new URL(page.url()).pathname.endsWith(first) ? second : first);
    await table.waitFor();
  });

  it('draws who calls whom, and gives it as a table', async () => {
    const page = await open('/traces?view=graph');
    await page.getByRole('img', { name: /nodes and .* connections/ }).waitFor();
    const table = page.getByRole('group', { name: 'Calls between services' });
    await table.locator('tr', { hasText: 'edge' }).filter({ hasText: 'task-service' }).filter({ hasText: 'requests' }).waitFor();
    await table.locator('tr', { hasText: 'task-service' }).filter({ hasText: 'stats-service' }).filter({ hasText: 'messages' }).waitFor();
    await page.getByRole('link', { name: 'Search', exact: true }).click();
    await page.getByRole('group', { name: 'Traces found' }).waitFor();
  });

  it('stays quick with two thousand spans, which it folds', async () => {
    const many = traceOf(
      [span('0'.repeat(16), null, 0, 2_000, { name: 'POST /import', kind: 'server' }), ...Array.from({ length: 2_000 }, (_, i) => span((i + 1).toString(16).padStart(16, '0'), '0'.repeat(16), i, 0.9, { name: i % 4 ? 'INSERT tasks' : 'INSERT events', kind: 'client' as const }))],
      { traceId: 'f'.repeat(32) },
    );
    const page = await open('about:blank');
    await page.route(`**/api/v1/traces/${many.traceId}`, (route) => route.fulfill({ json: many }));
    await page.goto(`/traces/${many.traceId}`);
    await rows(page).nth(2).waitFor();
    expect(await rows(page).count()).toBe(3);
    await page.getByRole('button', { name: 'Open all' }).click();
    await expect.poll(() => grid(page).getAttribute('aria-rowcount')).toBe('2004');
    await rows(page).first().focus();
    await page.keyboard.press('End');
    await expect.poll(async () => Number(await page.evaluate(() => document.activeElement?.getAttribute('aria-rowindex')))).toBe(2_004);
    expect(await rows(page).count()).toBeLessThan(120);
    await expectAccessible(page);
  });

  it('says what an incomplete or missing trace is, and how to get traces at all', async () => {
    const page = await open('about:blank', { expectErrors: /40[04]|503/ });
    const orphan = traceOf([span('a'.repeat(16), null, 0, 9, { adjustedMs: 4.5, service: 'browser' }), span('b'.repeat(16), 'c'.repeat(16), 4, 2)], { orphans: 1, dropped: 3, traceId: 'e'.repeat(32), linkedBy: ['d'.repeat(32)] });
    await page.route(`**/api/v1/traces/${orphan.traceId}`, (route) => route.fulfill({ json: orphan }));
    await page.route('**/api/v1/traces/settings', (route) => route.fulfill({ json: { source: 'buffer', capacity: 10, externalUrl: 'https://console.example/{traceId}' } }));
    await page.goto(`/traces/${orphan.traceId}`);
    for (const text of [/^Incomplete: 1 span names a parent/, /^3 spans were left out/, /^Clocks differ: spans of browser/, /^Another trace continues this one/]) await page.getByText(text).waitFor();
    expect(await page.getByRole('link', { name: 'Open in the console' }).getAttribute('href')).toBe(`https://console.example/${orphan.traceId}`);
    await expectAccessible(page);
    await page.unroute('**/api/v1/traces/settings');
    await page.goto(`/traces/${'0'.repeat(31)}1`);
    await page.getByRole('heading', { name: 'There is no such trace' }).waitFor();

    await page.route(/\/api\/v1\/traces(\?|$)/, (route) => route.fulfill({ json: { source: 'none', traces: [] } }));
    await page.goto('/traces');
    await page.getByRole('heading', { name: 'No traces are kept here' }).waitFor();
    await page.getByText('TRACES_URL').waitFor();
    await expectAccessible(page);
    await page.unroute(/\/api\/v1\/traces(\?|$)/);
    await page.route(/\/api\/v1\/traces(\?|$)/, (route) => route.fulfill({ status: 503, contentType: 'application/problem+json', json: { type: 'about:blank', title: 'Unavailable', status: 503, code: 'unavailable', detail: 'Jaeger does not answer.' } }));
    await page.goto('/traces?error=1');
    await page.getByText('Jaeger does not answer.').waitFor();
    await page.unroute(/\/api\/v1\/traces(\?|$)/);
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByText(/^(No traces|\d+ traces?|Nothing found)/).first().waitFor();
  });

  it('shows how every instance is, keeps the focus while it refreshes, and recounts', async () => {
    const page = await open('/');
    await page.locator('h1').waitFor();
    await page.keyboard.press('g');
    await page.keyboard.press('o');
    const instances = page.locator('section', { hasText: 'instances' }).locator('li:has(h3)');
    await instances.filter({ hasText: 'task-service' }).first().waitFor();
    await instances.filter({ hasText: 'stats-service' }).first().waitFor();
    expect(await page.getByRole('meter').count()).toBeGreaterThanOrEqual(2);

    const routes = page.getByRole('region', { name: /^Latency by route/ });
    const by = (name: string) => routes.getByRole('columnheader', { name });
    expect(await by('p99').getAttribute('aria-sort')).toBe('descending');
    const errors = by('Errors').getByRole('button');
    await errors.focus();
    await page.keyboard.press('Enter');
    await expect.poll(() => by('Errors').getAttribute('aria-sort')).toBe('descending');
    expect(query(page, 'sort')).toBe('-errors');
    const shown = await page.getByText(/^As of/).innerText();
    await expect.poll(() => page.getByText(/^As of/).innerText(), { timeout: PATIENCE_MS }).not.toBe(shown);
    expect(await errors.evaluate((button) => button === document.activeElement)).toBe(true);

    await page.getByRole('button', { name: 'Recount now' }).click();
    await page.getByText('The statistics are what a recount gives.').waitFor();
    await page.getByText(/tasks, .* transitions and .* states in/).waitFor();
    await page.getByRole('region', { name: 'Slowest traces' }).locator('li a').first().click();
    await rows(page).first().waitFor();
  });

  it('shows parked events and tries them again; says what is away', async () => {
    const page = await open('about:blank', { expectErrors: /503/ });
    const id = '0190a000-0000-7000-8000-00000000aaaa';
    let parked = [{ aggregate: 'task', task: id, project: id, pos: 7, seq: 2, reason: 'a state is not known', since: new Date().toISOString(), attempts: 5, events: 2 }];
    await page.route('**/api/v1/stats/status', (route) => route.fulfill({ json: { parkedCount: parked.length, parked } }));
    await page.route(`**/api/v1/stats/parked/${id}/retry`, (route) => {
      parked = [];
      return route.fulfill({ json: { task: id, applied: 2, remaining: 0 } });
    });
    const away = await api<Operations>('GET', '/api/v1/operations');
    away.natsAway = true;
    for (const one of away.instances) one.nats = 'away';
    await page.route('**/api/v1/operations', (route) => route.fulfill({ json: away }));
    await page.goto('/operations');
    await page.getByText(/^NATS cannot be reached: only the instance/).waitFor();
    await page.getByRole('button', { name: /^Try the events of .* again/ }).click();
    await page.getByText('Every event could be applied.').waitFor();
    await page.getByText('2 events applied').waitFor();
    await expectAccessible(page);
    await page.route('**/api/v1/stats/**', (route) => route.fulfill({ status: 503, contentType: 'application/problem+json', json: { type: 'about:blank', title: 'Unavailable', status: 503, code: 'unavailable' } }));
    await page.reload();
    await page.getByText(/^stats-service does not answer/).waitFor();
    await page.route('**/api/v1/operations', (route) => route.fulfill({ status: 503, contentType: 'application/problem+json', json: { type: 'about:blank', title: 'Unavailable', status: 503, code: 'unavailable', detail: 'Starting.' } }));
    await page.reload();
    await page.getByRole('heading', { name: 'The instances cannot be asked' }).waitFor();
    await page.unroute('**/api/v1/operations');
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('meter').first().waitFor();
  });

  const screens: [name: string, path: () => string, ready: string][] = [
    ['traces', () => '/traces', '.table tbody tr'],
    ['trace', () => `/traces/${first}`, '[data-row]'],
    ['trace-graph', () => '/traces?view=graph', 'svg .node'],
    ['trace-comparison', () => `/traces/${first}?with=${second}`, '.table tbody tr'],
    ['operations', () => '/operations', '[role=meter]'],
  ];
  for (const [variant, options] of [['light', {}], ['dark', { dark: true }], ['phone', { phone: true, reducedMotion: true }], ['german', { locale: 'de-DE' }]] as const) {
    it.each(screens)(`%s, ${variant}`, async (name, path, ready) => {
      const page = await open(path(), options);
      await page.locator(ready).first().waitFor();
      await picture(page, `${name}-${variant}`, true);
      await expectAccessible(page);
      expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 'wider than the window').toBeLessThanOrEqual(0);
    });
  }
});
