// Short notices at the lower edge. Actions beside them (Undo) are also reachable by keyboard and by Ctrl+Z.

export interface ToastAction {
  label: string;
  run?: () => void;
  href?: string;
}

export interface Toast {
  id: number;
  kind: 'info' | 'error';
  text: string;
  action?: ToastAction;
  /** Trace of the request that failed, for whoever looks into it. */
  traceId?: string | undefined;
}

const INFO_MS = 6_000;
const ERROR_MS = 12_000;
const MAX_SHOWN = 3;

let next = 1;
let list = $state.raw<readonly Toast[]>([]);
let held = $state(false);
const timers = new Map<number, ReturnType<typeof setTimeout>>();

export function toasts(): readonly Toast[] {
  return list;
}

/** Shows a notice. It leaves by itself, but not while pointer or focus rests on it. */
export function toast(input: Omit<Toast, 'id'>): number {
  const id = next++;
  list = [...list.filter((other) => other.text !== input.text), { ...input, id }].slice(-MAX_SHOWN);
  schedule(id, input.kind);
  return id;
}

export function dismiss(id: number): void {
  clearTimeout(timers.get(id));
  timers.delete(id);
  list = list.filter((toast) => toast.id !== id);
}

/** Keeps notices while somebody reads or aims at them. */
export function hold(on: boolean): void {
  held = on;
  if (!on) for (const toast of list) schedule(toast.id, toast.kind);
}

function schedule(id: number, kind: Toast['kind']): void {
  clearTimeout(timers.get(id));
  timers.set(id, setTimeout(() => !held && dismiss(id), kind === 'error' ? ERROR_MS : INFO_MS));
}

// ---- announcements for screen readers

let announced = $state('');

export function announcement(): string {
  return announced;
}

/** Says something to screen readers without showing it. */
export function announce(text: string): void {
  // The same text twice must change the region, or it stays unsaid.
  announced = announced === text ? `${text}\u00a0` : text;
}
