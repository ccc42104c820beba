// The tokens as colours a canvas understands: light-dark() and var() are resolved by the browser first.

export interface Palette {
  text: string;
  line: string;
  accent: string;
  warn: string;
  font: string;
  category: Record<'backlog' | 'todo' | 'doing' | 'done' | 'cancelled', string>;
}

export function palette(near: HTMLElement): Palette {
  const probe = document.createElement('span');
  near.append(probe);
  const color = (token: string) => {
    probe.style.color = `var(${token})`;
    return getComputedStyle(probe).color;
  };
  const colors: Palette = {
    text: color('--text-3'), line: color('--line'), accent: color('--accent'), warn: color('--warn'),
    font: getComputedStyle(near).fontFamily,
    category: { backlog: color('--cat-backlog'), todo: color('--cat-todo'), doing: color('--cat-doing'), done: color('--cat-done'), cancelled: color('--cat-cancelled') },
  };
  probe.remove();
  return colors;
}

/** A resolved colour with another opacity. */
export function faded(color: string, alpha: number): string {
  return `color-mix(in srgb, ${color} ${Math.round(alpha * 100)}%, transparent)`;
}
