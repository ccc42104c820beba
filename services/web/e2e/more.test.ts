import { describe, expect, it } from 'vitest';
import type { Project } from '../src/api/types';
import { api, expectAccessible, makeProject, makeTask, open, picture, useBrowser } from './support';

describe('search', () => {
  useBrowser();

  it('finds tasks of all projects by words and by terms', async () => {
    const project = await makeProject('Findable');
    const word = `zebra${Date.now().toString(36)}`;
    await makeTask(project, { title: `Paint the ${word}`, priority: 1 });
    await makeTask(project, { title: 'Hidden', description: `a ${word} in the text` });
    const page = await open('/search', { expectErrors: /400/ });
    const box = page.getByRole('searchbox', { name: 'Search tasks of all projects' });
    await box.fill(word);
    await page.getByRole('link', { name: /Paint the zebra/ }).waitFor();
    await page.getByRole('link', { name: /Hidden/ }).waitFor();
    await box.fill(`${word} priority:urgent`);
    await page.getByRole('link', { name: /Hidden/ }).waitFor({ state: 'detached' });
    await expectAccessible(page);
    await picture(page, 'search');
    await box.fill('colour:red');
    await box.fill('due<<<');
    await page.getByRole('alert').waitFor();
    await box.fill('no-such-word-anywhere');
    await page.getByRole('heading', { name: 'Nothing found' }).waitFor();
    await page.goto(`/search?q=${word}`);
    await page.getByRole('link', { name: /Paint the zebra/ }).click();
    await page.getByRole('complementary').waitFor();
  });
});

describe('import', () => {
  useBrowser();

  it('shows what would come of a file, the rows refused, and then does it', async () => {
    const project = await makeProject('Imported');
    const page = await open(`/p/${project.key}/board`);
    await page.getByRole('button', { name: 'More' }).click();
    await page.getByRole('button', { name: 'Import…' }).click();
    const csv = 'id,title,created,finished\nA-1,Good,2026-01-05,2026-01-09\nA-2,Backwards,2026-02-05,2026-01-01\nA-3,Also good,2026-01-07,\n';
    await page.locator('input[type=file]').setInputFiles({ name: 'tasks.csv', mimeType: 'text/csv', buffer: Buffer.from(csv) });
    await page.getByText('2 tasks would be added from 3 rows.').waitFor();
    await page.getByRole('region', { name: 'Refused rows' }).getByText('A-2').waitFor();
    await expectAccessible(page);
    await picture(page, 'import');
    await page.getByRole('button', { name: 'Import 2 tasks' }).click();
    await page.getByText('2 tasks imported from 3 rows.').waitFor();
    await page.getByRole('button', { name: 'Close' }).last().click();
    await page.getByRole('link', { name: 'Also good' }).waitFor();
  });
});

describe('settings', () => {
  useBrowser();

  it('change states, limits, labels, members and the name', async () => {
    const project = await makeProject('Settings');
    const page = await open(`/p/${project.key}/settings`, { expectErrors: /409|422/ });
    await page.getByLabel('Name', { exact: true }).fill('Renamed');
    await page.keyboard.press('Tab');
    await page.getByLabel('New state').fill('Waiting');
    await page.getByLabel('Category').selectOption({ label: 'Doing' });
    await page.getByRole('button', { name: 'Add state' }).click();
    await page.getByLabel('Name of the state Waiting').waitFor();
    await page.getByLabel('Limit In progress').fill('3');
    await page.keyboard.press('Tab');
    await page.getByRole('button', { name: 'Move Waiting to the left' }).click();
    await page.getByLabel('New label').fill('idea');
    await page.getByRole('button', { name: 'Add label' }).click();
    await page.getByLabel('Name of the label idea').waitFor();
    await page.getByRole('button', { name: 'Remove the label quick win…' }).click();
    await page.getByText('It leaves every task').waitFor();
    await page.getByRole('button', { name: 'Remove the label quick win', exact: true }).click();
    await page.getByLabel('Name of the label quick win').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Add a member' }).click();
    await page.getByRole('combobox', { name: 'Add a member' }).fill(`Zoe ${Date.now()}`);
    await page.getByRole('option', { name: /Create/ }).click();
    await page.getByLabel(/Role of Zoe/).selectOption({ label: 'Viewer' });
    await expectAccessible(page);
    await picture(page, 'settings', true);
    await expect.poll(async () => {
      const now = await api<Project>('GET', `/api/v1/projects/${project.key}`);
      return [now.name, now.states.find((state) => state.name === 'In progress')?.wipLimit, now.states.some((state) => state.name === 'Waiting'), now.labels.map((label) => label.name).sort(), now.members.map((member) => member.role).sort()];
    }).toEqual(['Renamed', 3, true, ['bug', 'idea'], ['owner', 'viewer']]);

    await makeTask(project, { title: 'In the way', state: project.states[0]!.id });
    await page.getByRole('button', { name: `Archive the state ${project.states[0]!.name}` }).click();
    await page.getByRole('region', { name: 'Notices' }).getByRole('group').waitFor();
  });

  it('speak German, completely', async () => {
    const project = await makeProject('Deutsch');
    await makeTask(project, { title: 'Eine Aufgabe' });
    const page = await open(`/p/${project.key}/board`, { locale: 'de-DE' });
    await page.getByRole('button', { name: 'Neue Aufgabe' }).waitFor();
    expect(await page.locator('html').getAttribute('lang')).toBe('de');
    await expectAccessible(page);
    await picture(page, 'board-german');
    await page.goto(`/p/${project.key}/settings`);
    await page.getByLabel('Sprache').selectOption('en');
    await page.getByRole('heading', { name: 'Settings' }).waitFor();
  });
});
