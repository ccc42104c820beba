// How panels of ours look: each has a title, a unit and a description that says what good looks like, and links to the
// runbook of the alerts that watch the same.
import * as common from '@grafana/grafana-foundation-sdk/common';
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import * as heatmaps from '@grafana/grafana-foundation-sdk/heatmap';
import * as prometheus from '@grafana/grafana-foundation-sdk/prometheus';
import * as stats from '@grafana/grafana-foundation-sdk/stat';
import * as tables from '@grafana/grafana-foundation-sdk/table';
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries';

const RUNBOOK = 'https://github.com/tallyboard/tallyboard/blob/main/docs/operations.md';

/** The data source that the dashboard's variable names. */
export const PROMETHEUS: common.DataSourceRef = { type: 'prometheus', uid: '${datasource}' };

/** Units as Grafana names them. */
export type Unit = 's' | 'reqps' | 'cps' | 'percentunit' | 'short' | 'bytes' | 'Bps' | 'none';

/** An expression and how its series are called: a legend with {{label}}. */
export type Query = readonly [expression: string, legend: string];

export interface PanelOptions {
  title: string;
  unit: Unit;
  /** What it shows, and what good looks like. */
  shows: string;
  good: string;
  queries: readonly Query[];
  /** Alerts about the same, by name. */
  alerts?: readonly string[];
  /** Columns of 24; 12 unless told. */
  width?: number;
  height?: number;
  /** Show points that are traces; the data source says where they lead. */
  exemplars?: boolean;
  /** A line that should not be crossed. */
  limit?: number;
  stacked?: boolean;
  /** Where a click on a series leads, with a name. */
  links?: readonly (readonly [title: string, url: string])[];
}

type Panel = timeseries.PanelBuilder | stats.PanelBuilder | heatmaps.PanelBuilder | tables.PanelBuilder;

function common_<P extends Panel>(panel: P, o: PanelOptions): P {
  panel.title(o.title).unit(o.unit).description(`${o.shows}\n\n**Good:** ${o.good}`).datasource(PROMETHEUS);
  panel.span(o.width ?? 12).height(o.height ?? 8);
  if (o.alerts) panel.links(o.alerts.map((name) => new dashboard.DashboardLinkBuilder(`Runbook: ${name}`).url(`${RUNBOOK}#${name.toLowerCase()}`).targetBlank(true)));
  if (o.links) panel.dataLinks(o.links.map(([title, url]) => new dashboard.DashboardLinkBuilder(title).url(url).targetBlank(true)));
  return panel;
}

function ranges(o: PanelOptions, adjust: (query: prometheus.DataqueryBuilder) => void = () => {}): prometheus.DataqueryBuilder[] {
  return o.queries.map(([expression, legend], i) => {
    const query = new prometheus.DataqueryBuilder().refId(String.fromCharCode(65 + i)).datasource(PROMETHEUS).expr(expression).legendFormat(legend).range();
    if (o.exemplars) query.exemplar(true);
    adjust(query);
    return query;
  });
}

/** Green up to the limit, red from there. */
function limits(limit: number): dashboard.ThresholdsConfigBuilder {
  return new dashboard.ThresholdsConfigBuilder().mode(dashboard.ThresholdsMode.Absolute)
    .steps([{ color: 'green', value: null as unknown as number }, { color: 'red', value: limit }]);
}

/** Lines over time. */
export function lines(o: PanelOptions): timeseries.PanelBuilder {
  const panel = common_(new timeseries.PanelBuilder(), o).targets(ranges(o)).min(0).lineWidth(1).fillOpacity(o.stacked ? 40 : 5)
    .showPoints(common.VisibilityMode.Never)
    .tooltip(new common.VizTooltipOptionsBuilder().mode(common.TooltipDisplayMode.Multi).sort(common.SortOrder.Descending))
    .legend(new common.VizLegendOptionsBuilder().displayMode(common.LegendDisplayMode.List).placement(common.LegendPlacement.Bottom).showLegend(true));
  if (o.stacked) panel.stacking(new common.StackingConfigBuilder().mode(common.StackingMode.Normal));
  if (o.limit !== undefined) panel.thresholds(limits(o.limit)).thresholdsStyle(new common.GraphThresholdsStyleConfigBuilder().mode(common.GraphThresholdsStyleMode.Dashed));
  return panel;
}

/** The present value, with its course behind it. Red from the limit on. */
export function value(o: PanelOptions): stats.PanelBuilder {
  const panel = common_(new stats.PanelBuilder(), { width: 4, height: 4, ...o }).targets(ranges(o))
    .graphMode(common.BigValueGraphMode.Area).colorMode(common.BigValueColorMode.Value)
    .reduceOptions(new common.ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false));
  if (o.limit !== undefined) panel.thresholds(limits(o.limit));
  return panel;
}

/** How durations spread over time: the query gives buckets by le. */
export function heat(o: PanelOptions): heatmaps.PanelBuilder {
  return common_(new heatmaps.PanelBuilder(), o).targets(ranges(o, (query) => query.format(prometheus.PromQueryFormat.Heatmap)))
    .calculate(false).yAxis(new heatmaps.YAxisConfigBuilder().unit(o.unit))
    .color(new heatmaps.HeatmapColorOptionsBuilder().mode(heatmaps.HeatmapColorMode.Scheme).scheme('Oranges').steps(64).exponent(0.5).scale(heatmaps.HeatmapColorScale.Exponential).fill('dark-orange'))
    .cellGap(1).exemplarsColor('rgba(80, 160, 255, 0.9)')
    .tooltip(new heatmaps.HeatmapTooltipBuilder().mode(common.TooltipDisplayMode.Single).yHistogram(true))
    .showLegend();
}

/** A list of the present values, largest first. */
export function ranking(o: PanelOptions): tables.PanelBuilder {
  return common_(new tables.PanelBuilder(), o).targets(o.queries.map(([expression, legend], i) =>
    new prometheus.DataqueryBuilder().refId(String.fromCharCode(65 + i)).datasource(PROMETHEUS).expr(expression).legendFormat(legend)
      .format(prometheus.PromQueryFormat.Table).instant()))
    .withTransformation({ id: 'organize', options: { excludeByName: { Time: true }, renameByName: { Value: o.title, http_request_method: 'Method', http_route: 'Route', job: 'Service', db_operation_name: 'Operation', db_collection_name: 'Table', span_name: 'Name' } } })
    .sortBy([new common.TableSortByFieldStateBuilder().displayName(o.title).desc(true)]);
}
