// What every spec needs: a browser, pages that fail the test on errors in the console, data by the API, axe, pictures.
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { chromium, type Browser, type BrowserContext, type Locator, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, inject } from 'vitest';
import type { Project, Task, TaskNew } from '../src/api/types';

export const baseUrl = inject('baseUrl');
const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 360, height: 740 };
/** Longest wait for anything to appear; live changes are far quicker. */
export const PATIENCE_MS = 20_000;

let browser: Browser;
let contexts: BrowserContext[] = [];
let faults: string[] = [];

/** Call once per spec file. */
export function useBrowser(): void {
  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath: inject('chromium'),
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'],
    });
  });
  afterEach(async () => {
    await Promise.all(contexts.map((context) => context.close()));
    contexts = [];
    const found = faults;
    faults = [];
    expect(found, 'errors in the console').toEqual([]);
  });
  afterAll(async () => {
    await browser.close();
  });
}

export interface PageOptions {
  phone?: boolean;
  dark?: boolean;
  locale?: string;
  reducedMotion?: boolean;
  /** Console errors the test provokes, such as refused requests. */
  expectErrors?: RegExp;
}

/** A page in a context of its own: another person's browser. */
export async function open(path: string, options: PageOptions = {}): Promise<Page> {
  const context = await browser.newContext({
    baseURL: baseUrl,
    viewport: options.phone ? PHONE : DESKTOP,
    isMobile: options.phone ?? false,
    hasTouch: options.phone ?? false,
    colorScheme: options.dark ? 'dark' : 'light',
    reducedMotion: options.reducedMotion ? 'reduce' : 'no-preference',
    locale: options.locale ?? 'en-GB',
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  contexts.push(context);
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  page.on('pageerror', (error) => faults.push(error.stack ?? error.message));
  page.on('console', (message) => {
    // A network interface that comes or goes on this machine cuts requests; the page asks again by itself.
    if (message.type() !== 'error' || message.text().includes('ERR_NETWORK_CHANGED') || options.expectErrors?.test(message.text())) return;
    faults.push(`${message.text()} (${message.location().url})`);
  });
  await page.goto(path);
  return page;
}

export async function api<T>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<T> {
  const response = await fetch(`${baseUrl}${path}`, {
    method,
    headers: { ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...(method === 'GET' ? {} : { 'Idempotency-Key': randomUUID(), 'Sec-Fetch-Site': 'same-origin', Origin: baseUrl }), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return (text ? JSON.parse(text) : undefined) as T;
}

/** A project of its own with the usual states and two labels. */
export async function makeProject(name: string): Promise<Project> {
  const key = `E${randomUUID().replaceAll('-', '').slice(0, 7).toUpperCase()}`;
  return api<Project>('POST', '/api/v1/projects', {
    key, name, description: 'Made by a test.',
    labels: [{ name: 'bug', color: '#d73a4a' }, { name: 'quick win', color: '#0e8a6d' }],
  });
}

export function makeTask(project: Project, fields: TaskNew): Promise<Task> {
  return api<Task>('POST', `/api/v1/projects/${project.key}/tasks`, fields);
}

/** Imports tasks from CSV text. */
export async function importCsv(project: Project, csv: string): Promise<void> {
  const response = await fetch(`${baseUrl}/api/v1/projects/${project.key}/import?format=csv`, { method: 'POST', headers: { 'Content-Type': 'text/csv', Origin: baseUrl }, body: csv });
  if (!response.ok) throw new Error(`import: ${response.status} ${await response.text()}`);
}

export function stateOf(project: Project, category: Project['states'][number]['category']): Project['states'][number] {
  return project.states.find((state) => state.category === category)!;
}

/** The column of a state on the board. */
export function column(page: Page, name: string): Locator {
  return page.getByRole('region', { name, exact: true });
}

/** A card on the board by its title. */
export function card(scope: Page | Locator, title: string): Locator {
  return scope.locator('li[data-task]').filter({ hasText: title });
}

/** Waits until every edit of the page has been answered. */
export async function settled(page: Page): Promise<void> {
  await expect.poll(() => page.evaluate(() => sessionStorage.getItem('tallyboard.outbox')), { timeout: PATIENCE_MS }).toBeNull();
}

/** Fails with what axe finds against WCAG 2.2 AA and good practice. */
export async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']).analyze();
  expect(violations.map((one) => `${one.id}: ${one.help}\n  ${one.nodes.map((node) => `${node.html.slice(0, 200)} ${node.any.map((check) => check.message).join('; ')}`).join('\n  ')}`)).toEqual([]);
}

/** Keeps a picture of the page for people to look at. */
export async function picture(page: Page, name: string, fullPage = false): Promise<void> {
  await page.screenshot({ path: join(inject('pictures'), `${name}.png`), fullPage, animations: 'disabled' });
}
