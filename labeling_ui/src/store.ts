import { useLayoutEffect, useReducer } from "preact/hooks";

/** Something that changes over time and tells who looks at it. */
export class Store {
  private listeners = new Set<() => void>();

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  protected changed(): void {
    for (const listener of [...this.listeners]) listener();
  }
}

/** Redraw the calling component whenever the store changes. */
export function useStore<S extends Store>(store: S): S {
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  useLayoutEffect(() => store.subscribe(() => redraw(undefined as never)), [store]);
  return store;
}
