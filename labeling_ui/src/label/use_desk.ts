import { useState } from "preact/hooks";
import type { SkipReason, Stream } from "../api/types";
import { usePreference } from "./preference";
import type { LabelSession } from "./session";

/** From this many classes on, they can be found by typing. */
const MANY_CLASSES = 20;
export type Panel = "none" | "skip" | "newClass" | "filter" | "help";

/** Everything a key or a button can do on the labeling page. */
export interface Desk {
  panel: Panel;
  open(panel: Panel): void;
  answer(label: string): void;
  addClass(label: string): void;
  skip(reason: SkipReason): void;
  undo(): void;
  resume(): void;
  paused: boolean;
  guessShown: boolean;
  toggleGuess(): void;
  guidelinesShown: boolean;
  toggleGuidelines(): void;
  openClasses: boolean;
  filterable: boolean;
}

export function useDesk(session: LabelSession, stream: Stream | null, classCount: number): Desk {
  const [panel, open] = useState<Panel>("none");
  const [guessShown, showGuess] = usePreference("guess", false);
  const [guidelinesShown, showGuidelines] = usePreference("guidelines", innerWidth >= 900);
  const openClasses = stream?.open_classes ?? false;

  function answer(label: string): void {
    open("none");
    session.answer(label);
  }

  function addClass(label: string): void {
    if (!session.queue.current) return;
    if (!stream?.classes.includes(label)) session.addedClasses.push(label);
    answer(label);
  }

  function skip(reason: SkipReason): void {
    open("none");
    session.skip(reason);
  }

  return {
    panel,
    open,
    answer,
    addClass,
    skip,
    guessShown,
    guidelinesShown,
    openClasses,
    undo: () => void session.undo(),
    resume: () => session.start(),
    paused: session.paused,
    toggleGuess: () => showGuess(!guessShown),
    toggleGuidelines: () => showGuidelines(!guidelinesShown),
    filterable: classCount > MANY_CLASSES,
  };
}
