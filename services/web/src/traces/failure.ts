// What to tell of a trace that could not be loaded.
import { ApiError } from '../api/http';
import { d } from '../i18n/diagnostics.svelte';
import { t } from '../i18n/i18n.svelte';

/** Whether the server answered that it has no such trace, or that this is no id of one. */
export function isMissing(error: Error): boolean {
  return error instanceof ApiError && [400, 404].includes(error.status);
}

/** The notice for a trace that could not be loaded: one that is missing is none of the network's fault. */
export function failureOf(error: Error): { icon: 'zap' | 'cloud-off'; title: string; text: string } {
  if (isMissing(error)) return { icon: 'zap', title: d('trace.missing'), text: d('trace.missingText') };
  return { icon: 'cloud-off', title: d('trace.loadFailed'), text: error instanceof ApiError ? error.message : t('error.network') };
}
