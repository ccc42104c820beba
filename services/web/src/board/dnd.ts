// Drag and drop of cards on pragmatic-drag-and-drop. Dropping has a keyboard way (Shift+arrows) and a menu (Move to…).
import { draggable, dropTargetForElements, monitorForElements } from '@atlaskit/pragmatic-drag-and-drop/element/adapter';

const KIND = 'tallyboard.task';

export interface DragHandlers {
  onstart: () => void;
  onend: () => void;
}

/** Makes an element the handle and preview of a card. Returns the clean-up. */
export function dragCard(element: HTMLElement, id: () => string, { onstart, onend }: DragHandlers): () => void {
  return draggable({
    element,
    getInitialData: () => ({ kind: KIND, id: id() }),
    onDragStart: onstart,
    onDrop: onend,
  });
}

/** Accepts cards over an element. `onover` gets the pointer's height, or null when the card has left. */
export function dropColumn(element: HTMLElement, onover: (clientY: number | null) => void, ondrop: (id: string, clientY: number) => void): () => void {
  return dropTargetForElements({
    element,
    canDrop: ({ source }) => source.data['kind'] === KIND,
    onDrag: ({ location }) => onover(location.current.input.clientY),
    onDragLeave: () => onover(null),
    onDrop: ({ source, location }) => {
      onover(null);
      ondrop(String(source.data['id']), location.current.input.clientY);
    },
  });
}

const EDGE_PX = 64;
const MAX_STEP_PX = 18;

/** While a card is dragged near an edge, scrolls the board sideways and the column below the pointer up or down. */
export function autoScroll(board: HTMLElement): () => void {
  let frame = 0;
  let at: { clientX: number; clientY: number } | null = null;
  const push = (from: number, to: number, value: number) => {
    if (value < from + EDGE_PX) return -Math.min(1, (from + EDGE_PX - value) / EDGE_PX) * MAX_STEP_PX;
    if (value > to - EDGE_PX) return Math.min(1, (value - to + EDGE_PX) / EDGE_PX) * MAX_STEP_PX;
    return 0;
  };
  const step = () => {
    if (at) {
      const edges = board.getBoundingClientRect();
      board.scrollLeft += push(edges.left, edges.right, at.clientX);
      const column = document.elementFromPoint(at.clientX, at.clientY)?.closest<HTMLElement>('[data-scroller]');
      if (column) {
        const { top, bottom } = column.getBoundingClientRect();
        column.scrollTop += push(top, bottom, at.clientY);
      }
    }
    frame = requestAnimationFrame(step);
  };
  const stop = monitorForElements({
    onDragStart: () => (frame = requestAnimationFrame(step)),
    onDrag: ({ location }) => (at = location.current.input),
    onDrop: () => {
      cancelAnimationFrame(frame);
      at = null;
    },
  });
  return () => {
    cancelAnimationFrame(frame);
    stop();
  };
}
