import { describe, expect, it } from 'vitest';
import { api, expectAccessible, makeProject, open, picture, useBrowser } from './support';

describe('projects', () => {
  useBrowser();

  it('begin with a first project', async () => {
    const page = await open('about:blank');
    await page.route('**/api/v1/projects', (route) => (route.request().method() === 'GET' ? route.fulfill({ json: { projects: [] } }) : route.continue()));
    await page.goto('/');
    await page.getByRole('heading', { name: 'Your first project' }).waitFor();
    await expectAccessible(page);
    await picture(page, 'projects-empty');

    await page.getByRole('button', { name: 'Create a project' }).click();
    const name = `Web shop ${Date.now()}`;
    await page.getByLabel('Name', { exact: true }).fill(name);
    const key = page.getByLabel('Key', { exact: true });
    expect(await key.inputValue()).toMatch(/^WS/);
    await key.fill('1bad');
    await page.getByText('Two to ten capital letters').waitFor();
    expect(await page.getByRole('button', { name: 'Create project' }).isDisabled()).toBe(true);
    await key.fill(`W${Date.now().toString(36).slice(-7)}`);
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Create project' }).click();
    await page.waitForURL(/\/p\/W\w+\/board$/);
    await page.getByRole('heading', { name: 'No tasks yet' }).waitFor();
  });

  it('are listed, and a taken key is refused with the reason', async () => {
    const project = await makeProject('Listed');
    const page = await open('/', { expectErrors: /409/ });
    await page.getByRole('link', { name: new RegExp(`Listed ${project.key}`) }).first().waitFor();
    await page.getByRole('button', { name: 'New project' }).click();
    await page.getByLabel('Name', { exact: true }).fill('Twin');
    await page.getByLabel('Key', { exact: true }).fill(project.key);
    await page.getByRole('button', { name: 'Create project' }).click();
    await page.getByRole('dialog').getByRole('alert').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    expect((await api<{ projects: { name: string }[] }>('GET', '/api/v1/projects')).projects.some((one) => one.name === 'Twin')).toBe(false);
  });

  it('say so when an address leads nowhere', async () => {
    const page = await open('/p/NOSUCH/board', { expectErrors: /404/ });
    await page.getByRole('heading', { name: 'There is no project NOSUCH' }).waitFor();
    await page.goto('/nowhere/at/all');
    await page.getByRole('heading', { name: 'There is nothing here' }).waitFor();
    await expectAccessible(page);
  });
});
