// Which part of a long column is worth rendering. Heights are measured as cards appear; unseen ones are estimated.

/** Pixels rendered beyond the visible part, so that scrolling shows no gaps. */
export const OVERSCAN_PX = 400;
/** Height of a card not seen yet: key, a line of title, one row of details. */
export const ESTIMATE_PX = 92;

export interface Layout {
  /** Upper edge of each item, and the lower edge of the last one. */
  edges: Float64Array;
}

/** Lays items out one below the other. Heights include the gap. */
export function layout(ids: readonly string[], heights: ReadonlyMap<string, number>): Layout {
  const edges = new Float64Array(ids.length + 1);
  for (let i = 0; i < ids.length; i++) edges[i + 1] = edges[i]! + (heights.get(ids[i]!) ?? ESTIMATE_PX);
  return { edges };
}

/** Index of the item at a height: the last whose upper edge is at or above y. */
export function indexAt({ edges }: Layout, y: number): number {
  let low = 0;
  let high = Math.max(0, edges.length - 2);
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (edges[middle]! <= y) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The half-open range of items to render. */
export function visible(l: Layout, scrollTop: number, viewport: number): [from: number, to: number] {
  const count = l.edges.length - 1;
  if (count === 0) return [0, 0];
  return [indexAt(l, scrollTop - OVERSCAN_PX), Math.min(count, indexAt(l, scrollTop + viewport + OVERSCAN_PX) + 1)];
}

/** Where a card dropped at height y goes: before the item whose middle is below it. */
export function dropIndex(l: Layout, y: number): number {
  const count = l.edges.length - 1;
  if (count === 0) return 0;
  const at = indexAt(l, y);
  return y > (l.edges[at]! + l.edges[at + 1]!) / 2 ? at + 1 : at;
}
