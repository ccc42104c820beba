// Drag and drop is loaded after the first picture: nobody drags a card that is not there yet.
type Dnd = typeof import('./dnd');

let loading: Promise<Dnd> | undefined;

/** Calls back once drag and drop is there. The returned function undoes what the callback set up, or keeps it from happening. */
export function whenDragReady(start: (dnd: Dnd) => () => void): () => void {
  let stop: (() => void) | undefined;
  let gone = false;
  loading ??= import('./dnd');
  loading.then(
    (dnd) => {
      if (!gone) stop = start(dnd);
    },
    () => (loading = undefined), // offline: keyboard and menu still move cards; the next card tries again
  );
  return () => {
    gone = true;
    stop?.();
  };
}
