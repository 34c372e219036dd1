import type { Command, KeyMap } from "./keys";

export type Action = { kind: "answer"; label: string } | { kind: "command"; command: Command };

/** The part of a KeyboardEvent that decides. */
export interface Press {
  key: string;
  code: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  shiftKey: boolean;
  repeat: boolean;
  isComposing: boolean;
}

/** What a key press asks for; null when it is none of ours. */
export function actionFor(press: Press, keys: KeyMap): Action | null {
  if (press.isComposing) return null;
  if (press.ctrlKey || press.metaKey) return isUndoChord(press) ? command("undo") : null;
  if (press.altKey) return null;
  const action = byKey(press.key, keys) ?? byPlace(press, keys);
  // A held-down key answers once; only undo may run on.
  return press.repeat && !isUndo(action) ? null : action;
}

/** Whether the person is typing text, so that keys mean letters. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || target.matches("input, textarea, select, dialog *");
}

function byKey(key: string, keys: KeyMap): Action | null {
  for (const candidate of [key, key.toLowerCase()]) {
    const label = keys.classOf.get(candidate);
    if (label !== undefined) return { kind: "answer", label };
    const found = keys.commandOf.get(candidate);
    if (found) return command(found);
  }
  return null;
}

/** Keyboards whose digits or Latin letters sit elsewhere answer by the key's place. */
function byPlace(press: Press, keys: KeyMap): Action | null {
  if (press.shiftKey) return null;
  const place = /^(?:Digit|Numpad)(\d)$|^Key([A-Z])$/.exec(press.code);
  const key = place?.[1] ?? place?.[2]?.toLowerCase();
  return key === undefined ? null : byKey(key, keys);
}

function isUndoChord(press: Press): boolean {
  return press.key.toLowerCase() === "z" && !press.shiftKey && !press.altKey;
}

function isUndo(action: Action | null): boolean {
  return action?.kind === "command" && action.command === "undo";
}

function command(name: Command): Action {
  return { kind: "command", command: name };
}
