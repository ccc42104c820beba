const GAP = 4;
const MARGIN = 8;

/** Puts a fixed element below its anchor, or above where there is no room, and inside the window. */
export function place(element: HTMLElement, anchor: Element): void {
  const at = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = element;
  const below = at.bottom + GAP;
  const top = below + height > innerHeight - MARGIN && at.top - GAP - height > MARGIN ? at.top - GAP - height : below;
  const left = Math.min(at.left, innerWidth - width - MARGIN);
  element.style.top = `${Math.max(MARGIN, Math.min(top, innerHeight - height - MARGIN))}px`;
  element.style.left = `${Math.max(MARGIN, left)}px`;
}
