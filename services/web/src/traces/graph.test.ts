import { describe, expect, it } from 'vitest';
import type { GraphEdge, ServiceGraph } from '../api/types';
import { layoutGraph, NODE_HEIGHT, NODE_WIDTH } from './graph';

const edge = (from: string, to: string, kind: GraphEdge['kind'] = 'http'): GraphEdge => ({ from, to, kind, calls: 1, errors: 0, p95Ms: 1 });
const graphOf = (edges: GraphEdge[]): ServiceGraph => ({ edges, nodes: [...new Set(edges.flatMap((one) => [one.from, one.to]))].map((service) => ({ service, calls: 1, errors: 0, p95Ms: 1 })) });
const product = graphOf([
  edge('browser', 'edge'), edge('edge', 'task-service'), edge('edge', 'stats-service'), edge('task-service', 'stats-service', 'messaging'),
  edge('task-service', 'browser', 'messaging'), edge('task-service', 'mysql', 'db'), edge('stats-service', 'postgresql', 'db'),
]);

describe('the service graph', () => {
  it('stands in layers: browser, edge, services, databases', () => {
    const layers = Object.fromEntries(layoutGraph(product).nodes.map((node) => [node.service, node.layer]));
    expect(layers).toEqual({ browser: 0, edge: 1, 'task-service': 2, 'stats-service': 2, mysql: 3, postgresql: 3 });
  });

  it('puts who lives on messages beside their producer', () => {
    const layers = Object.fromEntries(layoutGraph(graphOf([edge('edge', 'task-service'), edge('task-service', 'stats-service', 'messaging')])).nodes.map((node) => [node.service, node.layer]));
    expect(layers['stats-service']).toBe(layers['task-service']);
  });

  it('lets no two nodes overlap and keeps everything within the drawing', () => {
    const { nodes, edges, width, height } = layoutGraph(product);
    for (const a of nodes) {
      for (const b of nodes) if (a !== b) expect(Math.abs(a.x - b.x) >= NODE_WIDTH || Math.abs(a.y - b.y) >= NODE_HEIGHT, `${a.service} and ${b.service}`).toBe(true);
      expect(a.x + NODE_WIDTH).toBeLessThanOrEqual(width);
      expect(a.y + NODE_HEIGHT).toBeLessThanOrEqual(height);
    }
    for (const one of edges) expect(one.labelY).toBeLessThanOrEqual(height);
    expect(edges).toHaveLength(product.edges.length);
  });

  it('draws calls in a circle, none of a service to itself, and nothing of nothing', () => {
    const circle = layoutGraph(graphOf([edge('a', 'b'), edge('b', 'a'), edge('a', 'a')]));
    expect(circle.nodes).toHaveLength(2);
    expect(circle.edges).toHaveLength(2);
    expect(layoutGraph({ nodes: [], edges: [] }).nodes).toEqual([]);
  });
});
