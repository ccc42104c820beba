import { describe, expect, it } from 'vitest';
import { project, record } from '../../test/records';
import { changedQuery, parseRoute } from '../router/router.svelte';
import { decidable, matches, parseFilter, quoteValue, resolveDate, valuesOf, withField, type Context } from './filter';

const context: Context = {
  project: project(),
  people: new Map([['p1', { id: 'p1', handle: 'ada', name: 'Ada', kind: 'member', created: '' }]]),
  me: 'p1', today: '2026-11-23', idOf: (key) => (key === 'WEB-7' ? 't7' : undefined),
};
const holds = (filter: string, fields = {}) => matches(record(fields), parseFilter(filter), context);

describe('parseFilter', () => {
  it('reads terms, operators, negation and quotes', () => {
    expect(parseFilter('state:doing,"To do" -label:bug due<=2026-12-01 "two words" word').map(({ start: _, end: __, ...term }) => term)).toEqual([
      { field: 'state', op: ':', values: ['doing', 'To do'], not: false },
      { field: 'label', op: ':', values: ['bug'], not: true },
      { field: 'due', op: '<=', values: ['2026-12-01'], not: false },
      { field: 'text', op: ':', values: ['two words'], not: false },
      { field: 'text', op: ':', values: ['word'], not: false },
    ]);
  });

  it.each(['', '   ', ':', '-', 'label:', '"', 'label:"', 'http://x', 'nofield:x', '<<', 'due<'])('survives %j', (source) => {
    expect(() => parseFilter(source).forEach((term) => matches(record(), [term], context))).not.toThrow();
  });
});

describe('matches', () => {
  it.each([
    ['state:todo', {}, true], ['state:"to do"', {}, true], ['state:done', {}, false],
    ['assignee:me', { assignees: ['p1'] }, true], ['assignee:ada', { assignees: ['p1'] }, true], ['assignee:none', {}, true], ['-assignee:none', {}, false],
    ['label:bug', { labels: ['l1'] }, true], ['label:"quick win",bug', { labels: ['l2'] }, true], ['label:none', { labels: ['l1'] }, false],
    ['priority:urgent', { priority: 1 }, true], ['priority:2', { priority: 2 }, true], ['priority<3', { priority: 2 }, true],
    ['due<today', { due: '2026-11-22' }, true], ['due<=+7d', { due: '2026-11-30' }, true], ['due:none', {}, true], ['due<today', {}, false],
    ['is:overdue', { due: '2026-11-01' }, true], ['is:overdue', { due: '2026-11-01', state: 's-done' }, false], ['is:open', { state: 's-done' }, false],
    ['is:subtask', { parent: 't7' }, true], ['parent:WEB-7', { parent: 't7' }, true], ['estimate>=3', { estimate: 3 }, true], ['estimate:none', {}, true],
    ['login', { title: 'Fix the Login' }, true], ['WEB-1', {}, true], ['nothing', {}, false],
    ['state:todo label:bug', {}, false],
  ])('%s on %j is %s', (filter, fields, expected) => {
    expect(holds(filter, fields)).toBe(expected);
  });

  it('leaves to the server what it cannot know', () => {
    expect(decidable(parseFilter('state:todo is:open'))).toBe(true);
    for (const filter of ['word', 'is:blocked', 'created>2026-01-01']) expect(decidable(parseFilter(filter))).toBe(false);
    expect(holds('is:blocked')).toBe(true);
  });
});

describe('withField', () => {
  it('replaces one field and keeps the rest as typed', () => {
    expect(withField('state:doing  label:bug  "my words"', 'label', ['quick win', 'bug'])).toBe('state:doing "my words" label:"quick win",bug');
    expect(withField('label:bug', 'label', [])).toBe('');
    expect(withField('-label:bug', 'label', ['x'])).toBe('-label:bug label:x');
  });

  it('reads back what it wrote', () => {
    for (const value of ['bug', 'quick win', 'a"b', 'a,b', 'x:y']) expect(valuesOf(`label:${quoteValue(value)}`, 'label')).toEqual([value]);
  });

  it('knows dates by name', () => {
    expect(resolveDate('tomorrow', '2026-12-31')).toBe('2027-01-01');
    expect(resolveDate('-2w', '2026-11-23')).toBe('2026-11-09');
  });
});

describe('the URL', () => {
  it('carries a filter there and back', () => {
    const filter = 'label:"quick win" assignee:me due<2026-12-01 50% & more';
    const query = changedQuery('?task=WEB-1', { filter });
    expect(new URLSearchParams(query).get('filter')).toBe(filter);
    expect(new URLSearchParams(query).get('task')).toBe('WEB-1');
    expect(changedQuery(query, { filter: null })).toBe('?task=WEB-1');
    expect(changedQuery('?a=1', { a: '' })).toBe('');
  });

  it.each([
    ['/', { name: 'projects' }], ['/p/web', { name: 'project', project: 'WEB', view: 'board' }], ['/p/WEB/list', { name: 'project', project: 'WEB', view: 'list' }],
    ['/p/WEB/nothing', { name: 'missing' }], ['/t/web-42', { name: 'task', ref: 'WEB-42' }], ['/search', { name: 'search' }], ['/else', { name: 'missing' }], ['/p/A/board/x', { name: 'missing' }],
  ])('%s is a route', (path, expected) => {
    expect(parseRoute(path)).toEqual(expected);
  });
});
