// The keyboard of the waterfall, as the treegrid pattern of ARIA has it, with zoom beside.
import type { Row } from './tree';

/** Heights in pixels: of rows and of the head, and where in a row its bar begins, its middle is and lines run along it. */
export const ROW_HEIGHTS = {
  wide: { row: 28, head: 28, barTop: 8, middle: 14, along: 22 },
  narrow: { row: 50, head: 48, barTop: 32, middle: 38, along: 46 },
} as const;

export type Step =
  | { do: 'focus'; at: number }
  | { do: 'toggle'; open: boolean }
  | { do: 'parent' | 'details' | 'close-details' | 'in' | 'out' | 'left' | 'right' | 'whole' };

interface Where {
  closed: boolean;
  /** Index of the row with the focus, and of the last row. */
  at: number;
  last: number;
  /** Rows that fit the window. */
  page: number;
}

/** What a key does on a row; null where it is none of the waterfall's. */
export function waterfallKey(key: string, shift: boolean, row: Row, where: Where): Step | null {
  const { closed, at, last, page } = where;
  const children = row.node.children.length > 0;
  switch (key) {
    case 'ArrowDown': return { do: 'focus', at: Math.min(last, at + 1) };
    case 'ArrowUp': return { do: 'focus', at: Math.max(0, at - 1) };
    case 'Home': return { do: 'focus', at: 0 };
    case 'End': return { do: 'focus', at: last };
    case 'PageDown': return { do: 'focus', at: Math.min(last, at + page) };
    case 'PageUp': return { do: 'focus', at: Math.max(0, at - page) };
    case 'ArrowRight':
      if (shift) return { do: 'right' };
      if (children && closed) return { do: 'toggle', open: true };
      return children ? { do: 'focus', at: at + 1 } : null;
    case 'ArrowLeft':
      if (shift) return { do: 'left' };
      if (children && !closed) return { do: 'toggle', open: false };
      return row.parent === null ? null : { do: 'parent' };
    case 'Enter':
    case ' ': return { do: 'details' };
    case 'Escape': return { do: 'close-details' };
    case '+': return { do: 'in' };
    case '-': return { do: 'out' };
    default: return null;
  }
}
