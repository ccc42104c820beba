// Starts the product for the end-to-end specs: the real binary with a data folder of its own, or uses E2E_BASE_URL.
import { spawn, execFileSync } from 'node:child_process';
import { createWriteStream, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

const TOP = new URL('../../../', import.meta.url).pathname;
const START_TIMEOUT_MS = 90_000; // the first start unpacks and initialises PostgreSQL
const STOP_TIMEOUT_MS = 20_000;
/** How many of the product's complaints are shown after a run; all are in its log. */
const SHOWN_COMPLAINTS = 40;

declare module 'vitest' {
  interface ProvidedContext {
    baseUrl: string;
    chromium: string;
    pictures: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const pictures = join(TOP, 'test-output', 'ui');
  mkdirSync(pictures, { recursive: true });
  project.provide('pictures', pictures);
  project.provide('chromium', execFileSync(join(TOP, 'services/web/e2e/chromium.sh'), { encoding: 'utf8' }).trim());

  const given = process.env['E2E_BASE_URL'];
  if (given) {
    project.provide('baseUrl', given.replace(/\/$/, ''));
    return async () => undefined;
  }
  const binary = join(TOP, 'bin/tallyboard');
  if (!existsSync(binary)) throw new Error('bin/tallyboard is missing: run make build, or name a running product in E2E_BASE_URL');
  const data = mkdtempSync(join(tmpdir(), 'tallyboard-e2e-'));
  const child = spawn(binary, ['run'], { cwd: TOP, env: { ...process.env, PORT: '0', DATA_DIR: data }, stdio: ['ignore', 'pipe', 'pipe'] });
  const log = join(TOP, 'test-output', 'product.log');
  const logged = createWriteStream(log);
  let output = '';
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const url = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`bin/tallyboard did not become ready:\n${output}`)), START_TIMEOUT_MS);
    const read = (chunk: Buffer) => {
      logged.write(chunk);
      output = (output + chunk.toString()).slice(-20_000);
      const ready = /ready at (http:\/\/\S+)/.exec(output);
      if (ready) {
        clearTimeout(timer);
        resolve(ready[1]!);
      }
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`bin/tallyboard ended with ${code}:\n${output}`));
    });
  });
  project.provide('baseUrl', url);
  return async () => {
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await ended;
    clearTimeout(timer);
    rmSync(data, { recursive: true, force: true });
    await new Promise<void>((resolve) => logged.end(resolve));
    const complaints = readFileSync(log, 'utf8').split('\n').filter((line) => /\b(WARN|ERROR)\b|"level":"(WARN|ERROR)"|^panic:/.test(line));
    if (complaints.length > 0) console.log(`What the product complained of (${complaints.length} lines; all in ${log}):\n${complaints.slice(-SHOWN_COMPLAINTS).join('\n')}`);
  };
}
