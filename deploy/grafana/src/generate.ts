// Writes the dashboards as Grafana reads them, and refuses panels that say less than they should.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Dashboard, Panel, RowPanel } from '@grafana/grafana-foundation-sdk/dashboard';
import { browser } from './browser.js';
import { database } from './database.js';
import { pipeline } from './pipeline.js';
import { runtime } from './runtime.js';
import { service } from './service.js';
import { slo } from './slo.js';

const target = join(dirname(fileURLToPath(import.meta.url)), '..', 'dashboards');

/** What a reader would miss, per panel. */
function missing(board: Dashboard): string[] {
  const panels = (board.panels ?? []).filter((panel): panel is Panel => panel.type !== 'row');
  const titles = panels.map((panel) => panel.title);
  return panels.flatMap((panel) => {
    const lacks: string[] = [];
    if (!panel.title) lacks.push('a title');
    if (!panel.description?.includes('**Good:**')) lacks.push('a description that says what good looks like');
    if (!panel.fieldConfig?.defaults.unit) lacks.push('a unit');
    if (!panel.targets?.length) lacks.push('a query');
    if (titles.indexOf(panel.title) !== titles.lastIndexOf(panel.title)) lacks.push('a title of its own');
    return lacks.map((what) => `${board.title}: panel "${panel.title ?? ''}" lacks ${what}`);
  });
}

/** Links stand where people see them, and not in a menu, as the builders would have it. */
function written(key: string, value: unknown): unknown {
  return key === 'placement' && value === 'inControlsMenu' ? undefined : value;
}

const boards = [service, database, pipeline, browser, slo, runtime];
const complaints = boards.flatMap(missing);
if (complaints.length > 0) {
  console.error(complaints.join('\n'));
  process.exit(1);
}
mkdirSync(target, { recursive: true });
for (const file of readdirSync(target)) rmSync(join(target, file));
for (const board of boards) {
  board.panels?.forEach((panel: Panel | RowPanel, i) => { panel.id = i + 1; });
  writeFileSync(join(target, `${board.uid!.replace('tallyboard-', '')}.json`), `${JSON.stringify(board, written, 2)}\n`);
}
