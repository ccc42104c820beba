// Statistics of the mock, near enough to what stats-service answers to draw charts with. Development only.
import { category, head } from './data.mjs';

const DAY = 86_400_000;
const date = (ms) => new Date(ms).toISOString().slice(0, 10);

export function stats(world, project, what, query) {
  const to = query.get('to') ?? date(Date.now());
  const from = query.get('from') ?? date(Date.parse(to) - 89 * DAY);
  const days = [];
  for (let d = Date.parse(from); d <= Date.parse(to); d += DAY) days.push(date(d));
  const wanted = { assignee: query.getAll('assignee'), priority: query.getAll('priority'), label: query.getAll('label') };
  const any = (list, ids) => list.length === 0 || list.some((id) => (id === 'none' ? ids.length === 0 : ids.includes(id)));
  const tasks = [...world.tasks.values()].filter((t) => t.project === project.key && !t.trashed && any(wanted.assignee, t.assignees) && any(wanted.label, t.labels) && any(wanted.priority, [String(t.priority)]));
  const base = { project: project.key, asOf: { pos: head(), time: new Date().toISOString(), generation: 1 }, period: { from, to, tz: query.get('tz') ?? 'UTC', days: days.length } };
  const within = (iso) => iso && iso.slice(0, 10) >= from && iso.slice(0, 10) <= to;
  const isOpen = (t) => ['backlog', 'todo', 'doing'].includes(category(world, t));
  const today = date(Date.now());
  const counts = (list) => ({ count: list.length, open: list.filter(isOpen).length });
  const done = tasks.filter((t) => within(t.completed)).sort((a, b) => (a.completed < b.completed ? -1 : 1));
  const seconds = (t, start) => Math.max(60, (Date.parse(t.completed) - Date.parse(start)) / 1000);
  const distribution = (values) => {
    const v = [...values].sort((a, b) => a - b);
    const q = (p) => (v.length ? v[Math.floor((v.length - 1) * p)] + ((v[Math.ceil((v.length - 1) * p)] - v[Math.floor((v.length - 1) * p)]) * (((v.length - 1) * p) % 1)) : null);
    return { count: v.length, mean: v.length ? v.reduce((a, b) => a + b) / v.length : null, min: v[0] ?? null, p50: q(0.5), p75: q(0.75), p85: q(0.85), p95: q(0.95), max: v.at(-1) ?? null };
  };
  const cycle = distribution(done.map((t) => seconds(t, t.started ?? t.created)));
  switch (what) {
    case 'summary':
      return { ...base, firstDay: date(Date.parse(project.created)), total: tasks.length, open: tasks.filter(isOpen).length, done: tasks.filter((t) => category(world, t) === 'done').length, cancelled: tasks.filter((t) => category(world, t) === 'cancelled').length,
        overdue: tasks.filter((t) => isOpen(t) && t.due && t.due < today).length, created: tasks.filter((t) => within(t.created)).length, completed: done.length,
        byCategory: ['backlog', 'todo', 'doing', 'done', 'cancelled'].map((c) => ({ category: c, count: tasks.filter((t) => category(world, t) === c).length })),
        byState: project.states.map((s) => ({ ...s, count: tasks.filter((t) => t.state === s.id).length })),
        byPriority: [0, 1, 2, 3, 4].map((p) => ({ priority: p, ...counts(tasks.filter((t) => t.priority === p)) })),
        byAssignee: [...world.people.map((p) => ({ id: p.id, ...counts(tasks.filter((t) => t.assignees.includes(p.id))) })), { id: null, ...counts(tasks.filter((t) => !t.assignees.length)) }].filter((x) => x.count).sort((a, b) => b.count - a.count),
        byLabel: [...project.labels.map((l) => ({ id: l.id, ...counts(tasks.filter((t) => t.labels.includes(l.id))) })), { id: null, ...counts(tasks.filter((t) => !t.labels.length)) }].filter((x) => x.count) };
    case 'throughput': {
      const list = days.map((d) => ({ date: d, created: tasks.filter((t) => t.created.startsWith(d)).length, completed: tasks.filter((t) => t.completed?.startsWith(d)).length }));
      return { ...base, created: list.reduce((a, b) => a + b.created, 0), completed: done.length, completedPerDay: done.length / days.length, days: list };
    }
    case 'times':
      return { ...base, lead: distribution(done.map((t) => seconds(t, t.created))), cycle, points: done.map((t) => ({ task: t.id, key: t.key, completed: t.completed, leadSeconds: seconds(t, t.created), cycleSeconds: seconds(t, t.started ?? t.created), started: !!t.started })), pointsOmitted: 0 };
    case 'flow':
      return { ...base, states: project.states, days: days.map((d) => ({ date: d, counts: project.states.map((s) => tasks.filter((t) => {
        if (t.created.slice(0, 10) > d) return false;
        const c = t.completed && t.completed.slice(0, 10) <= d ? 'done' : t.started && t.started.slice(0, 10) <= d ? 'doing' : null;
        if (c === 'done') return s.category === 'done' && s.id === t.state;
        if (c === 'doing') return category(world, t) === 'done' ? s.id === project.states.find((x) => x.category === 'doing').id : s.id === t.state;
        return category(world, t) === 'done' || category(world, t) === 'doing' ? s.id === project.states.find((x) => x.category === 'todo').id : s.id === t.state;
      }).length) })) };
    case 'ageing': {
      const items = tasks.filter((t) => category(world, t) === 'doing').map((t) => ({ task: t.id, key: t.key, title: t.title, state: t.state, priority: t.priority, assignees: t.assignees, started: t.started ?? t.created, ageSeconds: (Date.now() - Date.parse(t.started ?? t.created)) / 1000, inStateSeconds: 3600, overP85: (Date.now() - Date.parse(t.started ?? t.created)) / 1000 > (cycle.p85 ?? Infinity) })).sort((a, b) => b.ageSeconds - a.ageSeconds);
      return { ...base, cycle, states: project.states.filter((s) => s.category === 'doing').map((s) => { const n = tasks.filter((t) => t.state === s.id).length; return { ...s, count: n, total: n, overLimit: s.wipLimit != null && n > s.wipLimit }; }), count: items.length, overP85: items.filter((i) => i.overP85).length, items, itemsOmitted: 0 };
    }
    case 'overdue': {
      const items = tasks.filter((t) => isOpen(t) && t.due && t.due < today).map((t) => ({ task: t.id, key: t.key, title: t.title, state: t.state, priority: t.priority, assignees: t.assignees, due: t.due, daysOverdue: Math.round((Date.parse(today) - Date.parse(t.due)) / DAY) })).sort((a, b) => b.daysOverdue - a.daysOverdue);
      return { ...base, today, count: items.length, dueToday: tasks.filter((t) => isOpen(t) && t.due === today).length, dueNext7Days: 3, items, itemsOmitted: 0 };
    }
    case 'burnup': {
      const list = days.map((d) => ({ date: d, scope: tasks.filter((t) => t.created.slice(0, 10) <= d).length, completed: tasks.filter((t) => t.completed && t.completed.slice(0, 10) <= d).length, scopePoints: 0, completedPoints: 0 }));
      return { ...base, unestimated: 0, days: list };
    }
    case 'forecast': {
      const total = tasks.filter(isOpen).length;
      const rate = done.length / days.length || 0.1;
      const at = (f) => date(Date.now() + (total / rate) * f * DAY);
      return { ...base, runs: 10000, seed: 7, horizonDays: 3650, possible: done.length > 0, sample: { from, to, days: days.length, completed: done.length, completedPerDay: rate }, remaining: { backlog: 1, todo: 1, doing: 1, total }, when: { items: total, p50: at(1), p70: at(1.1), p85: at(1.2), p95: at(1.35), beyondHorizon: 0, distribution: [] }, howMany: { by: date(Date.now() + 30 * DAY), days: 30, p50: 40, p70: 36, p85: 32, p95: 28, distribution: [] } };
    }
    default:
      return null;
  }
}
