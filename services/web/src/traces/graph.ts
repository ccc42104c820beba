// Lays out the service graph by layers, from who asks to who answers: browser, edge, services, databases.
import type { GraphEdge, GraphNode, ServiceGraph } from '../api/types';

export const NODE_WIDTH = 148;
export const NODE_HEIGHT = 64;
/** Room between layers; the numbers of the edges stand in it. */
const LAYER_GAP = 116;
const NODE_GAP = 40;
const MARGIN = 12;
/** How far below the nodes edges run that lead back. */
const BACK_DROP = 44;

export interface PlacedNode extends GraphNode {
  x: number;
  y: number;
  layer: number;
  database: boolean;
}

export interface PlacedEdge extends GraphEdge {
  /** For the d of an SVG path. */
  path: string;
  labelX: number;
  labelY: number;
}

export interface GraphLayout {
  width: number;
  height: number;
  nodes: PlacedNode[];
  edges: PlacedEdge[];
}

/** Places nodes and edges. Calls of a service to itself are not drawn; the table has them. */
export function layoutGraph(graph: ServiceGraph): GraphLayout {
  const databases = new Set(graph.edges.filter((edge) => edge.kind === 'db').map((edge) => edge.to));
  const layers = layersOf(graph, databases);
  const columns: string[][] = [];
  for (const [service, layer] of layers) (columns[layer] ??= []).push(service);
  orderColumns(columns, graph.edges);
  const tallest = Math.max(1, ...columns.map((column) => column.length));
  const inner = tallest * (NODE_HEIGHT + NODE_GAP) - NODE_GAP;
  const info = new Map(graph.nodes.map((node) => [node.service, node]));
  const nodes = columns.flatMap((column, layer) =>
    column.map((service, i): PlacedNode => {
      const height = column.length * (NODE_HEIGHT + NODE_GAP) - NODE_GAP;
      return {
        ...(info.get(service) ?? { service, calls: 0, errors: 0, p95Ms: 0 }), layer, database: databases.has(service),
        x: MARGIN + layer * (NODE_WIDTH + LAYER_GAP),
        y: MARGIN + (inner - height) / 2 + i * (NODE_HEIGHT + NODE_GAP),
      };
    }),
  );
  const placed = new Map(nodes.map((node) => [node.service, node]));
  const drawn = graph.edges.filter((edge) => edge.from !== edge.to);
  const back = drawn.filter((edge) => placed.get(edge.to)!.layer <= placed.get(edge.from)!.layer).length;
  const bottom = MARGIN + inner;
  let drop = 0;
  const edges = drawn.map((edge): PlacedEdge => {
    const [from, to] = [placed.get(edge.from)!, placed.get(edge.to)!];
    if (to.layer > from.layer) return { ...edge, ...forward(from, to) };
    drop += BACK_DROP;
    return { ...edge, ...backward(from, to, bottom + drop) };
  });
  return { width: 2 * MARGIN + columns.length * (NODE_WIDTH + LAYER_GAP) - LAYER_GAP, height: bottom + MARGIN + back * BACK_DROP, nodes, edges };
}

function forward(from: PlacedNode, to: PlacedNode) {
  const [x1, y1] = [from.x + NODE_WIDTH, from.y + NODE_HEIGHT / 2];
  const [x2, y2] = [to.x - 6, to.y + NODE_HEIGHT / 2]; // room for the arrow's head
  const bend = Math.max(30, (x2 - x1) / 2);
  return { path: `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`, labelX: x2 - LAYER_GAP / 2 + 3, labelY: to.layer - from.layer > 1 ? y2 : (y1 + y2) / 2 };
}

function backward(from: PlacedNode, to: PlacedNode, y: number) {
  const [x1, x2] = [from.x + NODE_WIDTH / 2, to.x + NODE_WIDTH / 2 + (from === to ? 20 : 0)];
  const [y1, y2] = [from.y + NODE_HEIGHT, to.y + NODE_HEIGHT + 6];
  return { path: `M${x1} ${y1}C${x1} ${y} ${x1} ${y} ${x1 + Math.sign(x2 - x1) * 24} ${y}L${x2 - Math.sign(x2 - x1) * 24} ${y}C${x2} ${y} ${x2} ${y} ${x2} ${y2}`, labelX: (x1 + x2) / 2, labelY: y };
}

/** The layer of each service: one after the furthest of those that call it. Databases stand last, and calls back do not count. */
function layersOf(graph: ServiceGraph, databases: ReadonlySet<string>): Map<string, number> {
  const services = [...new Set([...graph.nodes.map((node) => node.service), ...graph.edges.flatMap((edge) => [edge.from, edge.to])])];
  const called = new Set(graph.edges.filter((edge) => edge.kind !== 'messaging' && edge.from !== edge.to).map((edge) => edge.to));
  // Whoever nobody calls comes first: browsers, and what works by itself.
  const sources = services.filter((service) => !called.has(service) && !databases.has(service)).sort((a, b) => Number(b === 'browser') - Number(a === 'browser') || a.localeCompare(b));
  const layers = new Map<string, number>();
  const path = new Set<string>();
  const visit = (service: string, layer: number): void => {
    if (path.has(service) || databases.has(service)) return;
    if ((layers.get(service) ?? -1) >= layer) return;
    layers.set(service, layer);
    path.add(service);
    for (const edge of graph.edges) if (edge.from === service && edge.to !== 'browser') visit(edge.to, layer + 1);
    path.delete(service);
  };
  for (const service of [...sources.filter((one) => one === 'browser'), ...sources.filter((one) => one !== 'browser'), ...services]) if (!layers.has(service)) visit(service, 0);
  const last = Math.max(-1, ...layers.values()) + 1;
  for (const service of services) if (databases.has(service)) layers.set(service, last);
  return layers;
}

/** Orders each column by the mean place of its callers, so that fewer edges cross. */
function orderColumns(columns: string[][], edges: readonly GraphEdge[]): void {
  for (let i = 1; i < columns.length; i++) {
    const before = columns.slice(0, i).flat();
    const weight = (service: string) => {
      const places = edges.filter((edge) => edge.to === service && before.includes(edge.from)).map((edge) => before.indexOf(edge.from));
      return places.length ? places.reduce((sum, one) => sum + one, 0) / places.length : before.length;
    };
    columns[i]!.sort((a, b) => weight(a) - weight(b) || a.localeCompare(b));
  }
}
