import { beforeAll, describe, expect, it } from 'vitest';
import type { Project } from '../src/api/types';
import { api, card, column, expectAccessible, makeProject, makeTask, open, picture, settled, stateOf, useBrowser } from './support';

describe('without a pointer', () => {
  useBrowser();
  let project: Project;

  beforeAll(async () => {
    project = await makeProject('Keyboard');
    for (const title of ['First', 'Second', 'Third']) await makeTask(project, { title, state: stateOf(project, 'todo').id });
    await makeTask(project, { title: 'In hand', state: stateOf(project, 'doing').id });
  });

  it('cards are reached, moved, selected, changed and opened, and what happened is said', async () => {
    const page = await open(`/p/${project.key}/board`);
    await card(page, 'First').waitFor();
    const focused = () => page.evaluate(() => document.activeElement?.textContent);
    const said = page.getByTestId('announcer');

    await page.keyboard.press('j');
    await expect.poll(focused).toBe('First');
    await page.keyboard.press('ArrowDown');
    await expect.poll(focused).toBe('Second');
    await page.keyboard.press('k');
    await expect.poll(focused).toBe('First');
    await page.keyboard.press('ArrowRight');
    await expect.poll(focused).toBe('In hand');
    await page.keyboard.press('ArrowLeft');
    await expect.poll(focused).toBe('First');

    await page.keyboard.press('Shift+ArrowDown');
    await expect.poll(() => said.textContent()).toContain('position 2 of 3');
    await expect.poll(focused).toBe('First');
    await page.keyboard.press('Shift+ArrowRight');
    await card(column(page, 'In progress'), 'First').waitFor();
    await expect.poll(() => said.textContent()).toContain('moved to In progress');
    await expect.poll(focused).toBe('First');

    await page.keyboard.press('1');
    await card(page, 'First').getByRole('img', { name: 'Urgent' }).waitFor();
    await settled(page);
    await page.keyboard.press('Control+z');
    await card(page, 'First').getByRole('img', { name: 'Urgent' }).waitFor({ state: 'detached' });

    await page.keyboard.press('m');
    await page.getByRole('combobox', { name: /Move .* to…/ }).fill('done');
    await page.keyboard.press('Enter');
    await card(column(page, 'Done'), 'First').waitFor();
    await expect.poll(focused).toBe('First');

    await page.keyboard.press('x');
    await page.getByRole('toolbar', { name: 'Selected tasks' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('toolbar', { name: 'Selected tasks' }).waitFor({ state: 'detached' });

    await page.keyboard.press('Enter');
    await page.getByRole('complementary', { name: /^Task/ }).getByRole('heading', { level: 1 }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('complementary', { name: /^Task/ }).waitFor({ state: 'detached' });
    await expect.poll(focused).toBe('First');
    await settled(page);
    expect((await api<{ state: string }>('GET', `/api/v1/tasks/${project.key}-1`)).state).toBe(stateOf(project, 'done').id);
  });

  it('letters create, search, edit and go', async () => {
    const page = await open(`/p/${project.key}/board`);
    await card(page, 'Second').waitFor();
    await page.keyboard.press('c');
    await page.getByRole('textbox', { name: 'New task' }).fill('By keyboard');
    await page.keyboard.press('Enter');
    await card(page, 'By keyboard').getByText(/-\d+$/).waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('/');
    await expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe('Filter tasks');
    await page.keyboard.press('Escape');
    await page.keyboard.press('j');
    await page.keyboard.press('e');
    await expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe('Title');
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    await page.keyboard.press('g');
    await page.keyboard.press('l');
    await page.waitForURL(/\/list$/);
    await page.getByRole('table').waitFor();
    await page.keyboard.press('j');
    await expect.poll(() => page.evaluate(() => document.activeElement?.closest('[role=row]') !== null)).toBe(true);
    await page.keyboard.press('g');
    await page.keyboard.press('d');
    await page.waitForURL(/\/dashboard$/);
  });

  it('everything is in the palette and in the list of shortcuts', async () => {
    const page = await open(`/p/${project.key}/board`);
    await card(page, 'Second').waitFor();
    await page.keyboard.press('Control+k');
    const field = page.getByRole('combobox', { name: 'Type a command or search' });
    await field.waitFor();
    await expectAccessible(page);
    await picture(page, 'palette');
    await field.fill('second');
    await page.getByRole('option', { name: `Second ${project.key}-2` }).waitFor();
    await field.fill('shortcuts');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Keyboard shortcuts' }).waitFor();
    await page.getByText('Move the card').waitFor();
    await expectAccessible(page);
    await picture(page, 'shortcuts');
    await page.getByLabel('Single-letter shortcuts are on').uncheck();
    await page.keyboard.press('Escape');
    await page.keyboard.press('c');
    expect(await page.getByRole('textbox', { name: 'New task' }).count()).toBe(0);
    await page.keyboard.press('Control+k');
    await field.waitFor();
  });
});
