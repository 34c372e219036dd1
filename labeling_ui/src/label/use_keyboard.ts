import { useEffect, useRef } from "preact/hooks";
import { type Command, type KeyMap } from "./keys";
import { actionFor, isTyping } from "./keyboard";
import { SKIP_REASONS } from "./skip_menu";
import type { Desk } from "./use_desk";

/** Listens to the whole page; keys never fire while somebody types. */
export function useKeyboard(desk: Desk, keys: KeyMap, enabled: boolean): void {
  const latest = useRef({ desk, keys });
  latest.current = { desk, keys };
  useEffect(() => {
    if (!enabled) return;
    const press = (event: KeyboardEvent) => {
      if (isTyping(event.target)) return;
      const chord = event.ctrlKey || event.metaKey;
      if (!chord && latest.current.desk.catches()) return event.preventDefault();
      if (handle(event, latest.current.desk, latest.current.keys)) event.preventDefault();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [enabled]);
}

function handle(event: KeyboardEvent, desk: Desk, keys: KeyMap): boolean {
  if (event.key === "Escape") return close(desk);
  if (desk.paused) return isPlain(event) && (desk.resume(), true);
  if (desk.panel === "skip") return chooseReason(event, desk);
  const action = actionFor(event, keys);
  if (!action) return false;
  if (action.kind === "answer") desk.answer(action.label);
  else perform(action.command, desk);
  return true;
}

function perform(command: Command, desk: Desk): void {
  const commands: Record<Command, () => void> = {
    undo: desk.undo,
    skip: () => desk.open("skip"),
    unclear: () => desk.skip("unclear"),
    newClass: () => desk.openClasses && desk.open("newClass"),
    filter: () => desk.filterable && desk.open("filter"),
    guess: desk.toggleGuess,
    guidelines: desk.toggleGuidelines,
    help: () => desk.open("help"),
  };
  commands[command]();
}

function chooseReason(event: KeyboardEvent, desk: Desk): boolean {
  const chosen = SKIP_REASONS[Number(event.key) - 1];
  if (chosen && !event.repeat) desk.skip(chosen.reason);
  return chosen !== undefined;
}

function close(desk: Desk): boolean {
  if (desk.panel === "none") return false;
  desk.open("none");
  return true;
}

/** A letter, a digit or the space bar, without Ctrl and the like. */
function isPlain(event: KeyboardEvent): boolean {
  return event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey;
}
