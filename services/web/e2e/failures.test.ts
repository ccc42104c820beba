// What people see while a part is away. The parts themselves are broken in services/drill; here the browser is told what
// they then answer, and everything behind it is real.
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Project, Task } from '../src/api/types';
import { api, card, column, makeProject, makeTask, open, picture, settled, stateOf, useBrowser } from './support';

/** The answer of the API while the database is away. */
const AWAY = {
  status: 503,
  headers: { 'Retry-After': '1' },
  contentType: 'application/problem+json',
  json: { type: '/problems/unavailable', title: 'Service Unavailable', status: 503, code: 'unavailable', detail: 'the database is not available' },
};

/** Stands in for the live stream of a replica that has lost NATS. */
class LateStream {
  #server = createServer((_, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Access-Control-Allow-Origin': '*' });
    response.write(`retry: 100\n\nevent: stale\ndata: {"since":"${this.since.toISOString()}"}\n\n`);
    this.#open.add(response);
  });
  #open = new Set<ServerResponse>();
  readonly since = new Date(Date.now() - 60_000);

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  /** Sends a page's live streams here. */
  async take(page: Page): Promise<void> {
    const { port } = this.#server.address() as AddressInfo;
    await page.route('**/api/v1/projects/*/events?*', (route) => route.continue({ url: `http://127.0.0.1:${port}/` }));
  }

  /** Ends the streams, so that pages open them where they belong. */
  async give(page: Page): Promise<void> {
    await page.unroute('**/api/v1/projects/*/events?*');
    for (const response of this.#open) response.end();
    this.#open.clear();
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

describe('while a part is away', () => {
  useBrowser();
  const late = new LateStream();
  let project: Project;

  beforeAll(async () => {
    await late.listen();
    project = await makeProject('Failures');
  });
  afterAll(() => late.close());

  it('NATS: the board says since when it is late, works, and catches up', async () => {
    const page = await open('about:blank', { expectErrors: /ERR_|EventSource/ });
    await late.take(page);
    await page.goto(`/p/${project.key}/board`);
    await page.getByText(/Live updates are behind since/).waitFor();
    await picture(page, 'stale');
    await column(page, 'Backlog').getByRole('button', { name: 'Add a task', exact: true }).click();
    await page.getByRole('textbox', { name: 'New task' }).fill('Made while NATS is away');
    await page.keyboard.press('Enter');
    await card(page, 'Made while NATS is away').getByText(`${project.key}-`).waitFor();
    await settled(page);
    await makeTask(project, { title: 'Made by somebody else' });
    await late.give(page);
    await card(page, 'Made by somebody else').waitFor();
    await page.getByText(/Live updates are behind since/).waitFor({ state: 'detached' });
    expect(await card(page, 'Made while NATS is away').count()).toBe(1);
  });

  it('the database: edits are shown, kept and sent again, and saved once', async () => {
    const task = await makeTask(project, { title: 'Before', state: stateOf(project, 'todo').id });
    const page = await open(`/p/${project.key}/board?task=${task.key}`, { expectErrors: /503/ });
    const panel = page.getByRole('complementary', { name: `Task ${task.key}` });
    const title = panel.getByRole('textbox', { name: 'Title' });
    await title.waitFor();
    let refused = 0;
    await page.route('**/api/v1/tasks/**', (route) => {
      if (route.request().method() !== 'PATCH') return route.continue();
      refused++;
      return route.fulfill(AWAY);
    });
    await title.fill('Edited while away');
    await page.keyboard.press('Enter');
    await panel.getByRole('button', { name: /^Priority/ }).click();
    await page.getByRole('option', { name: 'Urgent' }).click();
    await page.getByText('The server is busy; it is being tried again.').waitFor();
    await page.getByText('2 edits are kept and will be sent.').waitFor();
    await card(page, 'Edited while away').waitFor();
    await expect.poll(() => refused).toBeGreaterThan(2); // it goes on trying
    await picture(page, 'database-away');
    await page.unroute('**/api/v1/tasks/**');
    await settled(page);
    await page.getByText('2 edits are kept').waitFor({ state: 'detached' });
    expect(await api<Task>('GET', `/api/v1/tasks/${task.key}`)).toMatchObject({ title: 'Edited while away', priority: 1 });
    const { events } = await api<{ events: { kind: string }[] }>('GET', `/api/v1/tasks/${task.key}/history`);
    expect(events.map((event) => event.kind)).toEqual(['task.changed', 'task.changed', 'task.created']);
  });

  it('stats-service: an open dashboard says of when its numbers are, and the board works', async () => {
    const page = await open(`/p/${project.key}/dashboard`, { expectErrors: /503|EventSource/ });
    await page.locator('.tiles').waitFor();
    await page.route('**/api/v1/stats/**', (route) => route.fulfill(AWAY));
    await page.getByLabel('Period', { exact: true }).selectOption({ label: 'Last 30 days' });
    await page.getByText(/Statistics cannot be reached; these are from .*, for what was chosen before/).waitFor();
    await picture(page, 'stats-away');
    await page.goto(`/p/${project.key}/board`);
    await column(page, 'Backlog').getByRole('button', { name: 'Add a task', exact: true }).click();
    await page.getByRole('textbox', { name: 'New task' }).fill('Made without statistics');
    await page.keyboard.press('Enter');
    await card(page, 'Made without statistics').getByText(`${project.key}-`).waitFor();
    await settled(page);
    await page.unroute('**/api/v1/stats/**');
    await page.goto(`/p/${project.key}/dashboard`);
    await page.locator('.tiles').waitFor();
    await page.getByText(/Statistics cannot be reached/).waitFor({ state: 'detached' });
  });
});
