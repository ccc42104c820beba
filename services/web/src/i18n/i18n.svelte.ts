// Texts in the reader's language. English is part of the first load; other catalogues are fetched when needed.
import { en, type MessageKey } from './en';
import { format, type Params } from './format';

export type { MessageKey };
export type Language = 'en' | 'de';
type Catalogue = Record<MessageKey, string>;

const loaders: Record<Exclude<Language, 'en'>, () => Promise<Catalogue>> = {
  de: async () => (await import('./de')).de,
};

const STORAGE_KEY = 'tallyboard.language';

let language = $state<Language>('en');
let catalogue = $state.raw<Catalogue>(en);
/** The locale of dates and numbers: the browser's own where it speaks the chosen language, so en-GB keeps its dates. */
let locale = $state('en');

/** Loads the catalogue of the reader's language; call once before the first screen. */
export async function startLanguage(): Promise<void> {
  const stored = localStorage.getItem(STORAGE_KEY);
  const wanted = stored ? [stored] : navigator.languages;
  const found = wanted.map((tag) => tag.slice(0, 2)).find((tag): tag is Language => tag === 'en' || tag in loaders);
  await use(found ?? 'en');
}

/** Switches the language and remembers it. */
export async function setLanguage(next: Language): Promise<void> {
  localStorage.setItem(STORAGE_KEY, next);
  await use(next);
}

async function use(next: Language): Promise<void> {
  catalogue = next === 'en' ? en : await loaders[next]();
  language = next;
  locale = navigator.languages.find((tag) => tag.startsWith(next)) ?? next;
  document.documentElement.lang = next;
}

export function currentLanguage(): Language {
  return language;
}

export function currentLocale(): string {
  return locale;
}

/** The text for a key. */
export function t(key: MessageKey, params: Params = {}): string {
  return format(catalogue[key], params, language);
}
