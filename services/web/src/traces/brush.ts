// Drags over a strip of time: reports the part between where the pointer went down and where it was let go.

export interface Brush {
  /** Both as shares of the strip's width, 0 to 1, the smaller first. Null while nothing is being dragged. */
  onmove: (part: [from: number, to: number] | null) => void;
  onselect: (from: number, to: number) => void;
}

/** Shorter drags are clicks. */
const MIN_DRAG_PX = 4;

/** A Svelte action. */
export function brush(node: HTMLElement, options: Brush) {
  let current = options;
  let start: number | null = null;
  const share = (event: PointerEvent) => {
    const box = node.getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
  };
  const part = (event: PointerEvent): [number, number] => {
    const now = share(event);
    return [Math.min(start!, now), Math.max(start!, now)];
  };
  const down = (event: PointerEvent) => {
    if (event.button !== 0) return;
    start = share(event);
    node.setPointerCapture(event.pointerId);
    event.preventDefault();
  };
  const move = (event: PointerEvent) => {
    if (start !== null) current.onmove(part(event));
  };
  const up = (event: PointerEvent) => {
    if (start === null) return;
    const [from, to] = part(event);
    start = null;
    current.onmove(null);
    if ((to - from) * node.clientWidth >= MIN_DRAG_PX) current.onselect(from, to);
  };
  const cancel = () => {
    start = null;
    current.onmove(null);
  };
  node.addEventListener('pointerdown', down);
  node.addEventListener('pointermove', move);
  node.addEventListener('pointerup', up);
  node.addEventListener('pointercancel', cancel);
  return {
    update: (next: Brush) => void (current = next),
    destroy: () => {
      node.removeEventListener('pointerdown', down);
      node.removeEventListener('pointermove', move);
      node.removeEventListener('pointerup', up);
      node.removeEventListener('pointercancel', cancel);
    },
  };
}
