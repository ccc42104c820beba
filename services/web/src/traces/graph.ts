// Lays out the service graph by layers, from who asks to who answers: browser, edge, services, databases.
import type { GraphEdge, GraphNode, ServiceGraph } from '../api/types';

export const NODE_WIDTH = 172;
export const NODE_HEIGHT = 64;
/** Room between layers; the numbers of the edges stand in it. */
const LAYER_GAP = 124;
const NODE_GAP = 64;
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
  const bottom = MARGIN + inner;
  let drop = 0;
  const edges = drawn.map((edge): PlacedEdge => {
    const [from, to] = [placed.get(edge.from)!, placed.get(edge.to)!];
    if (to.layer > from.layer) return { ...edge, ...forward(from, to) };
    if (to.layer === from.layer && Math.abs(to.y - from.y) === NODE_HEIGHT + NODE_GAP) return { ...edge, ...beside(from, to) };
    drop += BACK_DROP;
    return { ...edge, ...backward(from, to, bottom + drop) };
  });
  return { width: 2 * MARGIN + columns.length * (NODE_WIDTH + LAYER_GAP) - LAYER_GAP, height: bottom + MARGIN + (drop && drop + MARGIN), nodes, edges };
}

function forward(from: PlacedNode, to: PlacedNode) {
  const [x1, y1] = [from.x + NODE_WIDTH, from.y + NODE_HEIGHT / 2];
  const [x2, y2] = [to.x - 6, to.y + NODE_HEIGHT / 2]; // room for the arrow's head
  const bend = Math.max(30, (x2 - x1) / 2);
  return { path: `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`, labelX: x2 - LAYER_GAP / 2 + 3, labelY: to.layer - from.layer > 1 ? y2 : (y1 + y2) / 2 };
}

/** Between neighbours in one layer: straight down, or up beside that. */
function beside(from: PlacedNode, to: PlacedNode) {
  const down = to.y > from.y;
  const x = from.x + NODE_WIDTH * (down ? 0.3 : 0.7);
  const [y1, y2] = down ? [from.y + NODE_HEIGHT, to.y - 6] : [from.y, to.y + NODE_HEIGHT + 6];
  return { path: `M${x} ${y1}V${y2}`, labelX: x, labelY: (y1 + y2) / 2 };
}

function backward(from: PlacedNode, to: PlacedNode, y: number) {
  const [x1, x2] = [from.x + NODE_WIDTH / 2, to.x + NODE_WIDTH / 2 + (from === to ? 20 : 0)];
  const [y1, y2] = [from.y + NODE_HEIGHT, to.y + NODE_HEIGHT + 6];
  return { path: `M${x1} ${y1}C${x1} ${y} ${x1} ${y} ${x1 + Math.sign(x2 - x1) * 24} ${y}L${x2 - Math.sign(x2 - x1) * 24} ${y}C${x2} ${y} ${x2} ${y} ${x2} ${y2}`, labelX: (x1 + x2) / 2, labelY: y };
}

/**
 * The layer of each service: one after the furthest of those that send it requests. Messages do not move anybody to
 * another layer; who lives on messages alone stands beside their producers. Databases come last.
 */
function layersOf(graph: ServiceGraph, databases: ReadonlySet<string>): Map<string, number> {
  const services = [...new Set([...graph.nodes.map((node) => node.service), ...graph.edges.flatMap((edge) => [edge.from, edge.to])])].filter((service) => !databases.has(service));
  const requests = graph.edges.filter((edge) => edge.kind === 'http' && edge.from !== edge.to && edge.to !== 'browser');
  const called = new Set(requests.map((edge) => edge.to));
  const layers = new Map<string, number>();
  const path = new Set<string>();
  const visit = (service: string, layer: number): void => {
    if (path.has(service) || (layers.get(service) ?? -1) >= layer) return; // a call back, or already further on
    layers.set(service, layer);
    path.add(service);
    for (const edge of requests) if (edge.from === service) visit(edge.to, layer + 1);
    path.delete(service);
  };
  const first = [...services].sort((a, b) => Number(b === 'browser') - Number(a === 'browser') || Number(called.has(a)) - Number(called.has(b)) || a.localeCompare(b));
  for (const service of first) {
    if (layers.has(service)) continue;
    const producers = called.has(service) || service === 'browser' ? [] : graph.edges.filter((edge) => edge.kind === 'messaging' && edge.to === service && layers.has(edge.from));
    visit(service, Math.max(0, ...producers.map((edge) => layers.get(edge.from)!)));
  }
  const last = Math.max(-1, ...layers.values()) + 1;
  for (const database of databases) layers.set(database, last);
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
