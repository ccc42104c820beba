import { d } from '../i18n/diagnostics.svelte';
import { toast } from '../ui/toasts.svelte';

/** Copies a text and says so; where the browser refuses, says that instead. */
export async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    toast({ kind: 'info', text: d('copied') });
  } catch {
    toast({ kind: 'error', text: d('copyFailed') });
  }
}
