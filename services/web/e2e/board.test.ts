import { beforeAll, describe, expect, it } from 'vitest';
import type { Project } from '../src/api/types';
import { api, card, column, importCsv, makeProject, makeTask, open, picture, settled, stateOf, useBrowser } from './support';

describe('the board', () => {
  useBrowser();
  let project: Project;

  beforeAll(async () => {
    project = await makeProject('Board');
  });

  it('takes a card in place, with what quick-add understood', async () => {
    const page = await open(`/p/${project.key}/board`);
    await column(page, 'Backlog').getByRole('button', { name: 'Add a task', exact: true }).click();
    const field = page.getByRole('textbox', { name: 'New task' });
    await field.fill('Fix login !1 @me #bug tomorrow');
    await page.locator('form').getByText('Fix login', { exact: true }).waitFor();
    await page.locator('form').getByText('Tomorrow').waitFor();
    await picture(page, 'quick-add');
    await field.press('Enter');
    const made = card(column(page, 'Backlog'), 'Fix login');
    await made.getByText(`${project.key}-1`).waitFor();
    await made.getByText('Tomorrow').waitFor();
    await made.getByText('bug').waitFor();
    await made.getByRole('img', { name: 'Urgent' }).waitFor();
    expect(await field.inputValue()).toBe('');
    await field.press('Escape');
    await field.waitFor({ state: 'hidden' });
  });

  it('moves a card by dragging it, and back by undo', async () => {
    await makeTask(project, { title: 'Drag me', state: stateOf(project, 'todo').id });
    await makeTask(project, { title: 'Already there', state: stateOf(project, 'doing').id });
    const page = await open(`/p/${project.key}/board`);
    const source = card(column(page, stateOf(project, 'todo').name), 'Drag me');
    await page.locator('li[draggable=true]').first().waitFor();
    const from = (await source.boundingBox())!;
    const to = (await card(column(page, 'In progress'), 'Already there').boundingBox())!;
    await page.mouse.move(from.x + 40, from.y + 12);
    await page.mouse.down();
    await page.mouse.move(from.x + 60, from.y + 20, { steps: 4 });
    await page.mouse.move(to.x + 60, to.y + 6, { steps: 12 });
    await page.mouse.up();
    await card(column(page, 'In progress'), 'Drag me').waitFor();
    await settled(page);
    expect(await column(page, 'In progress').locator('a.title').allTextContents()).toEqual(['Drag me', 'Already there']);
    await page.reload();
    await card(column(page, 'In progress'), 'Drag me').waitFor();
    expect(await column(page, 'In progress').locator('a.title').allTextContents()).toEqual(['Drag me', 'Already there']);

    await card(page, 'Drag me').hover();
    await card(page, 'Drag me').getByRole('button', { name: /Move .* to…/ }).click();
    await page.getByRole('option', { name: 'Done', exact: true }).click();
    await card(column(page, 'Done'), 'Drag me').waitFor();
    await page.getByRole('button', { name: 'Undo' }).click();
    await card(column(page, 'In progress'), 'Drag me').waitFor();
    await settled(page);
  });

  it('warns above a limit and folds columns', async () => {
    const doing = stateOf(project, 'doing');
    await api('PATCH', `/api/v1/projects/${project.key}/states/${doing.id}`, { wipLimit: 1 });
    const page = await open(`/p/${project.key}/board`);
    await column(page, 'In progress').getByText('more than the limit of 1').waitFor({ state: 'attached' });
    await column(page, 'In progress').getByRole('button', { name: 'Fold In progress' }).click();
    await column(page, 'In progress').getByRole('list').waitFor({ state: 'detached' });
    await page.reload();
    await column(page, 'In progress').getByRole('button', { name: 'Unfold In progress' }).click();
    await column(page, 'In progress').getByRole('list').waitFor();
  });

  it('filters as one types, keeps the filter in the URL, and says what is wrong with it', async () => {
    const page = await open(`/p/${project.key}/board`, { expectErrors: /400/ });
    await card(page, 'Already there').waitFor();
    const box = page.getByRole('textbox', { name: 'Filter tasks' });
    await box.fill('label:bug');
    await card(page, 'Already there').waitFor({ state: 'detached' });
    await card(page, 'Fix login').waitFor();
    await expect.poll(() => new URL(page.url()).searchParams.get('filter')).toBe('label:bug');
    await box.fill('state:nosuchstate<<');
    await page.getByRole('alert').waitFor();
    await box.fill('is:open priority:urgent');
    await page.getByRole('alert').waitFor({ state: 'detached' });
    await expect.poll(() => page.locator('a.title').allTextContents()).toEqual(['Fix login']);
    await page.goto(`/p/${project.key}/board?filter=Already`);
    await expect.poll(() => page.locator('a.title').allTextContents()).toEqual(['Already there']);
    await page.getByRole('button', { name: 'Clear the filter' }).click();
    await card(page, 'Fix login').waitFor();
    await page.getByRole('button', { name: 'Label' }).click();
    await page.getByRole('option', { name: 'bug' }).click();
    await card(page, 'Already there').waitFor({ state: 'detached' });
    await page.keyboard.press('Escape');
    expect(await box.inputValue()).toBe('label:bug');
  });

  it('shows the board as it stood then', async () => {
    const before = new Date().toISOString();
    await makeTask(project, { title: 'Made later' });
    const page = await open(`/p/${project.key}/board?at=${before}`);
    await page.getByRole('slider', { name: 'Moment' }).waitFor();
    await card(page, 'Already there').waitFor();
    await card(page, 'Made later').waitFor({ state: 'detached' });
    expect(await page.getByRole('button', { name: 'New task' }).count()).toBe(0);
    await picture(page, 'time-travel');
    await page.getByRole('button', { name: 'Back to now' }).click();
    await card(page, 'Made later').waitFor();
    await page.getByRole('button', { name: 'New task' }).waitFor();
  });

  it('stays smooth with a thousand cards by rendering only what is seen', async () => {
    const many = await makeProject('Many');
    const rows = Array.from({ length: 1_000 }, (_, i) => `M-${i},Task number ${i},2026-01-05`).join('\n');
    await importCsv(many, `id,title,created\n${rows}\n`);
    const page = await open(`/p/${many.key}/board`);
    await page.locator('li[data-task]').first().waitFor();
    const full = page.locator('section', { has: page.locator('li[data-task]') }).first();
    expect(await page.locator('li[data-task]').count()).toBeLessThan(60);
    await full.locator('[data-scroller]').evaluate((element) => (element.scrollTop = element.scrollHeight));
    await card(page, 'Task number 999').waitFor();
    expect(await page.locator('li[data-task]').count()).toBeLessThan(60);
  });
});
