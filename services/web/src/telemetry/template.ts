// Paths of requests as templates. What is not a word of our API becomes a parameter, so no key, id or text of a person
// can get into a span by its path.

const WORDS = new Set(
  ('api v1 me people projects states labels members views tasks bulk quickadd parse board history events import export restore move details comments ' +
    'relations stats summary throughput times flow ageing burnup forecast overdue status verify parked retry traces graph settings operations').split(' '),
);
/** The parameters behind a word, as the API's description names them. */
const PARAMS: Record<string, readonly string[]> = {
  people: ['person'], projects: ['key'], states: ['state'], labels: ['label'], members: ['person'], views: ['view'], tasks: ['ref'],
  comments: ['comment'], relations: ['kind', 'other'], parked: ['task'], traces: ['traceId'],
};

/** "/api/v1/tasks/WEB-42/move?tz=…" → "/api/v1/tasks/{ref}/move". */
export function templateOf(path: string): string {
  const segments = path.replace(/[?#].*$/s, '').split('/').slice(1);
  let word = '';
  let since = 0; // parameters since the word
  return segments.reduce((template, segment) => {
    // Kinds of relations are words as well: what is expected to be a parameter is one.
    const expected = word === 'relations' && since < 2;
    if (WORDS.has(segment) && !expected) {
      word = segment;
      since = 0;
      return `${template}/${segment}`;
    }
    return `${template}/{${PARAMS[word]?.[since++] ?? 'id'}}`;
  }, '');
}
