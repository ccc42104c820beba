import { beforeAll, describe, expect, it } from 'vitest';
import type { Project } from '../src/api/types';
import { api, importCsv, makeProject, makeTask, open, picture, stateOf, useBrowser } from './support';

describe('the dashboard', () => {
  useBrowser();
  let project: Project;

  beforeAll(async () => {
    project = await makeProject('Numbers');
    const day = (back: number) => new Date(Date.now() - back * 86_400_000).toISOString().slice(0, 10);
    const rows = Array.from({ length: 40 }, (_, i) => `N-${i},Task ${i},${day(60 - i)},${i % 4 === 3 ? '' : day(58 - i)}`);
    await importCsv(project, `id,title,created,finished\n${rows.join('\n')}\n`);
  });

  it('counts, draws, and moves as work is done elsewhere', async () => {
    const page = await open(`/p/${project.key}/dashboard`);
    const open_ = page.locator('.tiles > div').filter({ hasText: 'Open' });
    await open_.getByText('10', { exact: true }).waitFor();
    await page.getByText(/85 % likely: the 10 open tasks are done by/).waitFor();
    await page.getByRole('img', { name: /^Throughput\. 30 completed/ }).locator('canvas').waitFor();
    await page.getByRole('img', { name: /^Cycle time\. Half within/ }).locator('canvas').waitFor();
    await page.getByRole('img', { name: /^Cumulative flow/ }).locator('canvas').waitFor();
    await picture(page, 'dashboard-live', true);

    const task = await makeTask(project, { title: 'One more' });
    await open_.getByText('11', { exact: true }).waitFor();
    await api('POST', `/api/v1/tasks/${task.key}/move`, { state: stateOf(project, 'done').id });
    await open_.getByText('10', { exact: true }).waitFor();
    await page.locator('.tiles > div').filter({ hasText: 'Completed' }).getByText('31', { exact: true }).waitFor();
  });

  it('gives every chart as a table and as CSV, and keeps filters in the URL', async () => {
    const page = await open(`/p/${project.key}/dashboard`);
    const throughput = page.getByRole('region', { name: 'Throughput' }).first();
    await throughput.getByRole('button', { name: 'Table' }).click();
    await throughput.getByRole('columnheader', { name: 'Completed' }).waitFor();
    const href = await throughput.getByRole('link', { name: 'Download Throughput as CSV' }).getAttribute('href');
    const csv = await (await fetch(new URL(href!, page.url()))).text();
    expect(csv.split(/\r?\n/)[0]).toBe('date,created,completed');
    await page.getByLabel('Period').selectOption({ label: 'Last 30 days' });
    await expect.poll(() => new URL(page.url()).searchParams.get('range')).toBe('30');
    await page.getByRole('button', { name: 'Label' }).click();
    await page.getByRole('option', { name: 'bug' }).click();
    await page.keyboard.press('Escape');
    await page.getByText('Nothing is open.').waitFor();
    await page.reload();
    await page.getByText('Nothing is open.').waitFor();
  });

  it('says when statistics are away, and the board works on', async () => {
    const page = await open('about:blank', { expectErrors: /503/ });
    await page.route('**/api/v1/stats/**', (route) => route.fulfill({ status: 503, contentType: 'application/problem+json', json: { type: '/problems/unavailable', title: 'Unavailable', status: 503, code: 'unavailable', detail: 'away' } }));
    await page.goto(`/p/${project.key}/dashboard`);
    await page.getByRole('heading', { name: 'Statistics are unavailable' }).waitFor();
    await page.unroute('**/api/v1/stats/**');
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.locator('.tiles').waitFor();
  });
});
