import { beforeAll, describe, expect, it } from 'vitest';
import type { Project, Task } from '../src/api/types';
import { api, importCsv, makeProject, makeTask, open, picture, settled, stateOf, useBrowser } from './support';

describe('the list', () => {
  useBrowser();
  let project: Project;
  let task: Task;

  beforeAll(async () => {
    project = await makeProject('List');
    task = await makeTask(project, { title: 'Alpha', priority: 3 });
    await makeTask(project, { title: 'Beta', priority: 1 });
    await makeTask(project, { title: 'Gamma', priority: 2, due: '2026-12-24' });
  });

  it('edits in place', async () => {
    const page = await open(`/p/${project.key}/list`);
    const row = page.getByRole('row').filter({ hasText: 'Alpha' });
    await row.hover();
    await row.getByRole('button', { name: /Edit the title/ }).click();
    await page.getByRole('textbox', { name: 'Title' }).fill('Alpha two');
    await page.keyboard.press('Enter');
    const renamed = page.getByRole('row').filter({ hasText: 'Alpha two' });
    await renamed.getByRole('button', { name: /^State/ }).click();
    await page.getByRole('option', { name: 'In progress' }).click();
    await renamed.getByRole('button', { name: 'State In progress; change' }).waitFor();
    await renamed.getByRole('button', { name: /^Priority/ }).click();
    await page.getByRole('option', { name: 'Urgent' }).click();
    await renamed.getByRole('button', { name: 'Priority Urgent; change' }).waitFor();
    await renamed.getByRole('button', { name: 'Set a due date' }).click();
    await page.getByLabel('Due', { exact: true }).fill('2026-12-31');
    await page.keyboard.press('Escape');
    await settled(page);
    expect(await api('GET', `/api/v1/tasks/${task.key}`)).toMatchObject({ title: 'Alpha two', state: stateOf(project, 'doing').id, priority: 1, due: '2026-12-31' });
  });

  it('sorts, and keeps sort and filter in the URL', async () => {
    const page = await open(`/p/${project.key}/list`);
    const titles = () => page.locator('.table a[data-card]').allTextContents();
    await page.getByRole('columnheader', { name: 'Title' }).getByRole('button').click();
    await expect.poll(titles).toEqual(['Alpha two', 'Beta', 'Gamma']);
    await page.getByRole('columnheader', { name: 'Title' }).getByRole('button').click();
    await expect.poll(titles).toEqual(['Gamma', 'Beta', 'Alpha two']);
    expect(new URL(page.url()).searchParams.get('sort')).toBe('-title');
    await page.goto(`/p/${project.key}/list?filter=priority:urgent&sort=title`);
    await expect.poll(titles).toEqual(['Alpha two', 'Beta']);
  });

  it('changes many at once and takes it back', async () => {
    const page = await open(`/p/${project.key}/list`);
    await page.getByRole('row').filter({ hasText: 'Beta' }).getByRole('checkbox').check();
    await page.getByRole('row').filter({ hasText: 'Gamma' }).getByRole('checkbox').check();
    const bar = page.getByRole('toolbar', { name: 'Selected tasks' });
    await bar.getByText('2 selected').waitFor();
    await bar.getByRole('button', { name: 'Labels' }).click();
    await page.getByRole('option', { name: 'bug' }).click();
    await page.keyboard.press('Escape');
    await bar.getByRole('button', { name: 'State' }).click();
    await page.getByRole('option', { name: 'Done', exact: true }).click();
    await settled(page);
    await picture(page, 'list-bulk');
    const done = stateOf(project, 'done').id;
    const bug = project.labels.find((label) => label.name === 'bug')!.id;
    for (const n of [2, 3]) expect(await api('GET', `/api/v1/tasks/${project.key}-${n}`)).toMatchObject({ state: done, labels: [bug] });
    await page.getByRole('button', { name: 'Undo' }).last().click();
    await settled(page);
    for (const n of [2, 3]) expect((await api<Task>('GET', `/api/v1/tasks/${project.key}-${n}`)).state).not.toBe(done);
  });

  it('loads more as one scrolls, and says when nothing matches', async () => {
    const many = await makeProject('Long list');
    await importCsv(many, `id,title,created\n${Array.from({ length: 260 }, (_, i) => `L-${i},Row ${i},2026-01-05`).join('\n')}\n`);
    const page = await open(`/p/${many.key}/list`);
    await page.getByText('Row 0', { exact: true }).waitFor();
    const rows = page.locator('.table a[data-card]');
    await expect.poll(async () => {
      await page.locator('.scroller').evaluate((element) => (element.scrollTop = element.scrollHeight));
      return rows.count();
    }).toBe(260);
    await page.getByText('260 tasks').waitFor();
    await page.getByRole('textbox', { name: 'Filter tasks' }).fill('nothing-like-that');
    await page.getByRole('heading', { name: 'Nothing matches' }).waitFor();
  });
});
