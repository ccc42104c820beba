import type { Label } from '../api/types';

/** Colours for new labels: told apart in both themes, also with common colour blindness. */
export const COLORS = ['#d73a4a', '#0e8a6d', '#3b6fd4', '#d9a514', '#8f5bd6', '#c2571a', '#16879c', '#b2458d', '#5f7a1f', '#6b7280'] as const;

/** The colour least used so far. */
export function nextColor(labels: readonly Label[]): string {
  const uses = (color: string) => labels.filter((label) => label.color === color).length;
  return COLORS.reduce((best, color) => (uses(color) < uses(best) ? color : best), COLORS[0] as string);
}
