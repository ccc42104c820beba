// A small reading of the filter language for the mock. Development only.
import { category } from './data.mjs';

const PRIORITIES = ['none', 'urgent', 'high', 'medium', 'low'];
const FIELDS = ['state', 'assignee', 'label', 'priority', 'due', 'is', 'text', 'parent', 'start', 'estimate', 'created', 'updated', 'completed', 'creator'];

export class FilterError extends Error {
  constructor(message, position) {
    super(message);
    this.position = position;
  }
}

export function filterTasks(world, tasks, source) {
  const terms = [...(source ?? '').matchAll(/(-?)(?:([a-z]+)(:|<=|>=|<|>))?((?:"[^"]*"?|[^\s"])+)/g)];
  for (const term of terms) if (term[2] && !FIELDS.includes(term[2])) throw new FilterError(`there is no field ${term[2]}`, term.index + term[1].length);
  const today = new Date().toISOString().slice(0, 10);
  return tasks.filter((task) => terms.every(([, minus, field, op, raw]) => {
    const state = world.projects.get(task.project).states.find((s) => s.id === task.state);
    const hit = raw.split(',').map((v) => v.replaceAll('"', '').toLowerCase()).some((v) => {
      switch (field) {
        case 'state': return state.name.toLowerCase() === v || state.category === v;
        case 'assignee': return v === 'none' ? !task.assignees.length : task.assignees.some((id) => { const p = world.people.find((x) => x.id === id); return v === 'me' ? id === world.me.id : p?.handle === v; });
        case 'label': return task.labels.some((id) => world.projects.get(task.project).labels.find((l) => l.id === id)?.name.toLowerCase() === v);
        case 'priority': return task.priority === (PRIORITIES.includes(v) ? PRIORITIES.indexOf(v) : Number(v));
        case 'due': { const d = v === 'today' ? today : v; return v === 'none' ? !task.due : task.due && (op === '<' ? task.due < d : op === '>' ? task.due > d : task.due === d); }
        case 'is': return v === 'open' ? ['backlog', 'todo', 'doing'].includes(category(world, task)) : v === 'done' ? category(world, task) === 'done' : v === 'overdue' ? task.due && task.due < today : v === 'blocked' ? world.relations.some((r) => r.kind === 'blocks' && r.to === task.id) : true;
        case undefined: case 'text': return `${task.title} ${task.description}`.toLowerCase().includes(v);
        default: return true;
      }
    });
    return hit !== (minus === '-');
  }));
}
