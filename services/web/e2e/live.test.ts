import { beforeAll, describe, expect, it } from 'vitest';
import type { Project, Task } from '../src/api/types';
import { api, card, column, makeProject, makeTask, open, picture, settled, stateOf, useBrowser } from './support';

describe('two people at once', () => {
  useBrowser();
  let project: Project;

  beforeAll(async () => {
    project = await makeProject('Together');
  });

  it('see each other’s cards appear, move and change, without losing focus or scroll', async () => {
    for (let i = 0; i < 20; i++) await makeTask(project, { title: `Filler ${i}`, state: stateOf(project, 'todo').id });
    const [ada, grace] = await Promise.all([open(`/p/${project.key}/board`), open(`/p/${project.key}/board`)]);
    const todo = stateOf(project, 'todo').name;
    await card(grace, 'Filler 0').waitFor();
    await card(ada, 'Filler 0').waitFor();
    await column(grace, todo).locator('[data-scroller]').evaluate((element) => (element.scrollTop = 300));
    await grace.getByRole('textbox', { name: 'Filter tasks' }).focus();

    await column(ada, 'Backlog').getByRole('button', { name: 'Add a task', exact: true }).click();
    await ada.getByRole('textbox', { name: 'New task' }).fill('Seen by both');
    await ada.keyboard.press('Enter');
    await card(column(grace, 'Backlog'), 'Seen by both').waitFor();
    expect(await card(ada, 'Seen by both').count()).toBe(1);
    await settled(ada);

    await card(ada, 'Seen by both').hover();
    await card(ada, 'Seen by both').getByRole('button', { name: /Move .* to…/ }).click();
    await ada.getByRole('option', { name: 'In progress' }).click();
    await card(column(grace, 'In progress'), 'Seen by both').waitFor();

    await card(ada, 'Seen by both').getByRole('link').click();
    await ada.getByRole('textbox', { name: 'Title' }).fill('Renamed by Ada');
    await ada.keyboard.press('Enter');
    await card(grace, 'Renamed by Ada').waitFor();

    await api('POST', `/api/v1/tasks/${project.key}-1/move`, { state: stateOf(project, 'done').id });
    await card(column(grace, 'Done'), 'Filler 0').waitFor();
    expect(await grace.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe('Filter tasks');
    // The first card, above the visible part, left: what Grace reads stays where it was.
    expect(await column(grace, todo).locator('[data-scroller]').evaluate((element) => element.scrollTop)).toBeLessThan(300);
    await picture(grace, 'live');
  });

  it('merge changes of different fields, and are shown both values of the same one', async () => {
    const task = await makeTask(project, { title: 'Contested', state: stateOf(project, 'doing').id });
    const page = await open(`/p/${project.key}/board?task=${task.key}`, { expectErrors: /412|ERR_INTERNET_DISCONNECTED/ });
    const panel = page.getByRole('complementary', { name: `Task ${task.key}` });
    const title = panel.getByRole('textbox', { name: 'Title' });
    await title.waitFor();
    await panel.getByRole('tab', { name: 'Comments' }).waitFor();

    await page.context().setOffline(true);
    await title.fill('My title');
    await page.keyboard.press('Enter');
    await panel.getByRole('button', { name: /^Priority/ }).click();
    await page.getByRole('option', { name: 'Urgent' }).click();
    await page.getByText('No connection to the server').waitFor();
    await page.getByText('2 edits are kept').waitFor();
    await picture(page, 'offline');
    await api('PATCH', `/api/v1/tasks/${task.key}`, { title: 'Their title', due: '2026-12-01' }, { 'If-Match': '*' });
    await page.context().setOffline(false);

    const conflict = panel.getByRole('alert', { name: /Somebody else changed this too: Title/ });
    await conflict.getByText('My title').waitFor();
    await conflict.getByText('Their title').waitFor();
    await picture(page, 'conflict');
    await settled(page);
    expect(await api('GET', `/api/v1/tasks/${task.key}`)).toMatchObject({ title: 'Their title', due: '2026-12-01', priority: 1 });
    await conflict.getByRole('button', { name: 'Keep mine' }).click();
    await conflict.waitFor({ state: 'detached' });
    await settled(page);
    expect((await api<Task>('GET', `/api/v1/tasks/${task.key}`)).title).toBe('My title');
  });
});

describe('offline and back', () => {
  useBrowser();

  it('keeps edits over a reload and sends each once; the live stream catches up', async () => {
    const project = await makeProject('Offline');
    const task = await makeTask(project, { title: 'Before', state: stateOf(project, 'todo').id });
    const page = await open(`/p/${project.key}/board`, { expectErrors: /ERR_INTERNET_DISCONNECTED|ERR_FAILED/ });
    await card(page, 'Before').waitFor();
    // Writes are lost on their way back: the server has made the change, the browser does not know.
    let lost = 0;
    await page.route('**/api/v1/projects/*/tasks?*', async (route) => {
      if (route.request().method() !== 'POST' || lost > 0) return route.continue();
      lost++;
      await route.fetch();
      await route.abort();
    });
    await column(page, 'Backlog').getByRole('button', { name: 'Add a task', exact: true }).click();
    await page.getByRole('textbox', { name: 'New task' }).fill('Only once');
    await page.keyboard.press('Enter');
    await card(page, 'Only once').getByText(`${project.key}-2`).waitFor();
    expect(lost).toBe(1);
    const { tasks } = await api<{ tasks: Task[] }>('GET', `/api/v1/projects/${project.key}/tasks`);
    expect(tasks.filter((one) => one.title === 'Only once')).toHaveLength(1);
    expect(await card(page, 'Only once').count()).toBe(1);

    await page.route('**/api/v1/tasks/**', (route) => route.abort());
    await card(page, 'Before').getByRole('link').focus();
    await page.keyboard.press('2');
    await page.getByText('1 edit is kept').waitFor();
    await page.unroute('**/api/v1/tasks/**');
    await page.reload();
    await card(page, 'Before').getByRole('img', { name: 'High' }).waitFor();
    await settled(page);
    expect((await api<Task>('GET', `/api/v1/tasks/${task.key}`)).priority).toBe(2);
  });
});
