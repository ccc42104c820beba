// What all dashboards have in common: where they read, what can be chosen, how one gets from one to the others.
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import * as prometheus from '@grafana/grafana-foundation-sdk/prometheus';
import { PROMETHEUS } from './panels.js';

/** The traces screen of the product; a variable of the dashboard says where that is. */
export const TRACES = '${tallyboard}/traces';

/** The routes that are no work of users. */
export const NO_OPS = 'http_route!~"/health|/livez|/metrics|/pool-stats"';
/** Routes whose duration says something: a live stream takes as long as somebody looks. */
export const TIMED = 'http_route!~"/health|/livez|/metrics|/pool-stats|.*/events|.*/import|.*/export|/api/v1/stats/verify"';

type PanelBuilder = Parameters<dashboard.DashboardBuilder['withPanel']>[0];
export interface Row { title: string; panels: readonly PanelBuilder[] }

/** A choice among the values of a label. */
export function choice(name: string, label: string, query: string): dashboard.QueryVariableBuilder {
  return new dashboard.QueryVariableBuilder(name).label(label).datasource(PROMETHEUS)
    .query({ query, refId: name }).definition(query).refresh(dashboard.VariableRefresh.OnTimeRangeChanged)
    .multi(true).includeAll(true).allValue('.*').current({ text: ['All'], value: ['$__all'] }).sort(dashboard.VariableSort.AlphabeticalAsc);
}

export const SERVICE = () => choice('job', 'Service', 'label_values(target_info{job=~".+-service"}, job)');
export const INSTANCE = () => choice('instance', 'Instance', 'label_values(target_info{job=~"$job"}, instance)');

/** Builds a dashboard of rows. uid ends its address: /d/tallyboard-{name}. */
export function board(name: string, title: string, description: string, variables: readonly dashboard.QueryVariableBuilder[], rows: readonly Row[]): dashboard.Dashboard {
  const builder = new dashboard.DashboardBuilder(`Tallyboard: ${title}`).uid(`tallyboard-${name}`).description(description)
    .tags(['tallyboard']).timezone('browser').refresh('10s').time({ from: 'now-1h', to: 'now' }).readonly()
    .tooltip(dashboard.DashboardCursorSync.Crosshair)
    .link(new dashboard.DashboardLinkBuilder('Dashboards').type(dashboard.DashboardLinkType.Dashboards).tags(['tallyboard']).asDropdown(true).keepTime(true).includeVars(false))
    .link(new dashboard.DashboardLinkBuilder('Traces').type(dashboard.DashboardLinkType.Link).url(TRACES).targetBlank(true).icon('external link'))
    .withVariable(new dashboard.DatasourceVariableBuilder('datasource').label('Data source').type('prometheus').current({ text: 'Prometheus', value: 'prometheus' }))
    .withVariable(new dashboard.TextBoxVariableBuilder('tallyboard').label('Tallyboard at').defaultValue('http://localhost:8080').current({ text: 'http://localhost:8080', value: 'http://localhost:8080' }))
    .annotation(new dashboard.AnnotationQueryBuilder().name('Alerts').datasource(PROMETHEUS).enable(true).iconColor('red')
      .expr('ALERTS{alertstate="firing"}').titleFormat('{{alertname}}').textFormat('{{severity}} {{job}} {{instance}}').tagKeys('alertname,severity')
      .target(new prometheus.DataqueryBuilder().refId('Anno').expr('ALERTS{alertstate="firing"}')));
  for (const variable of variables) builder.withVariable(variable);
  for (const row of rows) {
    builder.withRow(new dashboard.RowBuilder(row.title));
    for (const panel of row.panels) builder.withPanel(panel);
  }
  return builder.build();
}
