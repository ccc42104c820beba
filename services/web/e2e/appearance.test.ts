// Every screen in both themes and at phone size: nothing for axe to find, nothing wider than the window, a picture each.
import { beforeAll, describe, expect, it } from 'vitest';
import type { Project, Task } from '../src/api/types';
import { api, expectAccessible, importCsv, makeProject, makeTask, open, picture, stateOf, useBrowser } from './support';

describe('every screen', () => {
  useBrowser();
  let project: Project;
  let task: Task;

  beforeAll(async () => {
    project = await makeProject('Appearance');
    const me = (await api<{ person: { id: string } }>('GET', '/api/v1/me')).person.id;
    const label = project.labels.map((one) => one.id);
    const day = (offset: number) => new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10);
    await importCsv(project, `id,title,created,finished\n${Array.from({ length: 30 }, (_, i) => `H-${i},Finished work ${i},${day(i - 60)},${day(i - 57)}`).join('\n')}\n`);
    task = await makeTask(project, { title: 'Fix the login form on small screens', description: 'It **breaks** below 360 px.\n\n- [x] see it\n- [ ] fix it\n\nSee `login.css`.', priority: 1, assignees: [me], labels: label, due: day(-2), estimate: 3, state: stateOf(project, 'doing').id });
    await makeTask(project, { title: 'Write the tests', parent: task.id });
    await makeTask(project, { title: 'Plan the next quarter', priority: 3, due: day(1), labels: label.slice(0, 1) });
    await api('POST', `/api/v1/tasks/${task.key}/comments`, { body: '@owner can you have a look?' });
  });

  const screens: [name: string, path: () => string, ready: string, fullPage?: boolean][] = [
    ['projects', () => '/', 'li >> text=Appearance'],
    ['board', () => `/p/${project.key}/board`, 'li[data-task]'],
    ['task', () => `/p/${project.key}/board?task=${task.key}`, '.markdown'],
    ['list', () => `/p/${project.key}/list`, '.table a[data-card]'],
    ['dashboard', () => `/p/${project.key}/dashboard`, '.plot canvas', true],
    ['settings', () => `/p/${project.key}/settings`, '#members', true],
    ['trash', () => `/p/${project.key}/trash`, 'h1'],
    ['search', () => `/search?q=login`, 'li[data-task]'],
    ['time-travel', () => `/p/${project.key}/board?at=${new Date().toISOString()}`, 'input[type=range]'],
  ];

  for (const [variant, options] of [['light', {}], ['dark', { dark: true }], ['phone', { phone: true, reducedMotion: true }]] as const) {
    it.each(screens)(`%s, ${variant}`, async (name, path, ready, fullPage) => {
      const page = await open(path(), options);
      await page.locator(ready).first().waitFor();
      await picture(page, `${name}-${variant}`, fullPage ?? false);
      await expectAccessible(page);
      expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 'wider than the window').toBeLessThanOrEqual(0);
    });
  }

  it('does not shift while it loads', async () => {
    const page = await open('about:blank');
    await page.addInitScript(() => {
      (window as unknown as { shift: number }).shift = 0;
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) (window as unknown as { shift: number }).shift += (entry as unknown as { value: number }).value;
      }).observe({ type: 'layout-shift', buffered: true });
    });
    for (const path of [`/p/${project.key}/board`, `/p/${project.key}/list`]) {
      await page.goto(path);
      await page.locator('a[data-card]').first().waitFor();
      await page.evaluate(() => document.fonts.ready);
      expect(await page.evaluate(() => (window as unknown as { shift: number }).shift), path).toBeLessThan(0.01);
    }
  });

  it('prints the list', async () => {
    const page = await open(`/p/${project.key}/list`);
    await page.locator('.table a[data-card]').first().waitFor();
    await page.emulateMedia({ media: 'print' });
    expect(await page.locator('header').first().isVisible()).toBe(false);
    expect(await page.getByRole('search').isVisible()).toBe(false);
    await picture(page, 'list-print', true);
  });

  it('works on a phone by touch', async () => {
    const page = await open(`/p/${project.key}/board`, { phone: true });
    await page.locator(`li[data-task="${task.id}"]`).scrollIntoViewIfNeeded();
    await page.locator(`li[data-task="${task.id}"]`).getByRole('button', { name: /Move/ }).tap();
    await page.getByRole('option', { name: 'Done', exact: true }).tap();
    await page.getByRole('region', { name: 'Done', exact: true }).locator(`li[data-task="${task.id}"]`).waitFor();
    await page.getByRole('button', { name: 'Undo' }).tap();
    await page.getByRole('region', { name: 'In progress', exact: true }).locator(`li[data-task="${task.id}"]`).waitFor();
  });
});
