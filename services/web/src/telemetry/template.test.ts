import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { templateOf } from './template';
import { keysOf } from './screens';

const SAMPLES: Record<string, string> = { key: 'WEB', ref: 'WEB-42', kind: 'blocked-by', other: 'WEB-7', traceId: '4bf92f3577b34da6a3ce929d0e0e4736' };
const paths = ['task-service', 'stats-service'].flatMap((service) => {
  const text = readFileSync(new URL(`../../../${service}/api/openapi.yaml`, import.meta.url), 'utf8');
  return [...text.matchAll(/^ {2}(\/api\/v1\/[^:]+):/gm)].map((match) => match[1]!).filter((path) => !path.includes('.'));
});

describe('templates of paths', () => {
  it.each(paths)('%s', (template) => {
    const path = template.replace(/\{(\w+)\}/g, (_, name: string) => SAMPLES[name] ?? '0198c1f2-7a5e-7c3d-9b1a-2f3e4d5c6b7a');
    expect(templateOf(path)).toBe(template);
    expect(templateOf(`${path}?filter=secret#part`)).toBe(template);
  });

  it('never let text through', () => {
    expect(templateOf('/api/v1/tasks/secret')).toBe('/api/v1/tasks/{ref}');
    expect(templateOf('/api/v1/secret/more/than?known')).toBe('/api/v1/{id}/{id}/{id}');
    expect(templateOf('/api/v1/projects/WEB/secret/tasks/1/secret')).toBe('/api/v1/projects/{key}/{id}/tasks/{ref}/{id}');
  });
});

describe('keys in attributes', () => {
  it('are those of tasks and projects, and nothing else', () => {
    expect(keysOf('WEB')).toEqual({ 'tallyboard.project.key': 'WEB' });
    expect(keysOf('WEB-42')).toEqual({ 'tallyboard.project.key': 'WEB', 'tallyboard.task.key': 'WEB-42' });
    for (const text of ['', 'WEB-…', 'PAY ANNA', 'WEB-42-X', 'GRÜSSE', 'A'.repeat(40)]) expect(keysOf(text)).toEqual({});
  });
});
