/** What a person does on a page by keyboard, mouse or touch; a tap moves no pointer, scrolling presses no key. */
const SIGNS = ["keydown", "pointerdown", "pointermove", "wheel", "touchmove"] as const;

/** Calls `touch` at each sign of life, until the returned function is called. */
export function watchPresence(page: EventTarget, touch: () => void): () => void {
  const options = { capture: true, passive: true };
  for (const sign of SIGNS) page.addEventListener(sign, touch, options);
  return () => {
    for (const sign of SIGNS) page.removeEventListener(sign, touch, options);
  };
}
