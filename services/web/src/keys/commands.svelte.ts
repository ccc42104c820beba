// Every command of the UI, with its keys. Screens register theirs while they are shown; the palette and the list of
// shortcuts read the same registry, so neither can go out of date.
import { untrack } from 'svelte';
import type { MessageKey } from '../i18n/i18n.svelte';
import type { IconName } from '../ui/icons.gen';

export interface Command {
  id: string;
  title: MessageKey;
  group: MessageKey;
  /** "c", "g b", "mod+k", "shift+ArrowUp". mod is Ctrl, or Command on a Mac. */
  keys?: string;
  icon?: IconName;
  /** Offered only while this holds. */
  when?: () => boolean;
  /** Listed among the shortcuts but handled where the focus is, such as arrow keys. */
  run?: (event?: KeyboardEvent) => void;
}

const STORAGE_KEY = 'tallyboard.single-keys';
const SEQUENCE_MS = 1_200;

let registered = $state.raw<readonly Command[]>([]);
/** Single-letter shortcuts can be switched off, for those who speak to their computer (WCAG 2.1.4). */
let singleKeys = $state(typeof localStorage === 'undefined' || localStorage.getItem(STORAGE_KEY) !== 'off');

export const mac: boolean = typeof navigator !== 'undefined' && /Mac|iPhone|iPad/.test(navigator.platform);

export function commands(): readonly Command[] {
  return registered;
}

/** Adds commands; the returned function removes them. Later ones win where keys are the same. */
export function register(list: Command[]): () => void {
  // Whoever registers from an effect must not depend on what is registered.
  untrack(() => (registered = [...registered, ...list]));
  return () => {
    untrack(() => (registered = registered.filter((command) => !list.includes(command))));
  };
}

export function singleKeysOn(): boolean {
  return singleKeys;
}

export function setSingleKeys(on: boolean): void {
  singleKeys = on;
  localStorage.setItem(STORAGE_KEY, on ? 'on' : 'off');
}

/** Keys of a command as people read them: ["Ctrl", "K"]. */
export function keyLabels(keys: string): string[] {
  const names: Record<string, string> = {
    mod: mac ? '⌘' : 'Ctrl', shift: '⇧', ArrowUp: '↑', ArrowDown: '↓', ArrowLeft: '←', ArrowRight: '→', Escape: 'Esc', Enter: '↵', arrows: '↑ ↓ ← →',
  };
  return keys.split(/[ +]/).map((key) => names[key] ?? (key.length === 1 ? key.toUpperCase() : key));
}

let sequence = '';
let sequenceTimer: ReturnType<typeof setTimeout> | undefined;

/** Listens to the keyboard. Returns a function that stops it. */
export function startKeys(): () => void {
  document.addEventListener('keydown', onKey);
  return () => document.removeEventListener('keydown', onKey);
}

function onKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing) return;
  const mod = mac ? event.metaKey : event.ctrlKey;
  const typing = (event.target as Element).closest?.('input:not([type=checkbox]):not([type=range]), textarea, select, [contenteditable=true]');
  const inDialog = document.querySelector('dialog[open], [popover]:popover-open') !== null;
  if (event.altKey || (mac ? event.ctrlKey : event.metaKey)) return;
  if (mod) {
    const name = `mod+${event.shiftKey ? 'shift+' : ''}${event.key.toLowerCase()}`;
    if (typing && name !== 'mod+k') return; // Ctrl+Z in a text field is the field's own
    if (inDialog && name !== 'mod+k') return;
    run(name, event);
    return;
  }
  if (typing || inDialog || !singleKeys || event.key.length !== 1) return;
  const name = sequence ? `${sequence} ${event.key}` : event.key;
  clearTimeout(sequenceTimer);
  sequence = '';
  if (run(name, event)) return;
  if (registered.some((command) => command.keys?.startsWith(`${event.key} `))) {
    sequence = event.key;
    sequenceTimer = setTimeout(() => (sequence = ''), SEQUENCE_MS);
  }
}

function run(keys: string, event: KeyboardEvent): boolean {
  const command = registered.findLast((one) => one.keys === keys && one.run && (one.when?.() ?? true));
  if (!command) return false;
  event.preventDefault();
  command.run!(event);
  return true;
}
