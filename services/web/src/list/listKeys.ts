import type { Command } from '../keys/commands.svelte';

function step(by: number): void {
  const links = [...document.querySelectorAll<HTMLElement>('.table a[data-card]')];
  const row = document.activeElement?.closest('[role=row]');
  const at = links.findIndex((link) => row?.contains(link));
  const next = links[at < 0 ? 0 : at + by];
  next?.focus();
  next?.scrollIntoView({ block: 'nearest' });
}

/** Moving over the rows. */
export function listKeys(): Command[] {
  return [
    { id: 'list-down', title: 'cmd.down', group: 'cmd.group.list', keys: 'j', run: () => step(1) },
    { id: 'list-up', title: 'cmd.up', group: 'cmd.group.list', keys: 'k', run: () => step(-1) },
  ];
}
