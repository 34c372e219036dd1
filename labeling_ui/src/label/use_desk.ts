import { useLayoutEffect, useState } from "preact/hooks";
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
  /** Whether a press was meant for a question that has just gone. */
  catches(): boolean;
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
  const { current } = session.queue;
  // What was begun on one question is never applied to another.
  useLayoutEffect(() => open((panel) => (panel === "help" ? panel : "none")), [current]);

  function answer(label: string): void {
    open("none");
    session.answer(label, current);
  }

  function addClass(label: string): void {
    open("none");
    if (session.answer(label, current) && !stream?.classes.includes(label))
      session.addedClasses.push(label);
  }

  function skip(reason: SkipReason): void {
    open("none");
    session.skip(reason, current);
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
    catches: () => session.catches(),
    resume: () => session.start(),
    paused: session.paused,
    toggleGuess: () => showGuess(!guessShown),
    toggleGuidelines: () => showGuidelines(!guidelinesShown),
    filterable: classCount > MANY_CLASSES,
  };
}
