// The built files: what the first screen costs and what the content security policy allows. Needs `npm run build`.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

const BUDGET_BYTES = 60_000; // gzipped JavaScript of the board
const dist = new URL('../dist/', import.meta.url).pathname;
let html = '';

beforeAll(() => {
  if (!existsSync(join(dist, 'index.html'))) throw new Error('dist/ is empty: run npm run build first');
  html = readFileSync(join(dist, 'index.html'), 'utf8');
});

describe('the build', () => {
  it('stays within the budget for the first load', () => {
    const scripts = [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+\.js)"/g)].map((match) => match[1]!);
    expect(scripts.length).toBeGreaterThan(0);
    const sizes = scripts.map((path) => {
      const file = join(dist, path);
      return statSync(existsSync(`${file}.gz`) ? `${file}.gz` : file).size;
    });
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(BUDGET_BYTES);
  });

  it('has no inline scripts or styles', () => {
    expect(html).not.toMatch(/<script(?![^>]*\ssrc=)[^>]*>/);
    expect(html).not.toMatch(/<style|\sstyle=|\son\w+=/);
    for (const name of readdirSync(join(dist, 'assets')).filter((name) => name.endsWith('.js'))) {
      expect(readFileSync(join(dist, 'assets', name), 'utf8'), name).not.toMatch(/<[a-z]+[^>]* style=/);
    }
  });

  it('names files after their content and has compressed copies of the large ones', () => {
    for (const name of readdirSync(join(dist, 'assets')).filter((name) => /\.(js|css)$/.test(name))) {
      expect(name).toMatch(/-[\w-]{8}\.(js|css)$/);
      if (statSync(join(dist, 'assets', name)).size > 2_000) expect(existsSync(join(dist, 'assets', `${name}.br`)), name).toBe(true);
    }
  });

  it('keeps the folder for go:embed', () => {
    expect(existsSync(join(dist, '.gitkeep'))).toBe(true);
  });
});
