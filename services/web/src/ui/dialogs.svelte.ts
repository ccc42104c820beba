// Which dialog is open. Their code is loaded when they are opened first.
export type DialogName = 'palette' | 'shortcuts' | 'import' | 'project';

let current = $state<DialogName | null>(null);

export function openDialog(): DialogName | null {
  return current;
}

export function showDialog(name: DialogName): void {
  current = name;
}

export function closeDialog(): void {
  current = null;
}
