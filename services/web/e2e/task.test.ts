import { beforeAll, describe, expect, it } from 'vitest';
import type { Project, Task } from '../src/api/types';
import { api, expectAccessible, makeProject, makeTask, open, picture, settled, useBrowser } from './support';

describe('a task', () => {
  useBrowser();
  let project: Project;
  let task: Task;

  beforeAll(async () => {
    project = await makeProject('Panel');
    task = await makeTask(project, { title: 'Open me', description: 'Look:\n\n- [ ] one\n- [x] two\n\n<script>document.title="hacked"</script> [bad](javascript:alert(1))' });
    await makeTask(project, { title: 'Other task' });
  });

  it('opens beside the board and changes in every field', async () => {
    const page = await open(`/p/${project.key}/board`);
    await page.getByRole('link', { name: 'Open me' }).click();
    const panel = page.getByRole('complementary', { name: `Task ${task.key}` });
    await panel.getByRole('textbox', { name: 'Title' }).fill('Opened');
    await page.keyboard.press('Enter');
    await panel.getByRole('button', { name: /^Assignees/ }).click();
    await page.getByRole('listbox').getByRole('option', { name: /@owner/ }).click();
    await page.keyboard.press('Escape');
    await panel.getByRole('button', { name: /^Labels/ }).click();
    await page.getByRole('combobox', { name: 'Labels' }).fill('fresh');
    await page.getByRole('option', { name: 'Create “fresh”' }).click();
    await panel.getByText('fresh', { exact: true }).waitFor();
    await panel.getByLabel('Due').fill('2026-12-24');
    await panel.getByLabel('Start').fill('2026-12-01');
    await panel.getByLabel('Estimate').fill('5');
    await page.keyboard.press('Enter');
    await panel.getByLabel('Repeats').selectOption({ label: 'Every week' });
    await panel.getByRole('button', { name: /^Priority/ }).click();
    await page.getByRole('listbox').getByRole('option', { name: 'High' }).click();
    await settled(page);
    expect(await api('GET', `/api/v1/tasks/${task.key}`)).toMatchObject({ title: 'Opened', due: '2026-12-24', start: '2026-12-01', estimate: 5, recurrence: 'FREQ=WEEKLY', priority: 2 });
    expect(new URL(page.url()).searchParams.get('task')).toBe(task.key);
    await page.goBack();
    await panel.waitFor({ state: 'detached' });
  });

  it('shows Markdown without trusting it, and turns its checkboxes', async () => {
    const page = await open(`/t/${task.key}`);
    await page.getByRole('checkbox', { name: 'Item 1' }).check();
    await settled(page);
    expect((await api<Task>('GET', `/api/v1/tasks/${task.key}`)).description).toContain('- [x] one');
    expect(await page.title()).not.toContain('hacked');
    expect(await page.locator('.markdown script, .markdown a[href^="javascript"]').count()).toBe(0);
    await page.getByRole('button', { name: 'Edit', exact: true }).click();
    await page.getByRole('textbox', { name: 'Description' }).fill('# New\n\n**bold**');
    await page.getByRole('group', { name: 'Description' }).getByRole('button', { name: 'Preview' }).click();
    await page.locator('strong', { hasText: 'bold' }).waitFor();
    await page.getByRole('button', { name: 'Save' }).click();
    await settled(page);
    expect((await api<Task>('GET', `/api/v1/tasks/${task.key}`)).description).toBe('# New\n\n**bold**');
  });

  it('has subtasks, relations, comments with mentions, and a history with traces', async () => {
    const page = await open(`/t/${task.key}`);
    await page.getByRole('button', { name: 'Add a subtask' }).click();
    await page.getByRole('textbox', { name: 'New task' }).fill('A small part');
    await page.keyboard.press('Enter');
    await page.getByRole('checkbox', { name: 'Done: A small part' }).check();
    await page.getByText('1 of 1 subtasks done').waitFor();
    await page.getByRole('button', { name: 'Close' }).click();

    await page.getByLabel('Kind of relation').selectOption('blocks');
    await page.getByRole('button', { name: 'Add a relation' }).click();
    await page.getByRole('combobox', { name: 'Find a task' }).fill('Other');
    await page.getByRole('option', { name: /Other task/ }).click();
    await page.getByRole('link', { name: /Other task/ }).waitFor();

    const comment = page.getByRole('textbox', { name: 'New comment' });
    await comment.pressSequentially('Have a look @own');
    await page.getByRole('option', { name: /@owner/ }).click();
    await page.keyboard.press('Control+Enter');
    await page.locator('.mention', { hasText: '@owner' }).waitFor();
    await settled(page);
    await page.getByRole('button', { name: 'Edit comment' }).click();
    await page.getByRole('textbox', { name: 'Edit comment' }).fill('Changed my mind');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Changed my mind').waitFor();
    await settled(page);
    await page.getByRole('button', { name: 'Remove comment' }).click();
    await page.getByText('Changed my mind').waitFor({ state: 'detached' });
    await page.getByRole('group').filter({ hasText: 'Comment removed' }).getByRole('button', { name: 'Undo' }).click();
    await page.getByText('Changed my mind').waitFor();
    await settled(page);

    await page.getByRole('tab', { name: 'History' }).click();
    await page.getByText('commented').first().waitFor();
    const change = page.locator('li', { hasText: 'changed this' }).filter({ hasText: 'Priority' });
    expect((await change.innerText()).replace(/\s+/g, ' ')).toMatch(/none → to ?High/);
    expect(await change.getByRole('link', { name: /^Trace/ }).getAttribute('href')).toMatch(/^\/traces\/[0-9a-f]{32}$/);
    await expectAccessible(page);
    await picture(page, 'task-page', true);
  });

  it('goes to the trash and comes back', async () => {
    const gone = await makeTask(project, { title: 'Throw away' });
    const page = await open(`/p/${project.key}/board?task=${gone.key}`);
    await page.getByRole('complementary').getByRole('button', { name: 'Move to trash' }).click();
    await page.getByRole('link', { name: 'Throw away' }).waitFor({ state: 'detached' });
    await settled(page);
    await page.goto(`/p/${project.key}/trash`);
    await page.getByRole('button', { name: `Restore ${gone.key}` }).waitFor();
    await expectAccessible(page);
    await picture(page, 'trash');
    await page.getByRole('button', { name: `Restore ${gone.key}` }).click();
    await page.getByRole('heading', { name: 'The trash is empty' }).waitFor();
    await settled(page);
    expect((await api<Task>('GET', `/api/v1/tasks/${gone.key}`)).trashed).toBeNull();
  });

  it('says when there is none', async () => {
    const page = await open(`/t/${project.key}-99999`, { expectErrors: /404/ });
    await page.getByText(`There is no task ${project.key}-99999`).waitFor();
  });
});
