// The texts of the screens of traces and operations: a catalogue of its own, which is loaded with these screens and so
// costs the board's first load nothing.
import { de } from './diagnostics.de';
import { en, type DiagnosticsKey } from './diagnostics.en';
import { format, type Params } from './format';
import { currentLanguage, type Language } from './i18n.svelte';

export type { DiagnosticsKey };

const catalogues: Record<Language, Record<DiagnosticsKey, string>> = { en, de };

/** The text for a key. */
export function d(key: DiagnosticsKey, params: Params = {}): string {
  return format(catalogues[currentLanguage()][key], params, currentLanguage());
}
