// Objectives, what is left of their error budgets, and how fast that burns.
import { board } from './board.js';
import { lines, value } from './panels.js';

const objectives = [
  ['availability', 'Availability', '99.9 % of requests are answered without a 5xx.'],
  ['latency', 'Latency', '99 % of requests are answered within 200 ms.'],
  ['freshness', 'Freshness', '99 % of events are in the statistics within a second.'],
] as const;
const alerts = (title: string) => [`${title}BurnsFast`, `${title}BurnsSlowly`];
const burn = (slo: string, window: string) => `slo:errors:ratio_rate${window}{slo="${slo}"} / on (slo) group_left () slo:error_budget:ratio`;

export const slo = board('slo', 'SLO', 'Objectives and error budgets. A burn rate of 1 uses the budget up in exactly its period; docs/operations.md has the definitions.', [], [
  ...objectives.map(([name, title, objective]) => ({ title, panels: [
    value({ title: `${title}: kept, 3 days`, unit: 'percentunit', width: 4, height: 8, shows: objective, good: 'at or above the objective.', alerts: alerts(title),
      queries: [[`1 - slo:errors:ratio_rate3d{slo="${name}"}`, '{{job}}']] }),
    value({ title: `${title}: budget left, 3 days`, unit: 'percentunit', width: 4, height: 8, shows: 'What is left of three days’ error budget; below zero it is overdrawn.', good: 'above zero.', alerts: alerts(title),
      queries: [[`1 - (${burn(name, '3d')})`, '{{job}}']] }),
    lines({ title: `${title}: burn rate`, unit: 'none', width: 8, limit: 1, shows: 'How fast the error budget burns, over an hour and over six.', good: 'below 1; above 6 over six hours or 14.4 over one hour somebody is called.', alerts: alerts(title),
      queries: [[burn(name, '1h'), '{{job}} 1 h'], [burn(name, '6h'), '{{job}} 6 h'], [burn(name, '1d'), '{{job}} 1 d']] }),
    lines({ title: `${title}: share of bad events`, unit: 'percentunit', width: 8, shows: 'Bad events as a share of all, over five minutes and half an hour.', good: 'below the budget.', alerts: alerts(title),
      queries: [[`slo:errors:ratio_rate5m{slo="${name}"}`, '{{job}} 5 min'], [`slo:errors:ratio_rate30m{slo="${name}"}`, '{{job}} 30 min'], [`slo:error_budget:ratio{slo="${name}"}`, 'budget']] }),
  ] })),
  { title: 'Alerts', panels: [
    lines({ title: 'Firing', unit: 'none', width: 24, shows: 'Alerts that fire, by name.', good: 'zero.',
      queries: [['count by (alertname) (ALERTS{alertstate="firing"}) or label_replace(vector(0), "alertname", "none", "", "")', '{{alertname}}']] }),
  ] },
]);
